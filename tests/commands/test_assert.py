"""`assert`: its exit codes, and what it says."""

import pytest

from tests.commands.conftest import Shell

pytestmark = pytest.mark.no_clock(sockets=True)


def test_what_holds_and_what_does_not(served: Shell) -> None:
    assert served.run("offer", "bob", "--wait", "5").exit_code == 0
    try:
        held = served.run("assert", "loss(bob)<1%", "jitter_p95(bob) < 5ms", "--json")
        assert (held.exit_code, held.json["ok"]) == (0, True)
        assert [one["outcome"] for one in held.json["expectations"]] == ["passed", "passed"]
        assert held.json["expectations"][0]["findings"][0]["measured"] == pytest.approx(3 / 503)

        failed = served.run("assert", "loss(bob)<0.1%", "loss(bob)<1%", "--for", "0.3")
        assert (failed.exit_code, failed.stderr) == (6, "")
        assert [line.split()[0] for line in failed.stdout.splitlines()] == ["FAILED", "FAILED"]
        assert "not measured" in failed.stdout, "nothing was counted meanwhile"

        assert served.run("assert", "talking(dave)").exit_code == 3
    finally:
        served.run("leave")


def test_without_a_call_or_a_session_there_is_nothing_to_look_at(served: Shell, shell: Shell) -> None:
    none = served.run("assert", "loss<1%", "--json")
    assert (none.exit_code, none.json["error"]["code"]) == (3, "not_found")
    assert shell.run("assert", "loss<1%").exit_code == 4


@pytest.mark.parametrize("text", ["loss<", "loss<1", "pesq>4", "loss<1% from 5s", "hello"])
def test_what_cannot_be_read_is_a_mistake_before_anything_is_asked(shell: Shell, text: str) -> None:
    assert shell.run("assert", text).exit_code == 2

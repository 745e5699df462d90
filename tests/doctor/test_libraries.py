"""The process that loads the libraries: it may be slow, it may hang, and it names the right one."""

from importlib.metadata import requires
from pathlib import Path

import pytest

from blink_cli.doctor import libraries
from blink_cli.doctor.library_query import behind_their_needs
from blink_cli.doctor.requirement import Requirement
from tests.doctor.test_examination import HERE

pytestmark = pytest.mark.no_clock(sockets=True)


def wanted(*names: str) -> list[Requirement]:
    return [Requirement(name, (), None, None) for name in names]


def test_what_another_needs_is_loaded_before_it() -> None:
    assert "av" in " ".join(requires("aiortc") or ()), "else this proves nothing"
    order = [one.name for one in behind_their_needs(wanted("aiortc", "soxr", "av", "no-such-library"))]
    assert order == ["av", "aiortc", "soxr", "no-such-library"]


def test_what_two_extras_bring_is_named_after_the_first() -> None:
    (one,) = behind_their_needs(
        [Requirement("no-such-library", (), None, name) for name in ("nats", "broker")]
    )
    assert one.extra == "nats"


def asked(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> libraries.Answer:
    (folder / "library_query_of_a_test.py").write_text(script)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setattr(libraries, "ASKED", "library_query_of_a_test")
    return libraries._asked()


SAY = """
import sys, time
def say(kind, name):
    print('{"type":"%s","name":"%s","extra":null,"wanted":"","version":"1","broken_bound":null,"failure":null}' % (kind, name), flush=True)
"""


def test_one_that_hangs_is_named_and_the_process_is_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(libraries, "SILENT_S", 1.0)
    script = f"{SAY}\nsay('library', 'numpy'); say('loading', 'av'); time.sleep(600)"
    answer = asked(monkeypatch, tmp_path, script)
    assert ([one.name for one in answer.libraries], answer.loading, answer.exit_code) == (
        ["numpy"],
        "av",
        None,
    )
    found = libraries.judged(answer)
    assert (found.level, found.found[:2]) == ("unknown", "av")


def test_a_slow_machine_may_take_longer_than_one_library_may(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(libraries, "SILENT_S", 2.0)
    monkeypatch.setattr(libraries, "ALL_S", 60.0)
    script = f"{SAY}\nfor number in range(5): time.sleep(0.5); say('library', str(number))"
    answer = asked(monkeypatch, tmp_path, script)
    assert (len(answer.libraries), answer.exit_code) == (5, 0)


def test_without_end_nobody_waits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(libraries, "ALL_S", 1.0)
    script = f"{SAY}\nfor number in range(1000): time.sleep(0.1); say('loading', str(number))"
    assert asked(monkeypatch, tmp_path, script).exit_code is None


def test_what_is_installed_here_is_right() -> None:
    found = {one.name: one for one in libraries.look(HERE)}
    assert found["libraries"].ok, found
    assert "aiortc 1." in found["libraries"].found

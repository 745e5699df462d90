"""What `lab replay` prints for people, and for scripts."""

from pathlib import Path

import pytest

from tests.commands.conftest import Here, Shell
from tests.lab.replay.logged_call import ALICE, bad_line, logged_call

pytestmark = pytest.mark.no_clock(sockets=True)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    with logged_call(tmp_path) as call:
        call.add(ALICE, 1, bad_line(0, 2.0, call.clock.now_s(), 3))
        call.pass_time(2.0)
    return call.log


def test_a_replay_says_that_it_is_what_was_heard(shell: Shell, here: Here, log: Path) -> None:
    ran = here(shell, "lab", "replay", str(log))
    assert ran.exit_code == 0
    assert "every tick is the very samples that were heard" in ran.stdout
    assert "made up" in ran.stdout
    assert "changed" not in ran.stdout


def test_two_settings_stand_side_by_side(shell: Shell, here: Here, log: Path, tmp_path: Path) -> None:
    out = tmp_path / "again"
    ran = here(
        shell, "lab", "replay", str(log), "--set", "minimum-delay-ms=80", "--set", "excess_s=2", "--out", str(out), "--json"
    )  # fmt: skip
    assert ran.exit_code == 0
    assert (ran.json["schema"], ran.json["is_same"], ran.json["is_whole"]) == (1, True, True)
    assert ran.json["changed_settings"] == {**ran.json["settings"], "minimum_delay_ms": 80.0, "excess_s": 2.0}
    (peer,) = ran.json["peers"]
    assert peer["changed"]["mean_delay_ms"] > peer["heard"]["mean_delay_ms"]
    assert all(Path(path).exists() for path in (peer["wav"], peer["changed_wav"], ran.json["decisions"]))
    plain = here(shell, "lab", "replay", str(log), "--set", "minimum-delay-ms=80")
    assert "changed: minimum-delay-ms=80." in plain.stdout


@pytest.mark.parametrize("word", ["min=80", "minimum-delay-ms", "minimum-delay-ms=x", "excess-s=-1", "capacity-ms=nan"])  # fmt: skip
def test_a_setting_that_is_none_is_a_mistake(shell: Shell, here: Here, log: Path, word: str) -> None:
    ran = here(shell, "lab", "replay", str(log), "--set", word, "--json")
    assert (ran.exit_code, ran.json["error"]["code"]) == (2, "usage")


def test_a_log_without_a_replay_log_says_how_one_is_made(shell: Shell, here: Here, tmp_path: Path) -> None:
    ran = here(shell, "lab", "replay", str(tmp_path / "call.csv"))
    assert ran.exit_code == 3
    assert "--replayable" in ran.stderr


def test_what_a_foreign_log_says_drives_no_terminal(shell: Shell, here: Here, log: Path) -> None:
    replay = log.with_name("call.replay.jsonl")
    evil = "\\u001b]0;owned\\u0007\\u009b5m\\u202e"
    text = replay.read_text().replace(ALICE, evil).replace("c0ffee00c0ffee00", evil).replace("wav:", evil)
    replay.write_text(text)
    ran = here(shell, "lab", "replay", str(log))
    assert ran.exit_code == 0
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(ran.stdout)

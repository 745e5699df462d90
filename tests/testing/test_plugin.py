"""The pytest plugin in the hands of a user: what passes, what fails and is told how, and what it costs who does not use it."""

import os
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from blink_cli.testing.blink_lab import BlinkLab

pytest_plugins = ("pytester",)

ROOT = Path(__file__).parents[2]

# By its module, whether or not the program was installed with the entry point that names it.
PLUGIN = ("-p", "no:blink", "-p", "blink_cli.testing.plugin", "-p", "no:asyncio")

WHAT_FAILS = """
from blink_cli import events


def test_nobody_hears_who_loses_everything(blink_lab):
    alice, bob = blink_lab.started("alice", "bob")
    assert alice.blink("whoami")["nickname"] == "alice"
    with blink_lab.call(alice, bob) as call:
        bob.run(lambda session: session.gain("alice", -6.0))
        assert {one.nickname for one in bob.status().call.participants} == {"alice", "bob"}
        heard = call.listen(2.0)
        heard.expect_all(pesq_wb=1.5, delay_ms=400)
        assert heard.of("alice", "bob").was_heard
        bob.impair("in", "loss=100%")
        bob.wait_for(events.TalkingStopped, where=lambda event: event.did == alice.did)
        call.listen(1.0).expect_all()
"""


@pytest.mark.real_time(within_s=30)
def test_one_user_s_test_passes_and_one_fails_with_all_that_is_to_be_known(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(test_calls=WHAT_FAILS)
    shutil.copy(ROOT / "examples" / "test_a_call.py", pytester.path)
    ran = pytester.runpytest_subprocess(*PLUGIN, "-W", "error")
    ran.assert_outcomes(passed=1, failed=1)
    ran.stdout.fnmatch_lines(
        [
            "E * AssertionError: Not everybody was heard as expected:",
            "E *   alice -> bob: not heard",
            "E *   bob -> alice: heard, * ms, correlation *",
            "*blink lab*",
            "alice: in_call with *bob connected*; last events: *",
            "sound, logs and events: *blink-artifacts*test_nobody_hears_who_loses_everything",
        ]
    )
    (kept,) = (pytester.path / "blink-artifacts").iterdir()
    names = {path.name for path in kept.iterdir()}
    assert {
        "alice-heard-1.wav",
        "alice-heard-2.wav",
        "bob-events.jsonl",
        "bob-state.json",
        "report.txt",
    } <= names
    assert any(name.startswith("bob-") and name.endswith(".log") for name in names)
    assert '"packetsLost"' in (kept / "bob-state.json").read_text("utf-8")


LIGHT = """
import sys, pytest
before = set(sys.modules)
import blink_cli.testing.plugin
new = set(sys.modules) - before
ours = sorted(name for name in new if name.startswith("blink_cli"))
sys.exit(0 if ours == ["blink_cli", "blink_cli.testing", "blink_cli.testing.plugin"] and len(new) < 5 else str(new))
"""


@pytest.mark.no_clock(sockets=True)
def test_who_does_not_use_it_loads_nothing() -> None:
    ran = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.no_clock
def test_pytest_finds_it_where_the_program_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"blink": "blink_cli.testing.plugin"}


def test_a_session_that_stands_still_is_told_and_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("blink_cli.testing.lab_session.ANSWER_S", 0.3)
    monkeypatch.setattr("blink_cli.testing.blink_lab.ANSWER_S", 0.3)
    lab = BlinkLab()
    try:
        alice, bob = lab.started("alice", "bob")
        process = bob.status().pid

        def fail_in_call() -> None:
            with lab.call(alice, bob):
                os.kill(process, signal.SIGSTOP)
                raise ValueError("the test's own")

        with pytest.raises(ValueError, match="the test's own"):
            fail_in_call()
        assert "bob: no answer in 0.3 s; last events: " in "\n".join(lab.keep(tmp_path / "kept"))
        os.kill(process, signal.SIGKILL)
    finally:
        lab.close()

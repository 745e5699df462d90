"""One session per profile, whatever happens to the process that held the lock."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from blink_cli.app.profile.profile_lock import ProfileLock
from blink_cli.core.errors import BlinkError, StateError

pytestmark = pytest.mark.no_clock(sockets=True)

HOLD = """
import sys
from pathlib import Path
from blink_cli.app.profile.profile_lock import ProfileLock
from blink_cli.core.errors import StateError
try:
    lock = ProfileLock.take(Path(sys.argv[1]), profile="alice")
except StateError:
    print("refused", flush=True)
else:
    print("held", flush=True)
    sys.stdin.read()
    lock.release()
"""


def holder(path: Path) -> subprocess.Popen[str]:
    """A process that takes the lock and keeps it until its stdin is closed."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> None:
    process.communicate()


def test_a_second_session_is_refused_and_told_which_process_has_the_profile(tmp_path: Path) -> None:
    first = holder(tmp_path / "lock")
    assert said(first) == "held"

    with pytest.raises(StateError, match=rf"'alice' is already running \(process {first.pid}\)"):
        ProfileLock.take(tmp_path / "lock", profile="alice")

    end(first)


def test_the_end_of_a_session_frees_the_profile_and_leaves_no_file(tmp_path: Path) -> None:
    with ProfileLock.take(tmp_path / "lock", profile="alice"):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
    assert list(tmp_path.iterdir()) == []

    ProfileLock.take(tmp_path / "lock", profile="alice").release()


def test_a_killed_session_blocks_nobody(tmp_path: Path) -> None:
    first = holder(tmp_path / "lock")
    assert said(first) == "held"

    first.kill()
    end(first)

    assert (tmp_path / "lock").exists()
    ProfileLock.take(tmp_path / "lock", profile="alice").release()


def test_of_many_that_start_at_once_one_gets_the_profile(tmp_path: Path) -> None:
    racers = [holder(tmp_path / "lock") for _ in range(6)]

    assert sorted(said(racer) for racer in racers) == ["held"] + ["refused"] * 5

    for racer in racers:
        end(racer)


def test_a_lock_taken_while_the_file_is_being_removed_is_the_named_file(tmp_path: Path) -> None:
    # Holder and newcomer take turns as fast as they can: a lock on a removed file would let two in.
    script = f"""
from pathlib import Path
from blink_cli.app.profile.profile_lock import ProfileLock
from blink_cli.core.errors import StateError
path = Path({str(tmp_path)!r})
held = 0
while held < 100:
    try:
        lock = ProfileLock.take(path / "lock", profile="alice")
    except StateError:
        continue
    (path / "alone").mkdir()
    (path / "alone").rmdir()
    held += 1
    lock.release()
"""
    racers = [
        subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]

    for racer in racers:
        _, stderr = racer.communicate(timeout=60)
        assert racer.returncode == 0, stderr


def test_a_folder_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    with pytest.raises(BlinkError, match="cannot be made") as refused:
        ProfileLock.take(tmp_path / "missing" / "lock", profile="alice")

    assert refused.value.hint is not None


def test_releasing_twice_is_safe(tmp_path: Path) -> None:
    lock = ProfileLock.take(tmp_path / "lock", profile="alice")
    lock.release()
    lock.release()

"""What one session has seen is handed to the next one, once, and to nobody else."""

import os
import stat
from pathlib import Path

import pytest

from blink_cli.app.profile.replay_file import ReplayFile
from blink_cli.core.signaling.replay_memory import MAX_MEMORY_BYTES, ReplayMemory, SenderMemory, encode_memory

pytestmark = pytest.mark.no_clock

MEMORY = ReplayMemory(7, (SenderMemory(bytes(32), 5, ((6, bytes(16)),), ()),))


def test_what_is_left_is_taken_once(tmp_path: Path) -> None:
    file = ReplayFile(tmp_path / "seen")
    file.leave(MEMORY)
    assert stat.S_IMODE((tmp_path / "seen").stat().st_mode) == 0o600
    assert file.take() == MEMORY
    assert file.take() is None
    assert list(tmp_path.iterdir()) == []


def test_a_session_that_crashed_leaves_nothing(tmp_path: Path) -> None:
    file = ReplayFile(tmp_path / "seen")
    file.leave(MEMORY)
    assert file.take() == MEMORY, "the second one, which crashes"
    assert ReplayFile(tmp_path / "seen").take() is None


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", bytes(MAX_MEMORY_BYTES + 1), encode_memory(MEMORY)[:-1]]
)
def test_a_damaged_file_is_not_used_and_is_gone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "seen"
    path.write_bytes(content)
    path.chmod(0o600)
    assert ReplayFile(path).take() is None
    assert not path.exists()


def test_a_file_that_others_can_write_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "seen"
    path.write_bytes(encode_memory(MEMORY))
    path.chmod(0o666)
    assert ReplayFile(path).take() is None


def test_a_pipe_or_a_folder_of_that_name_holds_nothing_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    assert ReplayFile(tmp_path / "pipe").take() is None
    assert ReplayFile(tmp_path / "folder").take() is None
    ReplayFile(tmp_path / "folder" / "missing" / "seen").leave(MEMORY)

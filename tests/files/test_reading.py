"""Ordinary files are read, and nothing else makes anybody wait."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from blink_cli.files.reading import NotPrivateError, named_by_ending, open_reading, read_private, read_whole
from tests.files.traps import TRAPS, lay

pytestmark = pytest.mark.no_clock(sockets=True)


@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.timeout(10)
def test_what_is_no_ordinary_file_is_refused_at_once(trap: Callable[[Path], None], tmp_path: Path) -> None:
    lay(trap, tmp_path / "file")
    with pytest.raises(OSError, match=r"ordinary file|[Dd]irectory"):
        open_reading(tmp_path / "file")


@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.timeout(10)
def test_what_is_exchanged_between_the_look_and_the_opening_is_refused_too(
    trap: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first look sees an ordinary file whatever there is: what remains are the open that does not wait, and the second look."""
    lay(trap, tmp_path / "file")
    ordinary = tmp_path / "ordinary"
    ordinary.touch()
    monkeypatch.setattr(Path, "stat", lambda _self, **_: os.stat(ordinary))  # noqa: PTH116 - `Path.stat` is what is exchanged
    files = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0  # noqa: PTH208
    with pytest.raises(OSError):  # noqa: PT011 - a socket's is the system's
        open_reading(tmp_path / "file")
    if files:
        assert len(os.listdir("/proc/self/fd")) == files, "a descriptor was left open"  # noqa: PTH208


def test_a_link_to_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"text")
    (tmp_path / "link").symlink_to("file")
    assert read_whole(tmp_path / "link", 4) == b"text"


def test_a_file_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(5))
    with pytest.raises(OSError, match="longer than 4 bytes") as failure:
        read_whole(tmp_path / "file", 4)
    assert failure.value.errno == errno.EFBIG


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610])
def test_a_private_file_that_others_can_use_is_not_read(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"key")
    path.chmod(mode)
    with pytest.raises(NotPrivateError, match=f"{mode:04o}"):
        read_private(path, 3)
    path.chmod(0o600)
    assert read_private(path, 3) == b"key"


def test_a_private_file_of_another_user_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"key")
    path.chmod(0o600)
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(NotPrivateError, match="another user"):
        read_private(path, 3)


def test_an_open_file_has_another_name_for_a_while(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"sound")
    with open_reading(tmp_path / "file") as file:
        (tmp_path / "file").unlink()
        with named_by_ending(file, ".mp3") as name:
            assert name.endswith(".mp3")
            assert Path(name).read_bytes() == b"sound"
            assert Path(name).parent.stat().st_mode & 0o777 == 0o700
        assert not Path(name).parent.exists()

"""Written whole or not at all."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import BinaryIO

import pytest

from blink_cli.files import writing
from blink_cli.files.ordinary import NotOrdinaryError
from blink_cli.files.reading import open_reading, read_private
from blink_cli.files.writing import (
    appearing,
    create,
    name_for_library,
    open_again,
    open_kept,
    replacing,
    write_new,
    write_over,
)
from tests.files.traps import TRAPS, device, folder, lay

pytestmark = pytest.mark.no_clock(sockets=True)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_new(path, b"one")
    write_over(path, b"two")
    assert read_private(path, 3) == b"two"


@pytest.mark.parametrize("write", [write_new, write_over])
def test_a_full_disk_leaves_the_old_content_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path, bytes], None]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="space"):
        write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture(autouse=True)
def _open_to_all() -> Iterator[None]:
    """The least careful umask there is."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.parametrize("way", [create, open_kept])
def test_a_new_file_is_its_owners_alone(way: Callable[[Path], int], tmp_path: Path) -> None:
    file = way(tmp_path / "file")
    assert os.fstat(file).st_mode & 0o777 == 0o600
    os.close(file)


@pytest.mark.parametrize("way", [appearing, replacing])
def test_a_file_is_its_owners_alone_before_it_has_its_name(
    way: Callable[[Path], AbstractContextManager[BinaryIO]], tmp_path: Path
) -> None:
    with way(tmp_path / "file") as file:
        assert [path.name for path in tmp_path.iterdir()] == [Path(str(file.name)).name]
        assert os.fstat(file.fileno()).st_mode & 0o777 == 0o600
        file.write(b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"whole"


@pytest.mark.parametrize("way", [appearing, replacing])
def test_a_file_that_is_not_finished_leaves_nothing(
    way: Callable[[Path], AbstractContextManager[BinaryIO]], tmp_path: Path
) -> None:
    with suppress(KeyboardInterrupt), way(tmp_path / "file") as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def dangling_link(place: Path) -> None:
    """A link to what is not there: who follows it makes the file."""
    place.symlink_to(place.with_name("elsewhere"))


def link(place: Path) -> None:
    """A link to a file of value."""
    place.symlink_to(place.with_name("treasure"))


@pytest.mark.parametrize("trap", [*TRAPS, dangling_link, link])
@pytest.mark.timeout(10)
def test_nothing_is_written_through_what_stands_at_a_new_files_place(
    trap: Callable[[Path], None], tmp_path: Path
) -> None:
    (tmp_path / "treasure").write_bytes(b"gold")
    lay(trap, tmp_path / "file")
    there = sorted(tmp_path.iterdir())
    with pytest.raises(FileExistsError):
        create(tmp_path / "file")
    with pytest.raises(FileExistsError), appearing(tmp_path / "file"):
        pass
    with pytest.raises(OSError):  # noqa: PT011 - the system's, or ours
        open_kept(tmp_path / "file")
    assert sorted(tmp_path.iterdir()) == there
    assert (tmp_path / "treasure").read_bytes() == b"gold"


@pytest.mark.parametrize(
    "trap", [*(trap for trap in TRAPS if trap not in (folder, device)), dangling_link, link]
)
@pytest.mark.timeout(10)
def test_what_is_replaced_loses_its_name_and_nothing_else(
    trap: Callable[[Path], None], tmp_path: Path
) -> None:
    (tmp_path / "treasure").write_bytes(b"gold")
    lay(trap, tmp_path / "file")
    there = sorted(tmp_path.iterdir())
    with replacing(tmp_path / "file") as file:
        file.write(b"new")
    assert sorted(tmp_path.iterdir()) == there
    assert (tmp_path / "treasure").read_bytes() == b"gold"
    assert (tmp_path / "file").is_file()
    assert not (tmp_path / "file").is_symlink()
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("trap", [device, link])
def test_no_name_of_a_device_is_taken_away(
    trap: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may rename a file over /dev/null, and /dev/stdout is a link."""
    monkeypatch.setattr(writing, "_DEVICES", tmp_path if trap is link else Path("/dev"))
    lay(trap, tmp_path / "file")
    before = (tmp_path / "file").lstat()
    with pytest.raises(NotOrdinaryError, match=r"a device|a symbolic link"), replacing(tmp_path / "file"):
        pytest.fail("nothing is written before it is refused")
    assert os.path.samestat(before, (tmp_path / "file").lstat())
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_without_hard_links_a_new_file_still_replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_old: object, _new: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refused)
    write_new(tmp_path / "file", b"one")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "file", b"two")
    assert (tmp_path / "file").read_bytes() == b"one"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_only_the_file_that_was_made_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    file = create(path)
    made = os.fstat(file)
    os.close(file)
    os.close(open_again(path, made))
    path.rename(tmp_path / "moved")
    with pytest.raises(FileNotFoundError):
        open_again(path, made)
    path.symlink_to("moved")
    with pytest.raises(NotOrdinaryError, match="symbolic link"):
        open_again(path, made)
    path.unlink()
    path.touch()
    with pytest.raises(NotOrdinaryError, match="another file"):
        open_again(path, made)


def test_a_kept_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.close(open_kept(tmp_path / "file"))
    owner = (tmp_path / "file").stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(NotOrdinaryError, match="another user"):
        open_kept(tmp_path / "file")


def test_a_library_opens_the_file_itself_whatever_has_its_name(tmp_path: Path) -> None:
    with suppress(FileNotFoundError), replacing(tmp_path / "file") as file:
        beside = Path(str(file.name))
        beside.unlink()
        beside.symlink_to(tmp_path / "treasure")
        if not name_for_library(file).startswith("/proc/"):
            pytest.skip("open files have no names here")
        Path(name_for_library(file)).write_bytes(b"sound")
        assert os.fstat(file.fileno()).st_size == 5
        beside.unlink()
    assert list(tmp_path.iterdir()) == []


def test_who_opens_what_is_no_file_is_told_its_name(tmp_path: Path) -> None:
    """Where nobody has a better sentence, the command line makes one of `filename` and `strerror`."""
    lay(TRAPS[0], tmp_path / "file")
    for opening in (open_kept, open_reading):
        with pytest.raises(NotOrdinaryError) as told:
            opening(tmp_path / "file")
        assert told.value.filename == str(tmp_path / "file")
        assert "named pipe" in str(told.value)


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    """As `--html /dev/stdout` and `/dev/full` are: run by root, a file put in their place would be everybody's loss."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_over(pipe, b"page")
        assert os.read(reader, 10) == b"page"
    finally:
        os.close(reader)
    assert pipe.is_fifo()

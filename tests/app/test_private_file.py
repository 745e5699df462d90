"""Written whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from blink_cli.app.private_file import read_private_file, write_private_file


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_private_file(path, b"one", replace=False)
    write_private_file(path, b"two", replace=True)
    assert read_private_file(path, limit_bytes=3) == b"two"


@pytest.mark.parametrize("replace", [False, True])
def test_a_full_disk_leaves_the_old_content_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, replace: bool
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="space"):
        write_private_file(path, b"new", replace=replace)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]

"""Folders that only their user can enter."""

import os
import stat
from pathlib import Path

import pytest

from blink_cli.core.errors import BlinkError, IdentityError
from blink_cli.files.private_folder import make_private

pytestmark = pytest.mark.no_clock


def test_a_folder_is_made_or_made_private(tmp_path: Path) -> None:
    before = os.umask(0)
    make_private(tmp_path / "new")
    os.umask(before)
    (tmp_path / "old").mkdir(mode=0o755)
    make_private(tmp_path / "old")
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in tmp_path.iterdir()] == [0o700] * 2


def test_a_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = tmp_path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(IdentityError, match="another user"):
        make_private(tmp_path)


def test_a_link_to_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    with pytest.raises(IdentityError, match="symbolic link"):
        make_private(tmp_path / "link")


@pytest.mark.parametrize("below", ["", "below"])
def test_a_file_in_the_way_is_told_with_what_to_do(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BlinkError, match="a file has its name") as told:
        make_private(tmp_path / "file" / below)
    assert "Move the file away" in str(told.value.hint)

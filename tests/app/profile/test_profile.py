"""Where a profile's things are, and who may look at them."""

import stat
import sys
from pathlib import Path

import pytest

from blink_cli.app.profile.profile import DEFAULT_PROFILE, find_profile
from blink_cli.core.errors import BlinkError, UsageError

pytestmark = pytest.mark.no_clock


def test_a_folder_of_ones_own_holds_everything(tmp_path: Path) -> None:
    profile = find_profile("home", tmp_path / "option")
    assert profile.name == "home"
    assert profile.data_dir == tmp_path / "option" / "profiles" / "home"
    assert profile.runtime_dir == tmp_path / "option" / "run" / "home"


def test_without_one_it_is_the_users_own_folder() -> None:
    profile = find_profile(DEFAULT_PROFILE, None, {})
    assert profile.name == DEFAULT_PROFILE
    assert profile.data_dir.is_absolute()
    assert profile.data_dir.parts[-2:] == ("profiles", "default")
    assert "blink" in profile.data_dir.parts
    assert profile.runtime_dir != profile.data_dir


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="XDG")
def test_the_runtime_folder_is_the_login_managers_if_it_is_really_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = tmp_path / "runtime"
    ours.mkdir()
    assert find_profile("x", None, {"XDG_RUNTIME_DIR": str(ours)}).runtime_dir == ours / "blink" / "x"
    link = tmp_path / "link"
    link.symlink_to(ours)
    for not_ours in (str(link), str(tmp_path / "missing"), ""):
        assert tmp_path not in find_profile("x", None, {"XDG_RUNTIME_DIR": not_ours}).runtime_dir.parents


def test_a_relative_folder_does_not_move_with_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    profile = find_profile("x", Path("here"), {})
    assert profile.data_dir == tmp_path / "here" / "profiles" / "x"


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", ".hidden", "a/b", "a\\b", "-x", "a" * 33, "ä", "a b", "a\n", "con", "NUL.txt", "x."],
)
def test_names_that_cannot_be_folders_everywhere_are_refused(name: str) -> None:
    with pytest.raises(UsageError) as refused:
        find_profile(name, Path("/nowhere"), {})
    assert refused.value.hint


@pytest.mark.parametrize("name", ["a", "work", "QA-3", "a.b_c", "0", "a" * 32])
def test_names_that_can(name: str) -> None:
    assert find_profile(name, Path("/nowhere"), {}).name == name


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_folders_are_made_private_and_made_private_again(tmp_path: Path) -> None:
    profile = find_profile("x", tmp_path, {})
    profile.make()
    for folder in (profile.data_dir, profile.runtime_dir):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        folder.chmod(0o755)
    profile.make()
    for folder in (profile.data_dir, profile.runtime_dir):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_file_in_the_way_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "profiles").write_text("")
    with pytest.raises(BlinkError, match="cannot be made") as refused:
        find_profile("x", tmp_path, {}).make()
    assert "--data-dir" in (refused.value.hint or "")


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_put_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "x").symlink_to(elsewhere)
    with pytest.raises(BlinkError, match="symbolic link"):
        find_profile("x", tmp_path, {}).make()

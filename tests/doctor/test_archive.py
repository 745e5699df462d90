"""What is looked at before a report is made."""

from pathlib import Path

import pytest

from blink_cli.core.errors import BlinkError
from blink_cli.doctor.report.archive import require_free

pytestmark = pytest.mark.no_clock


def test_a_report_has_a_name_of_its_own_in_a_folder_that_is_there(tmp_path: Path) -> None:
    require_free(tmp_path / "report.zip")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "taken.zip").write_bytes(b"")
    with pytest.raises(BlinkError, match="already"):
        require_free(tmp_path / "taken.zip")
    with pytest.raises(BlinkError, match="There is no folder"):
        require_free(tmp_path / "nowhere" / "report.zip")


def test_a_place_that_takes_no_such_file_is_found_before_the_work(tmp_path: Path) -> None:
    """Who may write the folder is only asked by making the file: a name may be too long for it, and root may do everything but write /proc."""
    with pytest.raises(BlinkError, match=r"cannot be written to .*: .+") as refused:
        require_free(tmp_path / f"{'x' * 300}.zip")
    assert "another folder" in (refused.value.hint or "")
    assert list(tmp_path.iterdir()) == []

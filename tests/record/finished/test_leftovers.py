"""What a crash left in a folder, and how much of it is looked at."""

from pathlib import Path

import pytest

from blink_cli.record.finished.leftovers import MOST_LEFTOVERS, leftovers

pytestmark = pytest.mark.no_clock


def test_a_folder_of_endless_leftovers_is_looked_at_in_part(tmp_path: Path) -> None:
    for number in range(MOST_LEFTOVERS + 5):
        (tmp_path / f"{number}.part.mp4").write_bytes(b"x")
    assert len(leftovers([tmp_path])) == MOST_LEFTOVERS

"""The lines of the prompt in their file."""

from pathlib import Path

import pytest
from prompt_toolkit.history import FileHistory

from blink_cli.commands import line_history
from blink_cli.commands.line_history import LineHistory

pytestmark = pytest.mark.no_clock


def test_lines_come_back_the_newest_first(tmp_path: Path) -> None:
    history = LineHistory(tmp_path / "history")
    for line in ("offer bob", "two\nlines", "", "+1"):
        history.store_string(line)
    assert list(LineHistory(tmp_path / "history").load_history_strings()) == [
        "+1",
        "",
        "two\nlines",
        "offer bob",
    ]
    assert list(FileHistory(str(tmp_path / "history")).load_history_strings())[:1] == ["+1"]


def test_a_history_of_before_is_read(tmp_path: Path) -> None:
    FileHistory(str(tmp_path / "history")).store_string("offer bob\nand carol")
    assert list(LineHistory(tmp_path / "history").load_history_strings()) == ["offer bob\nand carol"]


def test_only_the_end_of_a_long_history_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_history, "MOST_BYTES", 1000)
    history = LineHistory(tmp_path / "history")
    for number in range(200):
        history.store_string(f"line {number}")
    read = list(history.load_history_strings())
    assert read == [f"line {number}" for number in range(199, 199 - len(read), -1)]
    assert 20 < len(read) < 40


def test_no_line_is_written_through_a_link_or_read_from_a_pipe(tmp_path: Path) -> None:
    history = LineHistory(tmp_path / "history")
    (tmp_path / "history").unlink()
    (tmp_path / "history").symlink_to("elsewhere")
    with pytest.raises(OSError, match="symbolic link"):
        history.store_string("offer bob")
    assert not (tmp_path / "elsewhere").exists()
    (tmp_path / "history").unlink()
    with pytest.raises(FileNotFoundError):
        list(history.load_history_strings())

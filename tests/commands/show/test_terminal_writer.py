"""A terminal that nobody reads holds nobody who writes to it."""

import os
import pty
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from blink_cli.commands.show.terminal_output import BEGIN, END, SynchronisedOutput, takes_more
from blink_cli.commands.show.terminal_writer import MOST_WAITING_BYTES, TerminalWriter, writer_to

pytestmark = pytest.mark.no_clock


@pytest.fixture
def terminal() -> Iterator[tuple[int, TextIO]]:
    """A terminal: where it is read, and its stream."""
    reading, writing = pty.openpty()
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        yield reading, stream
    os.close(reading)


def read_all(file: int, most_bytes: int) -> bytes:
    read = b""
    while len(read) < most_bytes:
        read += os.read(file, most_bytes)
    return read


def test_what_is_not_taken_waits_and_comes_in_order(terminal: tuple[int, TextIO]) -> None:
    reading, stream = terminal
    writer = writer_to(stream)
    assert writer is not None
    assert writer is writer_to(stream), "there is one way to a terminal"
    sent = b""
    for number in range(200_000):
        if not writer.takes_more():
            break
        text = f"{number};"
        writer.write(text)
        sent += text.encode()
    writer.write("the end")
    sent += b"the end"
    assert not writer.takes_more()
    assert os.get_blocking(stream.fileno()), "the terminal of others is as it was"
    read = b""
    while len(read) < len(sent):
        read += os.read(reading, 4096)
        writer.flush()
    assert read == sent
    assert writer.takes_more()


def test_what_waits_has_a_bound(terminal: tuple[int, TextIO]) -> None:
    _, stream = terminal
    writer = writer_to(stream)
    assert writer is not None
    for _ in range(3):
        writer.write("x" * MOST_WAITING_BYTES)
    assert len(writer._waiting) <= 2 * MOST_WAITING_BYTES


def test_a_terminal_that_is_gone_is_told(terminal: tuple[int, TextIO]) -> None:
    _, stream = terminal
    reading, writing = os.pipe()
    os.close(reading)
    writer = TerminalWriter(stream, writing)
    with pytest.raises(OSError, match="Broken pipe"):
        writer.write("x")
    assert writer.takes_more()
    os.close(writing)


def test_no_terminal_has_no_writer(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as stream:
        assert writer_to(stream) is None


def test_a_frame_is_written_whole_between_its_marks_and_an_empty_one_not_at_all(
    terminal: tuple[int, TextIO],
) -> None:
    reading, stream = terminal
    output = SynchronisedOutput.from_pty(stream, term="xterm")
    output.flush()
    output.hide_cursor()
    output.write("text")
    output.flush()
    output.write("more")
    output.flush()
    expected = f"{BEGIN}\x1b[?25ltext{END}{BEGIN}more{END}".encode()
    assert read_all(reading, len(expected)) == expected
    assert takes_more(output)

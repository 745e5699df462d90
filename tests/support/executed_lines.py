"""How many lines of Python run: a measure of work that no busy machine changes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import TraceFunction


class ExecutedLines:
    """The count so far."""

    def __init__(self) -> None:
        self.count = 0

    def take(self, _frame: FrameType, event: str, _arg: object) -> "TraceFunction":
        """For `sys.settrace`."""
        self.count += event == "line"
        return self.take


@contextmanager
def counting_lines() -> Iterator[ExecutedLines]:
    """Count every line that this thread runs."""
    lines, before = ExecutedLines(), sys.gettrace()
    sys.settrace(lines.take)
    try:
        yield lines
    finally:
        sys.settrace(before)

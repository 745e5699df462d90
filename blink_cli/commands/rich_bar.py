"""The bar of long work on stderr, drawn by rich. Loaded only where somebody watches."""

import contextlib
from collections.abc import Iterator

from rich.console import Console
from rich.progress import Progress, TaskID
from typing_extensions import override

from blink_cli.commands.work_progress import Bar


class _RichBar(Bar):
    def __init__(self, shown: Progress, task: TaskID) -> None:
        self._shown = shown
        self._task = task

    @override
    def __call__(self, done: float) -> None:
        self._shown.update(self._task, completed=done)

    @override
    def entitle(self, title: str) -> None:
        self._shown.update(self._task, description=title)


@contextlib.contextmanager
def rich_bar(title: str, *, color: bool) -> Iterator[Bar]:
    """A bar from here to the end of the block; nothing of it stays."""
    with Progress(console=Console(stderr=True, no_color=not color), transient=True) as shown:
        yield _RichBar(shown, shown.add_task(title, total=1.0))

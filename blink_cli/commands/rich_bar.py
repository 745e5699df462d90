"""The bar of long work on stderr, drawn by rich. Loaded only where somebody watches."""

import contextlib
from collections.abc import Iterator

from rich.console import Console
from rich.progress import Progress, TaskID


class RichBar:
    """Implements `work_progress.Bar`."""

    def __init__(self, shown: Progress, task: TaskID) -> None:
        self._shown = shown
        self._task = task

    def __call__(self, done: float) -> None:
        """Show how much is done, 0 to 1."""
        self._shown.update(self._task, completed=done)

    def entitle(self, title: str) -> None:
        """Show what is done now."""
        self._shown.update(self._task, description=title)


@contextlib.contextmanager
def rich_bar(title: str, *, color: bool) -> Iterator[RichBar]:
    """A bar from here to the end of the block; nothing of it stays."""
    console = Console(stderr=True, no_color=not color)
    # rich would put an object of its own in the place of stdout, which has no encoding and is no terminal: `doctor` looks at both.
    with Progress(console=console, transient=True, redirect_stdout=False) as shown:
        yield RichBar(shown, shown.add_task(title, total=1.0))

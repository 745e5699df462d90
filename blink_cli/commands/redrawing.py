"""A table that is drawn again and again in the same place of a terminal."""

from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.live import Live

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


class Redrawing:
    """Use as a context manager; what was drawn last stays when it ends, also by Ctrl-C."""

    def __init__(self, console: "Console") -> None:
        # No thread of its own: it draws when it is told to, and the cursor is back at the end.
        self._live = Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)

    def draw(self, renderable: "RenderableType") -> None:
        """Put this in the place of what was drawn before."""
        self._live.update(renderable, refresh=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

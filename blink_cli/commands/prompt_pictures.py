"""Pictures above the prompt: lines that the prompt leaves blank, over which they are drawn while one types.

bob joined                      <- answers and events scroll here
▀▀▀▀▀▀▀▀▀   ▀▀▀▀▀▀▀▀▀           <- the pictures of `view anna bob`
   anna         bob
in call c0ffee00  2 of 2 there  <- the panel
blink>
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import Any, Final

from prompt_toolkit.application import Application
from prompt_toolkit.key_binding import KeyBindings

from blink_cli.commands.picture_feed import follow_pictures
from blink_cli.commands.show.pictures.abilities import ask_terminal
from blink_cli.commands.show.pictures.overlay import PictureOverlay
from blink_cli.commands.show.pictures.pixels import Place
from blink_cli.commands.show.pictures.tiling import Tiling, tiled
from blink_cli.commands.show.styled import Line, line
from blink_cli.commands.show.terminal_output import SynchronisedOutput
from blink_cli.commands.viewed_names import Captions, peer_of
from blink_cli.core.api.replies.pictures import PictureShown
from blink_cli.core.api.session_port import SessionPort
from blink_cli.core.errors import BlinkError, UsageError
from blink_cli.runtime.tasks import TaskOwner

SPARE_ROWS: Final = 6
"""Below and above pictures and panel: the line that is typed, which may be long, and what was told last."""

MENU_ROWS: Final = 8
"""What prompt_toolkit takes for a list of completions."""


class PicturesAbovePrompt:
    """Of one prompt. Belongs to its event loop."""

    def __init__(
        self,
        session: SessionPort,
        application: "Application[str]",
        tasks: TaskOwner,
        *,
        color: bool,
        changed: Callable[[], None],
        tell: Callable[[str], None],
    ) -> None:
        """Show nothing.

        Args:
            session: Whose pictures.
            application: The prompt's.
            tasks: Owns what follows pictures.
            color: Whether colours are wanted.
            changed: Called when other lines are to be drawn.
            tell: Told why pictures ended by themselves.

        """
        self._session = session
        self._application = application
        self._tasks = tasks
        self._color = color
        self._changed = changed
        self._tell = tell
        self._overlay: PictureOverlay | None = None
        self._keys = KeyBindings()
        self._peers: list[str] = []
        self._captions = Captions()
        self._following: list[asyncio.Task[None]] = []
        self._panel_rows = 0

    async def show(self, peers: Sequence[str], fps: float) -> None:
        """See `PromptPictures.show`."""
        following, self._following = self._following, []
        for task in following:
            task.cancel()
        if following:
            await asyncio.wait(following)
        if self._overlay is not None:
            self._overlay.clear()
        self._peers, self._captions = list(peers), Captions()
        if peers:
            overlay = self._overlay = self._overlay or await self._made()
            self._following = [
                self._tasks.start(self._follow(overlay, peer, fps), name=f"view {peer}") for peer in peers
            ]
        self._changed()

    def keys(self) -> KeyBindings:
        """Return what hears the terminal's answers."""
        return self._keys

    def lines(self, panel_rows: int) -> list[Line]:
        """Return the lines above the panel: blank where pictures are, and names."""
        self._panel_rows = panel_rows
        return self._tiling().lines if self._room() else []

    def covering(self, lines: Sequence[Line]) -> list[Line]:
        """Return lines as they stand on the screen: as wide as the pictures over them."""
        widths = {} if self._overlay is None else self._overlay.widths()
        return [line("#" * widths[row]) if row in widths else one for row, one in enumerate(lines)]

    async def _made(self) -> PictureOverlay:
        if not isinstance(self._application.output, SynchronisedOutput):
            raise UsageError(
                "This terminal cannot show pictures.", hint="`view PEER --snapshot FILE.png` writes a file."
            )
        # No key is read while a command runs, so the answers are ours.
        abilities, _ = await asyncio.to_thread(ask_terminal, os.environ, color=self._color)
        overlay = PictureOverlay(self._application, abilities, lambda: self._tiling().places)
        overlay.attach()
        self._keys = overlay.keys()
        return overlay

    async def _follow(self, overlay: PictureOverlay, peer: str, fps: float) -> None:
        def noted(reply: PictureShown) -> None:
            if self._captions.note(peer, reply):
                self._changed()

        try:
            await follow_pictures(self._session, overlay, peer, peer_of(peer), fps=fps, noted=noted)
        except BlinkError as error:
            self._peers.remove(peer)
            overlay.remove(peer)
            self._tell(error.message)
            self._changed()

    def _tiling(self) -> Tiling:
        size = self._application.output.get_size()
        area = Place(0, 0, self._room(), size.columns - 1)
        return tiled(self._captions.of(self._peers), area)

    def _room(self) -> int:
        """Rows for pictures and names."""
        if not self._peers:
            return 0
        buffer: Any = self._application.current_buffer
        menu = MENU_ROWS if buffer.complete_state is not None else 0
        return max(0, self._application.output.get_size().rows - self._panel_rows - SPARE_ROWS - menu)

"""`view` on the whole terminal: pictures of some participants, until a key ends it."""

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.output import Output

from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.parsing import ExitWith
from blink_cli.commands.picture_feed import follow_pictures
from blink_cli.commands.show.cells import cut
from blink_cli.commands.show.pictures.abilities import PictureAbilities, ask_terminal
from blink_cli.commands.show.pictures.overlay import PictureOverlay
from blink_cli.commands.show.pictures.pixels import Place
from blink_cli.commands.show.pictures.tiling import tiled
from blink_cli.commands.show.screen import FullScreen
from blink_cli.commands.show.styled import Line, Room, line
from blink_cli.commands.viewed_names import Captions, peer_of
from blink_cli.core.api.replies.pictures import PictureShown
from blink_cli.core.api.session_port import SessionPort
from blink_cli.core.errors import UsageError
from blink_cli.core.exit_codes import ExitCode
from blink_cli.runtime.tasks import TaskOwner


async def view_pictures(
    context: CommandContext,
    session: SessionPort,
    peers: Sequence[str],
    *,
    fps: float,
    terminal_input: Input | None = None,
    terminal_output: Output | None = None,
    abilities: PictureAbilities | None = None,
) -> None:
    """Show what is to be seen of some participants until a key, or the end of the session. `me` is oneself.

    Raises:
        UsageError: stdout is no terminal.
        BlinkError: Nobody is called so.
        ExitWith: Ctrl-C ended it, as it ends any command.

    """
    if terminal_output is None and not sys.stdout.isatty():
        raise UsageError(
            "`view` needs a terminal.", hint="`blink view PEER --snapshot FILE.png` writes a file."
        )
    can = abilities or ask_terminal(os.environ, color=context.options.color)[0]
    view = PictureView(peers, can)
    screen = FullScreen(
        view.drawn,
        color=context.options.color,
        draws_over=view.attach,
        terminal_input=terminal_input,
        terminal_output=terminal_output,
    )
    async with TaskOwner("view", on_failure=_read_here) as tasks:
        showing = tasks.start(screen.run(), name="screen")
        overlay = await view.overlay()
        feeding = [
            tasks.start(
                follow_pictures(
                    session,
                    overlay,
                    peer,
                    peer_of(peer),
                    fps=fps,
                    noted=view.noting(peer, screen.redraw),
                ),
                name=peer,
            )
            for peer in peers
        ]
        await asyncio.wait({showing, *feeding}, return_when=asyncio.FIRST_COMPLETED)
    for task in feeding:
        if not task.cancelled():
            task.result()
    if not showing.cancelled() and showing.result():
        raise ExitWith(ExitCode.INTERRUPTED)


class PictureView:
    """What stands on the screen."""

    def __init__(self, peers: Sequence[str], abilities: PictureAbilities) -> None:
        """Show nothing yet. To be made on the running event loop."""
        self._peers = list(peers)
        self._abilities = abilities
        self._captions = Captions()
        self._attached: asyncio.Future[PictureOverlay] = asyncio.get_running_loop().create_future()
        self._room = Room(0, 0, 0)

    def attach(self, application: "Application[Any]") -> KeyBindings:
        """Draw over an application, and return the keys that hear the terminal."""
        overlay = PictureOverlay(application, self._abilities, self._places)
        overlay.attach()
        self._attached.set_result(overlay)
        return overlay.keys()

    def drawn(self, room: Room) -> list[Line]:
        """The screen but for the pictures: names, and what ends it."""
        self._room = room
        last = line(cut(f"q quits  shown as {self._abilities.way}", room.columns), "dim")
        return [*tiled(self._captions.of(self._peers), self._area()).lines, last]

    async def overlay(self) -> PictureOverlay:
        """Return what draws, once the application is there."""
        return await self._attached

    def noting(self, peer: str, changed: Callable[[], None]) -> Callable[[PictureShown], None]:
        """Return what hears the answers about a participant; `changed` is called when another line is to be drawn."""

        def noted(reply: PictureShown) -> None:
            if self._captions.note(peer, reply):
                changed()

        return noted

    def _area(self) -> Place:
        return Place(0, 0, max(0, self._room.rows - 1), max(0, self._room.columns))

    def _places(self) -> dict[str, Place]:
        return tiled(self._captions.of(self._peers), self._area()).places


def _read_here(name: str, failure: BaseException) -> None:
    """Whoever waits for the task reads its failure."""

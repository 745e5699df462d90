"""The pictures at the top of `watch`: a tile for each participant of whom there is something to be seen.

Nothing of this is loaded, and no row taken, while nobody shows anything. Tiles are half blocks in any terminal: what a terminal can is asked
before something reads its keyboard, and there may be nobody to be seen then.
"""

import asyncio
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from prompt_toolkit.key_binding import DynamicKeyBindings, KeyBindings

from blink_cli.commands.live_view import LiveView
from blink_cli.commands.show.styled import Line, Room
from blink_cli.core.api.requests import GetPicture
from blink_cli.core.api.session_port import SessionPort
from blink_cli.core.errors import BlinkError
from blink_cli.core.identity.shown_name import shown_name
from blink_cli.core.ids import Did
from blink_cli.runtime.tasks import TaskOwner

if TYPE_CHECKING:
    from prompt_toolkit.application import Application

    from blink_cli.commands.show.pictures.overlay import PictureOverlay  # numpy
    from blink_cli.commands.show.pictures.tiling import Tiling

LOOK_S: Final = 1.0
"""How often one asks who is to be seen."""

NO_PICTURE: Final = 1 << 62
"""A number that no picture reaches: only whether there is one is asked."""

TILE_FPS: Final = 10.0
LEAST_ROWS: Final = 14
"""Of a terminal in which pictures get half."""


class WatchPictures:
    """Of one `watch`. Belongs to its event loop."""

    def __init__(
        self,
        session: SessionPort,
        view: LiveView,
        tasks: TaskOwner,
        *,
        color: bool,
        changed: Callable[[], None],
        covered: Callable[[], bool],
    ) -> None:
        """Show nothing yet.

        Args:
            session: Whose participants are seen.
            view: What is known of it.
            tasks: Owns what follows pictures.
            color: Whether colours are wanted.
            changed: Called when other lines are to be drawn.
            covered: Tells at any moment whether something else has the whole screen: pictures make way before that is drawn.

        """
        self.hidden = False
        self._session = session
        self._view = view
        self._tasks = tasks
        self._color = color
        self._changed = changed
        self._covered = covered
        self._application: Application[Any] | None = None
        self._overlay: PictureOverlay | None = None
        self._keys: KeyBindings | None = None
        self._names: dict[Did, str] = {}
        self._following: dict[Did, asyncio.Task[None]] = {}
        self._room = Room(0, 0)

    def attach(self, application: "Application[Any]") -> DynamicKeyBindings:
        """Draw over an application as soon as there is something, and return the keys that hear the terminal."""
        self._application = application
        return DynamicKeyBindings(lambda: self._keys)

    def toggle(self) -> None:
        """Hide pictures, or show them again."""
        self.hidden = not self.hidden
        self._changed()

    def lines(self, room: Room) -> list[Line]:
        """Return the lines at the top of the screen: blank where pictures are, and names."""
        self._room = room
        tiling = self._tiling()
        return [] if tiling is None else tiling.lines

    async def follow(self) -> None:
        """Look who is to be seen, until cancelled."""
        while True:
            try:
                await self._look()
            except BlinkError:
                return  # the session ends; whoever follows its events knows
            await asyncio.sleep(LOOK_S)

    async def _look(self) -> None:
        status = self._view.status
        call = None if status is None else status.call
        visible: dict[Did, str] = {}
        for one in () if call is None else call.participants:
            peer = None if one.self else one.did
            if (await self._session.ask(GetPicture(peer=peer, than=NO_PICTURE))).visible:
                visible[one.did] = shown_name(one.nickname, one.did)
        for did in set(self._following) - visible.keys():
            self._following.pop(did).cancel()
            if self._overlay is not None:
                self._overlay.remove(did)
        for did in visible.keys() - self._following.keys():
            own = status is not None and did == status.did
            self._following[did] = self._tasks.start(self._follow(did, own=own), name=f"picture {did}")
        if visible != self._names:
            self._names = visible
            self._changed()

    async def _follow(self, did: Did, *, own: bool) -> None:
        from blink_cli.commands.picture_feed import follow_pictures  # noqa: PLC0415 - numpy, for who looks

        overlay = self._made()
        if overlay is None:
            return
        try:
            await follow_pictures(
                self._session,
                overlay,
                did,
                None if own else did,
                fps=TILE_FPS,
                noted=lambda _: None,
            )
        except BlinkError:
            return  # it left, or the session ends: `follow` sees both

    def _made(self) -> "PictureOverlay | None":
        from blink_cli.commands.show.pictures.abilities import (  # noqa: PLC0415 - as above
            PictureAbilities,
            colours_of,
        )
        from blink_cli.commands.show.pictures.overlay import PictureOverlay  # noqa: PLC0415 - as above

        if self._overlay is None and self._application is not None:
            abilities = PictureAbilities(colours_of(os.environ, color=self._color))
            self._overlay = PictureOverlay(self._application, abilities, self._places)
            self._overlay.attach()
            self._keys = self._overlay.keys()
        return self._overlay

    def _places(self) -> "dict[str, Any]":
        tiling = self._tiling()
        return {} if tiling is None else tiling.places

    def _tiling(self) -> "Tiling | None":
        if self.hidden or self._covered() or not self._names or self._room.rows < LEAST_ROWS:
            return None
        from blink_cli.commands.show.pictures.pixels import Place  # noqa: PLC0415 - as above
        from blink_cli.commands.show.pictures.tiling import tiled  # noqa: PLC0415 - as above

        return tiled(list(self._names.items()), Place(0, 0, self._room.rows // 2, self._room.columns))

"""Pictures over cells that prompt_toolkit leaves blank.

prompt_toolkit writes only cells that changed, so what is drawn over its blanks stays until it erases all of them, which its output counts. It would take
50 ms for a picture of 80 by 20 cells, with a style each; so pictures are written past it, between its frames, from a cursor that is saved and restored.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from prompt_toolkit.application import Application
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

from blink_cli.commands.show.pictures.abilities import PictureAbilities
from blink_cli.commands.show.pictures.cursor_question import expect_answer
from blink_cli.commands.show.pictures.drawing import Drawing, blank, drawing_for
from blink_cli.commands.show.pictures.pacing import FramePace
from blink_cli.commands.show.pictures.pixels import Moves, Pixels, Place, absolute, from_cursor
from blink_cli.commands.show.terminal_output import SynchronisedOutput, takes_more

_SAVE: Final = b"\x1b7"
_RESTORE: Final = b"\x1b8"
_WHERE: Final = b"\x1b[6n"

CHECK_S: Final = 0.02
"""How often one looks whether a terminal that does not answer takes more."""


@dataclass(slots=True)
class _Tile:
    """One picture on the screen."""

    drawing: Drawing
    place: Place | None = None
    """Where it is drawn; None: nowhere yet."""

    pixels: Pixels | None = None
    complete: bool = True


@dataclass(slots=True)
class _Drawn:
    """What the screen looked like when something was drawn last."""

    erasures: int = -1
    size: Any = None


@dataclass(slots=True)
class PictureOverlay:
    """Of one application. Belongs to its event loop."""

    application: "Application[Any]"
    abilities: PictureAbilities
    places: Callable[[], Mapping[str, Place]]
    """Where each picture belongs, by its key, counted from the upper left corner of what the application draws. All of its cells are blank."""

    _tiles: dict[str, _Tile] = field(default_factory=dict)
    _pace: FramePace = field(default_factory=FramePace)
    _free: asyncio.Event = field(default_factory=asyncio.Event)
    _drawn: _Drawn = field(default_factory=_Drawn)
    _numbers: int = 0

    def attach(self) -> None:
        """Draw along with the application from now on."""
        self.application.before_render += self._make_way
        self.application.after_render += self._rendered

    def keys(self) -> KeyBindings:
        """Return what hears the terminal's answers; to be among the application's key bindings."""
        keys = KeyBindings()

        @keys.add(Keys.CPRResponse, save_before=lambda _: False)
        def _(event: KeyPressEvent) -> None:
            row = int(event.data[2:-1].split(";")[0])
            event.app.renderer.report_absolute_cursor_row(row)  # what prompt_toolkit's own binding does
            self._pace.answered(time.monotonic())
            self._free.set()

        return keys

    def wanted(self, key: str) -> tuple[int, int] | None:
        """Return into how many pixels (width, height) a picture should fit now; None: it has no place."""
        place = self.places().get(key)
        return None if place is None or place.rows < 1 else self._tile(key).drawing.wanted(place)

    async def until_free(self) -> None:
        """Wait until the terminal has shown what it was given. Cancelling is safe."""
        while not (self._pace.ready(time.monotonic()) and takes_more(self.application.output)):
            self._free.clear()
            try:
                async with asyncio.timeout(CHECK_S):
                    await self._free.wait()
            except TimeoutError:
                continue

    def is_complete(self, key: str) -> bool:
        """Whether all of the newest picture is drawn; the rest comes with the next frame."""
        return self._tile(key).complete

    async def show(self, key: str, pixels: Pixels) -> None:
        """Draw a picture in its place, in place of the one before. One at a time for a key."""
        tile = self._tile(key)
        tile.pixels = pixels
        if tile.drawing.in_thread:
            await self._draw_in_thread(tile, key)
        else:
            self._draw({key: tile})

    def remove(self, key: str) -> None:
        """Take a picture away."""
        tile = self._tiles.pop(key, None)
        if tile is not None and tile.place is not None and (move := self._moves()) is not None:
            self._write([tile.drawing.gone(), blank(tile.place, move)])

    def clear(self) -> None:
        """Take all away."""
        for key in list(self._tiles):
            self.remove(key)

    def widths(self) -> Mapping[int, int]:
        """Return of rows in which letters of pictures stand how many cells they reach: a terminal that becomes narrower breaks them."""
        widths: dict[int, int] = {}
        for tile in self._tiles.values():
            covers = tile.drawing.covers
            if covers is not None:
                for row in range(covers.row, covers.row + covers.rows):
                    widths[row] = max(widths.get(row, 0), covers.column + covers.columns)
        return widths

    def _tile(self, key: str) -> _Tile:
        tile = self._tiles.get(key)
        if tile is None:
            tile = self._tiles[key] = _Tile(drawing_for(self.abilities, self._numbers))
            self._numbers += 1
        return tile

    def _make_way(self, _: object) -> None:
        """Before the application draws: what is to stand elsewhere leaves its old place, which the application believes to be blank."""
        move = self._moves()
        places = self.places()
        for key, tile in self._tiles.items():
            if tile.place is None or places.get(key) == tile.place:
                continue
            if move is not None and not self._is_erased():
                self._write([tile.drawing.gone(), blank(tile.place, move)])
            tile.place = None
            tile.drawing.forget()

    def _rendered(self, _: object) -> None:
        if self._is_erased():
            self._drawn = _Drawn(self._erasures(), self.application.output.get_size())
            for tile in self._tiles.values():
                tile.drawing.forget()
            # At once, or the picture would flicker with each line that is told.
            self._draw({key: tile for key, tile in self._tiles.items() if not tile.drawing.in_thread})

    def _draw(self, tiles: Mapping[str, _Tile]) -> None:
        move = self._moves()
        if move is None or not takes_more(self.application.output):
            return
        places = self.places()
        frames: list[bytes] = []
        for key, tile in tiles.items():
            place = places.get(key)
            if place is None or tile.pixels is None or place.rows < 1:
                continue
            tile.place = place
            frame, tile.complete = tile.drawing.frame(tile.pixels, place, move, self._pace.most_bytes)
            frames.append(frame)
        self._write(frames)

    async def _draw_in_thread(self, tile: _Tile, key: str) -> None:
        place, pixels, move = self.places().get(key), tile.pixels, self._moves()
        if place is None or pixels is None or move is None:
            return
        before = self._erasures()
        frame, tile.complete = await asyncio.to_thread(
            tile.drawing.frame, pixels, place, move, self._pace.most_bytes
        )
        tile.place = place
        # What was drawn meanwhile may have moved everything: the next picture will be right.
        if before == self._erasures() and place == self.places().get(key) and self._moves() is not None:
            self._write([frame])

    def _write(self, frames: list[bytes]) -> None:
        content = b"".join(frames)
        if not content:
            return
        output = self.application.output
        asks = self._pace.wrote(len(content), time.monotonic())
        top = b""
        if asks and not self.application.full_screen:
            # Where prompt_toolkit asks by itself, so that its answer means the same.
            move = self._moves()
            top = b"" if move is None else move(0, 0)
        if asks:
            expect_answer(self.application)
        written = _SAVE + content + (top + _WHERE if asks else b"") + _RESTORE
        output.write_raw(written.decode())
        output.flush()

    def _moves(self) -> Moves | None:
        """How the cursor gets to a place; None while the application draws nothing, or its window was just resized."""
        app = self.application
        screen = app.renderer.last_rendered_screen
        if not app.is_running or app.is_done or screen is None:
            return None
        if self._drawn.size is not None and app.output.get_size() != self._drawn.size:
            return None
        if app.full_screen:
            return absolute
        return from_cursor(screen.get_cursor_position(app.layout.current_window).y)

    def _erasures(self) -> int:
        output = self.application.output
        return output.erasures if isinstance(output, SynchronisedOutput) else 0

    def _is_erased(self) -> bool:
        return (
            self._drawn.erasures != self._erasures() or self._drawn.size != self.application.output.get_size()
        )

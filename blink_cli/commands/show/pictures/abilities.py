r"""What a terminal can show pictures with: it is asked, and what it does not answer in time it cannot.

    kitty's query, ESC [ 16 t, ESC [ c  ──>  the terminal  ──>  ESC _ G i=31;OK ESC \    it shows pictures by kitty's protocol
                                                                ESC [ 6 ; H ; W t        a cell has so many pixels
                                                                ESC [ ? 62 ; 4 ; … c     the 4: it draws sixels

Every terminal answers the last question (primary device attributes: ECMA-48, DA), and in the order in which it was asked; so its answer ends the wait.
In tmux the question is answered by tmux, whose word counts: what goes past it (its passthrough) would stand where tmux knows nothing of it, in the
wrong pane as soon as one is moved. So kitty's protocol is not asked for there, and tmux's own sixels (from 3.4 on) are used where it says that it has them.
"""

import os
import re
import select
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from blink_cli.commands.show.pictures.half_blocks import Colours
from blink_cli.commands.show.pictures.kitty import ANSWER, QUERY

ANSWER_S: Final = 0.5
"""How long the answer may take: behind ssh around the world it takes 0.3 s."""

MOST_ANSWER_BYTES: Final = 4096

_CELL_SIZE: Final = b"\x1b[16t"
_ATTRIBUTES: Final = b"\x1b[c"
_ATTRIBUTES_ANSWER: Final = re.compile(rb"\x1b\[\?([\d;]*)c")
_CELL_ANSWER: Final = re.compile(rb"\x1b\[6;(\d{1,4});(\d{1,4})t")
_KITTY_ANSWER: Final = re.compile(rb"\x1b_G[^\x1b]*\x1b\\")

USUAL_CELL: Final = (16, 8)
"""Pixels of a cell, height and width, of a terminal that does not tell."""


@dataclass(frozen=True, slots=True)
class PictureAbilities:
    """How a terminal shows pictures."""

    colours: Colours
    kitty: bool = False
    sixel: bool = False
    cell_height: int = USUAL_CELL[0]
    cell_width: int = USUAL_CELL[1]

    @property
    def way(self) -> str:
        """In a word."""
        return "kitty" if self.kitty else "sixel" if self.sixel else f"half blocks, {self.colours.value}"


def colours_of(environment: Mapping[str, str], *, color: bool) -> Colours:
    """Return which colours a terminal has, by what the environment says of it; none where nobody wants them (`color`)."""
    kind = environment.get("TERM", "")
    if not color or kind in {"dumb", ""} or kind.startswith(("vt", "cons")):
        return Colours.NONE
    if environment.get("COLORTERM", "").lower() in {"truecolor", "24bit"} or kind.endswith("-direct"):
        return Colours.TRUE
    if (
        kind.startswith(("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm"))
        or sys.platform == "win32"
    ):
        return Colours.TRUE
    # The console of Linux has 16 colours, no half blocks in most fonts.
    return Colours.NONE if kind == "linux" else Colours.PALETTE


def questions(environment: Mapping[str, str]) -> bytes:
    """Return what a terminal is asked."""
    return (b"" if "TMUX" in environment else QUERY) + _CELL_SIZE + _ATTRIBUTES


def abilities_of(answer: bytes, colours: Colours) -> PictureAbilities:
    """Return what a terminal said. Without colours pictures are shown in letters alone."""
    if colours is Colours.NONE:
        return PictureAbilities(colours)
    attributes = _ATTRIBUTES_ANSWER.search(answer)
    kitty = ANSWER in answer
    sixel = attributes is not None and b"4" in attributes[1].split(b";")[1:]
    cell = _CELL_ANSWER.search(answer)
    height, width = (int(cell[1]), int(cell[2])) if cell else USUAL_CELL
    if not (4 <= height <= 200 and 2 <= width <= 100):
        height, width = USUAL_CELL
    # Who speaks kitty's protocol shows any colour.
    return PictureAbilities(Colours.TRUE if kitty else colours, kitty, sixel and not kitty, height, width)


def without_answers(typed: bytes) -> bytes:
    """Return what somebody typed meanwhile."""
    for answer in (_ATTRIBUTES_ANSWER, _CELL_ANSWER, _KITTY_ANSWER):
        typed = answer.sub(b"", typed)
    return typed


def ask_terminal(environment: Mapping[str, str], *, color: bool) -> tuple[PictureAbilities, bytes]:
    """Ask the terminal of this process, and return what it can and what was typed meanwhile. Blocks for `ANSWER_S` at most.

    Nobody else may read the keyboard meanwhile.
    """
    colours = colours_of(environment, color=color)
    if colours is Colours.NONE or sys.platform == "win32" or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return PictureAbilities(colours), b""
    answer = _asked(questions(environment))
    return abilities_of(answer, colours), without_answers(answer)


def _asked(question: bytes) -> bytes:
    if sys.platform == "win32":
        return b""
    import termios  # noqa: PLC0415 - not on Windows
    import tty  # noqa: PLC0415 - as above

    keyboard, screen = sys.stdin.fileno(), sys.stdout.fileno()
    before = termios.tcgetattr(keyboard)
    answer = b""
    try:
        tty.setcbreak(keyboard, termios.TCSANOW)
        os.write(screen, question)
        until_s = time.monotonic() + ANSWER_S
        while _ATTRIBUTES_ANSWER.search(answer) is None and len(answer) < MOST_ANSWER_BYTES:
            left_s = until_s - time.monotonic()
            if left_s <= 0 or not select.select([keyboard], [], [], left_s)[0]:
                break
            read = os.read(keyboard, 1024)
            if not read:
                break
            answer += read
    finally:
        termios.tcsetattr(keyboard, termios.TCSANOW, before)
    return answer

"""Kitty's images and sixels, decoded as terminals do."""

import base64
import re
import zlib

import numpy as np
import pytest

from blink_cli.commands.show.pictures.abilities import (
    PictureAbilities,
    abilities_of,
    colours_of,
    questions,
    without_answers,
)
from blink_cli.commands.show.pictures.drawing import (
    CellDrawing,
    KittyDrawing,
    SixelDrawing,
    blank,
    drawing_for,
)
from blink_cli.commands.show.pictures.half_blocks import Colours
from blink_cli.commands.show.pictures.kitty import KittyImages
from blink_cli.commands.show.pictures.pixels import Pixels, Place, absolute
from blink_cli.commands.show.pictures.sixel import sixels

pytestmark = pytest.mark.no_clock


def picture(height: int = 90, width: int = 160) -> Pixels:
    y, x = np.mgrid[0:height, 0:width]
    return np.stack((x * 255 // width, y * 255 // height, (x + y) % 256), 2).astype(np.uint8)


def test_kitty_gets_the_pixels_in_pieces_and_the_old_image_goes() -> None:
    images = KittyImages(10)
    noise = np.random.default_rng(1).integers(0, 256, (90, 160, 3), np.uint8)
    ids: list[bytes] = []
    for number in range(3):
        frame = images.frame(noise, Place(2, 3, 10, 20), absolute)
        assert frame.startswith(b"\x1b[3;4H")
        commands = re.findall(rb"\x1b_G([^;\x1b]*)(?:;([^\x1b]*))?\x1b\\", frame)
        head = dict(part.split(b"=") for part in commands[0][0].split(b","))
        assert {head[key] for key in (b"a", b"f", b"o", b"q", b"C")} == {b"T", b"24", b"z", b"2", b"1"}
        assert (head[b"s"], head[b"v"], head[b"c"], head[b"r"]) == (b"160", b"90", b"20", b"10")
        sent = [command for command in commands if b"a=d" not in command[0]]
        assert all(len(data) <= 4096 for _, data in sent)
        assert [b"m=1" in keys for keys, _ in sent] == [True] * (len(sent) - 1) + [False]
        data = zlib.decompress(base64.b64decode(b"".join(data for _, data in sent)))
        assert data == noise.tobytes()
        gone = [command for command in commands if b"a=d" in command[0]]
        assert len(gone) == (number > 0)
        if gone:
            assert b"i=%s" % ids[-1] in gone[0][0]
        ids.append(head[b"i"])
    assert b"i=%s" % ids[-1] in images.gone()
    assert images.gone() == b""


def shown_sixels(frame: bytes) -> Pixels:
    """Decode as a VT340 would."""
    match = re.fullmatch(rb'\x1b\[\d+;\d+H\x1bP0;1q"1;1;(\d+);(\d+)(.*)\x1b\\', frame, re.DOTALL)
    assert match is not None
    width, height = int(match[1]), int(match[2])
    screen = np.zeros((height + 6, width, 3), np.uint8)
    colours: dict[int, tuple[int, ...]] = {}
    colour, column, top = 0, 0, 0
    for token in re.finditer(rb"#(\d+)(?:;2;(\d+);(\d+);(\d+))?|!(\d+)([?-~])|([?-~])|(\$)|(-)", match[3]):
        if token[1]:
            colour = int(token[1])
            if token[2]:
                colours[colour] = tuple(round(int(token[k]) * 2.55) for k in (2, 3, 4))
        elif token[8]:
            column = 0
        elif token[9]:
            column, top = 0, top + 6
        else:
            times, sixel = (int(token[5]), token[6]) if token[5] else (1, token[7])
            for bit in range(6):
                if (sixel[0] - 63) >> bit & 1:
                    screen[top + bit, column : column + times] = colours[colour]
            column += times
    return screen[:height]


@pytest.mark.parametrize("height", [90, 91, 5])
def test_sixels_show_the_picture_in_216_colours(height: int) -> None:
    pixels = picture(height)
    off = np.abs(shown_sixels(sixels(pixels, Place(1, 2, 9, 30), absolute)).astype(int) - pixels)
    assert off.max() <= 27


def test_what_a_terminal_answers_decides() -> None:
    true = Colours.TRUE
    kitty = abilities_of(b"\x1b_Gi=31;OK\x1b\\\x1b[6;20;10t\x1b[?62;c", Colours.PALETTE)
    assert (kitty.kitty, kitty.sixel, kitty.colours) == (True, False, true)
    assert (kitty.cell_height, kitty.cell_width) == (20, 10)
    assert abilities_of(b"\x1b[?62;4;22c", true).sixel
    assert not abilities_of(b"\x1b[?62;22;14c", true).sixel
    assert not abilities_of(b"\x1b[?64c", true).sixel
    assert abilities_of(b"", true) == PictureAbilities(true)
    assert not abilities_of(b"\x1b_Gi=31;EINVAL:no\x1b\\\x1b[?62c", true).kitty
    # Without colours nobody wants pictures in them.
    assert not abilities_of(b"\x1b_Gi=31;OK\x1b\\\x1b[?62;4c", Colours.NONE).kitty
    assert abilities_of(b"\x1b[6;9999;0t\x1b[?62c", true).cell_height == 16


def test_tmux_is_asked_for_nothing_that_goes_past_it() -> None:
    assert b"a=q" in questions({})
    assert b"a=q" not in questions({"TMUX": "/tmp/tmux-0/default,1,0"})


def test_what_was_typed_meanwhile_is_no_answer() -> None:
    assert without_answers(b"a\x1b_Gi=31;OK\x1b\\b\x1b[6;20;10tc\x1b[?62;4cd") == b"abcd"


@pytest.mark.parametrize(
    ("environment", "colours"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, Colours.TRUE),
        ({"TERM": "xterm-kitty"}, Colours.TRUE),
        ({"TERM": "xterm-256color"}, Colours.PALETTE),
        ({"TERM": "screen"}, Colours.PALETTE),
        ({"TERM": "linux"}, Colours.NONE),
        ({"TERM": "dumb"}, Colours.NONE),
        ({}, Colours.NONE),
    ],
)
def test_colours_are_told_by_the_environment(environment: dict[str, str], colours: Colours) -> None:
    assert colours_of(environment, color=True) is colours
    assert colours_of(environment, color=False) is Colours.NONE


def test_the_best_way_is_taken() -> None:
    assert isinstance(drawing_for(PictureAbilities(Colours.TRUE, kitty=True), 0), KittyDrawing)
    assert isinstance(drawing_for(PictureAbilities(Colours.TRUE, sixel=True), 0), SixelDrawing)
    assert isinstance(drawing_for(PictureAbilities(Colours.PALETTE), 0), CellDrawing)


def test_a_picture_of_another_shape_leaves_nothing_of_the_old_one() -> None:
    drawing, place = CellDrawing(Colours.TRUE), Place(0, 0, 10, 40)
    drawing.frame(picture(20, 36), place, absolute, 1 << 20)
    old = drawing.covers
    assert old == Place(0, 2, 10, 36)
    frame, _ = drawing.frame(picture(10, 40), place, absolute, 1 << 20)
    assert frame.startswith(blank(old, absolute))
    assert drawing.covers == Place(2, 0, 5, 40)


def test_sixels_are_enlarged_but_not_past_their_place() -> None:
    drawing = SixelDrawing(PictureAbilities(Colours.TRUE, sixel=True, cell_height=16, cell_width=8))
    place = Place(0, 0, 24, 80)
    width, height = drawing.wanted(place)
    frame, _ = drawing.frame(picture(90, 160), place, absolute, 0)
    shown = shown_sixels(frame)
    assert shown.shape[0] <= height
    assert shown.shape[1] <= width
    assert shown.shape[1] == 640

"""Names in pictures, whatever script they are written in."""

import numpy as np
import pytest

from blink_cli.video.grid.letters import GLYPH_HEIGHT, GLYPH_WIDTH, lettered
from blink_cli.video.grid.tiles import Tiles

pytestmark = pytest.mark.no_clock

BOX = lettered("安")


def test_every_letter_differs_from_every_other() -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.,:!?'()/+&@# "
    drawn = {lettered(letter).tobytes() for letter in letters}
    assert len(drawn) == len(letters)
    assert BOX.tobytes() not in drawn


@pytest.mark.parametrize(("name", "as_if"), [("Zoë", "ZOE"), ("Jürgen ﬁ", "JURGEN FI"), ("a\u200bb", "AB")])
def test_accents_and_joined_letters_are_read_as_letters(name: str, as_if: str) -> None:
    assert np.array_equal(lettered(name), lettered(as_if))


@pytest.mark.parametrize("name", ["安娜", "Ольга", "😀", "\x1b[2J", "", "\ud800", "a" * 5000])
def test_any_name_takes_its_place(name: str) -> None:
    dots = lettered(name)
    assert dots.shape[0] == GLYPH_HEIGHT
    assert dots.shape[1] <= max(len(name), 1) * (GLYPH_WIDTH + 1)
    tiles = Tiles([name, name])
    frame = tiles.frame()
    assert (frame.width, frame.height) == (tiles.size.width, tiles.size.height)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 9, 16])
def test_tiles_lie_beside_each_other_in_an_even_picture(count: int) -> None:
    tiles = Tiles(["x"] * count)
    assert tiles.size.width <= 1280
    assert tiles.size.width % 2 == tiles.size.height % 2 == 0
    places = {tiles.place(number) for number in range(count)}
    assert len(places) == count
    for left, top in places:
        assert left % tiles.tile.width == top % tiles.tile.height == 0
        assert left + tiles.tile.width <= tiles.size.width
        assert top + tiles.tile.height <= tiles.size.height

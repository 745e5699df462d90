"""Half blocks: what a terminal shows of them, read back from the escapes."""

import re
import time

import numpy as np
import pytest

from blink_cli.commands.show.pictures.half_blocks import UNSEEN, Colours, HalfBlocks
from blink_cli.commands.show.pictures.pixels import Pixels, Place, absolute, from_cursor

pytestmark = pytest.mark.no_clock

EVERYTHING = 1 << 20
_TOKEN = re.compile(r"\x1b\[(?P<row>\d+);(?P<column>\d+)H|\x1b\[(?P<look>[\d;]*)m|(?P<cell>[^\x1b])")


class Screen:
    """As much of a terminal as half blocks need."""

    def __init__(self, rows: int, columns: int) -> None:
        self.upper = np.zeros((rows, columns, 3), int)
        self.lower = np.zeros((rows, columns, 3), int)
        self.cells = np.full((rows, columns), " ")
        self.written = 0

    def show(self, frame: bytes) -> None:
        row = column = 0
        upper, lower = np.zeros(3, int), np.zeros(3, int)
        text = frame.decode()
        assert re.sub(_TOKEN, "", text) == ""
        for token in _TOKEN.finditer(text):
            if token["row"]:
                row, column = int(token["row"]) - 1, int(token["column"]) - 1
            elif token["cell"]:
                self.cells[row, column] = token["cell"]
                self.upper[row, column], self.lower[row, column] = upper, lower
                column += 1
                self.written += 1
            elif token["look"]:
                numbers = [int(number) for number in token["look"].split(";")]
                if numbers[1] == 2:
                    assert (numbers[0], numbers[5], numbers[6]) == (38, 48, 2)
                    upper, lower = np.array(numbers[2:5]), np.array(numbers[7:10])
                else:
                    assert (numbers[0], numbers[1], numbers[3], numbers[4]) == (38, 5, 48, 5)
                    upper, lower = rgb(numbers[2]), rgb(numbers[5])

    @property
    def pixels(self) -> Pixels:
        """What is seen, two pixels in a cell."""
        return np.stack((self.upper, self.lower), 1).reshape(-1, self.upper.shape[1], 3).astype(np.uint8)


def rgb(number: int) -> "np.ndarray[tuple[int], np.dtype[np.int_]]":
    """Colours of xterm's palette, from its own formula."""
    if number >= 232:
        return np.full(3, 8 + 10 * (number - 232))
    cube = number - 16
    return np.array([0 if step == 0 else 55 + 40 * step for step in (cube // 36, cube // 6 % 6, cube % 6)])


def noise(seed: int, rows: int = 24, columns: int = 80) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (rows * 2, columns, 3), np.uint8)


def test_true_colour_shows_each_pixel() -> None:
    screen, blocks = Screen(24, 80), HalfBlocks(Colours.TRUE)
    frame, complete = blocks.frame(noise(1), Place(0, 0, 24, 80), absolute, EVERYTHING)
    screen.show(frame)
    assert complete
    assert (screen.pixels == noise(1)).all()
    assert set(screen.cells.flat) == {"▀"}


def test_only_cells_that_changed_are_written() -> None:
    screen, blocks, place = Screen(24, 80), HalfBlocks(Colours.TRUE), Place(0, 0, 24, 80)
    screen.show(blocks.frame(noise(1), place, absolute, EVERYTHING)[0])
    screen.written = 0
    changed = noise(1)
    changed[10:14, 5:9] ^= 0x80
    screen.show(blocks.frame(changed, place, absolute, EVERYTHING)[0])
    assert screen.written == 2 * 4
    assert (screen.pixels == changed).all()
    assert blocks.frame(changed, place, absolute, EVERYTHING) == (b"", True)


def test_what_nobody_sees_is_not_written_and_does_not_add_up() -> None:
    screen, blocks, place = Screen(24, 80), HalfBlocks(Colours.TRUE), Place(0, 0, 24, 80)
    grey = np.full((48, 80, 3), 100, np.uint8)
    screen.show(blocks.frame(grey, place, absolute, EVERYTHING)[0])
    for step in range(1, 40):
        screen.show(blocks.frame(grey + np.uint8(step), place, absolute, EVERYTHING)[0])
        assert np.abs(screen.pixels.astype(int) - (100 + step)).max() < UNSEEN


def test_a_frame_that_is_too_long_goes_on_with_the_next() -> None:
    screen, blocks, place = Screen(24, 80), HalfBlocks(Colours.TRUE), Place(0, 0, 24, 80)
    frames = 0
    complete = False
    while not complete:
        frame, complete = blocks.frame(noise(2), place, absolute, 10_000)
        assert len(frame) < 10_000 + 80 * 42 + 100
        screen.show(frame)
        frames += 1
    assert 5 < frames < 12
    assert (screen.pixels == noise(2)).all()
    # Of pictures that all change, each row comes in its turn.
    shown = np.zeros(24, int)
    for seed in range(10, 10 + frames):
        before = screen.pixels
        screen.show(blocks.frame(noise(seed), place, absolute, 10_000)[0])
        shown += (screen.pixels != before).reshape(24, -1).any(axis=1)
    assert (shown > 0).all()


@pytest.mark.parametrize("colours", list(Colours))
def test_what_was_erased_is_drawn_again(colours: Colours) -> None:
    blocks, place = HalfBlocks(colours), Place(0, 0, 24, 80)
    pixels = noise(3)[:: 2 // blocks.pixels_per_row]
    blocks.frame(pixels, place, absolute, EVERYTHING)
    blocks.forget()
    screen = Screen(24, 80)
    screen.show(blocks.frame(pixels, place, absolute, EVERYTHING)[0])
    # A letter for the darkest is a blank, which is written too.
    assert screen.written == 24 * 80


def test_the_palette_is_near() -> None:
    ramp = np.linspace(0, 255, 80).astype(np.uint8)
    for pixels in (
        np.stack((ramp, ramp, ramp), 1)[np.newaxis].repeat(48, 0),
        np.stack((ramp, ramp[::-1], np.full(80, 95, np.uint8)), 1)[np.newaxis].repeat(48, 0),
    ):
        screen, blocks = Screen(24, 80), HalfBlocks(Colours.PALETTE)
        screen.show(blocks.frame(pixels, Place(0, 0, 24, 80), absolute, EVERYTHING)[0])
        off = np.abs(screen.pixels.astype(int) - pixels).max(axis=(0, 1))
        assert (off <= 48).all()
    # Greys have 24 steps of their own.
    assert np.abs(rgb(244) - 128).max() <= 5


def test_without_colours_light_is_a_letter() -> None:
    screen, blocks = Screen(24, 80), HalfBlocks(Colours.NONE)
    ramp = np.linspace(0, 255, 80).astype(np.uint8)
    pixels = np.stack((ramp, ramp, ramp), 1)[np.newaxis].repeat(24, 0)
    frame, _ = blocks.frame(pixels, Place(0, 0, 24, 80), absolute, EVERYTHING)
    assert b"\x1b[38" not in frame
    screen.show(frame)
    letters = " .:-=+*#%@"
    places = [letters.index(letter) for letter in screen.cells[3]]
    assert places == sorted(places)
    assert set(places) == set(range(10))


def test_below_scrolling_text_moves_are_from_the_saved_cursor() -> None:
    assert from_cursor(5)(2, 7) == b"\x1b8\x1b[3A\x1b[8G"
    assert from_cursor(5)(5, 0) == b"\x1b8\x1b[1G"
    assert from_cursor(1)(3, 0) == b"\x1b8\x1b[2B\x1b[1G"


def test_a_frame_takes_less_than_4_ms() -> None:
    """Of this thread's processor time: every cell of 80 x 24 another one."""
    blocks, place = HalfBlocks(Colours.TRUE), Place(0, 0, 24, 80)
    pictures = [noise(seed) for seed in range(40)]
    took_s = []
    for pixels in pictures:
        begun_s = time.thread_time()
        blocks.frame(pixels, place, absolute, EVERYTHING)
        took_s.append(time.thread_time() - begun_s)
    assert float(np.median(took_s)) < 0.004

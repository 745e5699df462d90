import threading
import time

import numpy as np
import pytest

from blink_cli.audio.ring import FrameRing
from blink_cli.audio.samples import Samples

pytestmark = pytest.mark.no_clock(sockets=True)


def numbered(start: int, count: int, channels: int = 1) -> Samples:
    return np.repeat(np.arange(start, start + count, dtype=np.float32)[:, None], channels, axis=1)


def test_frames_leave_in_order_across_the_wrap() -> None:
    ring = FrameRing(10, 2)
    out = np.zeros((7, 2), dtype=np.float32)
    for round_number in range(20):
        assert ring.write(numbered(round_number * 7, 7, 2)) == 7
        assert ring.queued == 7
        assert ring.read_into(out) == 7
        np.testing.assert_array_equal(out, numbered(round_number * 7, 7, 2))


def test_what_does_not_fit_is_not_kept() -> None:
    ring = FrameRing(10, 1)
    assert ring.write(numbered(0, 8)) == 8
    assert ring.write(numbered(8, 8)) == 2
    out = np.full((20, 1), -1.0, dtype=np.float32)
    assert ring.read_into(out) == 10
    np.testing.assert_array_equal(out[:10], numbered(0, 10))
    assert (out[10:] == -1.0).all()


def test_skipping_forgets_the_oldest() -> None:
    ring = FrameRing(10, 1)
    ring.write(numbered(0, 6))
    assert ring.skip(4) == 4
    out = np.zeros((2, 1), dtype=np.float32)
    assert ring.read_into(out) == 2
    np.testing.assert_array_equal(out, numbered(4, 2))
    assert ring.skip(4) == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_two_threads_lose_and_reorder_nothing(seed: int) -> None:
    total = 20_000
    ring = FrameRing(257, 1)
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 300, 10_000)

    def write() -> None:
        at = 0
        for size in sizes:
            if at < total:
                at += ring.write(numbered(at, min(int(size), total - at)))
                time.sleep(0)  # lets the other thread run, at a moment of the scheduler's choice

    writer = threading.Thread(target=write)
    writer.start()
    expected = 0
    out = np.zeros((100, 1), dtype=np.float32)
    while expected < total:
        count = ring.read_into(out)
        assert (out[:count, 0] == np.arange(expected, expected + count, dtype=np.float32)).all(), (
            f"seed {seed}"
        )
        expected += count
        time.sleep(0)
    writer.join()

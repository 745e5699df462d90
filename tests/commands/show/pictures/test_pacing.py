"""How much a terminal takes, found out from its answers: a line of so many bytes a second, simulated."""

import pytest

from blink_cli.commands.show.pictures.pacing import LOST_S, MOST_BYTES, SHARE_S, FramePace

pytestmark = pytest.mark.no_clock


def frames(pace: FramePace, rate_bytes_s: float, way_s: float, seconds: float) -> list[float]:
    """Write as much as may be; return how long each frame was on its way."""
    now_s, took = 0.0, []
    while now_s < seconds:
        assert pace.ready(now_s)
        size = pace.most_bytes
        assert pace.wrote(size, now_s)
        assert not pace.ready(now_s)
        took.append(size / rate_bytes_s)
        now_s += way_s + took[-1]
        pace.answered(now_s)
    return took


@pytest.mark.parametrize("rate_bytes_s", [50_000, 125_000, 1_000_000])
@pytest.mark.parametrize("way_s", [0.0005, 0.05, 0.3])
def test_a_frame_is_on_its_way_as_long_as_it_may(rate_bytes_s: float, way_s: float) -> None:
    took = frames(FramePace(), rate_bytes_s, way_s, 20 + 100 * way_s)
    settled = took[len(took) // 2 :]
    mean_s = sum(settled) / len(settled)
    # The small frame that tells the way is on its way too: 20 ms at 50 kB/s.
    assert 0.2 * SHARE_S < mean_s < 2 * SHARE_S


def test_a_fast_terminal_gets_all() -> None:
    pace = FramePace()
    frames(pace, 1e9, 0.0002, 1.0)
    assert pace.most_bytes == MOST_BYTES


def test_a_line_that_becomes_slow_is_followed() -> None:
    pace = FramePace()
    frames(pace, 1e8, 0.001, 1.0)
    took = frames(pace, 100_000, 0.001, 3.0)
    assert took[-1] < 2.5 * SHARE_S


def test_a_terminal_that_never_answers_is_not_asked_again() -> None:
    pace = FramePace()
    assert pace.wrote(100, 0.0)
    assert not pace.ready(LOST_S / 2)
    assert pace.ready(LOST_S + 0.01)
    assert not pace.wrote(100, 3.0)
    assert pace.ready(3.0)


def test_an_answer_that_is_lost_stops_nothing() -> None:
    pace = FramePace()
    pace.wrote(100, 0.0)
    pace.answered(0.01)
    pace.wrote(100, 1.0)
    assert pace.ready(1.0 + LOST_S + 0.01)
    assert pace.wrote(100, 4.0)

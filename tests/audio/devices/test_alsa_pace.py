"""When a device of ALSA is opened again with more latency: servers that take more at once than the buffer holds, in virtual time."""

import pytest

from blink_cli.audio.devices.alsa_pace import Pace

pytestmark = pytest.mark.no_clock

RATE_HZ = 48_000
BUFFER_FRAMES = 960


def raised_after_s(quantum_frames: int, *, seconds: float = 60.0, late_every: int = 0) -> float | None:
    """Return when a device would be opened again whose server takes so much at once, or None.

    Args:
        quantum_frames: What the server takes at once. We fill the buffer 1 ms later.
        seconds: How long to watch.
        late_every: Every so many quanta we come only after 30 ms.

    """
    now_s = 0.0
    pace = Pace(now_s, BUFFER_FRAMES / RATE_HZ)
    quantum_s = quantum_frames / RATE_HZ
    number = 0
    while now_s < seconds:
        number += 1
        at_s = number * quantum_s
        late = late_every > 0 and number % late_every == 0
        now_s = max(now_s, at_s + (0.03 if late else 0.001))
        if quantum_frames > BUFFER_FRAMES or late:
            pace.ran_dry(now_s)
        pace.moved(min(quantum_frames, BUFFER_FRAMES), now_s)
        if pace.needs_more:
            return now_s
    return None


@pytest.mark.parametrize("quantum_frames", [64, 480, 512, 900, 960])
def test_a_buffer_that_holds_what_is_taken_stays(quantum_frames: int) -> None:
    assert raised_after_s(quantum_frames) is None


@pytest.mark.parametrize("quantum_frames", [961, 964, 1024, 1115, 1400, 2048, 8192])
def test_a_buffer_that_is_too_small_by_whatever_is_raised_within_two_seconds(quantum_frames: int) -> None:
    raised_s = raised_after_s(quantum_frames)
    assert raised_s is not None
    assert raised_s < 2.0


def test_running_dry_because_nobody_came_in_time_raises_nothing() -> None:
    assert raised_after_s(480, late_every=30) is None


def test_a_device_that_never_runs_is_tried_with_more() -> None:
    pace = Pace(0.0, 0.02)
    pace.moved(0, 0.4)
    assert not pace.needs_more
    pace.moved(0, 0.6)
    assert pace.needs_more


def test_a_server_that_stands_still_raises_nothing() -> None:
    pace = Pace(0.0, 0.02)
    for piece in range(100):
        pace.moved(480, piece * 0.01)
    for moment in range(100):
        pace.moved(0, 1.0 + moment * 0.1)
    pace.ran_dry(11.0)
    pace.moved(960, 11.0)
    assert not pace.needs_more

"""The clock of devices without hardware."""

import pytest

from blink_cli.audio.devices.virtual import VirtualClock

pytestmark = pytest.mark.no_clock


@pytest.mark.parametrize("now_s", [0.0, 0.0071, 812.01999, 12_405.9083])
@pytest.mark.parametrize("phase_ms", [0.0, 7.25, 19.999])
def test_a_device_with_a_phase_begins_at_its_next_moment(now_s: float, phase_ms: float) -> None:
    clock = VirtualClock(phase_ms=phase_ms)
    clock.start(now_s)
    start_s = clock.time_of_s(0)
    assert now_s <= start_s < now_s + 0.02
    assert abs((1000 * start_s - phase_ms + 10) % 20 - 10) < 1e-6
    assert clock.elapsed_frames(start_s - 1e-4) == 0
    assert clock.position_s(now_s) == 0.0


def test_a_device_without_one_begins_at_once() -> None:
    clock = VirtualClock()
    clock.start(3.0071)
    assert clock.start_s == 3.0071

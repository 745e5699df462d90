"""When sound is shortened or lengthened, and when it is left alone."""

import numpy as np
import pytest

from blink_cli.audio.playout.block import Block
from blink_cli.audio.playout.delay_target import DelayTarget
from blink_cli.audio.playout.schedule import Schedule

pytestmark = pytest.mark.no_clock

QUIET = np.zeros(1_920, np.float32)
PAST = np.zeros(960, np.float32)


def loud(samples: int = 1_920) -> Block:
    time = np.arange(samples) / 48_000
    return np.asarray(0.3 * np.sin(2 * np.pi * 150 * time), np.float32)


def scheduled(delay_s: float, transits: tuple[float, ...] = (0.0,) * 200) -> Schedule:
    target = DelayTarget(opening_s=0.0, minimum_s=0.0, maximum_s=0.4)
    for transit_s in transits:
        target.observe(transit_s, 960)
    schedule = Schedule(target)
    for _ in range(4):
        # A pause of 160 ms has begun before anything is known of the delay.
        schedule.stretched(0, QUIET, lambda: PAST, lambda same: same, carried=0)
    schedule.took(0, delay_s, 960)
    return schedule


def stretched(schedule: Schedule, sound: Block) -> int:
    return len(schedule.stretched(0, sound, lambda: PAST, lambda same: same, carried=0)) - len(sound)


@pytest.mark.parametrize(
    ("delay_s", "sound", "change"),
    [
        (0.005, QUIET, 0),
        (0.013, QUIET, -480),
        (0.025, QUIET, -720),
        (0.050, loud(), 0),
        (0.150, loud(), -320),
    ],
)
def test_too_late(delay_s: float, sound: Block, change: int) -> None:
    assert stretched(scheduled(delay_s), sound) == pytest.approx(change, abs=2)


def test_a_pause_is_shortened_by_forty_milliseconds_and_a_long_one_by_all_that_is_too_much() -> None:
    schedule = scheduled(0.070)
    in_a_pause = sum(stretched(schedule, QUIET) for _ in range(12))
    assert in_a_pause == -1_920
    stretched(schedule, loud())
    in_the_next = sum(stretched(schedule, QUIET) for _ in range(12))
    assert in_the_next < 0
    schedule = scheduled(0.070)
    assert sum(stretched(schedule, QUIET) for _ in range(60)) < -2_400


def test_a_small_excess_in_a_tone_waits_for_a_pause_for_seven_seconds() -> None:
    schedule = scheduled(0.030)
    changes = [stretched(schedule, loud()) for _ in range(200)]
    first = next(at for at, change in enumerate(changes) if change)
    assert first * 0.04 == pytest.approx(7.0, abs=0.1)


def test_a_small_excess_is_never_taken_out_of_what_is_not_the_same_again() -> None:
    """A chord whose periods are alike by 0.95: as in music, which never pauses."""
    schedule = scheduled(0.030)
    time = np.arange(1_920) / 48_000
    chord = sum(np.sin(2 * np.pi * hz * time) for hz in (196.0, 247.3, 311.9, 440.7))
    assert not any(stretched(schedule, np.asarray(0.1 * chord, np.float32)) for _ in range(1_000))
    assert any(stretched(schedule, QUIET) for _ in range(4)), "but of the first pause"


def test_behind_a_burst_the_delay_is_not_shortened_below_what_the_bursts_of_ten_seconds_took() -> None:
    target = DelayTarget(opening_s=0.0, minimum_s=0.0, maximum_s=0.4)
    schedule = Schedule(target)
    burst = (0.09, 0.07, 0.05, 0.03)
    for number in range(260):
        if number == 60:
            target.loses_in_bursts()
        target.observe(burst[number - 60] if 60 <= number < 64 else 0.0, 960)
    assert target.target_s < 0.03, "one burst is not worth that delay"
    schedule.took(0, 0.095, 960)
    assert not any(stretched(schedule, QUIET) for _ in range(20)), "but its like may come again"
    for _ in range(600):
        target.observe(0.0, 960)
    assert any(stretched(schedule, QUIET) for _ in range(20))


def noise(seed: int, level_dbfs: float = -38.0, samples: int = 480) -> Block:
    drawn = np.random.default_rng(seed).standard_normal(samples)
    return np.asarray(10 ** (level_dbfs / 20) * drawn, np.float32)


def test_a_pause_in_a_noisy_room_is_a_pause() -> None:
    schedule = scheduled(0.030)
    sounds = [noise(n) if n % 100 >= 70 else noise(n) + loud(480) for n in range(300)]
    seen = [stretched(schedule, sound) for sound in sounds]
    first = next(at for at, change in enumerate(seen) if change)
    assert 70 + 11 <= first < 100, "the first pause that is long enough, once the room is known"


@pytest.mark.parametrize("level_dbfs", [-38.0, -20.0])
def test_steady_noise_has_no_pauses(level_dbfs: float) -> None:
    schedule = scheduled(0.030)
    assert not any(stretched(schedule, noise(n, level_dbfs)) for n in range(600))


def test_too_early_is_lengthened_when_it_is_worth_it() -> None:
    often_late = tuple(0.02 if n % 5 == 0 else 0.0 for n in range(200))
    assert stretched(scheduled(0.001, often_late), QUIET) > 480
    assert stretched(scheduled(0.021, often_late), QUIET) == 0


def test_after_a_splice_the_delay_is_known_at_once() -> None:
    schedule = scheduled(0.025)
    stretched(schedule, QUIET)
    assert schedule.now_delay_s == pytest.approx(0.005)


def test_one_late_tick_is_not_a_late_stream() -> None:
    schedule = scheduled(0.002)
    schedule.took(0, 0.030, 960)
    assert stretched(schedule, QUIET) == 0


def test_a_short_quiet_within_a_word_is_not_shortened() -> None:
    schedule = scheduled(0.030)
    assert stretched(schedule, loud()) == 0
    assert [stretched(schedule, QUIET) < 0 for _ in range(3)] == [False, False, True]

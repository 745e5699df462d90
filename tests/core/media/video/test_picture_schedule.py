import random

import pytest

from blink_cli.core.media.video.picture_schedule import MOST_WAIT_S, PictureSchedule

FPS = 15
TICKS = 90_000 // FPS


def shown(schedule: PictureSchedule, late_s: list[float], *, first: int = 4_294_900_000) -> list[float]:
    """When pictures are shown after they were captured, of which each takes 50 ms and `late_s`."""
    delays = []
    for number, late in enumerate(late_s):
        captured_at = 100 + number / FPS
        timestamp = (first + number * TICKS) & 0xFFFFFFFF
        if number % FPS == 0:
            schedule.sender_reported(3_000 + captured_at, timestamp, captured_at + 0.03)
        complete_at = captured_at + 0.05 + late
        delays.append(max(schedule.due_s(timestamp, complete_at), complete_at) - captured_at)
    return delays


def test_on_a_calm_line_nothing_waits() -> None:
    assert shown(PictureSchedule(), [0.0] * 60) == pytest.approx([0.05] * 60, abs=1e-4)


def test_on_a_shaking_line_pictures_are_shown_evenly() -> None:
    generator = random.Random(1)
    late_s = [abs(generator.gauss(0, 0.03)) for _ in range(300)]
    delays = shown(PictureSchedule(), late_s)[150:]
    assert max(delays) - min(delays) < max(late_s) * 0.7
    even = sum(abs(delay - sorted(delays)[75]) < 0.01 for delay in delays)
    assert even > 0.9 * len(delays)


@pytest.mark.parametrize("voice_wait_s", [0.0, 0.06, 0.3])
def test_pictures_wait_for_their_voice(voice_wait_s: float) -> None:
    schedule = PictureSchedule()
    schedule.voice_wait_s = voice_wait_s
    # The way takes 30 ms; the voice is played 20 ms of its frame, 30 ms of the way and its wait after it was captured.
    wanted_s = max(0.02 + 0.03 + voice_wait_s, 0.05)
    assert shown(schedule, [0.0] * 60)[30:] == pytest.approx([wanted_s] * 30, abs=0.01)


def test_nobody_waits_for_ever() -> None:
    schedule = PictureSchedule()
    schedule.voice_wait_s = 20.0
    assert max(shown(schedule, [0.0] * 60)) <= 0.05 + MOST_WAIT_S + 0.001


def test_a_camera_that_begins_anew_is_not_waited_for() -> None:
    schedule = PictureSchedule()
    shown(schedule, [0.0] * 30)
    assert shown(schedule, [0.0] * 30, first=1_000_000_000)[5:] == pytest.approx([0.05] * 25, abs=1e-4)


def test_late_pictures_of_the_first_second_are_not_waited_for_long() -> None:
    delays = shown(PictureSchedule(), [0.25] * 8 + [0.0, 0.01] * 60)
    assert delays[10] > 0.25, "they are shown evenly at first"
    assert max(delays[30:]) < 0.07, "and after two seconds the rate has been found"


def test_of_a_stream_that_is_old_ten_seconds_are_remembered() -> None:
    schedule = PictureSchedule()
    calm = shown(schedule, [0.0] * 400 + [0.2] * 20 + [0.0] * 100)
    assert min(calm[440:]) > 0.2

from collections.abc import Sequence

from blink_cli.core.media.talking import (
    ATTACK_S,
    LOST_S,
    RELEASE_S,
    TalkingChange,
    TalkingDetector,
)

FRAME_S = 0.02


def changes(
    detector: TalkingDetector, frames: Sequence[tuple[int, bool | None]], start_s: float = 0.0
) -> list[tuple[int, str]]:
    found = []
    for index, (level_dbov, voice) in enumerate(frames):
        change = detector.update(level_dbov, voice=voice, now_s=start_s + index * FRAME_S)
        if change is not None:
            found.append((index, change.value))
    return found


def test_the_senders_voice_bit_counts_at_once_and_its_end_after_the_release() -> None:
    frames = [(-80, False)] * 5 + [(-62, True)] * 10 + [(-30, False)] * 40
    assert changes(TalkingDetector(), frames) == [(5, "started"), (14 + 13, "stopped")]
    assert 12 * FRAME_S < RELEASE_S <= 13 * FRAME_S


def test_a_bit_that_is_always_set_says_nothing_and_the_level_decides() -> None:
    assert changes(TalkingDetector(), [(-70, True)] * 500) == []
    frames = [(-30, True)] * 10 + [(-70, True)] * 40
    assert changes(TalkingDetector(), frames) == [(2, "started"), (9 + 13, "stopped")]
    assert FRAME_S < ATTACK_S < 2 * FRAME_S


def test_a_click_without_a_voice_bit_is_not_talking() -> None:
    assert changes(TalkingDetector(), [(-10, None), (-90, None)] * 50) == []


def test_pauses_between_words_do_not_stop_it() -> None:
    word, pause = [(-30, True)] * 10, [(-80, False)] * 12
    assert changes(TalkingDetector(), pause + (word + pause) * 5) == [(12, "started")]


def test_loud_noise_that_the_sender_calls_no_voice_is_not_talking() -> None:
    assert changes(TalkingDetector(), [(-20, False)] * 100) == []


def test_without_a_voice_bit_the_level_decides() -> None:
    assert changes(TalkingDetector(), [(-30, None)] * 10) == [(2, "started")]
    assert changes(TalkingDetector(), [(-60, None)] * 100) == []


def test_a_level_between_the_thresholds_neither_starts_nor_stops() -> None:
    assert changes(TalkingDetector(), [(-53, None)] * 100) == []
    assert changes(TalkingDetector(), [(-30, None)] * 10 + [(-53, None)] * 100) == [(2, "started")]


def talking(until_s: float) -> TalkingDetector:
    detector = TalkingDetector()
    detector.update(-80, voice=False, now_s=until_s - FRAME_S)
    assert detector.update(-30, voice=True, now_s=until_s) is TalkingChange.STARTED
    return detector


def test_a_peer_that_pauses_its_stream_stops_by_the_clock() -> None:
    detector = talking(5.0)
    assert detector.look_at(5.0) == 5.0 + RELEASE_S
    # Mute and DTX say so before they pause.
    assert detector.update(-127, voice=False, now_s=5.02) is None
    assert detector.look_at(5.02) == 5.0 + RELEASE_S
    assert detector.check(5.0 + RELEASE_S - 0.01) is None
    assert detector.check(5.0 + RELEASE_S) is TalkingChange.STOPPED
    assert detector.check(10.0) is None
    assert detector.look_at(10.0) is None


def test_a_peer_whose_packets_do_not_come_talks_for_a_second() -> None:
    detector = talking(5.0)
    assert detector.check(5.0 + RELEASE_S) is None
    assert detector.look_at(5.0 + RELEASE_S) == 5.0 + LOST_S
    assert detector.check(5.0 + LOST_S - 0.01) is None
    assert detector.check(5.0 + LOST_S) is TalkingChange.STOPPED


def test_a_voice_behind_a_short_outage_goes_on() -> None:
    detector = talking(5.0)
    assert detector.update(-30, voice=True, now_s=5.8) is None
    assert detector.talking


def test_silence_behind_a_short_outage_stops_it_at_once() -> None:
    detector = talking(5.0)
    assert detector.update(-80, voice=False, now_s=5.8) is TalkingChange.STOPPED

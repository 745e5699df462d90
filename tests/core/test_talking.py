from collections.abc import Sequence

from blink_cli.core.talking import ATTACK_S, RELEASE_S, TalkingChange, TalkingDetector

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


def test_speech_starts_after_the_attack_and_stops_after_the_release() -> None:
    frames = [(-30, True)] * 10 + [(-90, False)] * 40
    assert changes(TalkingDetector(), frames) == [
        (round(ATTACK_S / FRAME_S), "started"),
        (9 + round(RELEASE_S / FRAME_S), "stopped"),
    ]


def test_a_click_is_not_talking() -> None:
    assert changes(TalkingDetector(), [(-10, True), (-90, False)] * 50) == []


def test_pauses_between_words_do_not_stop_it() -> None:
    word, pause = [(-30, True)] * 10, [(-80, False)] * 20
    assert changes(TalkingDetector(), (word + pause) * 5) == [(2, "started")]


def test_loud_noise_that_the_sender_calls_no_voice_is_not_talking() -> None:
    assert changes(TalkingDetector(), [(-20, False)] * 100) == []


def test_without_a_voice_bit_the_level_decides() -> None:
    assert changes(TalkingDetector(), [(-30, None)] * 10) == [(2, "started")]
    assert changes(TalkingDetector(), [(-60, None)] * 100) == []


def test_a_level_between_the_thresholds_neither_starts_nor_stops() -> None:
    assert changes(TalkingDetector(), [(-53, None)] * 100) == []
    assert changes(TalkingDetector(), [(-30, None)] * 10 + [(-53, None)] * 100) == [(2, "started")]


def test_a_peer_that_sends_nothing_more_stops() -> None:
    detector = TalkingDetector()
    changes(detector, [(-30, True)] * 10)
    assert detector.talking
    assert detector.check(0.18 + RELEASE_S - 0.01) is None
    assert detector.check(0.18 + RELEASE_S + 0.01) is TalkingChange.STOPPED
    assert detector.check(10.0) is None

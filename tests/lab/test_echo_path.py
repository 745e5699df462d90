"""Echo is taken out on a session's way from its speaker to its microphone, in rooms that ring, late, bent, drifting and jumping."""

import numpy as np
import pytest

from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.media.processing_settings import EchoCancel, ProcessingSettings
from blink_cli.lab.echo_path import Sent, Situation, canceller_alone, conversation, send
from blink_cli.lab.rooms import ROOMS, Room
from blink_cli.lab.speech_quality import pesq_wb
from blink_cli.lab.voices import voice

pytestmark = [pytest.mark.no_clock, pytest.mark.timeout(300)]

DESK, OFFICE, TELEVISION = ROOMS[0], ROOMS[1], ROOMS[5]
LASTS_S = 5.0


def nobody(far: Samples) -> Samples:
    return np.zeros_like(far)


def single_talk(room: Room, *, drift_ppm: float = 0.0, slip_at_s: float | None = None) -> Sent:
    far = voice(0, LASTS_S)
    return send(Situation(room, far, nobody(far), drift_ppm=drift_ppm, slip_at_s=slip_at_s))


@pytest.mark.parametrize("room", [OFFICE, TELEVISION], ids=lambda room: room.name)
def test_echo_is_taken_out_from_the_first_second(room: Room) -> None:
    sent = single_talk(room)
    assert sent.removed_db(0.0, 1.0 + room.delay_ms / 1000) >= 30.0
    assert sent.removed_db(1.0 + room.delay_ms / 1000, LASTS_S) >= 35.0
    # What the program says of itself is what happened. Sound takes 2 to 9 ms through these rooms.
    assert sent.figures.echo is not None
    assert sent.figures.echo.delay_ms == pytest.approx(room.delay_ms + 5.0, abs=5.0)
    assert sent.figures.echo.removed_db == pytest.approx(sent.removed_db(2.5, LASTS_S), abs=10.0)


def test_echo_is_taken_out_while_clocks_drift_and_the_delay_jumps() -> None:
    sent = single_talk(DESK, drift_ppm=100.0, slip_at_s=3.0)
    assert sent.removed_db(1.0, 3.0) >= 35.0
    assert sent.removed_db(3.0, 4.0) >= 25.0
    assert sent.removed_db(4.0, LASTS_S) >= 35.0
    assert sent.figures.echo is not None
    assert sent.figures.echo.delay_ms == pytest.approx(42.0, abs=3.0)


def test_while_both_talk_the_near_voice_is_sent_no_worse_than_the_canceller_leaves_it() -> None:
    far, near = conversation(voice(0, LASTS_S), voice(1, LASTS_S) * np.float32(0.5), 2.0)
    sent = send(Situation(OFFICE, far, near))
    alone = canceller_alone(far, sent.heard)
    talks = slice(2 * SAMPLE_RATE_HZ, len(near) - SAMPLE_RATE_HZ // 10)
    assert pesq_wb(near[talks], sent.sent[talks]) >= pesq_wb(near[talks], alone[talks]) - 0.01
    # And no softer than it leaves it: as much of what is sent is the voice.
    assert share_of(near[talks], sent.sent[talks]) >= 0.9 * share_of(near[talks], alone[talks])


def share_of(voice_: Samples, sound: Samples) -> float:
    """How loud `voice_` is in `sound`, as amplitude, at whatever delay of up to 4 ms."""
    size = 2 * len(voice_)
    likeness = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(voice_, size).conj(), size)
    return float(np.abs(np.concatenate((likeness[:200], likeness[-200:]))).max() / np.dot(voice_, voice_))


def test_who_talks_alone_is_heard_as_they_are() -> None:
    near = voice(1, LASTS_S)
    sent = send(Situation(DESK, nobody(near), near))
    assert pesq_wb(sent.heard, sent.sent) >= 4.2


def test_what_is_sent_lies_at_the_time_at_which_it_was_heard() -> None:
    near = voice(1, 2.0)
    sent = send(Situation(DESK, nobody(near), near))
    spectrum = np.fft.rfft(sent.sent) * np.fft.rfft(sent.heard).conj()
    shift = int(np.fft.irfft(spectrum).argmax())
    shift -= len(near) if shift > len(near) // 2 else 0
    assert abs(shift) <= 12  # the canceller's bands move no more than a quarter of a millisecond
    # The filters' delay is the frames' delay, and told.
    assert sent.figures.delay_ms == 10.0
    assert sent.latest_s == pytest.approx(0.010, abs=0.001)


def test_without_filters_nothing_is_changed_and_nothing_is_late() -> None:
    far = voice(0, 1.0)
    sent = send(Situation(DESK, far, nobody(far)), ProcessingSettings(echo_cancel=EchoCancel.OFF))
    assert np.array_equal(sent.sent[480:], sent.heard[480:])  # behind the fade-in of every microphone
    assert sent.figures.delay_ms == 0.0
    assert sent.latest_s == pytest.approx(0.0, abs=0.001)

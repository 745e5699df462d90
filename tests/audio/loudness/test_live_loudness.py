"""The way of live loudness: from a voice thread's blocks to readings, the same as of the whole sound at once."""

import threading
import time

import numpy as np
import pytest
from typing_extensions import override

from blink_cli.audio.loudness.live_loudness import LiveLoudness, LoudnessReading
from blink_cli.audio.loudness.loudness_feed import STEP_SAMPLES, WAITING_BLOCKS, LoudnessFeed
from blink_cli.audio.loudness.loudness_thread import LoudnessThread
from blink_cli.audio.loudness.meter import LoudnessMeter
from blink_cli.audio.samples import Samples
from blink_cli.audio.silent_block import SILENT_BLOCK
from blink_cli.audio.sink_track import SinkTrack
from blink_cli.audio.source_pipeline import SourcePipeline
from blink_cli.audio.voice_activity.loudness import LoudnessDetector
from tests.audio.loudness.signals import tones
from tests.audio.parts import PlainEncoder, PlainStream, packet

pytestmark = pytest.mark.no_clock


def noise(seconds: float, amplitude: float = 0.1) -> Samples:
    return (np.random.default_rng(1).standard_normal(round(seconds * 48_000)) * amplitude).astype(np.float32)


def taken(feed: LoudnessFeed) -> list[Samples | int]:
    all_of_it = []
    while (one := feed.take()) is not None:
        all_of_it.append(one)
    return all_of_it


@pytest.mark.parametrize("length", [120, 480, 960, 2880, 7777])
def test_blocks_of_any_length_are_one_sound(length: int) -> None:
    feed, sound = LoudnessFeed(), noise(1.0)
    for start in range(0, len(sound), length):
        feed.add(sound[start : start + length])
    np.testing.assert_array_equal(feed.take(), sound)
    assert feed.take() is None


def test_silence_ends_a_sound_and_begins_another() -> None:
    feed, sound = LoudnessFeed(), noise(0.1)
    for _ in range(2):
        feed.add(sound)
        feed.add_silence(STEP_SAMPLES)
    told = taken(feed)
    assert [one if isinstance(one, int) else len(one) for one in told] == 2 * [len(sound), STEP_SAMPLES]


def test_a_silent_voice_costs_nothing_after_three_seconds() -> None:
    feed = LoudnessFeed()
    feed.add(noise(0.05))
    for _ in range(6000):
        feed.add(SILENT_BLOCK)
    told = taken(feed)
    assert not isinstance(told[0], int)
    assert len(told[0]) == 2400
    assert told[1:] == [STEP_SAMPLES] * 32
    feed.add(noise(0.1))
    # The rest of the minute comes with the next sound, so that no time is lost.
    assert taken(feed)[0] == 60 * 48_000 - 32 * STEP_SAMPLES


def test_nobody_waits_for_a_thread_that_stands_still() -> None:
    feed = LoudnessFeed()
    for number in range(WAITING_BLOCKS + 7):
        feed.add(np.full(480, number, dtype=np.float32))
    sound = feed.take()
    assert sound is not None
    assert not isinstance(sound, int)
    assert len(sound) == WAITING_BLOCKS * 480
    assert sound[0] == 7.0


def test_live_readings_are_those_of_the_whole_sound() -> None:
    live, whole = LiveLoudness(), LoudnessMeter(48_000)
    talk, pause, more = noise(4.0), np.zeros(5 * 48_000, dtype=np.float32), noise(3.05, 0.02)
    for part in (talk, more):
        for start in range(0, len(part), 480):
            live.feed.add(part[start : start + 480])
            live.measure()
        if part is talk:
            for _ in range(500):
                live.feed.add(SILENT_BLOCK)
                live.measure()
            assert live.reading.momentary_lufs is None
            assert live.reading.integrated_lufs is not None
    whole.add(np.concatenate([talk, pause, more]))
    assert live.reading.momentary_lufs == pytest.approx(whole.latest.momentary_lufs)
    assert live.reading.short_term_lufs == pytest.approx(whole.latest.short_term_lufs)
    assert live.reading.integrated_lufs == pytest.approx(whole.integrated_lufs)


def test_a_peer_is_measured_before_its_gain_and_its_mute() -> None:
    live, stream = LiveLoudness(), PlainStream()
    track = SinkTrack(stream, gain_db=-20.0, muted=True, loudness=live.feed)
    tone = tones((-20, 3.5))[:, 0]
    for start in range(0, len(tone), 480):
        track.receive(packet(tone[start : start + 480]))
        track.next_block(0.0)
    live.measure()
    assert live.reading.integrated_lufs == pytest.approx(-23.0, abs=0.05)


def test_oneself_is_measured_as_sent() -> None:
    live = LiveLoudness()
    pipeline = SourcePipeline(
        PlainEncoder(),
        lambda _: None,
        first_timestamp=0,
        detector=LoudnessDetector(),
        loudness=live.feed,
    )
    tone = tones((-20, 4))[:, 0]
    for index in range(400):
        pipeline.process(tone[480 * index : 480 * (index + 1)], index / 100)
    live.measure()
    assert live.reading.short_term_lufs == pytest.approx(-23.0, abs=0.05)
    pipeline.muted = True
    for index in range(400):
        pipeline.process(tone[480 * index : 480 * (index + 1)], 4 + index / 100)
    live.measure()
    assert live.reading.short_term_lufs is None
    # What is said while muted is not sent, and does not count; the blocks in which the tone ends do.
    assert live.reading.integrated_lufs == pytest.approx(-23.1, abs=0.2)
    pipeline.muted = False
    pipeline.skip(1000, 18.0)
    for index in range(400):
        pipeline.process(0.1 * tone[480 * index : 480 * (index + 1)], 18 + index / 100)
    live.measure()
    assert live.reading.short_term_lufs == pytest.approx(-43.0, abs=0.1)


class Broken(LiveLoudness):
    """Fails when it is asked to measure."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.reading = LoudnessReading(-20.0, -20.0, -20.0)

    @override
    def measure(self) -> None:
        self.asked += 1
        raise FloatingPointError("no")


def test_a_meter_that_fails_is_dropped_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    made: list[LiveLoudness] = []
    heard = threading.Event()

    class Heard(LiveLoudness):
        @override
        def measure(self) -> None:
            super().measure()
            if self.reading.momentary_lufs is not None:
                heard.set()

    def meter() -> LiveLoudness:
        made.append(Broken() if not made else Heard())
        return made[-1]

    thread = LoudnessThread(meter=meter)
    broken, whole = thread.add(), thread.add()
    whole.feed.add(tones((-20, 1))[:, 0])
    thread.start()
    try:
        assert heard.wait(30.0)
    finally:
        thread.stop()
    thread.stop()
    assert isinstance(broken, Broken)
    assert broken.asked == 1
    assert broken.reading == LoudnessReading()
    assert [record.message for record in caplog.records] == ["a loudness meter failed, and measures no more"]
    assert whole.reading.momentary_lufs == pytest.approx(-23.0, abs=0.1)


def test_a_thread_that_never_began_is_stopped_at_once() -> None:
    begun = time.monotonic()
    LoudnessThread().stop()
    assert time.monotonic() - begun < 5.0

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest

from blink_cli.audio.devices.plain_sounds import Tone
from blink_cli.audio.devices.virtual_input import VirtualInput
from blink_cli.audio.samples import Samples
from blink_cli.audio.source_track import CaptureGap, SourceTrack
from blink_cli.core.errors import DeviceError
from blink_cli.core.media.rtp import EncodedFrame
from tests.audio.manual_clock import ManualClock
from tests.audio.parts import BrokenDevice, LeakyInput, PlainEncoder, RampSound, StallingInput, sound_of

pytestmark = pytest.mark.real_time

Source = SourceTrack[PlainEncoder]


class Bench:
    """A running source track in virtual time."""

    def __init__(self, device: VirtualInput) -> None:
        self.clock = ManualClock()
        self.frames: list[EncodedFrame] = []
        self.sent_s: list[float] = []
        self.source: Source = SourceTrack(
            device,
            PlainEncoder(),
            self._take,
            first_timestamp=0,
            clock=self.clock,
        )
        self.start_s = self.clock.now_s()

    def _take(self, frame: EncodedFrame) -> None:
        self.frames.append(frame)
        self.sent_s.append(self.clock.now_s() - self.start_s)

    def failure(self) -> str | None:
        return self.source.statistics(self.clock.now_s()).reading.failure

    @property
    def gaps(self) -> tuple[CaptureGap, ...]:
        return self.source.statistics(self.clock.now_s()).recent_gaps

    def sound(self) -> Samples:
        return np.concatenate([sound_of(frame) for frame in self.frames])

    def timestamps_s(self) -> list[float]:
        return [frame.timestamp / 48_000 for frame in self.frames]


@contextmanager
def running(device: VirtualInput) -> Iterator[Bench]:
    bench = Bench(device)
    bench.source.start()
    try:
        yield bench
    finally:
        bench.clock.release()
        bench.source.stop()
        assert bench.failure() is None


def tone(hz: float = 200.0) -> VirtualInput:
    return VirtualInput(f"tone:{hz:g}", Tone(hz))


def test_a_frame_is_handed_over_when_its_last_sample_is_captured() -> None:
    with running(tone()) as bench:
        bench.clock.advance(1.0)
        assert bench.sent_s == pytest.approx([0.02 * (n + 1) for n in range(50)], abs=1e-6)
        assert bench.timestamps_s() == pytest.approx([0.02 * n for n in range(50)])
        assert bench.source.position_s(bench.clock.now_s()) == pytest.approx(1.0)
    assert bench.source.position_s(bench.clock.now_s()) is None


def test_the_devices_clock_paces_it() -> None:
    with running(VirtualInput("tone", Tone(200), drift_ppm=1000.0)) as bench:
        bench.clock.advance(100.01)
        assert len(bench.frames) == 5005


@pytest.mark.parametrize("order", ["mute first", "mute later"])
def test_pause_and_play(order: str) -> None:
    bench = Bench(tone())
    if order == "mute first":
        bench.source.pause()
    bench.source.start()
    try:
        if order == "mute later":
            bench.clock.advance(1.0)
            bench.source.pause()
        before = len(bench.frames)
        bench.clock.advance(4.0)
        assert bench.source.paused
        assert len(bench.frames) - before in {12, 13, 14}
        assert (sound_of(bench.frames[-1]) == 0).all()
        bench.source.play()
        bench.clock.advance(1.0)
        assert np.abs(sound_of(bench.frames[-1])).max() == pytest.approx(0.1, abs=0.001)
    finally:
        bench.clock.release()
        bench.source.stop()


def test_another_device_takes_over_without_a_gap_or_a_click() -> None:
    with running(tone(200)) as bench:
        bench.clock.advance(0.5)
        swap_in_another_thread(bench, tone(300))
        bench.clock.advance(0.5)
        assert bench.source.device.parameters.name == "tone:300"
        # No frame is missing, and timestamps keep real time to a frame.
        assert bench.timestamps_s() == pytest.approx([0.02 * n for n in range(len(bench.frames))])
        assert bench.timestamps_s()[-1] + 0.02 == pytest.approx(bench.sent_s[-1], abs=0.011)
        sound = bench.sound()
        # A sine of 300 Hz at 0.1 moves at most 0.004 a sample; a click would move further.
        assert np.abs(np.diff(sound)).max() < 0.005
        assert longest_silence(sound) < 0.1 * 48_000
        assert np.abs(sound[-4800:]).max() == pytest.approx(0.1, abs=0.001)


def test_a_device_that_does_not_start_changes_nothing() -> None:
    broken = BrokenDevice()
    with running(tone()) as bench:
        bench.clock.advance(0.1)
        with pytest.raises(DeviceError, match="held by another program"):
            swap_in_another_thread(bench, broken)  # type: ignore[arg-type]
        bench.clock.advance(0.5)
        assert np.abs(bench.sound()[-4800:]).max() == pytest.approx(0.1, abs=0.001)
        assert longest_silence(bench.sound()) < 0.1 * 48_000


def test_a_device_that_does_not_start_is_an_error_of_start() -> None:
    source: Source = SourceTrack(BrokenDevice(), PlainEncoder(), lambda _: None, first_timestamp=0)
    with pytest.raises(DeviceError):
        source.start()
    source.stop()


def test_of_a_device_that_stands_still_nothing_is_sent_and_the_gap_is_told() -> None:
    device = StallingInput("tone:200", Tone(200))
    with running(device) as bench:
        bench.clock.advance(0.5)
        device.stalled = True
        bench.clock.advance(1.0)
        assert bench.timestamps_s()[-1] == pytest.approx(0.48)
        assert bench.source.statistics(bench.clock.now_s()).level_dbov == -127
        device.stalled = False
        bench.clock.advance(0.5)
        assert bench.timestamps_s()[-1] + 0.02 == pytest.approx(2.0, abs=0.021)
        assert np.abs(sound_of(bench.frames[-1])).max() == pytest.approx(0.1, abs=0.001)
        statistics = bench.source.statistics(bench.clock.now_s())
        assert statistics.gaps == len(bench.gaps) == 1
        assert statistics.missing_samples == pytest.approx(1.0 * 48_000, abs=960)
        assert bench.gaps[0].began_at - bench.start_s == pytest.approx(0.5)


def test_after_a_long_freeze_what_was_lost_is_counted_and_timestamps_keep_real_time() -> None:
    with running(VirtualInput("ramp", RampSound(0.001))) as bench:
        bench.clock.advance(0.5)
        bench.clock.freeze_process(3.0)
        bench.clock.advance(0.5)
        statistics = bench.source.statistics(bench.clock.now_s())
        assert statistics.missing_samples == pytest.approx(3.0 * 48_000, abs=960)
        assert statistics.late_samples == 0
        assert [gap.missing_s for gap in bench.gaps] == pytest.approx([3.0], abs=0.021)
        assert bench.timestamps_s()[-1] + 0.02 == pytest.approx(4.0, abs=0.021)
        assert statistics.lateness.max_ms <= 3001
        # What came afterwards is what was captured then.
        last = bench.frames[-1]
        assert sound_of(last)[0] == pytest.approx(0.001 + last.timestamp * 1e-6, abs=1e-7 + 480e-6)


def test_small_losses_add_up_and_timestamps_follow_the_sound() -> None:
    device = LeakyInput("ramp", RampSound(0.001))
    with running(device) as bench:
        for _ in range(10):
            bench.clock.advance(0.1)
            device.lose(192)
        bench.clock.advance(0.5)
        assert bench.source.statistics(bench.clock.now_s()).missing_samples == 10 * 192
        last = bench.frames[-1]
        captured = (sound_of(last)[0] - 0.001) / 1e-6
        assert last.timestamp == pytest.approx(captured, abs=2)
        assert bench.gaps == (), "too short to be told"


def test_the_encoder_is_adjusted_between_frames() -> None:
    def shorter(encoder: PlainEncoder) -> None:
        encoder.frame_samples = 480

    with running(tone()) as bench:
        bench.clock.advance(0.11)
        bench.source.adjust_encoder(shorter)
        bench.clock.advance(0.11)
        durations = [frame.duration_samples for frame in bench.frames]
        assert durations == [960] * 5 + [480] * 12
        assert bench.timestamps_s()[-1] == pytest.approx(0.21)


def test_a_bug_in_the_receiver_of_frames_ends_the_thread_and_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_: EncodedFrame) -> None:
        raise ZeroDivisionError

    clock = ManualClock()
    source: Source = SourceTrack(tone(), PlainEncoder(), fail, first_timestamp=0, clock=clock)
    source.start()
    clock.release()
    while source.statistics(0.0).reading.failure is None:
        time.sleep(0.001)
    source.stop()
    assert "ZeroDivisionError" in (source.statistics(0.0).reading.failure or "")
    assert "blink-capture ended" in caplog.text


def test_after_a_failed_start_another_device_is_captured() -> None:
    bench = Bench(BrokenDevice())  # type: ignore[arg-type]
    with pytest.raises(DeviceError):
        bench.source.start()
    bench.source.set_device(tone())
    try:
        bench.clock.advance(0.1)
        assert bench.timestamps_s() == pytest.approx([0.0, 0.02, 0.04, 0.06, 0.08])
    finally:
        bench.clock.release()
        bench.source.stop()


def test_after_a_crash_another_device_goes_on_in_real_time(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: PlainEncoder) -> None:
        raise ZeroDivisionError

    bench = Bench(tone())
    bench.source.start()
    bench.clock.advance(0.1)
    bench.source.adjust_encoder(fail)
    bench.clock.let_pass(3.0)
    while bench.failure() is None:
        time.sleep(0.001)
    bench.source.set_device(tone())
    bench.clock.advance(0.5)
    bench.clock.release()
    bench.source.stop()
    assert "ZeroDivisionError" in caplog.text
    assert bench.timestamps_s()[-1] + 0.02 == pytest.approx(bench.sent_s[-1], abs=0.011)
    assert np.abs(sound_of(bench.frames[-1])).max() == pytest.approx(0.1, abs=0.001)


def test_stopping_twice_and_without_a_start_is_harmless() -> None:
    source: Source = SourceTrack(tone(), PlainEncoder(), lambda _: None, first_timestamp=0)
    source.stop()
    source.stop()
    Bench(tone()).source.stop()


def test_in_real_time_it_is_punctual() -> None:
    enough = threading.Event()
    frames: list[EncodedFrame] = []

    def take(frame: EncodedFrame) -> None:
        frames.append(frame)
        if len(frames) == 25:
            enough.set()

    source: Source = SourceTrack(tone(), PlainEncoder(), take, first_timestamp=0)
    source.start()
    assert enough.wait(10)
    source.stop()
    summary = source.statistics(0.0).lateness
    # Half of the ticks within 5 ms, on any machine that can run a call at all.
    assert summary.p50_ms <= 5.0


def swap_in_another_thread(bench: Bench, device: VirtualInput) -> None:
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(bench.source.set_device, device)
        while not done.done():
            bench.clock.advance(0.01)
        done.result()


def longest_silence(sound: Samples) -> int:
    loud = np.flatnonzero(np.abs(sound) > 0.01)
    return int(np.diff(loud).max())


class TwoTones:
    """300 Hz on the left, 700 Hz on the right."""

    def __init__(self) -> None:
        self._left, self._right = Tone(300), Tone(700)

    def rewind(self) -> None:
        self._left.rewind()
        self._right.rewind()

    def next(self, count: int) -> Samples:
        return np.stack((self._left.next(count), self._right.next(count)), axis=1)

    def skip(self, count: int) -> None:
        self._left.skip(count)
        self._right.skip(count)

    def close(self) -> None:
        pass

    def channels(self) -> None:
        return None


def test_two_channels_are_captured_when_the_encoder_takes_them_and_one_when_not() -> None:
    def stereo(encoder: PlainEncoder) -> None:
        encoder.channels = 2

    def mono(encoder: PlainEncoder) -> None:
        encoder.channels = 1

    with running(VirtualInput("two tones", TwoTones(), channels=2)) as bench:
        passed_by = []
        for seconds, change in ((0.51, stereo), (0.5, mono), (0.51, None)):
            bench.clock.advance(seconds)
            passed_by.append(bench.source.sends_stereo)
            if change is not None:
                bench.source.adjust_encoder(change)
        assert passed_by == [False, True, False], "two channels pass the chain by"
        shares = [len(frame.payload) // (4 * frame.duration_samples) for frame in bench.frames]
        assert shares == [1] * 25 + [2] * 25 + [1] * 26
        assert bench.timestamps_s() == pytest.approx([0.02 * n for n in range(76)]), "nothing is missing"
        left, right = np.concatenate([sound_of(frame) for frame in bench.frames[25:50]]).reshape(-1, 2).T
        for side, hz, other in ((left, 300, 700), (right, 700, 300)):
            spectrum = np.abs(np.fft.rfft(side)) / len(side) * 2
            assert spectrum[hz * len(side) // 48_000] == pytest.approx(0.1, rel=0.01)
            assert spectrum[other * len(side) // 48_000] < 0.001
        assert bench.source.statistics(bench.clock.now_s()).channels is not None


def test_a_microphone_of_one_channel_is_sent_in_both() -> None:
    def stereo(encoder: PlainEncoder) -> None:
        encoder.channels = 2

    with running(tone()) as bench:
        bench.source.adjust_encoder(stereo)
        bench.clock.advance(0.1)
        left, right = np.concatenate([sound_of(frame) for frame in bench.frames]).reshape(-1, 2).T
        np.testing.assert_array_equal(left, right)
        assert np.abs(left).max() == pytest.approx(0.1, abs=0.001)

"""A device that stands still: wherever its sound goes on, it stands at the time at which it was captured. All kinds of devices, virtual time.

Every sample of the sound says when it was captured, so what a source track sends is compared with the truth sample by sample.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from blink_cli.audio.devices.capture_ring import CaptureRing
from blink_cli.audio.source_track import SourceTrack
from blink_cli.core.media.rtp import EncodedFrame
from tests.audio.manual_clock import ManualClock
from tests.audio.parts import PlainEncoder, RampSound, StallingInput, SystemInput, sound_of

pytestmark = pytest.mark.no_clock

BASE = 0.001
STEP = 1e-6
"""A sample more, in the sound."""

WARM_UP_S = 2.0
AFTERWARDS_S = 1.5

STALLS_S = [0.05, 0.09, 0.13, 0.4, 1.5, 10.0]

Device = StallingInput | SystemInput


def ramp() -> RampSound:
    return RampSound(BASE, STEP)


DEVICES: dict[str, Callable[[], Device]] = {
    "virtual": lambda: StallingInput("ramp", ramp()),
    "virtual, 200 ppm fast": lambda: StallingInput("ramp", ramp(), drift_ppm=200.0),
    "callbacks of 5 ms": lambda: SystemInput(ramp()),
    "callbacks of 21 ms": lambda: SystemInput(ramp(), callback_frames=1024),
    "ten together each 50 ms": lambda: SystemInput(ramp(), together=10),
    "200 ppm slow": lambda: SystemInput(ramp(), drift_ppm=-200.0),
    "44.1 kHz, stereo, 200 ppm fast": lambda: SystemInput(
        ramp(), rate_hz=44_100, channels=2, callback_frames=256, drift_ppm=200.0
    ),
    "16 kHz": lambda: SystemInput(ramp(), rate_hz=16_000, callback_frames=160),
    "says 30 ms of latency, give or take 5": lambda: SystemInput(
        ramp(), latency_s=0.03, latency_noise_s=0.005
    ),
}
HELD_BACK = {"all of it": 1.0, "its last half": 0.5, "nothing": 0.0}


class Run:
    """A source track on one device."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.clock = ManualClock()
        self.start_s = self.clock.now_s()
        self.frames: list[EncodedFrame] = []
        self.sent_s: list[float] = []
        self.track: SourceTrack[PlainEncoder] = SourceTrack(
            device,
            PlainEncoder(),
            self._take,
            first_timestamp=0,
            clock=self.clock,
        )

    def _take(self, frame: EncodedFrame) -> None:
        self.frames.append(frame)
        self.sent_s.append(self.clock.now_s())

    def places_s(self) -> tuple[np.ndarray, np.ndarray]:
        """Return of every sample of sound its place by RTP time, and the time at which it was captured, from the start."""
        rtp, captured = [], []
        rate_hz = self.device.parameters.sample_rate_hz
        for frame in self.frames:
            sound = sound_of(frame).astype(np.float64)
            number = (sound - BASE) / STEP
            # Fades and silence say nothing; a ramp goes up by a step a sample.
            steps = np.diff(sound, append=np.inf)
            slope = STEP * rate_hz / 48_000
            steady = (np.abs(steps - slope) < 0.5 * slope) & (sound > BASE)
            at = frame.timestamp + np.flatnonzero(steady)
            rtp.append(at / 48_000)
            captured.append(number[steady] / rate_hz)
        return np.concatenate(rtp), np.concatenate(captured)


@contextmanager
def running(device: Device) -> Iterator[Run]:
    run = Run(device)
    run.track.start()
    try:
        yield run
    finally:
        run.clock.release()
        run.track.stop()
        assert run.track.statistics(0.0).reading.failure is None


@pytest.mark.parametrize("held_back", HELD_BACK)
@pytest.mark.parametrize("stall_s", STALLS_S)
@pytest.mark.parametrize("kind", DEVICES)
def test_sound_stands_where_it_was_captured(kind: str, stall_s: float, held_back: str) -> None:
    keep = HELD_BACK[held_back]
    with running(DEVICES[kind]()) as run:
        run.clock.advance(WARM_UP_S)
        begins_s = run.clock.now_s()
        run.device.stand_still(begins_s, stall_s, keep)
        run.clock.advance(stall_s + AFTERWARDS_S)
        now_s = run.clock.now_s()
        ends_s = begins_s + stall_s

        rtp_s, captured_s = run.places_s()
        captured_s *= 1.0 - run.device.drift_ppm * 1e-6
        apart_s = rtp_s - captured_s
        before = apart_s[captured_s < WARM_UP_S - 0.1]
        after = apart_s[captured_s > WARM_UP_S + stall_s]
        assert len(before) > 48_000
        assert len(after) > 10_000
        # In between, RTP time goes as the device's clock: at 200 ppm that comes apart by 0.3 ms in these seconds of sound.
        assert np.abs(after - np.median(before)).max() < 0.005

        # RTP time stands to monotonic time as before, and is so as soon as sound is there.
        sent_s = np.array(run.sent_s)
        rtp_end_s = np.array([f.timestamp + f.duration_samples for f in run.frames]) / 48_000
        delay_s = sent_s - run.start_s - rtp_end_s
        usual_s = delay_s[(sent_s < begins_s) & (sent_s > run.start_s + 0.5)]
        soon = (sent_s > ends_s + 0.1) & (sent_s < now_s)
        assert soon.sum() > 50
        assert np.abs(delay_s[soon].min() - usual_s.min()) < 0.005 + run.device.period_s / 4, (
            "frames meet bursts in other places"
        )
        assert delay_s[soon].max() <= usual_s.max() + 0.02

        # It is said of each frame when it was captured.
        said_s = np.array([f.captured_at for f in run.frames if f.captured_at is not None]) - run.start_s
        stamps_s = np.array([f.timestamp for f in run.frames]) / 48_000
        assert len(said_s) == len(stamps_s)
        assert np.ptp(said_s - stamps_s) < 0.005

        missing_s = run.track.statistics(now_s).missing_samples / 48_000
        # What took no longer than usual variations came in time; the rest is a gap, told once.
        if stall_s > 0.13:
            assert missing_s == pytest.approx(stall_s, abs=0.11)
        elif stall_s < 0.1:
            assert stall_s * (1.0 - keep) - 0.006 < missing_s
            assert missing_s < stall_s * (1.0 - keep) + 0.006 or run.device.period_s >= 0.01
        told = run.track.statistics(now_s).recent_gaps
        assert len(told) <= 1
        if missing_s > 0.05:
            assert told
            assert told[0].missing_s == pytest.approx(missing_s, abs=0.002)
            assert begins_s - 0.07 - run.device.period_s < told[0].began_at < begins_s + 0.02


@pytest.mark.parametrize("drift_ppm", [-200.0, 0.0, 200.0])
@pytest.mark.parametrize("latency_s", [None, 0.05])
def test_a_clock_that_drifts_has_no_gaps(drift_ppm: float, latency_s: float | None) -> None:
    device = SystemInput(ramp(), drift_ppm=drift_ppm, latency_s=latency_s, latency_noise_s=0.005)
    with running(device) as run:
        run.clock.advance(30.0)
        statistics = run.track.statistics(run.clock.now_s())
        assert statistics.gaps == 0
        assert statistics.missing_samples == 0
        rtp_s, captured_s = run.places_s()
        assert np.ptp(rtp_s - captured_s) < 0.0001, "every sample of the device is one of the stream"
        last = run.frames[-1]
        assert last.captured_at is not None
        truth_s = run.start_s + (1.0 - drift_ppm * 1e-6) * (
            last.timestamp / 48_000 + captured_s[0] - rtp_s[0]
        )
        assert last.captured_at == pytest.approx(truth_s, abs=0.003)


def test_late_callbacks_that_catch_up_are_no_gap() -> None:
    with running(SystemInput(ramp())) as run:
        run.clock.advance(1.0)
        for _ in range(50):
            run.device.stand_still(run.clock.now_s(), 0.06, 1.0)
            run.clock.advance(0.1)
        assert run.track.statistics(run.clock.now_s()).missing_samples == 0
        rtp_s, captured_s = run.places_s()
        assert np.ptp(rtp_s - captured_s) < 0.0001


def test_a_longer_way_through_the_system_is_no_gap() -> None:
    device = SystemInput(ramp(), latency_s=0.02)
    with running(device) as run:
        run.clock.advance(2.0)
        for latency_s in (0.06, 0.02, 0.06):
            device.set_latency(latency_s)
            run.clock.advance(2.0)
        assert run.track.statistics(run.clock.now_s()).missing_samples == 0
        rtp_s, captured_s = run.places_s()
        assert np.ptp(rtp_s - captured_s) < 0.0001
        frame = run.frames[-1]
        assert frame.captured_at is not None
        assert frame.captured_at - run.start_s == pytest.approx(
            frame.timestamp / 48_000 + captured_s[0] - rtp_s[0], abs=0.003
        )


@pytest.mark.parametrize("stall_s", [0.2, 1.5])
@pytest.mark.parametrize("longer_s", [0.02, 0.04, 0.1])
def test_a_way_that_is_longer_behind_a_stall_leaves_nothing_silent(stall_s: float, longer_s: float) -> None:
    """The system says that sound takes longer now: it comes when its place was just given up, again and again."""
    device = SystemInput(ramp(), latency_s=0.02)
    with running(device) as run:
        run.clock.advance(2.0)
        device.stand_still(run.clock.now_s(), stall_s, 0.0)
        device.set_latency(0.02 + longer_s)
        run.clock.advance(stall_s + 1.0)
        before = len(run.frames)
        missing = run.track.statistics(run.clock.now_s()).missing_samples
        run.clock.advance(2.0)
        assert len(run.frames) - before >= 99, "all is sent within a second"
        assert run.track.statistics(run.clock.now_s()).missing_samples == missing
        assert missing < (stall_s + 0.6) * 48_000
        rtp_s, captured_s = run.places_s()
        apart_s = rtp_s - captured_s
        assert np.ptp(apart_s) < 0.005
        late_s = [
            sent - (frame.captured_at or 0.0) for sent, frame in zip(run.sent_s, run.frames, strict=True)
        ]
        assert late_s[-1] < late_s[50] + longer_s + 0.02, "and no later than it must be"


def test_what_was_called_missing_and_comes_all_the_same_is_put_right() -> None:
    """The system does not say that its latency grew by 50 ms: that looks like a gap, until it falls again."""
    device = SystemInput(ramp(), latency_s=0.0, tells_latency=False)
    with running(device) as run:
        run.clock.advance(2.0)
        for _ in range(3):
            device.set_latency(0.05)
            run.clock.advance(0.5)
            device.set_latency(0.0)
            run.clock.advance(1.0)
        rtp_s, captured_s = run.places_s()
        apart_s = rtp_s - captured_s
        assert apart_s[-1] == pytest.approx(apart_s[0], abs=0.001), "it does not add up"


@pytest.mark.parametrize("channels", [2, 32])
def test_a_ring_that_is_overrun_keeps_the_newest(channels: int) -> None:
    ring = CaptureRing(4800, channels)
    frames = np.arange(24_000, dtype=np.float32)[:, np.newaxis].repeat(channels, axis=1)
    for at in range(0, 24_000, 240):
        ring.write(frames[at : at + 240])
    ring.skip_overrun()
    assert ring.overrun == ring.next == 24_000 - 3600
    heard = ring.read(10_000)
    assert (heard == frames[-3600:]).all()
    assert ring.queued == 0
    ring.write(frames)
    ring.skip_overrun()
    assert (ring.read(100) == frames[-3600:-3500]).all(), "more at once than it holds"


@pytest.mark.parametrize("latency_s", [None, 0.0, 0.02])
def test_many_stalls_do_not_add_up(latency_s: float | None) -> None:
    device = SystemInput(ramp(), latency_s=latency_s)
    with running(device) as run:
        run.clock.advance(1.0)
        for number in range(20):
            device.stand_still(run.clock.now_s(), 0.203 + number * 0.007, 1.0)
            run.clock.advance(0.7)
        rtp_s, captured_s = run.places_s()
        apart_s = rtp_s - captured_s
        assert np.ptp(apart_s) < 0.001

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
from typing_extensions import override

from blink_cli.audio.devices.virtual import OUTPUT_LEAD_S
from blink_cli.audio.devices.virtual_output import VirtualOutput
from blink_cli.audio.samples import Samples
from blink_cli.audio.sink_mixer import SinkMixer
from blink_cli.audio.sink_track import SinkTrack
from blink_cli.audio.sound_listener import SoundListener
from blink_cli.core.errors import DeviceError
from blink_cli.core.ids import Did
from blink_cli.core.media.mix_tick import PlayedTrack
from tests.audio.manual_clock import ManualClock
from tests.audio.parts import BrokenDevice, ConstantStream, Ear, PlainStream, StallingOutput, packet

pytestmark = pytest.mark.no_clock


class Bench:
    """A running sink mixer in virtual time."""

    def __init__(self, device: VirtualOutput, sound: SoundListener | None = None) -> None:
        self.clock = ManualClock()
        self.mixer = SinkMixer(device, clock=self.clock, sound=sound)
        self.start_s = self.clock.now_s()

    def failure(self) -> str | None:
        return self.mixer.statistics(self.clock.now_s()).reading.failure


@contextmanager
def running(device: VirtualOutput, sound: SoundListener | None = None) -> Iterator[Bench]:
    bench = Bench(device, sound)
    bench.mixer.start()
    try:
        yield bench
    finally:
        bench.clock.release()
        bench.mixer.stop()
        assert bench.failure() is None


def test_every_stream_is_asked_once_a_tick_in_nominal_time() -> None:
    streams = [PlainStream(), PlainStream()]
    with running(VirtualOutput("ear", Ear())) as bench:
        for stream in streams:
            bench.mixer.add(SinkTrack(stream))
        bench.clock.advance(1.0)
        asked = np.array(streams[0].asked_s) - bench.start_s
        assert len(asked) == pytest.approx(100, abs=1)
        np.testing.assert_allclose(np.diff(asked), 0.01, atol=1e-6)
        assert abs(len(streams[0].asked_s) - len(streams[1].asked_s)) <= 1


def test_a_packet_is_heard_at_the_next_tick() -> None:
    ear, stream = Ear(), PlainStream()
    track = SinkTrack(stream)
    with running(VirtualOutput("ear", ear)) as bench:
        bench.mixer.add(track)
        bench.clock.advance(0.5 - OUTPUT_LEAD_S - 0.0001)
        track.receive(packet(np.full(480, 0.5, dtype=np.float32)))
        bench.clock.advance(0.2)
    assert np.flatnonzero(ear.heard)[0] == 0.5 * 48_000
    assert np.count_nonzero(ear.heard) == 480


class Told:
    """Who wants sound: notes what each tick brought, and how much the speaker had by then."""

    def __init__(self, ear: Ear) -> None:
        self.wants_sound = True
        self.ticks: list[tuple[list[tuple[str, float]], float, int]] = []
        self._ear = ear

    def played(self, at_s: float, voices: Sequence[tuple[Did, Samples]], mix: Samples) -> None:
        del at_s
        told = [(str(peer), float(block[-1])) for peer, block in voices]
        self.ticks.append((told, float(mix[-1]), len(self._ear.heard)))


def test_who_wants_the_sound_is_told_behind_the_speaker_before_gain_and_only_of_those_with_names() -> None:
    ear = Ear()
    told = Told(ear)
    bob = PlayedTrack(1, Did("did:key:bob"), 111, None)
    with running(VirtualOutput("ear", ear), told) as bench:
        bench.mixer.add(SinkTrack(ConstantStream(0.25), gain_db=-6.0206, played=bob))
        bench.mixer.add(SinkTrack(ConstantStream(0.125)))
        bench.clock.advance(0.5)
        told.wants_sound = False
        before = len(told.ticks)
        bench.clock.advance(0.2)
        assert len(told.ticks) == before
    assert before == pytest.approx(50, abs=2)
    voices, mix, _ = told.ticks[-1]
    assert voices == [("did:key:bob", 0.25)]
    assert mix == pytest.approx(0.25, abs=0.001)
    # The speaker had the block of a tick before anybody was told of it.
    assert all(heard >= (number + 1) * 480 for number, (_, _, heard) in enumerate(told.ticks))


def test_the_output_queues_no_more_than_one_block_ahead() -> None:
    with running(VirtualOutput("ear", Ear())) as bench:
        for _ in range(50):
            bench.clock.advance(0.0037)
            reading = bench.mixer.statistics(bench.clock.now_s()).reading
            assert reading.queued_frames <= 480 + OUTPUT_LEAD_S * 48_000 + 1


@pytest.mark.parametrize("makes_up", [True, False], ids=["takes what it missed", "takes nothing of it"])
@pytest.mark.parametrize("stall_s", [0.05, 0.09, 0.15, 0.4, 1.5, 10.0])
def test_a_speaker_that_stood_still_leaves_no_sound_waiting(stall_s: float, makes_up: bool) -> None:  # noqa: FBT001
    device, stream = StallingOutput("ear", Ear()), PlainStream()
    with running(device) as bench:
        bench.mixer.add(SinkTrack(stream))
        bench.clock.advance(2.0)
        device.stand_still(bench.clock.now_s(), stall_s, makes_up=makes_up)
        bench.clock.advance(stall_s + 0.05)
        passed_s = bench.clock.now_s() - bench.start_s
        assert len(stream.asked_s) == pytest.approx(passed_s * 100, abs=3)
        assert stream.asked_s[-1] == pytest.approx(bench.clock.now_s(), abs=0.03)
        bench.clock.advance(2.0)
        assert len(stream.asked_s) == pytest.approx((passed_s + 2.0) * 100, abs=3)


@pytest.mark.parametrize("drift_ppm", [-500.0, 500.0])
def test_a_speaker_whose_clock_drifts_takes_every_tick(drift_ppm: float) -> None:
    with running(VirtualOutput("ear", Ear(), drift_ppm)) as bench:
        bench.clock.advance(120.0)
        assert bench.mixer.statistics(bench.clock.now_s()).unheard_samples == 0


def test_late_ticks_are_made_up_for_at_once() -> None:
    ear = Ear()
    with running(VirtualOutput("ear", ear)) as bench:
        bench.mixer.add(SinkTrack(ConstantStream(0.5)))
        bench.clock.advance(0.3)
        bench.clock.freeze_process(0.2)
        assert len(ear.heard) == pytest.approx(0.5 * 48_000, abs=960)
        assert (ear.heard[960:] == 0.5).all()
        assert bench.mixer.statistics(bench.clock.now_s()).lateness.max_ms == pytest.approx(200, abs=12)


def test_after_a_long_freeze_the_missed_time_was_silent() -> None:
    ear = Ear()
    with running(VirtualOutput("ear", ear)) as bench:
        stream = ConstantStream(0.5)
        bench.mixer.add(SinkTrack(stream))
        bench.clock.advance(0.3)
        bench.clock.freeze_process(5.0)
        bench.clock.advance(0.3)
        assert len(ear.heard) == pytest.approx(5.6 * 48_000, abs=960)
        assert np.count_nonzero(ear.heard) == pytest.approx(0.6 * 48_000, abs=1500)
        assert len(stream.asked_s) < 70


def test_another_device_takes_over_with_a_fade_and_no_gap() -> None:
    first, second = Ear(), Ear()
    with running(VirtualOutput("first", first)) as bench:
        bench.mixer.add(SinkTrack(ConstantStream(0.5)))
        bench.clock.advance(0.5)
        swap_in_another_thread(bench, VirtualOutput("second", second))
        bench.clock.advance(0.5)
        assert bench.mixer.device.parameters.name == "second"
        heard_samples = np.count_nonzero(first.heard) + np.count_nonzero(second.heard)
        assert heard_samples == pytest.approx(bench_seconds(bench) * 48_000, abs=1500)
    for heard in (first.heard[960:], second.heard):
        assert np.abs(np.diff(heard)).max() < 0.5 * 0.004
    assert abs(first.heard[-1]) < 0.001
    assert abs(second.heard[0]) < 0.001


def test_a_device_that_does_not_start_changes_nothing() -> None:
    ear = Ear()
    with running(VirtualOutput("ear", ear)) as bench:
        bench.mixer.add(SinkTrack(ConstantStream(0.5)))
        bench.clock.advance(0.1)
        with pytest.raises(DeviceError, match="held by another program"):
            swap_in_another_thread(bench, BrokenDevice())  # type: ignore[arg-type]
        bench.clock.advance(0.3)
        assert bench.mixer.device.parameters.name == "ear"
    assert (ear.heard[-4800:] == 0.5).all()


def test_a_device_that_stands_still_keeps_no_stream_waiting() -> None:
    ear, stream = Ear(), PlainStream()
    device = StallingOutput("ear", ear)
    with running(device) as bench:
        bench.mixer.add(SinkTrack(stream))
        bench.clock.advance(0.5)
        device.stalled = True
        bench.clock.advance(2.0)
        assert len(stream.asked_s) == pytest.approx(250, abs=15)
        assert bench.mixer.statistics(bench.clock.now_s()).unheard_samples >= 1.8 * 48_000
        device.stalled = False
        bench.clock.advance(0.5)
        assert len(stream.asked_s) == pytest.approx(300, abs=60)
        stalled_again = bench.mixer.statistics(bench.clock.now_s()).unheard_samples
        bench.clock.advance(0.5)
        assert bench.mixer.statistics(bench.clock.now_s()).unheard_samples == stalled_again


def test_a_track_that_is_removed_fades_out_and_is_asked_no_more() -> None:
    ear, stream = Ear(), ConstantStream(0.5)
    track = SinkTrack(stream)
    with running(VirtualOutput("ear", ear)) as bench:
        bench.mixer.add(track)
        bench.clock.advance(0.5)
        bench.mixer.remove(track)
        bench.mixer.remove(track)
        bench.clock.advance(0.1)
        asked = len(stream.asked_s)
        bench.clock.advance(0.5)
        assert len(stream.asked_s) == asked
    assert np.abs(np.diff(ear.heard[960:])).max() < 0.5 * 0.004
    assert (ear.heard[-4800:] == 0).all()


def test_deafened_hears_nothing_and_drains() -> None:
    ear, stream = Ear(), ConstantStream(0.5)
    with running(VirtualOutput("ear", ear)) as bench:
        bench.mixer.pause()
        bench.mixer.add(SinkTrack(stream))
        bench.clock.advance(0.5)
        assert bench.mixer.paused
        assert not ear.heard[960:].any()
        assert len(stream.asked_s) == pytest.approx(50, abs=2)
        bench.mixer.play()
        bench.clock.advance(0.5)
    assert (ear.heard[-9600:] == 0.5).all()


def test_statistics_are_published_every_tenth_of_a_second() -> None:
    track = SinkTrack(PlainStream())
    with running(VirtualOutput("ear", Ear())) as bench:
        bench.mixer.add(track)
        for _ in range(20):
            bench.clock.advance(0.1)
            now_s = bench.clock.now_s()
            ticks = track.statistics.playout.total_samples_received / 480
            assert ticks >= (now_s - bench.start_s) / 0.01 - 12
        assert bench.mixer.position_s(now_s) == pytest.approx(2.0)
    assert bench.mixer.position_s(now_s) is None


def test_a_bug_in_a_stream_ends_the_thread_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    class Faulty(PlainStream):
        @override
        def get(self, now_s: float) -> Samples:
            raise ZeroDivisionError

    bench = Bench(VirtualOutput("ear", Ear()))
    bench.mixer.add(SinkTrack(Faulty()))
    bench.mixer.start()
    bench.clock.release()
    while bench.failure() is None:
        time.sleep(0.001)
    bench.mixer.stop()
    assert "ZeroDivisionError" in (bench.failure() or "")
    assert "blink-playout ended" in caplog.text


def test_after_a_failed_start_another_device_is_played_on() -> None:
    ear = Ear()
    bench = Bench(BrokenDevice())  # type: ignore[arg-type]
    bench.mixer.add(SinkTrack(ConstantStream(0.5)))
    with pytest.raises(DeviceError):
        bench.mixer.start()
    bench.mixer.set_device(VirtualOutput("ear", ear))
    try:
        bench.clock.advance(0.1)
        assert len(ear.heard) == pytest.approx(0.1 * 48_000, abs=480)
        assert (ear.heard[960:] == 0.5).all()
    finally:
        bench.clock.release()
        bench.mixer.stop()


def test_a_change_asks_no_stream_ahead_of_its_time() -> None:
    stream, second = ConstantStream(0.5), Ear()
    with running(VirtualOutput("first", Ear())) as bench:
        bench.mixer.add(SinkTrack(stream))
        bench.clock.advance(0.5)
        device = VirtualOutput("second", second)
        start = device.start
        # As if the sound system had taken its time between the device's first sample and the end of its start.
        device.start = lambda now_s: start(now_s - 0.06)  # type: ignore[method-assign]
        swap_in_another_thread(bench, device)
        bench.clock.advance(0.5)
        assert len(stream.asked_s) == pytest.approx(bench_seconds(bench) * 100, abs=2)
    assert not second.heard[:2400].any()


def test_stopping_twice_and_without_a_start_is_harmless() -> None:
    mixer = SinkMixer(VirtualOutput("ear", Ear()))
    mixer.stop()
    mixer.stop()


def bench_seconds(bench: Bench) -> float:
    return bench.clock.now_s() - bench.start_s


def swap_in_another_thread(bench: Bench, device: VirtualOutput) -> None:
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(bench.mixer.set_device, device)
        while not done.done():
            bench.clock.advance(0.01)
        done.result()

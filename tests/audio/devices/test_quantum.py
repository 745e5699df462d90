"""PipeWire works in pieces, its quantum: whatever their size and rate, what is played and captured is whole."""

import time
from collections.abc import Iterator

import numpy as np
import pytest

from blink_cli.audio.devices.alsa_pcm import AlsaPcm
from blink_cli.audio.devices.opener import DeviceOpener
from blink_cli.audio.sink_mixer import SinkMixer
from blink_cli.audio.sink_track import SinkTrack
from tests.audio.devices.test_portaudio import (
    Listening,
    ToneStream,
    eventually,
    frequency_hz,
    whole_second,
)
from tests.support.pipewire_server import PipeWireServer
from tests.support.sound_server import sound_system

pytestmark = [pytest.mark.sound, pytest.mark.timeout(60)]


STATE_XRUN = 4
"""Of ALSA's `snd_pcm_state_t`."""


@pytest.fixture(scope="module")
def server() -> Iterator[PipeWireServer]:
    with PipeWireServer("cans") as one, sound_system(one):
        yield one


@pytest.mark.parametrize("quantum", [64, 512, 1024, 2048])
@pytest.mark.parametrize(("speaker", "microphone"), [("cans", "cans_mic"), ("alsa_cans", "alsa_cans")])
def test_sound_is_whole_at_every_quantum(
    server: PipeWireServer, speaker: str, microphone: str, quantum: int
) -> None:
    server.set_quantum(quantum)
    heard, raised_s = _hear(speaker, microphone)
    assert frequency_hz(heard) == pytest.approx(1000.0, abs=1.0)
    assert np.abs(heard).max() == pytest.approx(0.1, abs=0.02)
    if quantum == 2048 and speaker == "alsa_cans":
        # A quantum is 43 ms: no buffer of 20 ms holds it.
        assert raised_s is not None
        assert raised_s >= 0.04


@pytest.mark.parametrize("speaker", ["cans", "alsa_cans"])
def test_sound_is_whole_at_another_rate(server: PipeWireServer, speaker: str) -> None:
    server.set_quantum(1024)
    server.set_rate(44_100)
    try:
        heard, _ = _hear(speaker, "cans_mic")
    finally:
        server.set_rate(0)
    assert frequency_hz(heard) == pytest.approx(1000.0, abs=1.0)


def test_a_buffer_a_little_smaller_than_a_quantum_is_raised(server: PipeWireServer) -> None:
    """At 51 kHz a quantum is 964 frames of ours: 4 are missing, 50 times a second, at almost the pace of real time."""
    server.set_quantum(1024)
    server.set_rate(51_000)
    opener = DeviceOpener()
    mixer = SinkMixer(opener.open_output("alsa_cans"))
    mixer.add(SinkTrack(ToneStream(1000.0)))
    try:
        mixer.start()
        eventually(lambda: mixer.statistics(time.monotonic()).reading.raised_latency_s is not None)
    finally:
        mixer.stop()
        server.set_rate(0)


def test_a_device_that_writing_found_dry_is_found_by_waiting_too(server: PipeWireServer) -> None:
    server.set_quantum(512)
    pcm = AlsaPcm("output", "alsa_cans")

    def written_too_late() -> bool:
        pcm.write(np.zeros((1, 1), dtype=np.float32))
        return bool(pcm._alsa.snd_pcm_state(pcm._handle) == STATE_XRUN)

    try:
        pcm.configure(1, 0.02)
        pcm.write(np.zeros((pcm.buffer_frames, 1), dtype=np.float32))
        pcm.start()
        eventually(written_too_late)
        assert pcm.wait(5.0), "there is something to do"
        assert pcm.available_frames() is None
        pcm.restart()
        assert pcm.available_frames() == pcm.buffer_frames
    finally:
        pcm.close()


def _hear(speaker: str, microphone: str) -> tuple[np.ndarray[tuple[int], np.dtype[np.float32]], float | None]:
    opener = DeviceOpener()
    mixer, listening = SinkMixer(opener.open_output(speaker)), Listening(microphone, opener)
    mixer.add(SinkTrack(ToneStream(1000.0)))
    try:
        mixer.start()
        listening.track.start()
        heard = whole_second(listening)
        return heard, mixer.statistics(time.monotonic()).reading.raised_latency_s
    finally:
        listening.track.stop()
        mixer.stop()

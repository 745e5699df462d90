"""PortAudio on a real sound server: what is played is heard, and what goes wrong is noticed."""

import os
import subprocess
import time
from collections.abc import Callable

import numpy as np
import pytest
from typing_extensions import override

from blink_cli.audio.devices.health import DeviceTrouble, DeviceWatch, Trouble
from blink_cli.audio.devices.opener import DeviceOpener
from blink_cli.audio.devices.plain_sounds import Tone
from blink_cli.audio.samples import Samples
from blink_cli.audio.sink_mixer import SinkMixer
from blink_cli.audio.sink_track import SinkTrack
from blink_cli.audio.source_track import SourceTrack
from blink_cli.core.errors import DeviceError, NotFoundError
from blink_cli.core.media.rtp import EncodedFrame
from tests.audio.parts import PlainEncoder, PlainStream, sound_of
from tests.support.sound_server import SoundServer, sound_system

pytestmark = [pytest.mark.sound, pytest.mark.real_time]


class ToneStream(PlainStream):
    """A peer that hums."""

    def __init__(self, frequency_hz: float) -> None:
        super().__init__()
        self._tone = Tone(frequency_hz)

    @override
    def get(self, now_s: float) -> Samples:
        super().get(now_s)
        return self._tone.next(480)


class Listening:
    """A source track whose frames are kept."""

    def __init__(self, device: str, opener: DeviceOpener) -> None:
        self.frames: list[EncodedFrame] = []
        self.track: SourceTrack[PlainEncoder] = SourceTrack(
            opener.open_input(device), PlainEncoder(), self.frames.append, first_timestamp=0
        )

    def sound(self) -> Samples:
        return np.concatenate([sound_of(frame) for frame in self.frames])

    def hear(self, seconds: float) -> Samples:
        """Return so much of what comes from now on."""
        first = len(self.frames)
        eventually(lambda: len(self.frames) >= first + seconds * 50)
        return np.concatenate([sound_of(frame) for frame in self.frames[first:]])


def eventually(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not happen"
        time.sleep(0.01)


def frequency_hz(sound: Samples) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(spectrum.argmax() * 48_000 / len(sound))


def silent_share(sound: Samples) -> float:
    blocks = sound[: len(sound) // 240 * 240].reshape(-1, 240)
    return float((np.abs(blocks).max(axis=1) < 0.05).mean())


def whole_second(listening: Listening) -> Samples:
    """Return the first second without a gap: one is there soon on any machine, though a loaded one may lose some before."""
    seconds: list[Samples] = []

    def gapless() -> bool:
        seconds.append(listening.hear(1.0))
        return silent_share(seconds[-1]) == 0.0

    eventually(gapless, timeout_s=30.0)
    return seconds[-1]


@pytest.mark.parametrize(
    ("speaker", "microphone"),
    [("left", "left.monitor"), ("left_alsa", "left_monitor"), ("default", "default")],
)
def test_a_tone_goes_through_the_sound_server(
    sound_server: SoundServer, speaker: str, microphone: str
) -> None:
    opener = DeviceOpener()
    mixer, listening = SinkMixer(opener.open_output(speaker)), Listening(microphone, opener)
    mixer.add(SinkTrack(ToneStream(1000.0)))
    try:
        mixer.start()
        listening.track.start()
        heard = whole_second(listening)
        assert frequency_hz(heard) == pytest.approx(1000.0, abs=1.0)
        assert np.abs(heard).max() == pytest.approx(0.1, abs=0.02)
        assert 0.0 < mixer.statistics(time.monotonic()).reading.latency_s < 1.0
    finally:
        listening.track.stop()
        mixer.stop()


def test_devices_change_in_the_middle_of_a_call(sound_server: SoundServer) -> None:
    opener = DeviceOpener()
    mixer, listening = SinkMixer(opener.open_output("null")), Listening("silence", opener)
    mixer.add(SinkTrack(ToneStream(600.0)))
    try:
        mixer.start()
        listening.track.start()
        listening.hear(0.1)
        mixer.set_device(opener.open_output("right"))
        listening.track.set_device(opener.open_input("right_monitor"))
        assert frequency_hz(whole_second(listening)) == pytest.approx(600.0, abs=1.0)
        listening.track.set_device(opener.open_input("tone:300"))
        listening.hear(0.1)
        assert frequency_hz(whole_second(listening)) == pytest.approx(300.0, abs=1.0)
        stamps = np.array([frame.timestamp for frame in listening.frames])
        assert (np.diff(stamps) > 0).all()
    finally:
        listening.track.stop()
        mixer.stop()


def test_unplugging_is_noticed_and_the_call_goes_on() -> None:
    with SoundServer("only") as server, sound_system(server):
        opener = DeviceOpener()
        stream = ToneStream(1000.0)
        mixer, listening = SinkMixer(opener.open_output("only")), Listening("only_monitor", opener)
        mixer.add(SinkTrack(stream))
        mixer.start()
        listening.track.start()
        try:
            eventually(lambda: len(listening.frames) > 10)
            watch = DeviceWatch(mixer.device.parameters, time.monotonic())
            server.unplug("only")
            found: list[object] = []

            def noticed() -> bool:
                now_s = time.monotonic()
                found.extend(watch.observe(mixer.statistics(now_s).reading, now_s))
                return bool(found)

            eventually(noticed)
            assert isinstance(found[-1], DeviceTrouble)
            assert found[-1].kind is Trouble.GONE
            # What comes is played into the void in real time, so that nothing old is heard later.
            asked = len(stream.asked_s)
            eventually(lambda: len(stream.asked_s) > asked + 50)
            # The same device, plugged in again, is found again by its name.
            server.plug_in("only")
            mixer.set_device(opener.open_output("only"))
            listening.track.set_device(opener.open_input("only_monitor"))
            eventually(lambda: float(np.abs(listening.hear(0.02)).max()) > 0.05)
            assert listening.track.statistics(time.monotonic()).missing_samples > 0, (
                "nothing was captured meanwhile"
            )
        finally:
            listening.track.stop()
            mixer.stop()


def test_a_sound_server_that_stands_still_is_noticed(sound_server: SoundServer) -> None:
    mixer = SinkMixer(DeviceOpener().open_output("left"))
    stream = PlainStream()
    mixer.add(SinkTrack(stream))
    mixer.start()
    try:
        watch = DeviceWatch(mixer.device.parameters, time.monotonic())
        eventually(lambda: mixer.statistics(0.0).reading.frames > 24_000)

        def changes() -> tuple[object, ...]:
            now_s = time.monotonic()
            return watch.observe(mixer.statistics(now_s).reading, now_s)

        assert changes() == ()
        sound_server.freeze()
        found: list[object] = []

        def noticed() -> bool:
            found.extend(changes())
            return bool(found)

        eventually(noticed)
        assert isinstance(found[-1], DeviceTrouble)
        assert found[-1].kind is Trouble.STALLED
        sound_server.thaw()
        eventually(lambda: changes() != ())
        assert watch.trouble is None
    finally:
        sound_server.thaw()
        mixer.stop()


@pytest.mark.parametrize(("channels", "carrying"), [(2, 2), (6, 3), (8, 8), (32, 20)])
def test_a_tone_on_one_channel_of_a_sound_card_keeps_its_level(channels: int, carrying: int) -> None:
    """Played on one channel of a card, heard by its monitor, as by an interface with a microphone on one of its inputs."""
    with SoundServer("left") as server, sound_system(server):
        server.plug_in("wide", channels)
        tone = np.zeros((3 * 48_000, channels), dtype=np.int16)
        tone[:, carrying - 1] = np.rint(32767 * 0.1 * np.sin(2 * np.pi * 440 * np.arange(len(tone)) / 48_000))
        play = [
            "pacat",
            "--device=wide",
            f"--channels={channels}",
            "--rate=48000",
            "--format=s16le",
            "--no-remix",
        ]
        opener = DeviceOpener()
        for name, expected in (
            ("wide.monitor", 0.1),
            (f"wide.monitor?channel={carrying}", 0.1),
            ("wide.monitor?channel=1", 0.0),
        ):
            listening = Listening(name, opener)
            with subprocess.Popen(play, stdin=subprocess.PIPE, env=os.environ | server.environment) as player:
                listening.track.start()
                player.stdin.write(tone.tobytes())  # type: ignore[union-attr]
                listening.hear(1.0)
                heard = listening.hear(0.3)
                listening.track.stop()
                player.kill()
            assert listening.track.device.parameters.name == name
            assert np.abs(heard).max() == pytest.approx(expected, abs=0.005)
        with pytest.raises(NotFoundError, match=f"there is no channel {channels + 1}"):
            opener.open_input(f"wide.monitor?channel={channels + 1}")


def test_names_that_do_not_fit_are_refused(sound_server: SoundServer) -> None:
    opener = DeviceOpener()
    with pytest.raises(NotFoundError, match="no audio device 'Bluetooth'"):
        opener.open_output("Bluetooth")
    with pytest.raises(NotFoundError, match="fits 2 audio devices"):
        opener.open_input("monitor")
    assert opener.open_input("GHT_M").parameters.name == "right_monitor"


def test_a_device_that_appears_later_is_found_and_other_streams_go_on() -> None:
    with SoundServer("first", "second") as server, sound_system(server):
        opener = DeviceOpener()
        server.unplug("second")
        mixer = SinkMixer(opener.open_output("first"))
        mixer.start()
        try:
            before = mixer.statistics(0.0).reading.frames
            eventually(lambda: mixer.statistics(0.0).reading.frames > before)
            server.plug_in("second")
            device = opener.open_input("second_monitor")
            device.start(time.monotonic())
            try:
                now_frames = mixer.statistics(0.0).reading.frames
                eventually(lambda: mixer.statistics(0.0).reading.frames > now_frames)
                assert mixer.statistics(0.0).reading.failure is None
            finally:
                device.stop()
        finally:
            mixer.stop()


def test_without_any_sound_system_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_SERVER", "unix:/nowhere/native")
    monkeypatch.setenv("ALSA_CONFIG_PATH", "/usr/share/alsa/alsa.conf")
    with pytest.raises((DeviceError, NotFoundError)) as caught:
        DeviceOpener().open_output("Headset that is nowhere")
    assert caught.value.hint

"""What every device does, whichever it is: the same tests for virtual ones, in virtual time, and for a real sound server, by itself and behind PortAudio."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import soundfile

from blink_cli.audio.devices.interface import InputDevice, OutputDevice
from blink_cli.audio.devices.opener import DeviceOpener
from blink_cli.audio.devices.portaudio import PortAudioEngine
from blink_cli.audio.devices.system_input import SystemInput
from blink_cli.audio.devices.system_output import SystemOutput
from blink_cli.audio.samples import Samples
from blink_cli.core.api.device_name import NamedDevice
from blink_cli.runtime.clock import Clock, MonotonicClock

pytestmark = pytest.mark.real_time

DeviceT = TypeVar("DeviceT", InputDevice, OutputDevice)
SERVER = pytest.mark.sound
PORTAUDIO = "portaudio:"
"""Behind it PortAudio is used for what ALSA's own engine would take."""

VIRTUAL_INPUTS = [
    "file:voice48.wav",
    "file:voice44stereo.flac?loop=1",
    "file:voice16.ogg?ppm=200",
    "tone:440",
    "silence",
]
INPUTS = [
    *VIRTUAL_INPUTS,
    pytest.param("left.monitor", marks=SERVER),
    pytest.param("left_monitor", marks=SERVER),  # through ALSA's plugin
    pytest.param("portaudio:left_monitor", marks=SERVER),
]
OUTPUTS = [
    "null",
    "wav:out.wav",
    "wav:out.wav?ppm=-200",
    pytest.param("left", marks=SERVER),
    pytest.param("left_alsa", marks=SERVER),
    pytest.param("portaudio:left_alsa", marks=SERVER),
]

STARTING_S = 2.0
"""What a sound server may need until its first sample."""


class VirtualTime:
    """A clock that is at the awaited moment at once."""

    def __init__(self) -> None:
        self._now_s = 5000.0

    def now_s(self) -> float:
        return self._now_s

    def wait_until(self, when_s: float) -> None:
        self._now_s = max(self._now_s, when_s)


@pytest.fixture
def clock(request: pytest.FixtureRequest) -> Clock:
    return MonotonicClock() if request.node.get_closest_marker("sound") else VirtualTime()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    noise = np.random.default_rng(5).normal(0, 0.1, (48_000, 2))
    soundfile.write(tmp_path / "voice48.wav", noise[:, 0], 48_000, subtype="FLOAT")
    soundfile.write(tmp_path / "voice44stereo.flac", noise[:22_050], 44_100)
    soundfile.write(tmp_path / "voice16.ogg", noise[:16_000, 0], 16_000)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(params=INPUTS)
def microphone(request: pytest.FixtureRequest, folder: Path) -> Iterator[InputDevice]:
    yield from opened(request, open_input)


@pytest.fixture(params=OUTPUTS)
def speaker(request: pytest.FixtureRequest, folder: Path) -> Iterator[OutputDevice]:
    yield from opened(request, open_output)


def opened(request: pytest.FixtureRequest, open_device: Callable[[str], DeviceT]) -> Iterator[DeviceT]:
    if request.node.get_closest_marker("sound"):
        request.getfixturevalue("sound_server")
    device = open_device(request.param)
    yield device
    device.stop()


def open_input(text: str) -> InputDevice:
    if text.startswith(PORTAUDIO):
        return SystemInput(PortAudioEngine("input", NamedDevice(text.removeprefix(PORTAUDIO))))
    return DeviceOpener().open_input(text)


def open_output(text: str) -> OutputDevice:
    if text.startswith(PORTAUDIO):
        return SystemOutput(PortAudioEngine("output", NamedDevice(text.removeprefix(PORTAUDIO))))
    return DeviceOpener().open_output(text)


def capture(device: InputDevice, clock: Clock, seconds: float) -> tuple[list[Samples], float, float]:
    """Read 10 ms at a time for so long after the first; return the blocks, and when the first and the last came."""
    step = device.parameters.sample_rate_hz // 100
    blocks: list[Samples] = []
    first_s = last_s = 0.0
    patience_s = clock.now_s() + STARTING_S + seconds
    while not blocks or last_s - first_s < seconds:
        now_s = clock.now_s()
        assert now_s < patience_s, "it delivers too little"
        ready_s = device.ready_s(step, now_s)
        if ready_s > now_s:
            clock.wait_until(ready_s)
            continue
        blocks.append(device.read(step))
        last_s = clock.now_s()
        first_s = first_s or last_s
    return blocks, first_s, last_s


def play(device: OutputDevice, clock: Clock, seconds: float) -> tuple[int, float]:
    """Write 10 ms whenever it wants them; return how many frames that were, and for how long."""
    parameters = device.parameters
    block = np.full((parameters.sample_rate_hz // 100, parameters.channels), 0.1, dtype=np.float32)
    written = 0
    start_s = now_s = clock.now_s()
    while now_s - start_s < seconds:
        ready_s = device.ready_s(now_s)
        if ready_s > now_s:
            clock.wait_until(ready_s)
        else:
            written += device.write(block)
        now_s = clock.now_s()
    return written, now_s - start_s


def attempts(clock: Clock) -> range:
    """How often a punctual moment is looked for: a loaded machine disturbs real devices, and nothing disturbs virtual time."""
    return range(8 if isinstance(clock, MonotonicClock) else 1)


def test_an_input_delivers_frames_of_its_shape_at_its_rate(microphone: InputDevice, clock: Clock) -> None:
    rate_hz, channels = microphone.parameters.sample_rate_hz, microphone.parameters.channels
    microphone.start(clock.now_s())
    errors_s = []
    for _ in attempts(clock):
        blocks, first_s, last_s = capture(microphone, clock, 0.3)
        for block in blocks:
            assert block.shape == (rate_hz // 100, channels)
            assert block.dtype == np.float32
            assert np.isfinite(block).all()
        errors_s.append(abs((len(blocks) - 1) * 0.01 - (last_s - first_s)))
        # Callbacks of a sound server come in pieces of up to 50 ms.
        if errors_s[-1] < 0.08:
            break
    assert errors_s[-1] < 0.08, errors_s
    reading = microphone.reading(clock.now_s())
    assert reading.running
    assert reading.failure is None
    assert reading.frames >= len(blocks) * rate_hz // 100
    assert 0.0 <= reading.latency_s < 1.0


def test_an_input_tells_its_position_while_it_runs(microphone: InputDevice, clock: Clock) -> None:
    assert microphone.position_s(clock.now_s()) is None
    microphone.start(clock.now_s())
    capture(microphone, clock, 0.2)
    positions = []
    for _ in range(20):
        now_s = clock.now_s()
        position_s = microphone.position_s(now_s)
        assert position_s is not None
        positions.append(position_s - now_s)
        capture(microphone, clock, 0.01)
    assert np.ptp(positions) < (0.0005 if microphone.parameters.virtual else 0.3)
    microphone.stop()
    assert microphone.position_s(clock.now_s()) is None
    assert not microphone.reading(clock.now_s()).running


def test_an_input_can_be_started_again(microphone: InputDevice, clock: Clock) -> None:
    microphone.stop()
    for _ in range(2):
        microphone.start(clock.now_s())
        blocks, _, _ = capture(microphone, clock, 0.05)
        assert blocks
        microphone.stop()
        microphone.stop()


def test_an_input_survives_a_reader_that_was_away(microphone: InputDevice, clock: Clock) -> None:
    microphone.start(clock.now_s())
    capture(microphone, clock, 0.05)
    before = microphone.reading(clock.now_s()).frames
    while microphone.reading(clock.now_s()).frames < before + 0.7 * microphone.parameters.sample_rate_hz:
        clock.wait_until(clock.now_s() + 0.01)
    step = microphone.parameters.sample_rate_hz // 100
    backlog = 0
    now_s = clock.now_s()
    while microphone.ready_s(step, now_s) <= now_s:
        microphone.read(step)
        backlog += step
    assert backlog <= 0.6 * microphone.parameters.sample_rate_hz, "nothing older than its ring"
    assert microphone.reading(clock.now_s()).lost_frames > 0
    capture(microphone, clock, 0.05)


def captured_times(device: InputDevice, clock: Clock, seconds: float) -> list[tuple[float, float, float]]:
    """Read for so long; return of each block when it was captured, by the device, how long it is, and when it was read."""
    rate_hz = device.parameters.sample_rate_hz
    blocks: list[tuple[float, float, float]] = []
    patience_s = clock.now_s() + STARTING_S + seconds
    while sum(length_s for _, length_s, _ in blocks) < seconds:
        now_s = clock.now_s()
        assert now_s < patience_s, "it delivers too little"
        ready_s = device.ready_s(rate_hz // 100, now_s)
        if ready_s > now_s:
            clock.wait_until(ready_s)
            continue
        captured_at = device.captured_at()
        blocks.append((captured_at, len(device.read(rate_hz // 100)) / rate_hz, clock.now_s()))
    return blocks


@pytest.mark.parametrize("away_s", [0.05, 0.4, 3.0, 10.0])
@pytest.mark.parametrize("microphone", VIRTUAL_INPUTS, indirect=True)
def test_a_virtual_input_says_when_its_sound_was_captured_however_long_its_reader_was_away(
    microphone: InputDevice, clock: Clock, away_s: float
) -> None:
    check_captured_times(microphone, clock, away_s)


def test_an_input_says_when_its_sound_was_captured(microphone: InputDevice, clock: Clock) -> None:
    check_captured_times(microphone, clock, 0.7)


def check_captured_times(microphone: InputDevice, clock: Clock, away_s: float) -> None:
    """Let the reader be away for so long, and compare what was captured before and after."""
    microphone.start(clock.now_s())
    # A sound server may take a second until it is at its pace.
    captured_times(microphone, clock, 0.5 if microphone.parameters.virtual else 1.5)
    before = captured_times(microphone, clock, 0.5)
    clock.wait_until(clock.now_s() + away_s)
    after = captured_times(microphone, clock, 0.5 + away_s)
    for blocks in (before, after[-20:]):
        for (at, length_s, read_at), (next_at, _, _) in pairwise(blocks):
            assert next_at == pytest.approx(at + length_s, abs=0.001)
            assert -0.001 < read_at - (at + length_s) < 0.2
    (first, length_s, _), (last, _, _) = before[-1], after[0]
    missing_s = last - (first + length_s)
    assert missing_s > -0.001
    if away_s <= 0.4:
        assert missing_s < 0.001, "nothing was lost"
    else:
        assert away_s - 0.55 < missing_s < away_s + 0.1


def test_an_output_takes_frames_at_its_rate(speaker: OutputDevice, clock: Clock) -> None:
    rate_hz = speaker.parameters.sample_rate_hz
    speaker.start(clock.now_s())
    play(speaker, clock, 0.3)
    errors_s = []
    for _ in attempts(clock):
        before = speaker.reading(clock.now_s()).frames
        written, took_s = play(speaker, clock, 0.3)
        after = speaker.reading(clock.now_s())
        errors_s.append((written / rate_hz - took_s, (after.frames - before) / rate_hz - took_s))
        if max(map(abs, errors_s[-1])) < 0.08:
            break
    assert max(map(abs, errors_s[-1])) < 0.08, errors_s
    assert after.running
    assert after.failure is None
    assert after.queued_frames < 0.2 * rate_hz
    assert 0.0 <= after.latency_s < 1.0


def test_an_output_tells_its_position_while_it_runs(speaker: OutputDevice, clock: Clock) -> None:
    assert speaker.position_s(clock.now_s()) is None
    speaker.start(clock.now_s())
    play(speaker, clock, 0.5)
    positions = []
    for _ in range(20):
        now_s = clock.now_s()
        position_s = speaker.position_s(now_s)
        assert position_s is not None
        positions.append(position_s - now_s)
        play(speaker, clock, 0.01)
    assert np.ptp(positions) < (0.0005 if speaker.parameters.virtual else 0.3)
    speaker.stop()
    assert speaker.position_s(clock.now_s()) is None
    assert not speaker.reading(clock.now_s()).running


def test_an_output_can_be_started_again(speaker: OutputDevice, clock: Clock) -> None:
    speaker.stop()
    for _ in range(2):
        speaker.start(clock.now_s())
        written, _ = play(speaker, clock, 0.1)
        assert written
        speaker.stop()
        speaker.stop()


def test_an_output_survives_a_writer_that_was_away(speaker: OutputDevice, clock: Clock) -> None:
    speaker.start(clock.now_s())
    play(speaker, clock, 0.3)
    before = speaker.reading(clock.now_s()).frames
    while speaker.reading(clock.now_s()).frames < before + 0.7 * speaker.parameters.sample_rate_hz:
        clock.wait_until(clock.now_s() + 0.01)
    play(speaker, clock, 0.1)
    assert speaker.reading(clock.now_s()).lost_frames > 0.3 * speaker.parameters.sample_rate_hz
    play(speaker, clock, 0.2)
    assert speaker.reading(clock.now_s()).queued_frames < 0.2 * speaker.parameters.sample_rate_hz

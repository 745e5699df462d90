"""The microphone and the speaker that are chosen: they open, run at the rate that they tell, and neither they nor their volume are off."""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from blink_cli.audio.device_test.rate_meter import MeasuredRate, RateMeter
from blink_cli.audio.devices.interface import DeviceReading, InputDevice, OutputDevice
from blink_cli.audio.devices.opener import DeviceOpener
from blink_cli.audio.devices.pulse_connection import ServerDevice, sinks_and_sources
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import BlinkError
from blink_cli.doctor.finding import Finding, failed, fine, unknown, warning
from blink_cli.doctor.situation import Situation

NAME: Final = "audio-devices"
INPUT: Final = "input"
OUTPUT: Final = "output"

SETTLING_S: Final = 0.3
"""Servers hand over what they held back when a stream begins."""

LISTENED_S: Final = 1.4
PLAYED_S: Final = 1.0
POLL_S: Final = 0.004
RATE_TOLERANCE: Final = 0.02
"""Clocks differ by 0.05 % at most; a device that runs at another of the usual rates by 8 % or more."""

VOICE_RATE_HZ: Final = 44_100
"""From here on nothing of a voice, or of music, is missing."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a microphone delivered."""

    samples: int
    rms_dbfs: float
    """Negative infinity: exact zeros."""

    peak_dbfs: float
    rate: MeasuredRate | None
    """None where too little was seen."""


def look(situation: Situation) -> Iterator[Finding]:
    """Look at both, one after the other: PortAudio opens one at a time."""
    yield from look_at_input(situation)
    yield from look_at_output(situation)


def look_at_input(situation: Situation) -> Iterator[Finding]:
    """Open the chosen microphone and listen to it."""
    name = situation.device("input")
    try:
        device = DeviceOpener().open_input(name)
        heard = listen(device)
    except BlinkError as error:
        yield _not_opened(INPUT, name, error, situation)
        return
    # Behind its use: some devices take the rate of a stream when one comes.
    served = _served(device.reading(time.monotonic()))
    yield _as_heard(name, device, heard, served)
    yield from _of_server("microphone", INPUT, served)
    if heard.samples:
        yield _rate(INPUT, name, device.parameters.sample_rate_hz, heard.rate, served)


def look_at_output(situation: Situation) -> Iterator[Finding]:
    """Open the chosen speaker and let it play silence."""
    name = situation.device("output")
    try:
        device = DeviceOpener().open_output(name)
        rate = None if device.parameters.virtual else play_silence(device)
    except BlinkError as error:
        yield _not_opened(OUTPUT, name, error, situation)
        return
    served = _served(device.reading(time.monotonic()))
    parameters = device.parameters
    place = "" if served is None else f" ({served.info.description or served.info.name})"
    yield fine(
        OUTPUT, f"{name}{place} opens: {parameters.sample_rate_hz} Hz, channels: {parameters.channels}"
    )
    yield from _of_server("speaker", OUTPUT, served)
    yield _rate(OUTPUT, name, parameters.sample_rate_hz, rate, served)


def listen(device: InputDevice, *, seconds: float = LISTENED_S) -> Heard:
    """Run a microphone for a while and return what it delivered. Blocks.

    Raises:
        BlinkError: It does not start, or ended by itself.

    """
    square, peak, samples = 0.0, 0.0, 0

    def take(now_s: float) -> None:
        nonlocal square, peak, samples
        if device.ready_s(1, now_s) > now_s:
            return
        block = device.read(device.parameters.sample_rate_hz)
        if now_s >= settled_at and block.size:
            square += float(np.square(block, dtype=np.float64).sum())
            peak = max(peak, float(np.abs(block).max()))
            samples += block.size

    settled_at = time.monotonic() + SETTLING_S
    device.start(time.monotonic())
    try:
        rate = _watched(device.reading, take, settled_at, seconds)
    finally:
        device.stop()
    return Heard(samples, _dbfs((square / samples) ** 0.5 if samples else 0.0), _dbfs(peak), rate)


def play_silence(device: OutputDevice, *, seconds: float = PLAYED_S) -> MeasuredRate | None:
    """Run a speaker for a while and return how many frames a second it took. Blocks.

    Raises:
        BlinkError: It does not start, or ended by itself.

    """
    parameters = device.parameters
    silence = np.zeros((parameters.sample_rate_hz // 100, parameters.channels), np.float32)

    def give(now_s: float) -> None:
        while device.ready_s(now_s) <= now_s:
            if device.write(silence) < len(silence):
                return

    device.start(time.monotonic())
    try:
        return _watched(device.reading, give, time.monotonic() + SETTLING_S, seconds)
    finally:
        device.stop()


def _watched(
    reading: Callable[[float], DeviceReading],
    serve: Callable[[float], None],
    settled_at: float,
    seconds: float,
) -> MeasuredRate | None:
    meter, frames = RateMeter(), -1
    while (now_s := time.monotonic()) < settled_at + seconds:
        serve(now_s)
        now_s = time.monotonic()
        seen = reading(now_s)
        if seen.failure is not None:
            raise BlinkError(seen.failure)
        if now_s >= settled_at and seen.frames != frames:
            frames = seen.frames
            meter.add(now_s, frames)
        time.sleep(POLL_S)
    return meter.rate()


def _not_opened(
    direction: Literal["input", "output"], name: str, error: BlinkError, situation: Situation
) -> Finding:
    message = error.message.removesuffix(".")
    if (running := situation.running) is not None and name == getattr(running.status, direction):
        return unknown(
            direction, f"{name} is in use by the running session, and does not open a second time: {message}"
        )
    hint = error.hint or "`blink list-devices` shows those that there are."
    return failed(direction, f"{name} cannot be used: {message}", f"{hint} {_permission_hint()}".strip())


def _permission_hint() -> str:
    if sys.platform == "darwin":
        return "Allow the terminal to use the microphone: System Settings, Privacy & Security, Microphone."
    if sys.platform == "win32":
        return "Allow desktop apps to use the microphone: Settings, Privacy & security, Microphone."
    return ""


def _as_heard(name: str, device: InputDevice, heard: Heard, served: ServerDevice | None) -> Finding:
    parameters = device.parameters
    place = "" if served is None else f" ({served.info.description or served.info.name})"
    text = f"{name}{place} opens: {parameters.sample_rate_hz} Hz, channels: {parameters.channels}"
    if heard.samples == 0:
        return failed(
            INPUT,
            f"{name}{place} opens and delivers nothing",
            "Unplug it and plug it in again, or choose another one: `blink list-devices`, `--input NAME`.",
        )
    if heard.rms_dbfs == -np.inf:
        text += ", and delivers exact zeros"
        if parameters.virtual:
            return fine(INPUT, text)
        if served is not None and served.info.monitor:
            return warning(
                INPUT,
                f"{text}: it is the monitor of a speaker on which nothing plays",
                "If you want to be heard, choose a microphone: `blink list-devices`, `--input NAME`.",
            )
        return failed(
            INPUT,
            f"{text}: nobody will hear you",
            f"Look for a mute key or switch on the microphone, and at the mixer's capture switch (`alsamixer`). {_permission_hint()}".strip(),
        )
    return fine(INPUT, f"{text}; it hears {heard.rms_dbfs:.0f} dBFS, at most {heard.peak_dbfs:.0f}")


def _of_server(
    what: str, direction: Literal["input", "output"], served: ServerDevice | None
) -> Iterator[Finding]:
    """Whether the sound server has a device switched off, or turned down."""
    if served is None:
        return
    kind = "source" if direction == "input" else "sink"
    name = f"{direction}-volume"
    device = served.info.name
    if served.muted:
        yield failed(
            name,
            f"the {what} {device} is muted in the sound server",
            f"Unmute it: `pactl set-{kind}-mute {device} 0`, or in the sound settings.",
        )
    elif served.volume == 0.0:
        yield failed(
            name,
            f"the volume of the {what} {device} is 0 in the sound server",
            f"Turn it up: `pactl set-{kind}-volume {device} 100%`, or in the sound settings.",
        )
    elif served.volume < 0.2:
        yield warning(
            name,
            f"the volume of the {what} {device} is {served.volume:.0%} in the sound server",
            f"Turn it up: `pactl set-{kind}-volume {device} 100%`, or in the sound settings.",
        )
    else:
        yield fine(name, f"{served.volume:.0%}, not muted")


def _rate(
    direction: Literal["input", "output"],
    name: str,
    told_hz: int,
    measured: MeasuredRate | None,
    served: ServerDevice | None,
) -> Finding:
    """Whether it moves as fast as it says, and whether its own rate carries a whole voice."""
    check = f"{direction}-rate"
    if measured is not None and measured.uncertain_hz > RATE_TOLERANCE * told_hz:
        # A busy machine lets the sound server stand still, which says nothing of the device.
        measured = None
    if measured is not None and abs(measured.rate_hz / told_hz - 1.0) > RATE_TOLERANCE:
        wrong = "slow and low" if measured.rate_hz > told_hz else "fast and high"
        return failed(
            check,
            f"{name} says {told_hz} Hz and moves at {measured.rate_hz:.0f} Hz: voices are too {wrong}, or in pieces",
            "Set the device to 48000 Hz in the sound system (macOS: Audio MIDI Setup; Windows: Sound, Advanced), or plug it in again.",
        )
    own_hz = told_hz if served is None else int(served.info.sample_rate)
    device = name if served is None else served.info.name
    if own_hz >= SAMPLE_RATE_HZ:
        seen = "" if measured is None else f", measured {measured.rate_hz:.0f}"
        return fine(check, f"{own_hz} Hz{seen}")
    converted = f"{device} runs at {own_hz} Hz, which is converted to {SAMPLE_RATE_HZ} Hz"
    if own_hz >= VOICE_RATE_HZ:
        return warning(
            check,
            converted,
            f"Nothing is lost by it but some processor time. To have it at {SAMPLE_RATE_HZ} Hz: `default.clock.rate = 48000` in PipeWire's"
            " configuration, `default-sample-rate = 48000` in PulseAudio's daemon.conf.",
        )
    return failed(
        check,
        f"{converted}: all above {own_hz // 2} Hz is missing",
        "If it is a Bluetooth headset, its microphone works at telephone quality only: use another microphone, or a profile with mSBC"
        " (`pactl list cards`). Otherwise set its rate to 48000 Hz in the sound server.",
    )


def _served(reading: DeviceReading) -> ServerDevice | None:
    """The sink or source of the sound server behind a device, if it is one."""
    if reading.place is None:
        return None
    try:
        return next((one for one in sinks_and_sources() if one.info.name == reading.place.name), None)
    except BlinkError:
        return None


def _dbfs(amplitude: float) -> float:
    return float(20.0 * np.log10(amplitude)) if amplitude > 0.0 else -np.inf

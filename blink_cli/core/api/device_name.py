"""The names by which people choose audio devices, as typed values.

    default                             the system's device
    USB Headset                         a PortAudio device: its exact name, or a part that fits one only
    file:PATH[?loop=1][&ppm=N][&phase=MS]  input: a sound file, read at real time; silence after its end unless looped
    …?channel=N                         input, of the system or a file: only this channel, from 1; all that carry something if it is not given
    tone:HZ[?ppm=N][&phase=MS]          input: a sine at -20 dBFS
    silence[?ppm=N][&phase=MS]          input: digital silence
    echo:S, echo:live                   input: what the session's output `echo` hears: stretches of S seconds after a beep, or at once
    null[?ppm=N][&phase=MS]             output: plays nothing, in real time
    echo                                output: what is heard goes to the input `echo:` of the same session
    wav:PATH[?ppm=N][&phase=MS]         output: what would be heard, written to a file

`ppm` lets the clock of a virtual device run fast (positive) or slow against the machine's, as every real one does. With `phase` it begins at the next moment of monotonic
time that is so many ms behind a multiple of 20 ms: what one session sends and when another one plays stand in a known relation then.
A question mark starts options only when what follows it reads like options, so that `file:what?.wav` is a file.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec
from typing_extensions import override

from blink_cli.core.api.device_choice import DeviceLabel, no_such_device
from blink_cli.core.api.name_options import (
    known_options,
    names_that_fit,
    number,
    one_or_zero,
    options_behind,
    options_text,
    phase_ms,
    split_options,
)
from blink_cli.core.errors import NotFoundError, UsageError

MAX_DRIFT_PPM: Final = 10_000.0
"""Real sound cards stay within a few hundred; one percent is already a fault worth testing, more is a typing error."""

MOST_CHANNELS: Final = 1024
"""More than any file or device has: libsndfile's own limit."""

ECHO_SHORTEST_S: Final = 1.0
ECHO_LONGEST_S: Final = 30.0
"""Of what is sent back in one piece."""

PHASE_PERIOD_MS: Final = 20.0
"""A frame of voice, and two ticks: with it all that a call does in a rhythm comes again."""

LIVE: Final = "live"

TONE_LOWEST_HZ: Final = 1.0
TONE_HIGHEST_HZ: Final = 20_000.0


class DefaultDevice(msgspec.Struct, frozen=True):
    """Whatever the system uses."""

    channel: int | None = None
    """Of an input, the only one that is heard, from 1."""

    @override
    def __str__(self) -> str:
        return f"default{options_text(channel=self.channel)}"


class NamedDevice(msgspec.Struct, frozen=True):
    """A device of the system, by its name or a part of it."""

    text: str
    channel: int | None = None
    """Of an input, the only one that is heard, from 1."""

    @override
    def __str__(self) -> str:
        return f"{self.text}{options_text(channel=self.channel)}"


class FileDevice(msgspec.Struct, frozen=True):
    """Input: a sound file in any format, rate and channel count that libsndfile reads."""

    path: str
    loop: bool = False
    drift_ppm: float = 0.0
    channel: int | None = None
    """The only one that is heard, from 1."""

    phase_ms: float | None = None
    """At which part of `PHASE_PERIOD_MS` of monotonic time it begins; None: at once."""

    @override
    def __str__(self) -> str:
        options = {
            "loop": 1 if self.loop else None,
            "ppm": self.drift_ppm or None,
            "phase": self.phase_ms,
            "channel": self.channel,
        }
        return f"file:{self.path}{options_behind(self.path, 'ppm=0', **options)}"


class ToneDevice(msgspec.Struct, frozen=True):
    """Input: a sine."""

    frequency_hz: float
    drift_ppm: float = 0.0
    phase_ms: float | None = None
    """At which part of `PHASE_PERIOD_MS` of monotonic time it begins; None: at once."""

    @override
    def __str__(self) -> str:
        return f"tone:{self.frequency_hz:g}{options_text(ppm=self.drift_ppm or None, phase=self.phase_ms)}"


class SilenceDevice(msgspec.Struct, frozen=True):
    """Input: exact zeros."""

    drift_ppm: float = 0.0
    phase_ms: float | None = None
    """At which part of `PHASE_PERIOD_MS` of monotonic time it begins; None: at once."""

    @override
    def __str__(self) -> str:
        return f"silence{options_text(ppm=self.drift_ppm or None, phase=self.phase_ms)}"


class EchoDevice(msgspec.Struct, frozen=True):
    """Input: what the session hears, sent back. The microphone of an echo peer."""

    stretch_s: float | None
    """It listens for so long after a beep, and says then what it heard, in turns; None: at once."""

    @override
    def __str__(self) -> str:
        return f"echo:{LIVE if self.stretch_s is None else f'{self.stretch_s:g}'}"


class EchoEar(msgspec.Struct, frozen=True):
    """Output: where the input `echo:` of the same session hears."""

    @override
    def __str__(self) -> str:
        return "echo"


class NullDevice(msgspec.Struct, frozen=True):
    """Output: nothing is heard."""

    drift_ppm: float = 0.0
    phase_ms: float | None = None
    """At which part of `PHASE_PERIOD_MS` of monotonic time it begins; None: at once."""

    @override
    def __str__(self) -> str:
        return f"null{options_text(ppm=self.drift_ppm or None, phase=self.phase_ms)}"


class WavDevice(msgspec.Struct, frozen=True):
    """Output: a WAV file."""

    path: str
    drift_ppm: float = 0.0
    phase_ms: float | None = None
    """At which part of `PHASE_PERIOD_MS` of monotonic time it begins; None: at once."""

    @override
    def __str__(self) -> str:
        return f"wav:{self.path}{options_behind(self.path, 'ppm=0', ppm=self.drift_ppm or None, phase=self.phase_ms)}"


SystemDevice = DefaultDevice | NamedDevice
InputName = SystemDevice | FileDevice | ToneDevice | SilenceDevice | EchoDevice
OutputName = SystemDevice | NullDevice | WavDevice | EchoEar

FILE_KINDS: Final[Mapping[Literal["input", "output"], str]] = {"input": "file", "output": "wav"}
"""What stands before the name of a file that is used instead of a microphone or speaker."""

_INPUTS = "An input is default, a device's name, file:PATH, tone:HZ, silence or echo:SECONDS."
_OUTPUTS = "An output is default, a device's name, wav:PATH, null or echo."


def parse_input_name(text: str) -> InputName:
    """Return what `text` names as an input.

    Raises:
        UsageError: It is empty, names an output, or its options make no sense.

    """
    name = _parse(text)
    if isinstance(name, NullDevice | WavDevice | EchoEar):
        raise UsageError(f"{text!r} is an output and cannot be the microphone.", hint=_INPUTS)
    return name


def parse_output_name(text: str) -> OutputName:
    """Return what `text` names as an output.

    Raises:
        UsageError: It is empty, names an input, or its options make no sense.

    """
    name = _parse(text)
    if isinstance(name, FileDevice | ToneDevice | SilenceDevice | EchoDevice):
        raise UsageError(f"{text!r} is an input and cannot be the speaker.", hint=_OUTPUTS)
    if isinstance(name, DefaultDevice | NamedDevice) and name.channel is not None:
        raise UsageError("A channel can be chosen of an input only.", hint="Leave `?channel=` out.")
    return name


def names_microphone(text: str) -> bool:
    """Whether this is an input of the system, and no file, tone or silence. What cannot be parsed counts as one: only the system names so."""
    try:
        return isinstance(parse_input_name(text), DefaultDevice | NamedDevice)
    except UsageError:
        return True


def names_speaker(text: str) -> bool:
    """Whether this is an output of the system, and neither a file nor nothing. As `names_microphone`."""
    try:
        return isinstance(parse_output_name(text), DefaultDevice | NamedDevice)
    except UsageError:
        return True


def choose_device(wanted: str, names: Sequence[str], file_kind: str) -> str:
    """Return the one of `names` that `wanted` means: its exact name, or a part of one only (letter case aside).

    `file_kind` is what stands before the name of a file that is used instead: `file` or `wav`.

    Raises:
        NotFoundError: None fits, or several do.

    """
    fitting = names_that_fit(wanted, names)
    if not fitting:
        raise no_such_device(wanted, [DeviceLabel(name) for name in names], file_kind)
    if len(fitting) > 1:
        raise NotFoundError(
            f"{wanted!r} fits {len(fitting)} audio devices: {', '.join(fitting)}.",
            hint="Write more of the name.",
        )
    return fitting[0]


def no_such_channel(device: str, channels: int, wanted: int) -> NotFoundError:
    """Return the error of a device that has fewer channels than are asked for."""
    has = "1 channel" if channels == 1 else f"{channels} channels"
    return NotFoundError(f"{device} has {has}; there is no channel {wanted}.", hint="Channels count from 1.")


def _parse(text: str) -> InputName | OutputName:  # noqa: PLR0911 - one row for each kind of device
    stripped = text.strip()
    if text.lstrip().startswith(("file:", "wav:")):
        stripped = text.lstrip()  # a path may end in spaces
    if "\0" in stripped:
        raise UsageError("No device's name has a NUL byte.", hint=f"{_INPUTS} {_OUTPUTS}")
    if not stripped:
        raise UsageError("A device's name is missing.", hint=f"{_INPUTS} {_OUTPUTS}")
    kind, colon, rest = stripped.partition(":")
    if colon and kind in {"file", "tone", "wav", "echo"}:
        return _parse_with_argument(kind, rest, text)
    body, options = split_options(stripped)
    match body:
        case "silence":
            known_options(options, text, "ppm", "phase")
            return SilenceDevice(_drift(options, text), _phase(options, text))
        case "null":
            known_options(options, text, "ppm", "phase")
            return NullDevice(_drift(options, text), _phase(options, text))
        case "echo" if not options:
            return EchoEar()
        case "tone":
            raise UsageError("A tone needs its frequency.", hint="For example tone:440.")
        case "file" | "wav":
            raise UsageError(f"{body} needs a path.", hint=f"For example {body}:voice.wav.")
        case "default" if not options.keys() - {"channel"}:
            return DefaultDevice(_channel(options, text))
        case _ if options.keys() == {"channel"}:
            return NamedDevice(body, _channel(options, text))
        case _:
            return NamedDevice(stripped)


def _parse_with_argument(kind: str, rest: str, text: str) -> InputName | OutputName:
    argument, options = split_options(rest)
    if not argument:
        lacking, example = _ARGUMENTS.get(kind, ("path", f"{kind}:voice.wav"))
        raise UsageError(f"{text!r} lacks its {lacking}.", hint=f"For example {example}.")
    if kind == "echo":
        known_options(options, text)
        return EchoDevice(None if argument == LIVE else _stretch_s(argument))
    if kind == "file":
        drift_ppm = _drift(known_options(options, text, "loop", "ppm", "phase", "channel"), text)
        loop, channel, phase_ms = (
            one_or_zero(options, "loop", text),
            _channel(options, text),
            _phase(options, text),
        )
        return FileDevice(argument, loop=loop, drift_ppm=drift_ppm, channel=channel, phase_ms=phase_ms)
    drift_ppm = _drift(known_options(options, text, "ppm", "phase"), text)
    phase_ms = _phase(options, text)
    if kind == "wav":
        return WavDevice(argument, drift_ppm, phase_ms)
    frequency_hz = number(argument)
    if frequency_hz is None or not TONE_LOWEST_HZ <= frequency_hz <= TONE_HIGHEST_HZ:
        raise UsageError(
            f"A tone cannot have the frequency {argument!r}.",
            hint=f"Write a frequency in hertz, from {TONE_LOWEST_HZ:g} to {TONE_HIGHEST_HZ:g}, for example tone:440.",
        )
    return ToneDevice(frequency_hz, drift_ppm, phase_ms)


_ARGUMENTS: Final = {"tone": ("frequency", "tone:440"), "echo": ("seconds", "echo:10 or echo:live")}


def _stretch_s(argument: str) -> float:
    stretch_s = number(argument)
    if stretch_s is None or not ECHO_SHORTEST_S <= stretch_s <= ECHO_LONGEST_S:
        raise UsageError(
            f"An echo cannot have the length {argument!r}.",
            hint=f"Write seconds from {ECHO_SHORTEST_S:g} to {ECHO_LONGEST_S:g}, for example echo:10, or echo:live.",
        )
    return stretch_s


def _drift(options: Mapping[str, str], text: str) -> float:
    drift_ppm = number(options.get("ppm", "0"))
    if drift_ppm is None or abs(drift_ppm) > MAX_DRIFT_PPM:
        raise UsageError(
            f"The clock drift in {text!r} is not a number that fits a device.",
            hint=f"Write ppm from {-MAX_DRIFT_PPM:g} to {MAX_DRIFT_PPM:g}, for example ppm=150.",
        )
    return drift_ppm


def _phase(options: Mapping[str, str], text: str) -> float | None:
    return phase_ms(options, text, below_ms=PHASE_PERIOD_MS, of="device")


def _channel(options: Mapping[str, str], text: str) -> int | None:
    value = options.get("channel")
    if value is None:
        return None
    if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= MOST_CHANNELS:
        raise UsageError(
            f"{value!r} is not a channel, in {text!r}.",
            hint=f"Channels count from 1 to {MOST_CHANNELS}, for example file:voice.wav?channel=2.",
        )
    return int(value)

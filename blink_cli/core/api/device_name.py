"""The names by which people choose audio devices, as typed values.

    default                             the system's device
    USB Headset                         a PortAudio device: its exact name, or a part that fits one only
    file:PATH[?loop=1][&ppm=N]          input: a sound file, read at real time; silence after its end unless looped
    …?channel=N                         input, of the system or a file: only this channel, from 1; all that carry something if it is not given
    tone:HZ[?ppm=N]                     input: a sine at -20 dBFS
    silence[?ppm=N]                     input: digital silence
    echo:S, echo:live                   input: what the session's output `echo` hears: stretches of S seconds after a beep, or at once
    null[?ppm=N]                        output: plays nothing, in real time
    echo                                output: what is heard goes to the input `echo:` of the same session
    wav:PATH[?ppm=N]                    output: what would be heard, written to a file

`ppm` lets the clock of a virtual device run fast (positive) or slow against the machine's, as every real one does.
A question mark starts options only when what follows it reads like options, so that `file:what?.wav` is a file.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from blink_cli.core.errors import NotFoundError, UsageError

MAX_DRIFT_PPM: Final = 10_000.0
"""Real sound cards stay within a few hundred; one percent is already a fault worth testing, more is a typing error."""

MOST_CHANNELS: Final = 1024
"""More than any file or device has: libsndfile's own limit."""

ECHO_SHORTEST_S: Final = 1.0
ECHO_LONGEST_S: Final = 30.0
"""Of what is sent back in one piece."""

LIVE: Final = "live"

TONE_LOWEST_HZ: Final = 1.0
TONE_HIGHEST_HZ: Final = 20_000.0


@dataclass(frozen=True, slots=True)
class DefaultDevice:
    """Whatever the system uses."""

    channel: int | None = None
    """Of an input, the only one that is heard, from 1."""

    @override
    def __str__(self) -> str:
        return f"default{_options(channel=self.channel or 0)}"


@dataclass(frozen=True, slots=True)
class NamedDevice:
    """A device of the system, by its name or a part of it."""

    text: str
    channel: int | None = None
    """Of an input, the only one that is heard, from 1."""

    @override
    def __str__(self) -> str:
        return f"{self.text}{_options(channel=self.channel or 0)}"


@dataclass(frozen=True, slots=True)
class FileDevice:
    """Input: a sound file in any format, rate and channel count that libsndfile reads."""

    path: str
    loop: bool = False
    drift_ppm: float = 0.0
    channel: int | None = None
    """The only one that is heard, from 1."""

    @override
    def __str__(self) -> str:
        options = {"loop": 1 if self.loop else 0, "ppm": self.drift_ppm, "channel": self.channel or 0}
        return f"file:{self.path}{_behind(self.path, **options)}"


@dataclass(frozen=True, slots=True)
class ToneDevice:
    """Input: a sine."""

    frequency_hz: float
    drift_ppm: float = 0.0

    @override
    def __str__(self) -> str:
        return f"tone:{self.frequency_hz:g}{_options(ppm=self.drift_ppm)}"


@dataclass(frozen=True, slots=True)
class SilenceDevice:
    """Input: exact zeros."""

    drift_ppm: float = 0.0

    @override
    def __str__(self) -> str:
        return f"silence{_options(ppm=self.drift_ppm)}"


@dataclass(frozen=True, slots=True)
class EchoDevice:
    """Input: what the session hears, sent back. The microphone of an echo peer."""

    stretch_s: float | None
    """It listens for so long after a beep, and says then what it heard, in turns; None: at once."""

    @override
    def __str__(self) -> str:
        return f"echo:{LIVE if self.stretch_s is None else f'{self.stretch_s:g}'}"


@dataclass(frozen=True, slots=True)
class EchoEar:
    """Output: where the input `echo:` of the same session hears."""

    @override
    def __str__(self) -> str:
        return "echo"


@dataclass(frozen=True, slots=True)
class NullDevice:
    """Output: nothing is heard."""

    drift_ppm: float = 0.0

    @override
    def __str__(self) -> str:
        return f"null{_options(ppm=self.drift_ppm)}"


@dataclass(frozen=True, slots=True)
class WavDevice:
    """Output: a WAV file."""

    path: str
    drift_ppm: float = 0.0

    @override
    def __str__(self) -> str:
        return f"wav:{self.path}{_behind(self.path, ppm=self.drift_ppm)}"


SystemDevice = DefaultDevice | NamedDevice
InputName = SystemDevice | FileDevice | ToneDevice | SilenceDevice | EchoDevice
OutputName = SystemDevice | NullDevice | WavDevice | EchoEar

_INPUTS = "An input is default, a device's name, file:PATH, tone:HZ, silence or echo:SECONDS."
_OUTPUTS = "An output is default, a device's name, wav:PATH, null or echo."
_OPTIONS = re.compile(r"\?((?:[a-z]+=[^?&=/]*)(?:&[a-z]+=[^?&=/]*)*)\Z")


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


def choose_device(wanted: str, names: Sequence[str]) -> str:
    """Return the one of `names` that `wanted` means: its exact name, or a part of one only (letter case aside).

    Raises:
        NotFoundError: None fits, or several do.

    """
    if wanted in names:
        return wanted
    folded = wanted.casefold()
    fitting = sorted({name for name in names if folded in name.casefold()})
    exact = [name for name in fitting if name.casefold() == folded]
    if len(exact) == 1:
        return exact[0]
    if not fitting:
        known = ", ".join(sorted(set(names))) or "none"
        raise NotFoundError(
            f"There is no audio device {wanted!r}.",
            hint=f"The real devices here are: {known}. `blink list-devices` lists all.",
        )
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
    body, options = _split_options(stripped)
    match body:
        case "silence":
            return SilenceDevice(_drift(_known(options, text, "ppm"), text))
        case "null":
            return NullDevice(_drift(_known(options, text, "ppm"), text))
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
    argument, options = _split_options(rest)
    if not argument:
        lacking, example = _ARGUMENTS.get(kind, ("path", f"{kind}:voice.wav"))
        raise UsageError(f"{text!r} lacks its {lacking}.", hint=f"For example {example}.")
    if kind == "echo":
        _known(options, text)
        return EchoDevice(None if argument == LIVE else _stretch_s(argument))
    if kind == "file":
        drift_ppm = _drift(_known(options, text, "loop", "ppm", "channel"), text)
        loop, channel = _loop(options, text), _channel(options, text)
        return FileDevice(argument, loop=loop, drift_ppm=drift_ppm, channel=channel)
    drift_ppm = _drift(_known(options, text, "ppm"), text)
    if kind == "wav":
        return WavDevice(argument, drift_ppm)
    frequency_hz = _number(argument)
    if frequency_hz is None or not TONE_LOWEST_HZ <= frequency_hz <= TONE_HIGHEST_HZ:
        raise UsageError(
            f"A tone cannot have the frequency {argument!r}.",
            hint=f"Write a frequency in hertz, from {TONE_LOWEST_HZ:g} to {TONE_HIGHEST_HZ:g}, for example tone:440.",
        )
    return ToneDevice(frequency_hz, drift_ppm)


_ARGUMENTS: Final = {"tone": ("frequency", "tone:440"), "echo": ("seconds", "echo:10 or echo:live")}


def _stretch_s(argument: str) -> float:
    stretch_s = _number(argument)
    if stretch_s is None or not ECHO_SHORTEST_S <= stretch_s <= ECHO_LONGEST_S:
        raise UsageError(
            f"An echo cannot have the length {argument!r}.",
            hint=f"Write seconds from {ECHO_SHORTEST_S:g} to {ECHO_LONGEST_S:g}, for example echo:10, or echo:live.",
        )
    return stretch_s


def _split_options(text: str) -> tuple[str, Mapping[str, str]]:
    match = _OPTIONS.search(text)
    if match is None:
        return text, {}
    pairs = (pair.split("=", 1) for pair in match[1].split("&"))
    return text[: match.start()], dict(pairs)


def _known(options: Mapping[str, str], text: str, *keys: str) -> Mapping[str, str]:
    for key in options:
        if key not in keys:
            raise UsageError(
                f"There is no option {key!r} for {text.partition('?')[0]!r}.",
                hint=f"Options of such a device: {', '.join(keys)}.",
            )
    return options


def _drift(options: Mapping[str, str], text: str) -> float:
    drift_ppm = _number(options.get("ppm", "0"))
    if drift_ppm is None or abs(drift_ppm) > MAX_DRIFT_PPM:
        raise UsageError(
            f"The clock drift in {text!r} is not a number that fits a device.",
            hint=f"Write ppm from {-MAX_DRIFT_PPM:g} to {MAX_DRIFT_PPM:g}, for example ppm=150.",
        )
    return drift_ppm


def _loop(options: Mapping[str, str], text: str) -> bool:
    value = options.get("loop", "0")
    if value not in {"0", "1"}:
        raise UsageError(
            f"loop is 0 or 1, not {value!r}, in {text!r}.", hint="For example file:voice.wav?loop=1."
        )
    return value == "1"


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


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    # `nan` and `inf` are numbers to Python and to nobody else.
    return number if abs(number) < float("inf") else None


def _behind(path: str, **values: float) -> str:
    """Options behind a path. One that itself ends in what reads like options gets some in any case: those are its own then."""
    return _options(**values) or ("?ppm=0" if _OPTIONS.search(path) else "")


def _options(**values: float) -> str:
    given = "&".join(f"{key}={value:g}" for key, value in values.items() if value)
    return f"?{given}" if given else ""

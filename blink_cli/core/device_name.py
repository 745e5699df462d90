"""The names by which people choose audio devices, as typed values.

    default                             the system's device
    USB Headset                         a PortAudio device: its exact name, or a part that fits one only
    file:PATH[?loop=1][&ppm=N]          input: a sound file, read at real time; silence after its end unless looped
    tone:HZ[?ppm=N]                     input: a sine at -20 dBFS
    silence[?ppm=N]                     input: digital silence
    null[?ppm=N]                        output: plays nothing, in real time
    wav:PATH[?ppm=N]                    output: what would be heard, written to a file

`ppm` lets the clock of a virtual device run fast (positive) or slow against the machine's, as every real one does.
A question mark starts options only when what follows it reads like options, so that `file:what?.wav` is a file.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from blink_cli.core.errors import NotFoundError, UsageError

MAX_DRIFT_PPM: Final = 10_000.0
"""Real sound cards stay within a few hundred; one percent is already a fault worth testing, more is a typing error."""

TONE_LOWEST_HZ: Final = 1.0
TONE_HIGHEST_HZ: Final = 20_000.0


@dataclass(frozen=True, slots=True)
class DefaultDevice:
    """Whatever the system uses."""

    def __str__(self) -> str:
        return "default"


@dataclass(frozen=True, slots=True)
class NamedDevice:
    """A device of the system, by its name or a part of it."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class FileDevice:
    """Input: a sound file in any format, rate and channel count that libsndfile reads."""

    path: str
    loop: bool = False
    drift_ppm: float = 0.0

    def __str__(self) -> str:
        return f"file:{self.path}{_options(loop=1 if self.loop else 0, ppm=self.drift_ppm)}"


@dataclass(frozen=True, slots=True)
class ToneDevice:
    """Input: a sine."""

    frequency_hz: float
    drift_ppm: float = 0.0

    def __str__(self) -> str:
        return f"tone:{self.frequency_hz:g}{_options(ppm=self.drift_ppm)}"


@dataclass(frozen=True, slots=True)
class SilenceDevice:
    """Input: exact zeros."""

    drift_ppm: float = 0.0

    def __str__(self) -> str:
        return f"silence{_options(ppm=self.drift_ppm)}"


@dataclass(frozen=True, slots=True)
class NullDevice:
    """Output: nothing is heard."""

    drift_ppm: float = 0.0

    def __str__(self) -> str:
        return f"null{_options(ppm=self.drift_ppm)}"


@dataclass(frozen=True, slots=True)
class WavDevice:
    """Output: a WAV file."""

    path: str
    drift_ppm: float = 0.0

    def __str__(self) -> str:
        return f"wav:{self.path}{_options(ppm=self.drift_ppm)}"


SystemDevice = DefaultDevice | NamedDevice
InputName = SystemDevice | FileDevice | ToneDevice | SilenceDevice
OutputName = SystemDevice | NullDevice | WavDevice

_INPUTS = "an input is default, a device's name, file:PATH, tone:HZ or silence"
_OUTPUTS = "an output is default, a device's name, wav:PATH or null"
_OPTIONS = re.compile(r"\?((?:[a-z]+=[^?&=]*)(?:&[a-z]+=[^?&=]*)*)$")


def parse_input_name(text: str) -> InputName:
    """Return what `text` names as an input.

    Raises:
        UsageError: It is empty, names an output, or its options make no sense.

    """
    name = _parse(text)
    if isinstance(name, NullDevice | WavDevice):
        raise UsageError(f"{text!r} is an output and cannot be the microphone.", hint=_INPUTS)
    return name


def parse_output_name(text: str) -> OutputName:
    """Return what `text` names as an output.

    Raises:
        UsageError: It is empty, names an input, or its options make no sense.

    """
    name = _parse(text)
    if isinstance(name, FileDevice | ToneDevice | SilenceDevice):
        raise UsageError(f"{text!r} is an input and cannot be the speaker.", hint=_OUTPUTS)
    return name


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
            f"There is no audio device {wanted!r}.", hint=f"devices here: {known}; see `blink list-devices`"
        )
    if len(fitting) > 1:
        raise NotFoundError(
            f"{wanted!r} fits {len(fitting)} audio devices: {', '.join(fitting)}.",
            hint="write more of the name",
        )
    return fitting[0]


def _parse(text: str) -> InputName | OutputName:
    stripped = text.strip()
    if "\0" in stripped:
        raise UsageError("No device's name has a NUL byte.", hint=f"{_INPUTS}; {_OUTPUTS}")
    if not stripped:
        raise UsageError("A device's name is missing.", hint=f"{_INPUTS}; {_OUTPUTS}")
    if stripped == "default":
        return DefaultDevice()
    kind, colon, rest = stripped.partition(":")
    if colon and kind in {"file", "tone", "wav"}:
        return _parse_with_argument(kind, rest, text)
    body, options = _split_options(stripped)
    match body:
        case "silence":
            return SilenceDevice(_drift(_known(options, text, "ppm"), text))
        case "null":
            return NullDevice(_drift(_known(options, text, "ppm"), text))
        case "tone":
            raise UsageError("A tone needs its frequency.", hint="for example tone:440")
        case "file" | "wav":
            raise UsageError(f"{body} needs a path.", hint=f"for example {body}:voice.wav")
        case _:
            return NamedDevice(stripped)


def _parse_with_argument(kind: str, rest: str, text: str) -> InputName | OutputName:
    argument, options = _split_options(rest)
    if not argument:
        example = "tone:440" if kind == "tone" else f"{kind}:voice.wav"
        raise UsageError(f"Nothing stands behind {kind!r}: in {text!r}.", hint=f"for example {example}")
    if kind == "file":
        drift_ppm = _drift(_known(options, text, "loop", "ppm"), text)
        return FileDevice(argument, loop=_loop(options, text), drift_ppm=drift_ppm)
    drift_ppm = _drift(_known(options, text, "ppm"), text)
    if kind == "wav":
        return WavDevice(argument, drift_ppm)
    frequency_hz = _number(argument)
    if frequency_hz is None or not TONE_LOWEST_HZ <= frequency_hz <= TONE_HIGHEST_HZ:
        raise UsageError(
            f"{argument!r} is not a frequency that a tone can have.",
            hint=f"write hertz from {TONE_LOWEST_HZ:g} to {TONE_HIGHEST_HZ:g}, for example tone:440",
        )
    return ToneDevice(frequency_hz, drift_ppm)


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
                f"{text!r} has the unknown option {key!r}.", hint=f"known here: {', '.join(keys)}"
            )
    return options


def _drift(options: Mapping[str, str], text: str) -> float:
    drift_ppm = _number(options.get("ppm", "0"))
    if drift_ppm is None or abs(drift_ppm) > MAX_DRIFT_PPM:
        raise UsageError(
            f"The clock drift in {text!r} is not a number that fits a device.",
            hint=f"ppm is from {-MAX_DRIFT_PPM:g} to {MAX_DRIFT_PPM:g}, for example ppm=150",
        )
    return drift_ppm


def _loop(options: Mapping[str, str], text: str) -> bool:
    value = options.get("loop", "0")
    if value not in {"0", "1"}:
        raise UsageError(
            f"loop is 0 or 1, not {value!r}, in {text!r}.", hint="for example file:voice.wav?loop=1"
        )
    return value == "1"


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    # `nan` and `inf` are numbers to Python and to nobody else.
    return number if abs(number) < float("inf") else None


def _options(**values: float) -> str:
    given = "&".join(f"{key}={value:g}" for key, value in values.items() if value)
    return f"?{given}" if given else ""

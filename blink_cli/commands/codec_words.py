"""The codec's settings as words: `bitrate=48000 frame-ms=10 fec=auto`, read, shown and completed."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, get_args

import msgspec

from blink_cli.core.api.replies.codec import CodecInUse
from blink_cli.core.api.session_options import CodecKey, CodecOptions
from blink_cli.core.errors import UsageError
from blink_cli.core.media.codec_settings import (
    FRAME_LENGTHS_MS,
    HIGHEST_BITRATE_BPS,
    HIGHEST_BUDGET_KBPS,
    LOWEST_BITRATE_BPS,
    Application,
    Bandwidth,
    Fec,
    Redundancy,
)

DEFAULT: Final = "default"
"""In place of a value: what settings.toml says, or else what is so by itself."""


class _Key(msgspec.Struct, frozen=True):
    """One setting."""

    name: CodecKey
    read: Callable[[str], Any]
    """Its value; raises `ValueError`."""

    allowed: str
    """What may be written, in words."""

    offered: tuple[str, ...]
    """What Tab offers."""

    about: str


def _bitrate(text: str) -> int:
    plain = text.lower().removesuffix("bps").removesuffix("b/s")
    value = float(plain.removesuffix("k")) * (1000 if plain.endswith("k") else 1)
    if not LOWEST_BITRATE_BPS <= value <= HIGHEST_BITRATE_BPS:
        raise ValueError
    return round(value)


def _frame_ms(text: str) -> float:
    value = float(text.lower().removesuffix("ms"))
    if value not in FRAME_LENGTHS_MS:
        raise ValueError
    return int(value) if value.is_integer() else value


def _budget_kbps(text: str) -> int:
    value = int(text)
    if not 0 <= value <= HIGHEST_BUDGET_KBPS:
        raise ValueError
    return value


def _complexity(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 10:
        raise ValueError
    return value


def _switch(text: str) -> bool:
    return bool(_one_of({"on": True, "true": True, "off": False, "false": False})(text))


def _channels(text: str) -> bool:
    return bool(_one_of({"1": False, "2": True})(text))


def _one_of(choices: dict[str, Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return choices[text.lower()]
        except KeyError:
            raise ValueError from None

    return read


def _words(name: CodecKey, about: str, choices: Iterable[str]) -> _Key:
    words = tuple(choices)
    return _Key(name, _one_of({word: word for word in words}), ", ".join(words), words, about)


_ON_OFF: Final = ("on", "off")

_KEYS: Final[dict[str, _Key]] = {
    "bitrate": _Key(
        "bitrate", _bitrate, f"{LOWEST_BITRATE_BPS} to {HIGHEST_BITRATE_BPS}, or 6k to 510k",
        ("16000", "24000", "32000", "48000", "64000", "96000", "128000"), "bits a second of Opus",
    ),
    "frame-ms": _Key(
        "frame_ms", _frame_ms, ", ".join(f"{length:g}" for length in FRAME_LENGTHS_MS),
        tuple(f"{length:g}" for length in FRAME_LENGTHS_MS), "length of a packet",
    ),
    "bandwidth": _words("bandwidth", "how high the sound reaches", get_args(Bandwidth)),
    "application": _words("application", "what the encoder is for", get_args(Application)),
    "fec": _words("fec", "in-band FEC", get_args(Fec)),
    "dtx": _Key("dtx", _switch, "on, off", _ON_OFF, "send nothing while silent"),
    "cbr": _Key("cbr", _switch, "on, off", _ON_OFF, "packets of equal length"),
    "redundancy": _words("redundancy", "copies of earlier frames in each packet", get_args(Redundancy)),
    "redundancy-budget": _Key(
        "redundancy_budget", _budget_kbps, f"0 to {HIGHEST_BUDGET_KBPS}", ("0", "64", "80", "110", "160"),
        "kilobits a second for each peer, copies included",
    ),
    "complexity": _Key("complexity", _complexity, "0 to 10", tuple(map(str, range(11))), "effort of the encoder"),
    "stereo": _Key("stereo", _switch, "on, off", _ON_OFF, "two channels"),
    "channels": _Key("stereo", _channels, "1, 2", ("1", "2"), "two channels are stereo=on"),
}  # fmt: skip


def read_changes(words: Sequence[str]) -> tuple[CodecOptions, tuple[CodecKey, ...]]:
    """Return what `KEY=VALUE` words change, and which keys go back to their default.

    Raises:
        UsageError: One is no setting, or its value is not possible; says which are.

    """
    values: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        key = _KEYS.get(name.lower().replace("_", "-"))
        if key is None:
            raise UsageError(f"{name!r} is no setting of the codec.", hint=f"There is {', '.join(_KEYS)}.")
        if not equals:
            raise UsageError(f"{word!r} says no value.", hint=f"Write {word}=VALUE; it may be {key.allowed}.")
        try:
            values[key.name] = None if text.lower() == DEFAULT else key.read(text)
        except ValueError:
            raise UsageError(
                f"{name}={text} is not possible.", hint=f"It may be {key.allowed}, or {DEFAULT}."
            ) from None
    back = tuple(key.name for key in _KEYS.values() if values.get(key.name, ...) is None)
    return CodecOptions(**values), tuple(dict.fromkeys(back))


def offers(incomplete: str) -> list[tuple[str, str]]:
    """Return what may stand where a word has begun so, each with what it is about: keys with `=`, then values."""
    name, equals, _ = incomplete.partition("=")
    if not equals:
        return [(f"{key}=", one.about) for key, one in _KEYS.items()]
    key = _KEYS.get(name.lower().replace("_", "-"))
    return [] if key is None else [(f"{name}={value}", "") for value in (*key.offered, DEFAULT)]


def codec_text(settings: Any, names: Iterable[str]) -> str:
    """Return these fields of codec settings as they are written: `bitrate=48000 frame-ms=10`."""
    return " ".join(f"{name.replace('_', '-')}={_shown(getattr(settings, name))}" for name in names)


def chosen_text(codec: CodecInUse) -> str:
    """Say in a line how voice is encoded: what users choose most, and what really comes out."""
    chosen, now = codec.chosen, codec.now
    words = [
        f"{chosen.bitrate / 1000:g} kb/s",
        f"{chosen.frame_ms:g} ms",
        *(["stereo"] if chosen.stereo else []),
    ]
    if now is not None and now.mode is not None:
        words.append(f"now {now.mode}, {now.bandwidth} band")
        if now.bitrate is not None:
            words.append(f"{now.bitrate / 1000:.1f} kb/s")
        if now.fec_loss_percent is not None:
            words.append(f"FEC for {now.fec_loss_percent} % loss")
    return ", ".join(words)


def codec_lines(codec: CodecInUse) -> list[str]:
    """Say all of the codec's settings, in lines."""
    lines = [
        f"{name.replace('_', '-'):17}  {_shown(getattr(codec.chosen, name))}" for name in get_args(CodecKey)
    ]
    for place, name in enumerate(get_args(CodecKey)):
        if name in codec.for_this_call:
            lines[place] += "  (for this call)"
    if codec.now is not None:
        lines.append(f"in this call: {chosen_text(codec)}")
    return [*lines, *codec.remarks]


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)

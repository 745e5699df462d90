"""What names of devices and of cameras have in common: a part of a name is enough, and options behind it: `?key=value&key=value`.

A question mark starts options only when what follows it reads like options, so that `file:what?.wav` is a file.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from blink_cli.core.errors import UsageError

_FILE: Final = re.compile(
    r"(?:/|~/|\.\.?/).+|.+\.(?:aac|aiff?|au|avi|caf|flac|gif|jpe?g|m4a|m4v|mkv|mov|mp3|mp4|mpe?g|oga|ogg|ogv|opus|png|w64|wav|webm|webp|wma)",
    re.IGNORECASE | re.DOTALL,
)
"""What begins like a path, or ends like the name of a sound, a film or a picture."""

_IMAGE: Final = re.compile(r".+\.(?:jpe?g|png|webp)", re.IGNORECASE | re.DOTALL)

_OPTIONS: Final = re.compile(r"\?((?:[a-z]+=[^?&=/]*)(?:&[a-z]+=[^?&=/]*)*)\Z")


def reads_like_file(text: str) -> bool:
    """Whether this is rather the name of a file than of a device."""
    return _FILE.fullmatch(split_options(text)[0]) is not None


def file_hint(text: str, kind: str) -> str:
    """Return what to write if a file was meant, with a space behind; empty where it reads like none. `kind` is `file` or `wav`."""
    return f"If the file is meant, write `{kind}:{text}`. " if reads_like_file(text) else ""


def picture_hint(text: str) -> str:
    """As `file_hint`, of a camera: a film, or a still image."""
    return file_hint(text, "image" if _IMAGE.fullmatch(text) else "file")


def split_options(text: str) -> tuple[str, Mapping[str, str]]:
    """Return what stands before the options, and the options; all of it where it has none."""
    match = _OPTIONS.search(text)
    if match is None:
        return text, {}
    pairs = (pair.split("=", 1) for pair in match[1].split("&"))
    return text[: match.start()], dict(pairs)


def known_options(options: Mapping[str, str], text: str, *keys: str) -> Mapping[str, str]:
    """Return the options again.

    Raises:
        UsageError: One of them is none of `keys`.

    """
    for key in options:
        if key not in keys:
            file = file_hint(text.partition("?")[0], "file")
            raise UsageError(
                f"There is no option {key!r} for {text.partition('?')[0]!r}.",
                hint=f"{file if key == 'loop' else ''}Options of such a device: {', '.join(keys)}.",
            )
    return options


def number(text: str) -> float | None:
    """Return the finite number that `text` is; None if it is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    # `nan` and `inf` are numbers to Python and to nobody else.
    return value if abs(value) < float("inf") else None


def phase_ms(options: Mapping[str, str], text: str, *, below_ms: float, of: str) -> float | None:
    """Return at which ms of its period something begins; None where that is not given.

    Args:
        options: As given.
        text: Where they stand, for the error.
        below_ms: The period.
        of: What begins, for the error.

    Raises:
        UsageError: It is no number in the period.

    """
    value = options.get("phase")
    if value is None:
        return None
    given_ms = number(value)
    if given_ms is None or not 0 <= given_ms < below_ms:
        raise UsageError(
            f"The phase in {text!r} is not a number that fits a {of}.",
            hint=f"Write ms from 0 to below {below_ms:g}, for example phase=2.5.",
        )
    return given_ms


def names_that_fit(wanted: str, names: Sequence[str]) -> list[str]:
    """Return which of `names` are meant, sorted: the one of that name, letter case aside if need be, or all that it is a part of."""
    if wanted in names:
        return [wanted]
    folded = wanted.casefold()
    fitting = sorted({name for name in names if folded in name.casefold()})
    exact = [name for name in fitting if name.casefold() == folded]
    return exact if len(exact) == 1 else fitting


def one_or_zero(options: Mapping[str, str], key: str, text: str) -> bool:
    """Return whether an option is on; off where it is not given.

    Raises:
        UsageError: It is neither 0 nor 1.

    """
    value = options.get(key, "0")
    if value not in {"0", "1"}:
        example = f"{text.partition('?')[0]}?{key}=1"
        raise UsageError(f"{key} is 0 or 1, not {value!r}, in {text!r}.", hint=f"For example {example}.")
    return value == "1"


def options_behind(path: str, neutral: str, **values: float | str | None) -> str:
    """Options behind a path. One that itself ends in what reads like options gets `neutral` in any case: the path's are its own then."""
    return options_text(**values) or (f"?{neutral}" if _OPTIONS.search(path) else "")


def options_text(**values: float | str | None) -> str:
    """Return the options that are not None, with their question mark; empty without any."""
    given = "&".join(
        f"{key}={value if isinstance(value, str) else format(value, 'g')}"
        for key, value in values.items()
        if value is not None
    )
    return f"?{given}" if given else ""

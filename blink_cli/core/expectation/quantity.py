"""Numbers with their units, as people write them: `1%`, `120ms`, `64kb/s`.

Inside the program a quantity is a float in its kind's base unit: a share from 0 to 1, seconds, dB, bits a second.
"""

import math
import re
from enum import StrEnum
from typing import Final

from blink_cli.core.errors import UsageError


class Kind(StrEnum):
    """What a number is about, and so which units it may have."""

    SCORE = "score"
    """A judge's figure, such as PESQ or a MOS, without a unit."""

    COUNT = "count"
    SHARE = "share"
    TIME = "time"
    LEVEL = "level"
    RATE = "rate"
    HAPPENING = "happening"
    """Not a number: whether something happened, and after how long."""


UNITS: Final[dict[Kind, dict[str, float]]] = {
    Kind.SCORE: {"": 1.0},
    Kind.COUNT: {"": 1.0},
    Kind.SHARE: {"%": 0.01},
    Kind.TIME: {"ms": 0.001, "s": 1.0, "min": 60.0},
    Kind.LEVEL: {"dB": 1.0, "dBov": 1.0, "dBFS": 1.0},
    Kind.RATE: {"b/s": 1.0, "kb/s": 1e3, "Mb/s": 1e6, "kbps": 1e3, "Mbps": 1e6},
    Kind.HAPPENING: {"ms": 0.001, "s": 1.0, "min": 60.0},
}
"""Of each kind, what one of a unit is in the base unit. The first one is proposed."""

NUMBER: Final = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
UNIT: Final = r"%|[A-Za-z]+(?:/[A-Za-z]+)?"
_WHOLE = re.compile(rf"\s*({NUMBER})\s*({UNIT})?\s*")


def quantity(text: str, kind: Kind) -> float:
    """Return what a text says, in the base unit of its kind.

    Raises:
        UsageError: It is no number, or its unit is missing or of another kind.

    """
    found = _WHOLE.fullmatch(text)
    if found is None:
        raise UsageError(
            f"{text.strip()!r} is not a {kind}.", hint=f"Write a number such as {example(kind)}."
        )
    return with_unit(float(found[1]), found[2] or "", kind)


def with_unit(number: float, unit: str, kind: Kind) -> float:
    """Return so many of a unit in the base unit of a kind.

    Raises:
        UsageError: The unit is not one of that kind; without one a share could be meant in per cent or not, and a time in s or ms.

    """
    factor = UNITS[kind].get(unit)
    if factor is None:
        written = f"{number:g}{unit}"
        units = ", ".join(UNITS[kind])
        if not unit:
            raise UsageError(
                f"{written} has no unit.", hint=f"Write one of {units} behind it: {example(kind)}."
            )
        if "" in UNITS[kind]:
            raise UsageError(f"A {kind} has no unit, and {written} has one.", hint=f"Write {number:g}.")
        raise UsageError(f"{written} is not a {kind}.", hint=f"Its unit is one of {units}.")
    if not math.isfinite(number * factor):
        raise UsageError(f"{number:g}{unit} is too much.", hint=f"Write a number such as {example(kind)}.")
    return number * factor


def example(kind: Kind) -> str:
    """Return how a quantity of this kind looks."""
    return _EXAMPLES[kind]


_EXAMPLES: Final[dict[Kind, str]] = {
    Kind.SCORE: "4.2",
    Kind.COUNT: "3",
    Kind.SHARE: "1%",
    Kind.TIME: "120ms",
    Kind.LEVEL: "-30dB",
    Kind.RATE: "32kb/s",
    Kind.HAPPENING: "200ms",
}


def shown(value: float, kind: Kind) -> str:
    """Return a value as it is read, rounded to what is worth reading; at least three digits that count."""
    match kind:
        case Kind.SHARE:
            return f"{_rounded(100 * value, 2)} %"
        case Kind.TIME | Kind.HAPPENING:
            return f"{_rounded(1000 * value, 1)} ms" if abs(value) < 1 else f"{_rounded(value, 2)} s"
        case Kind.LEVEL:
            return f"{_rounded(value, 1)} dB"
        case Kind.RATE:
            return f"{_rounded(value / 1000, 1)} kb/s"
        case Kind.SCORE | Kind.COUNT:
            return _rounded(value, 2)


def _rounded(value: float, digits: int) -> str:
    """Round to so many digits behind the point, more if all that would be left is a zero."""
    if value and abs(value) < 10**-digits:
        digits = 2 - math.floor(math.log10(abs(value)))
    return f"{value:.{digits}f}".rstrip("0").rstrip(".") if digits else f"{value:.0f}"

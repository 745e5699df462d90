"""Shares, durations, rates and numbers as people write them, read and written without a digit lost."""

import math
import re
from decimal import Decimal, InvalidOperation
from typing import Final

from blink_cli.core.errors import UsageError

_QUANTITY: Final = re.compile(r"([0-9.]+(?:e[+-]?[0-9]+)?)\s*([a-z%/]*)", re.IGNORECASE)
_MS: Final = {"us": Decimal("0.001"), "ms": Decimal(1), "s": Decimal(1000), "min": Decimal(60_000)}
_KBPS: Final = {
    "bit": Decimal("0.001"),
    "kbit": Decimal(1),
    "mbit": Decimal(1000),
    "gbit": Decimal(1_000_000),
}
_PER_SECOND: Final = re.compile(r"(bit/s|bps)$")


def number(key: str, text: str) -> float:
    """Read a plain number.

    Raises:
        UsageError: It is none.

    """
    value, unit = _split(text)
    if value is None or unit:
        raise UsageError(f"{key}={text} is no number.", hint=f"Write {key}=4, for example.")
    return float(value)


def share(key: str, text: str) -> float:
    """Read `3%` or `0.03`, as a share of 1.

    Raises:
        UsageError: It is none, or 1, which could be one per cent or all.

    """
    value, unit = _split(text)
    if value is None or unit not in ("", "%"):
        raise UsageError(f"{key}={text} is no share.", hint=f"Write {key}=3% or {key}=0.03.")
    if not unit and value >= 1:
        raise UsageError(f"{key}={text} could mean per cent or a share of 1.", hint=f"Write {key}={text}%.")
    return float(value.scaleb(-2) if unit else value)


def duration_ms(key: str, text: str) -> float:
    """Read `40ms`, `1.5s`, `500us` or `2min`.

    Raises:
        UsageError: It is none.

    """
    return float(_milliseconds(key, text))


def duration_s(key: str, text: str) -> float:
    """The same, in seconds.

    Raises:
        UsageError: It is none.

    """
    return float(_milliseconds(key, text).scaleb(-3))


def rate_kbps(key: str, text: str) -> float:
    """Read `256kbit/s`, `1.5Mbit/s`, `64kbps` or `64kbit`, as bits a millisecond.

    Raises:
        UsageError: It is none.

    """
    value, unit = _split(text)
    factor = _KBPS.get(_PER_SECOND.sub("bit", unit))
    if value is None or factor is None:
        raise UsageError(f"{key}={text} is no rate.", hint=f"Write {key}=256kbit/s or {key}=2Mbit/s.")
    return float(value * factor)


def number_text(value: float) -> str:
    """The shortest text that is read as this very number."""
    return _plain(Decimal(repr(value)))


def share_text(value: float) -> str:
    """As `share` reads it, in per cent."""
    return _plain(Decimal(repr(value)).scaleb(2)) + "%"


def duration_text(value_ms: float) -> str:
    """As `duration_ms` reads it: in ms, or in s from 1 s on."""
    value = Decimal(repr(value_ms))
    return _plain(value.scaleb(-3)) + "s" if value_ms >= 1000 else _plain(value) + "ms"


def rate_text(value_kbps: float) -> str:
    """As `rate_kbps` reads it."""
    return _plain(Decimal(repr(value_kbps))) + "kbit/s"


def _milliseconds(key: str, text: str) -> Decimal:
    value, unit = _split(text)
    if value is None or (unit not in _MS and not (value == 0 and not unit)):
        unitless = value is not None and not unit
        raise UsageError(
            f"{key}={text} has no unit." if unitless else f"{key}={text} is no duration.",
            hint=f"Write {key}={text}ms." if unitless else f"Write {key}=40ms or {key}=1.5s.",
        )
    return value * _MS.get(unit, Decimal(1))


def _split(text: str) -> tuple[Decimal | None, str]:
    match = _QUANTITY.fullmatch(text)
    if match is None:
        return None, ""
    try:
        value = Decimal(match[1])
    except InvalidOperation:
        return None, ""
    return (value if math.isfinite(float(value)) else None), match[2].lower()


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")

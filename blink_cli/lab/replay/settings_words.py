"""Settings of the playout, as users type them. Light: no sound is needed to know their names."""

import math
from collections.abc import Sequence
from typing import Final

from blink_cli.core.errors import UsageError

SETTINGS: Final = (
    "minimum_delay_ms",
    "maximum_delay_ms",
    "opening_delay_ms",
    "capacity_ms",
    "excess_ms",
    "excess_s",
)
"""The fields of `PlayoutSettings`."""

LARGEST: Final = 10_000.0


def read_changes(words: Sequence[str]) -> dict[str, float]:
    """Read `minimum-delay-ms=80` and the like.

    Raises:
        UsageError: There is no such setting, or it cannot have this value.

    """
    changes: dict[str, float] = {}
    for word in words:
        name, sign, text = word.partition("=")
        setting = name.strip().replace("-", "_").lower()
        if not sign or setting not in SETTINGS:
            names = ", ".join(one.replace("_", "-") for one in SETTINGS)
            raise UsageError(
                f"{word!r} is no setting of the playout.", hint=f"NAME=VALUE, with one of {names}."
            )
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0 <= value <= LARGEST:
            raise UsageError(
                f"{name} cannot be {text!r}.", hint=f"A number from 0 to {LARGEST:g}: ms, or s for excess-s."
            )
        changes[setting] = value
    return changes

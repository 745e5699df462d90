"""One step of a call machine as text: what replies show and a replay reads.

It stands apart from what makes it: whoever only shows a trace needs neither the machine nor the cryptography of its signals.
"""

from typing import Any, Final

import msgspec

TIMEOUT: Final = "Timeout"
"""What stands in place of an input's name when only time had passed."""


class TracedEffect(msgspec.Struct, frozen=True):
    """What the machine wanted."""

    effect: str
    """The class of core/call/effects.py."""

    fields: dict[str, Any]


class TracedStep(msgspec.Struct, frozen=True, kw_only=True):
    """One input and what followed."""

    at_s: float
    """Monotonic."""

    told: str
    """The class of core/call/inputs.py, or `Timeout`."""

    fields: dict[str, Any]
    drawn: tuple[bytes, ...]
    """Random bytes that were asked for meanwhile."""

    effects: tuple[TracedEffect, ...]

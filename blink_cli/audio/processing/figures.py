"""What the capture chain does now, in figures."""

from enum import StrEnum
from typing import Final

import msgspec


class FilterName(StrEnum):
    """What users call the filters of the chain."""

    ECHO = "echo"
    NOISE = "noise"
    GAIN = "gain"


class UnavailableFilter(msgspec.Struct, frozen=True):
    """A filter that was asked for and does not run."""

    name: FilterName
    reason: str
    """Sentences: its library or platform is missing, or it failed; and what to do."""


class EchoFigures(msgspec.Struct, frozen=True):
    """Of the echo canceller, while it runs."""

    removed_db: float | None
    """How much quieter what leaves it is than what the microphone heard, while the speaker plays and nobody near talks; None before that was so."""

    delay_ms: float | None
    """By how much the echo lags behind the reference at the microphone; None before it was found."""

    own_return_ms: float | None = None
    """How long after it was sent the own voice comes back from another speaker; None if it does not."""


class ProcessingFigures(msgspec.Struct, frozen=True):
    """Of the whole chain. Made by the capture thread, read by any."""

    echo: EchoFigures | None
    """None while it is off."""

    noise_removed_db: float | None
    """How much the noise suppressor took out of the last second; None while it is off."""

    gain_db: float | None
    """What automatic gain control adds now; None while it is off."""

    delay_ms: float
    """By how much the chain delays the sound; counted in its capture time."""

    cost_us: float | None
    """Processor time of a 10 ms block, the mean of some in the last two seconds; None before the first one."""

    unavailable: tuple[UnavailableFilter, ...]
    """What was asked for and does not run."""


PASSED_BY: Final = ProcessingFigures(
    echo=None,
    noise_removed_db=None,
    gain_db=None,
    delay_ms=0.0,
    cost_us=None,
    unavailable=tuple(
        UnavailableFilter(
            name,
            "Two channels are sent, and the filters are for one. `blink codec set channels=1` sends one.",
        )
        for name in FilterName
    ),
)
"""Of sound that passes the chain by, because it has two channels."""

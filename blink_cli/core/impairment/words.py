"""Conditions of a line as words, read and written: what `impair`, scenarios, events and files say.

loss=3% burst=4 delay=40ms jitter=20ms rate=256kbit/s queue=200ms reorder=1% duplicate=0.5% corrupt=0.1% seed=7
clean
"""

import shlex
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

import msgspec

from blink_cli.core.errors import UsageError
from blink_cli.core.impairment.conditions import Conditions, FourStates, Outage
from blink_cli.core.impairment.delay_trace import DelayTrace
from blink_cli.core.impairment.quantities import (
    duration_ms,
    duration_s,
    duration_text,
    number,
    number_text,
    rate_kbps,
    rate_text,
    share,
    share_text,
)

CLEAN: Final = "clean"
"""The word for a perfect line."""

SEED: Final = "seed"

ReadTrace = Callable[[str], DelayTrace]
"""Given what stands behind `trace=`: reads it. Raises UsageError, or what opening a file raises."""


class Impairment(msgspec.Struct, frozen=True):
    """Conditions with the seed of their chances."""

    conditions: Conditions
    seed: int | None = None
    """None: not said; whoever makes the line chooses."""


class _Word(NamedTuple):
    field: str
    read: Callable[[str, str], Any]
    write: Callable[[Any], str]
    example: str


def _shape(_key: str, text: str) -> str:
    return text.lower()  # Conditions says what may stand here


def _order(key: str, text: str) -> bool:
    if text not in ("kept", "free"):
        raise UsageError(
            f"{key}={text} is not possible.", hint="Write order=kept, or order=free: jitter may reorder."
        )
    return text == "kept"


def _states(key: str, text: str) -> FourStates:
    parts = [share(key, part) if part != "1" else 1.0 for part in text.split("/")]
    if not 2 <= len(parts) <= 5:
        raise UsageError(
            f"{key}={text} has {len(parts)} values.",
            hint="Write p13/p31, or p13/p31/p32/p23/p14, such as states=2%/30%/5%/80%/0.1%.",
        )
    return FourStates(*parts)


def _states_text(states: FourStates) -> str:
    return "/".join(map(share_text, (states.p13, states.p31, states.p32, states.p23, states.p14)))


def _outages(key: str, text: str) -> tuple[Outage, ...]:
    found = []
    for part in text.split(","):
        start, plus, length = part.partition("+")
        if not plus:
            raise UsageError(
                f"{key}={text} does not say how long.",
                hint=f"Write {key}=5s+800ms: from 5 s on, for 800 ms; several are separated by commas.",
            )
        found.append(Outage(duration_s(key, start), duration_s(key, length), held=key == "freeze"))
    return tuple(found)


def _outage_text(outages: Iterable[Outage]) -> str:
    return ",".join(f"{number_text(outage.start_s)}s+{number_text(outage.length_s)}s" for outage in outages)


_WORDS: Final[dict[str, _Word]] = {
    "loss": _Word("loss", share, share_text, "loss=3%"),
    "burst": _Word("burst_packets", number, number_text, "burst=4"),
    "bad-time": _Word("bad_time_ms", duration_ms, duration_text, "bad-time=100ms"),
    "bad-loss": _Word("bad_loss", share, share_text, "bad-loss=75%"),
    "good-loss": _Word("good_loss", share, share_text, "good-loss=0.1%"),
    "states": _Word("four_states", _states, _states_text, "states=2%/30%/5%/80%/0.1%"),
    "delay": _Word("delay_ms", duration_ms, duration_text, "delay=40ms"),
    "jitter": _Word("jitter_ms", duration_ms, duration_text, "jitter=20ms"),
    "spread": _Word("jitter_shape", _shape, str, "spread=pareto"),
    "order": _Word("keep_order", _order, lambda kept: "kept" if kept else "free", "order=kept"),
    "reorder": _Word("reordering", share, share_text, "reorder=1%"),
    "reorder-by": _Word("reorder_by_ms", duration_ms, duration_text, "reorder-by=50ms"),
    "duplicate": _Word("duplication", share, share_text, "duplicate=0.5%"),
    "corrupt": _Word("corruption", share, share_text, "corrupt=0.1%"),
    "rate": _Word("rate_kbps", rate_kbps, rate_text, "rate=256kbit/s"),
    "queue": _Word("queue_ms", duration_ms, duration_text, "queue=200ms"),
    "outage": _Word("outages", _outages, _outage_text, "outage=5s+800ms"),
    "freeze": _Word("outages", _outages, _outage_text, "freeze=8s+600ms"),
}
"""Each word but `trace` and `seed`; outages and freezes are one field."""

_NEEDS: Final = {
    "burst": ("loss",),
    "bad-time": ("loss",),
    "spread": ("jitter",),
    "order": ("jitter", "trace"),
    "reorder-by": ("reorder",),
    "queue": ("rate",),
}
"""Words that do nothing but beside one of these."""

_DEFAULT: Final = Conditions()
KEYS: Final = (*_WORDS, "trace", SEED)


def no_traces(name: str) -> DelayTrace:
    """Refuse traces, where there are no files.

    Raises:
        UsageError: Always.

    """
    raise UsageError(f"trace={name} cannot be read here.", hint="Say the delay and the loss instead.")


def impairment_from_words(words: Iterable[str], *, read_trace: ReadTrace = no_traces) -> Impairment:
    """Read conditions and seed.

    Args:
        words: Each `key=value`; or `clean` alone.
        read_trace: Reads what `trace=` names.

    Raises:
        UsageError: A word is not understood, stands twice, or its value is not possible.

    """
    fields: dict[str, Any] = {}
    outages: tuple[Outage, ...] = ()
    seed: int | None = None
    seen: set[str] = set()
    words = list(words)
    if words == [CLEAN]:
        return Impairment(_DEFAULT)
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or key not in KEYS:
            raise _unknown(word, key)
        if key in seen:
            raise UsageError(f"{key}= stands twice.", hint="Leave one of the two out.")
        seen.add(key)
        if not text:
            raise UsageError(f"{key}= has no value.", hint=f"Write {_example(key)}, for example.")
        if key == SEED:
            seed = _seed(text)
        elif key == "trace":
            fields["trace"] = read_trace(text)
        elif key in ("outage", "freeze"):
            outages += _WORDS[key].read(key, text)
        else:
            fields[_WORDS[key].field] = _WORDS[key].read(key, text)
    _check_company(seen)
    in_time = tuple(sorted(outages, key=lambda outage: (outage.start_s, outage.held)))
    return Impairment(Conditions(**fields, outages=in_time), seed)


def impairment_from_text(text: str, *, read_trace: ReadTrace = no_traces) -> Impairment:
    """Read conditions and seed from one line; a value with spaces stands in quotes, as in a shell.

    Raises:
        UsageError: As `impairment_from_words`.

    """
    try:
        words = shlex.split(text)
    except ValueError:
        raise UsageError(f"A quotation mark in {text!r} is not closed.", hint="Close it.") from None
    return impairment_from_words(words, read_trace=read_trace)


def conditions_text(conditions: Conditions) -> str:
    """Conditions as words that are read as these very conditions, but for what does nothing; `clean` for a perfect line."""
    words = []
    for key, word in _WORDS.items():
        value = getattr(conditions, word.field)
        if key in ("outage", "freeze"):
            value = tuple(outage for outage in value if outage.held == (key == "freeze"))
        if value != getattr(_DEFAULT, word.field) and _has_company(key, conditions):
            words.append(f"{key}={word.write(value)}")
    if conditions.trace is not None:
        words.append(f"trace={shlex.quote(conditions.trace.name)}")
    return " ".join(words) or CLEAN


def impairment_text(impairment: Impairment) -> str:
    """The same with the seed."""
    text = conditions_text(impairment.conditions)
    if impairment.seed is None:
        return text
    seed = f"{SEED}={impairment.seed}"
    return seed if text == CLEAN else f"{text} {seed}"


def _check_company(seen: set[str]) -> None:
    for key, needed in _NEEDS.items():
        if key in seen and not seen & set(needed):
            raise UsageError(
                f"{key}= does nothing without {needed[0]}=.",
                hint=f"Write {_example(needed[0])} too, for example.",
            )


def _has_company(key: str, conditions: Conditions) -> bool:
    fields = [_WORDS[needed].field if needed in _WORDS else needed for needed in _NEEDS.get(key, ())]
    return not fields or any(getattr(conditions, field) != getattr(_DEFAULT, field) for field in fields)


def _seed(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise UsageError(
            f"seed={text} is no seed.", hint="A seed is a whole number of up to 18 digits, such as seed=7."
        )
    return int(text)


def _example(key: str) -> str:
    return {"trace": "trace=delays.csv", SEED: "seed=7"}.get(key) or _WORDS[key].example


def _unknown(word: str, key: str) -> UsageError:
    close = get_close_matches(key.lower(), KEYS, n=1)
    if close:
        hint = f"`{_example(close[0])}` is meant, perhaps."
    elif word == CLEAN:
        hint = "Clean stands alone."
    else:
        hint = f"There are {', '.join(f'{known}=' for known in KEYS)}."
    return UsageError(f"{word!r} says nothing about a line.", hint=hint)

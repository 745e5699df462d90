"""What is wrong in a document, in plain words: the reader (msgspec) finds the mistake, and its own words are for programmers.

    Expected `int`, got `str` - at `$.request.wait_s`   ->   `request.wait_s` is text; it must be a whole number

Places count from 1: `step[2].at` is of the second step.
"""

import json
import re
from collections.abc import Callable
from typing import Final

import msgspec

_PLACE: Final = re.compile(r" - at `(?:key` in `)?(.*?)`$", re.DOTALL)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(.*)`")
_MALFORMED: Final = re.compile(r"JSON is malformed: .* \(byte (\d+)\)")

_KINDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_BOUNDS: Final = {">=": "{} or more", ">": "more than {}", "<=": "{} or less", "<": "less than {}"}
_LENGTHS: Final = {">=": "at least ", "<=": "at most ", None: ""}
_LONGEST: Final = 60
"""Characters that are repeated of a wrong value."""


class Mistake(msgspec.Struct, frozen=True):
    """The first mistake of a document."""

    place: str
    """Where, such as `codec.bandwidth` or `step[2].at`; empty for the whole."""

    what: str
    """What is wrong there: the end of a sentence that begins with the place."""

    unknown_name: str | None = None
    """The name that is not known there, the last of the place."""

    rule: str | None = None
    """The sentence of a rule of our own types, which tells it all."""

    @property
    def sentence(self) -> str:
        """All of it, without a full stop."""
        if self.rule is not None:
            return self.rule
        return f"`{self.place}` {self.what}" if self.place else f"it {self.what}"


def mistake_of(error: Exception) -> Mistake:
    """Return what an error of `msgspec` says of a document; also what stands beside it: text that is no UTF-8, too many brackets."""
    if isinstance(error, UnicodeDecodeError):
        return Mistake("", "is no text in UTF-8")
    if isinstance(error, RecursionError):
        return Mistake("", "has too many brackets within each other")
    told = str(error)
    found = _PLACE.search(told)
    words = told if found is None else told[: found.start()]
    place = "" if found is None else _place(found[1])
    unknown, missing = _UNKNOWN.fullmatch(words), _MISSING.fullmatch(words)
    if unknown is not None:
        return Mistake(_within(place, unknown[1]), "is not known", unknown[1])
    if missing is not None:
        return Mistake(_within(place, missing[1]), "is missing")
    if isinstance(error, msgspec.ValidationError):
        what = _what(words)
        return Mistake(place, "is wrong", rule=words) if what is None else Mistake(place, what)
    malformed = _MALFORMED.fullmatch(words)
    return Mistake(
        "",
        "is no JSON: it ends too early" if malformed is None else f"is no JSON from byte {malformed[1]} on",
    )


def _what(words: str) -> str | None:
    for pattern, told in _TOLD:
        if (found := pattern.fullmatch(words)) is not None:
            return told(found)
    return None


def _kind(found: re.Match[str]) -> str:
    allowed = [_KINDS.get(one, one) for one in found[1].split(" | ") if one != "null"]
    return f"is {_KINDS.get(found[2], found[2])}; it must be {' or '.join(allowed)}"


def _bound(found: re.Match[str]) -> str:
    return f"must be {_BOUNDS[found[1]].format(found[2].removesuffix('.0'))}"


def _length(found: re.Match[str]) -> str:
    one, more = ("character", "characters") if found[1] == "str" else ("entry", "entries")
    return f"must have {_LENGTHS[found[2]]}{found[3]} {one if found[3] == '1' else more}"


def _value(found: re.Match[str]) -> str:
    shown = json.dumps(found[1].strip("'"), ensure_ascii=False)
    return f"cannot be {shown if len(shown) <= _LONGEST else f'{shown[: _LONGEST - 1]}…'}"


_TOLD: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]] = (
    (re.compile(r"Expected `(.*)`, got `(.*)`"), _kind),
    (re.compile(r"Expected `.*` (>=|>|<=|<) (.*)"), _bound),
    (re.compile(r"Expected `(\w+)` of length (?:(>=|<=) )?(\d+)"), _length),
    (re.compile(r"Invalid (?:enum )?value (.*)", re.DOTALL), _value),
    (
        re.compile(r"Expected `str` matching regex .*", re.DOTALL),
        lambda _: "does not have the form that is asked for",
    ),
    (re.compile(r"Number out of range"), lambda _: "is too large a number"),
)


def _place(path: str) -> str:
    inside = path.removeprefix("$").removeprefix(".").replace("[...]", "")
    return re.sub(r"\[(\d+)\]", lambda match: f"[{int(match[1]) + 1}]", inside)


def _within(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name

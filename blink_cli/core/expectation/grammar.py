"""Reads expectations.

    expectation = [ "not" ] figure [ "(" subject ")" ] [ comparison quantity | "within" time ] [ "from" time ] [ "to" time ]
    figure      = name [ "_" statistic ]          pesq, delay_p95, level_mean
    statistic   = "mean" | "median" | "min" | "max" | "p" number
    subject     = who [ "->" who ]                whose voice, at whose ear; one alone is whose voice
    who         = name | '"' any text '"' | "*"
    comparison  = "<" | "<=" | ">" | ">=" | "==" | "!="
    quantity    = number unit                     1%, 120ms, -30dB, 32kb/s; scores and counts have no unit

For example `pesq(alice->bob) > 4`, `delay_p95 < 120ms from 10s`, `talking(bob) within 200ms`, `not heard(alice) from 5s to 8s`.
"""

import difflib
import re
from collections.abc import Mapping
from typing import Final, NoReturn

from blink_cli.core.errors import UsageError
from blink_cli.core.expectation.expectation import Comparison, Expectation, Statistic, Subject, Window
from blink_cli.core.expectation.quantity import NUMBER, UNIT, UNITS, Kind, example, with_unit
from blink_cli.core.expectation.vocabulary import FIGURES, MOST_STATISTICS, Figure

LONGEST_TEXT: Final = 500
"""Characters. More is no expectation."""

_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"[^\W\d]\w*(?:\.\d+)?")
_COMPARISON = re.compile(r"[<>=!≤≥]+")
_QUANTITY = re.compile(rf"({NUMBER})\s*({UNIT})?")
_QUOTED = re.compile(r'"([^"]*)"')
_BARE_NAME = re.compile(r'(?:(?!->)[^\s()"→])+')
_ARROW = re.compile(r"->|→")
_STATISTIC = re.compile(r"(.+)_(mean|median|min|max|p\d+(?:\.\d+)?)")

_SPELLINGS: Final[dict[str, Comparison]] = {
    "<": "<", "<=": "<=", "≤": "<=", ">": ">", ">=": ">=", "≥": ">=", "==": "==", "=": "==", "!=": "!=",
}  # fmt: skip

_NAMED_PERCENTILES: Final = {"min": 0.0, "median": 50.0, "max": 100.0}


def parse(text: str, words: Mapping[str, Figure] = FIGURES, *, windows: bool = True) -> Expectation:
    """Read one expectation.

    Args:
        text: What somebody wrote.
        words: The figures that can be evaluated here.
        windows: Whether `from` and `to` can be evaluated here.

    Raises:
        UsageError: It cannot be read; the sentence says where, the hint what is possible.

    """
    if len(text) > LONGEST_TEXT:
        raise UsageError(
            f"An expectation of {len(text)} characters is too long.",
            hint=f"Write several, of at most {LONGEST_TEXT} characters.",
        )
    return _Reader(text.strip(), words, windows=windows).expectation()


class _Reader:
    def __init__(self, text: str, words: Mapping[str, Figure], *, windows: bool) -> None:
        self._text = text
        self._words = words
        self._windows = windows
        self._at = 0

    def expectation(self) -> Expectation:
        negated = self._takes_word("not")
        figure, statistic = self._figure()
        subject = self._subject(figure)
        comparison, limit = self._demand(figure, negated=negated)
        window = self._window()
        self._skip_space()
        if self._at < len(self._text):
            self._fail(
                f"{self._next()} is not understood.",
                hint="An expectation ends behind its value, or with `from 5s to 8s`.",
            )
        return Expectation(self._text, figure, statistic, subject, comparison, limit, negated, window)

    # parts

    def _figure(self) -> tuple[Figure, Statistic | None]:
        word = self._match(_WORD)
        if word is None:
            self._fail(f"a figure should stand here, not {self._next()}.", hint=f"There are {self._known()}.")
        name = word[0]
        if name in self._words:
            return self._words[name], None
        split = _STATISTIC.fullmatch(name)
        if split is None or split[1] not in self._words:
            self._unknown(name if split is None else split[1])
        figure = self._words[split[1]]
        if not figure.is_series:
            raise UsageError(
                f"{self._quoted()}: `{figure.name}` is one value, so it has no `_{split[2]}`.",
                hint=f"Write `{figure.name}`. These are series: {self._known(series=True)}.",
            )
        return figure, self._statistic(split[2])

    def _statistic(self, name: str) -> Statistic:
        if name == "mean":
            return Statistic(name, None)
        percentile = _NAMED_PERCENTILES.get(name)
        if percentile is None:
            percentile = float(name[1:])
            if not 0 <= percentile <= 100:
                raise UsageError(
                    f"{self._quoted()}: a percentile of {name[1:]} does not exist.", hint="Write p0 to p100."
                )
        return Statistic(name, percentile)

    def _subject(self, figure: Figure) -> Subject:
        if not self._takes("("):
            return Subject()
        if not figure.of_pairs:
            self._fail(
                f"`{figure.name}` is the whole call's.", hint=f"Write `{figure.name}` without parentheses."
            )
        speaker = self._who()
        listener = self._who() if self._match(_ARROW) is not None else None
        if not self._takes(")"):
            self._fail(
                f"`)` should stand here, not {self._next()}.", hint="Write `(alice)` or `(alice->bob)`."
            )
        return Subject(speaker, listener)

    def _who(self) -> str | None:
        found = self._match(_QUOTED)
        if found is not None:
            return found[1]
        found = self._match(_BARE_NAME)
        if found is None:
            self._fail(
                f"a name should stand here, not {self._next()}.",
                hint='Write `(alice->bob)`; `*` is everyone; names with spaces stand in `"`.',
            )
        return None if found[0] == "*" else found[0]

    def _demand(self, figure: Figure, *, negated: bool) -> tuple[Comparison | None, float | None]:
        if figure.kind is Kind.HAPPENING:
            if self._takes_word("within"):
                within_s = self._quantity(Kind.TIME)
                if within_s < 0:
                    raise UsageError(
                        f"{self._quoted()}: nothing happens within less than no time.",
                        hint=f"Write `{figure.name} within 200ms`.",
                    )
                return None, within_s
            if self._match(_COMPARISON) is not None:
                raise UsageError(
                    f"{self._quoted()}: `{figure.name}` happens or not, and is not compared.",
                    hint=f"Write `{figure.name}`, `not {figure.name}` or `{figure.name} within 200ms`.",
                )
            return None, None
        if negated:
            raise UsageError(
                f"{self._quoted()}: `not` stands before what happens, such as `heard`, and `{figure.name}` is a figure.",
                hint="Turn the comparison round instead.",
            )
        found = self._match(_COMPARISON)
        comparison = None if found is None else _SPELLINGS.get(found[0])
        if found is None or comparison is None:
            seen = self._next() if found is None else f"`{found[0]}`"
            self._fail(
                f"a comparison should stand here, not {seen}.",
                hint=f"Write `{figure.name} < {example(figure.kind)}`; there are <, <=, >, >=, == and !=.",
            )
        return comparison, self._quantity(figure.kind)

    def _quantity(self, kind: Kind) -> float:
        found = self._match(_QUANTITY)
        if found is None:
            self._fail(
                f"a {kind} should stand here, not {self._next()}.",
                hint=f"Write a number such as {example(kind)}.",
            )
        number, unit = float(found[1]), found[2] or ""
        if unit in ("from", "to") and "" in UNITS[kind]:
            self._at = found.end(1)  # `pesq > 4 from 10s`
            unit = ""
        try:
            return with_unit(number, unit, kind)
        except UsageError as error:
            raise UsageError(f"{self._quoted()}: {error.message}", hint=error.hint) from None

    def _window(self) -> Window:
        start_s = self._quantity(Kind.TIME) if self._takes_word("from") else None
        end_s = self._quantity(Kind.TIME) if self._takes_word("to") else None
        window = Window(start_s, end_s)
        if not window.is_all and not self._windows:
            raise UsageError(
                f"{self._quoted()}: what is looked at here is now, without `from` and `to`.",
                hint="Leave them out.",
            )
        if start_s is not None and end_s is not None and end_s <= start_s:
            raise UsageError(
                f"{self._quoted()}: the time from {start_s:g} s to {end_s:g} s is empty.",
                hint="Write the earlier moment first.",
            )
        return window

    # letters

    def _skip_space(self) -> None:
        found = _SPACE.match(self._text, self._at)
        assert found is not None, "it matches nothing too"
        self._at = found.end()

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        self._skip_space()
        found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
        return found

    def _takes(self, sign: str) -> bool:
        return self._match(re.compile(re.escape(sign))) is not None

    def _takes_word(self, word: str) -> bool:
        return self._match(re.compile(rf"{word}\b")) is not None

    # complaints

    def _quoted(self) -> str:
        return f"`{self._text}`"

    def _next(self) -> str:
        rest = self._text[self._at :].split()
        return f"`{rest[0]}`" if rest else "the end"

    def _fail(self, what: str, *, hint: str) -> NoReturn:
        behind = self._text[: self._at].rstrip()
        where = f", behind `{behind}`" if behind else ""
        raise UsageError(f"{self._quoted()}{where}: {what}", hint=hint)

    def _unknown(self, name: str) -> NoReturn:
        close = difflib.get_close_matches(name, self._words, n=1)
        known = name in FIGURES
        problem = f"`{name}` cannot be told here" if known else f"there is no figure `{name}`"
        guess = f"Did you mean `{close[0]}`? " if close else ""
        raise UsageError(f"{self._quoted()}: {problem}.", hint=f"{guess}There are {self._known()}.")

    def _known(self, *, series: bool = False) -> str:
        names = [name for name, figure in self._words.items() if figure.is_series or not series]
        endings = "" if series else f"; behind series stands one of _{', _'.join(MOST_STATISTICS)}"
        has_series = any(figure.is_series for figure in self._words.values())
        return ", ".join(names) + (endings if has_series else "")

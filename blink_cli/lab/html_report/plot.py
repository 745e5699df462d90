"""One plot over time, as SVG whose text keeps its size on every screen.

| labels | time, as wide as the page |      labels and ticks stand at per cent of the width;
|  64 px |  0 s          ...   20 s  |      lines and bars are an SVG within, stretched to it: x in ms, y in px
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from blink_cli.lab.html_report.happenings import Happenings
from blink_cli.lab.html_report.markup import Node, added, element, number

LABELS_PX: Final = 64
_TICKS_PX: Final = 17
_PAD_PX: Final = 5
"""Above what is drawn, so that a label at the top is whole."""

LANE_PX: Final = 16

_STEPS: Final = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """What plots beside each other have in common."""

    duration_s: float
    happenings: Happenings


@dataclass(frozen=True, slots=True)
class Scale:
    """The values of a plot, from below to above."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]

    def y_px(self, value: float, height_px: float) -> float:
        """Return how far below the top a value stands."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return height_px * (1 - share)


def scale_from_zero(highest: float, least: float) -> Scale:
    """Return a scale that holds 0 and the highest value, with three ticks or four; it goes up to `least` at least."""
    high = max(highest, least)
    step = _step(high / 3)
    top = step * math.ceil(high / step - 1e-9)
    count = round(top / step)
    return Scale(0.0, top, tuple((place * step, f"{place * step:g}") for place in range(count + 1)))


def _step(wanted: float) -> float:
    power: float = 10.0 ** math.floor(math.log10(wanted))
    return next(step * power for step in _STEPS if step * power >= wanted * 0.999)


def plot(
    axis: TimeAxis,
    scale: Scale,
    height_px: int,
    drawn: Iterable[Node],
    *,
    key: str,
    title: str,
    unit: str,
    about: str,
) -> Node:
    """Return a plot.

    Args:
        axis: Its time.
        scale: Its values.
        height_px: Of what is drawn.
        drawn: Elements in x ms and y px, which are stretched to the width.
        key: For scripts and styles.
        title: What it shows.
        unit: Of the values; may be empty.
        about: One sentence for people who see such a plot for the first time.

    """
    labels = (
        element(
            "text", text, x=LABELS_PX - 6, y=scale.y_px(value, height_px) + _PAD_PX + 4, text_anchor="end"
        )
        for value, text in scale.ticks
    )
    lines = (
        element(
            "line",
            x1="0",
            x2="100%",
            y1=scale.y_px(value, height_px) + _PAD_PX,
            y2=scale.y_px(value, height_px) + _PAD_PX,
            class_="grid",
        )
        for value, _ in scale.ticks
    )
    return _figure(
        axis, height_px, labels, lines, drawn, key=key, title=title, unit=unit, about=about, scale=scale
    )


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of a plot of happenings."""

    label: str
    drawn: tuple[Node, ...]
    """As of `stretch`, in the lane's own coordinates: y from 0 to `LANE_PX`."""

    over: tuple[Node, ...] = ()
    """The same at per cent of the width, not stretched: texts."""


def lanes(axis: TimeAxis, rows: Sequence[Lane], *, key: str, title: str, about: str) -> Node:
    """Return a plot of rows: in each something was so from a moment to another."""
    height_px = LANE_PX * len(rows)
    labels = (
        element("text", row.label, x=LABELS_PX - 6, y=place * LANE_PX + _PAD_PX + 12, text_anchor="end")
        for place, row in enumerate(rows)
    )
    lines = (
        element("line", x1="0", x2="100%", y1=y, y2=y, class_="grid")
        for y in (place * LANE_PX + _PAD_PX for place in range(len(rows) + 1))
    )
    drawn = (
        element("g", *row.drawn, transform=f"translate(0 {place * LANE_PX})", data_lane=row.label)
        for place, row in enumerate(rows)
    )
    over = (
        element("g", *row.over, transform=f"translate(0 {place * LANE_PX + _PAD_PX})")
        for place, row in enumerate(rows)
        if row.over
    )
    return _figure(
        axis, height_px, labels, lines, drawn, over=over, key=key, title=title, unit="", about=about
    )


def _figure(
    axis: TimeAxis,
    height_px: int,
    labels: Iterable[Node],
    lines: Iterable[Node],
    drawn: Iterable[Node],
    *,
    key: str,
    title: str,
    unit: str,
    about: str,
    scale: Scale | None = None,
    over: Iterable[Node] = (),
) -> Node:
    whole_px = height_px + _TICKS_PX + _PAD_PX
    inner = element(
        "svg",
        *drawn,
        y=_PAD_PX,
        width="100%",
        height=height_px,
        viewBox=f"0 0 {number(1000 * axis.duration_s)} {height_px}",
        preserveAspectRatio="none",
        data_low=None if scale is None else repr(scale.low),
        data_high=None if scale is None else repr(scale.high),
        data_unit=unit,
    )
    area = element(
        "svg",
        class_="area",
        width="100%",
        height=whole_px,
        data_plot=key,
        role="img",
        aria_label=f"{title}. {about}",
    )
    added(area, _bands(axis, height_px))
    added(area, lines)
    added(area, _marks(axis, height_px))
    area.append(inner)
    added(area, over)
    added(area, _time_ticks(axis, height_px))
    return element(
        "figure",
        element(
            "figcaption",
            element("b", title),
            element("span", f" ({unit})" if unit else "", class_="unit"),
            element("span", f" {about}", class_="about"),
        ),
        element(
            "div",
            element("svg", *labels, class_="labels", width=LABELS_PX, height=whole_px, aria_hidden="true"),
            area,
            class_="frame",
        ),
        class_="plot",
    )


def x_of(axis: TimeAxis, at_s: float) -> str:
    """Return a moment as a share of the width."""
    return f"{number(100 * at_s / axis.duration_s)}%"


def _time_ticks(axis: TimeAxis, height_px: int) -> Iterable[Node]:
    step = _step(axis.duration_s / 5)
    for place in range(int(axis.duration_s / step + 1e-9) + 1):
        at_s = place * step
        near_end = at_s > 0.96 * axis.duration_s
        yield element(
            "text",
            f"{at_s:g} s",
            x=x_of(axis, at_s),
            y=height_px + _TICKS_PX + _PAD_PX - 4,
            text_anchor="start" if place == 0 else "end" if near_end else "middle",
            class_="tick",
        )


def _bands(axis: TimeAxis, height_px: int) -> Iterable[Node]:
    for one in axis.happenings.stretches:
        yield element(
            "rect",
            element("title", f"{one.about}, {one.start_s:g} to {one.end_s:g} s"),
            x=x_of(axis, one.start_s),
            width=x_of(axis, one.end_s - one.start_s),
            y=_PAD_PX,
            height=height_px,
            class_=f"band {one.kind}",
        )


def _marks(axis: TimeAxis, height_px: int) -> Iterable[Node]:
    for one in axis.happenings.moments:
        at = x_of(axis, one.at_s)
        yield element(
            "line",
            element("title", "; ".join(one.texts)),
            x1=at,
            x2=at,
            y1=_PAD_PX,
            y2=height_px + _PAD_PX,
            class_="mark",
        )


# what is drawn


def line(
    series: Sequence[tuple[float, float]], scale: Scale, height_px: int, *, class_: str, longest_gap_s: float
) -> Node:
    """Draw values as a line, broken where none is known for so long."""
    words: list[str] = []
    before_s: float | None = None
    for at_s, value in series:
        goes_on = before_s is not None and at_s - before_s <= longest_gap_s
        place = f"{number(1000 * at_s)} {number(scale.y_px(value, height_px))}"
        # A value by itself is a line of no length, which round ends make a dot.
        words.append(f"L{place}" if goes_on else f"M{place}h0")
        before_s = at_s
    return element("path", d="".join(words), class_=f"line {class_}")


def bars(
    values: Sequence[tuple[float, float, str]], scale: Scale, height_px: int, *, class_: str, width_s: float
) -> list[Node]:
    """Draw a bar for each [moment at its left edge, value, text]."""
    return [
        element(
            "rect",
            element("title", text),
            x=1000 * (at_s + 0.04 * width_s),
            width=920 * width_s,
            y=scale.y_px(value, height_px),
            height=max(height_px - scale.y_px(value, height_px), 0.0),
            class_=f"bar {class_}",
            data_text=text,
        )
        for at_s, value, text in values
    ]


def stretches(spans: Iterable[tuple[float, float]], *, class_: str, text: str) -> Node:
    """Draw boxes in a lane, from second to second; `text` says what they are."""
    boxes = "".join(
        f"M{number(1000 * start_s)} 3h{number(max(1000 * (end_s - start_s), 1.0))}v10h-{number(max(1000 * (end_s - start_s), 1.0))}z"
        for start_s, end_s in spans
    )
    return element("path", element("title", text), d=boxes, class_=f"box {class_}", data_text=text)

"""Who heard whom, and how: three tables with a row for each who speaks and a column for each who hears."""

from collections.abc import Sequence
from typing import Final

from blink_cli.lab.html_report.format import VoiceFigure, figure_of, shown
from blink_cli.lab.html_report.markup import Node, element
from blink_cli.lab.verdict.report import CaseResult, PairResult

WORST: Final = 5

_STEPS: Final[dict[str, tuple[float, ...]]] = {
    "pesq_wb": (4.2, 3.8, 3.4, 3.0, 2.4),
    "delay_ms.median": (100, 150, 200, 300, 400),
    "loss": (0.002, 0.01, 0.03, 0.08, 0.15),
}
"""Where the next worse shade begins; of PESQ more is better."""

_TITLES: Final = {
    "pesq_wb": ("Quality", "PESQ: 4.64 is perfect, below 3 one must listen hard"),
    "delay_ms.median": ("Delay", "from mouth to ear, median; above 150 ms one notices"),
    "loss": ("Lost", "packets that the network lost"),
}


def shade(key: str, value: float) -> int:
    """Return how bad a figure is, from 0 to `WORST`."""
    steps = _STEPS[key]
    if steps[0] > steps[-1]:
        return sum(1 for step in steps if value < step)
    return sum(1 for step in steps if value > step)


def matrices(case: CaseResult, place: str) -> Node:
    """Return the tables; `place` begins the identifiers of the case's voices."""
    voices = {(pair.speaker, pair.listener): pair for pair in case.pairs}
    names = [person.name for person in case.participants]
    return element(
        "div",
        *(_matrix(figure_of(key), names, voices, place) for key in _STEPS),
        class_="matrices",
    )


def _matrix(
    figure: VoiceFigure, names: Sequence[str], voices: dict[tuple[str, str], PairResult], place: str
) -> Node:
    title, about = _TITLES[figure.key]
    head = element(
        "tr",
        element("th", element("small", "speaks ↓ hears →"), scope="col"),
        *(element("th", name, scope="col") for name in names),
    )
    rows = (
        element(
            "tr",
            element("th", speaker, scope="row"),
            *(_cell(figure, voices.get((speaker, listener)), place) for listener in names),
        )
        for speaker in names
    )
    return element(
        "div",
        element(
            "table",
            element("caption", element("b", title), f" {about}"),
            element("thead", head),
            element("tbody", *rows),
            class_="matrix",
            data_matrix=figure.key,
        ),
        class_="scroll",
    )


def _cell(figure: VoiceFigure, pair: PairResult | None, place: str) -> Node:
    if pair is None:
        return element("td", class_="self")
    value = figure.value(pair)
    return element(
        "td",
        element("a", shown(figure, pair), href=f"#{voice_place(place, pair)}"),
        class_="unknown" if value is None else f"shade{shade(figure.key, value)}",
        data_speaker=pair.speaker,
        data_listener=pair.listener,
    )


def voice_place(place: str, pair: PairResult) -> str:
    """Return the identifier of a voice on the page."""
    return f"{place}-{pair.speaker}-{pair.listener}"

"""The whole page: an overview, and each case with its matrix, its voices and their plots."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from blink_cli.lab.envelopes import Samples
from blink_cli.lab.html_report.format import FIGURES, PICTURE_FIGURES, UNKNOWN, figure_of, seconds, shown
from blink_cli.lab.html_report.happenings import happenings
from blink_cli.lab.html_report.markup import Node, element, table_of
from blink_cli.lab.html_report.matrix import matrices, voice_place
from blink_cli.lab.html_report.page_frame import asset, whole_page
from blink_cli.lab.html_report.plot import Scale, TimeAxis, plot
from blink_cli.lab.html_report.sounds import PICTURE_HZ, PICTURE_ROWS, encoded, picture, sound_uri
from blink_cli.lab.html_report.voice_plots import (
    ACTIONS,
    CULPRITS,
    REASONS,
    done_plot,
    measured_plots,
    picture_plots,
    playout_plots,
)
from blink_cli.lab.verdict.report import CaseResult, LabReport, Outcome, PairResult
from blink_cli.record.rtp_log.decision_lines import DecisionLine

MOST_SOUND_BYTES: Final = 12 << 20
"""Of all sounds of a page together, as Ogg Opus: some half an hour. With more a browser takes long to open it."""

MOST_VOICES: Final = 120
"""That have plots and pictures, some 100 kB each."""

OPEN_VOICES: Final = 6
"""A case of more shows its voices closed, but for those of which an expectation failed."""

_MARKS: Final[dict[Outcome, str]] = {"passed": "✓ passed", "failed": "✗ failed", "skipped": "- skipped"}

_PICTURES: Final = Scale(0.0, PICTURE_HZ / 1000, tuple((float(khz), str(khz)) for khz in (0, 2, 4, 6, 8)))


class RunFiles(Protocol):
    """What was kept of a run beside its report."""

    def sound(self, name: str) -> Samples:
        """Read a WAV file, at 48 kHz."""
        ...

    def decisions(self, name: str) -> list[DecisionLine]:
        """Read a decision log."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """A page and what is not in it."""

    content: bytes
    sounds: int
    sounds_left_out: int
    voices_left_out: int
    """That have figures alone."""


def html_page(report: LabReport, files: RunFiles, progress: Callable[[float], None]) -> Page:
    """Make the page.

    Args:
        report: What was found.
        files: What was kept beside it.
        progress: Told how far it is.

    Raises:
        OSError: A file cannot be read.
        DeviceError: There is no libopus.

    """
    return _Page(report, files, progress).page()


class _Page:
    def __init__(self, report: LabReport, files: RunFiles, progress: Callable[[float], None]) -> None:
        self._report = report
        self._files = files
        self._progress = progress
        self._sound_bytes = 0
        self._sounds = self._sounds_left_out = 0
        self._voices = self._voices_left_out = 0
        self._said: dict[str, str | None] = {}
        """Addresses of sounds by the name of their files."""

        self._pictures: dict[str, str] = {}

    def page(self) -> Page:
        report = self._report
        # What failed comes first where not everything has room.
        in_order = sorted(range(len(report.cases)), key=lambda place: report.cases[place].outcome != "failed")
        sections: dict[int, Node] = {}
        for done, place in enumerate(in_order, 1):
            sections[place] = self._case(report.cases[place], f"case{place + 1}")
            self._progress(done / len(in_order))
        content = whole_page(
            f"{_MARKS[report.outcome]}: blink lab",
            element(
                "main",
                self._overview(),
                *(sections[place] for place in range(len(report.cases))),
                self._colophon(),
            ),
            element("script", asset("report.js")),
        )
        return Page(
            content,
            sounds=self._sounds,
            sounds_left_out=self._sounds_left_out,
            voices_left_out=self._voices_left_out,
        )

    # the overview

    def _overview(self) -> Node:
        report = self._report
        total = len(report.cases)
        return element(
            "header",
            element("h1", _badge(report.outcome), " blink lab"),
            element(
                "p",
                element(
                    "data",
                    str(report.cases_passed),
                    value=str(report.cases_passed),
                    data_figure="cases_passed",
                ),
                f" of {total} {'case' if total == 1 else 'cases'} passed. ",
                "Calls were made as a scenario says, on networks as bad as it says; this page shows what became of each voice.",
            ),
            element("p", "To repeat it: ", element("code", report.command)),
            table_of(
                ("Verdict", "Case"),
                ("Worst PESQ", "Longest delay, median", "Most lost", "Most made up"),
                (self._overview_row(place, case) for place, case in enumerate(report.cases, 1)),
                class_="overview",
            ),
        )

    def _overview_row(self, place: int, case: CaseResult) -> Node:
        worst = (
            _worst(case.pairs, "pesq_wb", min),
            _worst(case.pairs, "delay_ms.median", max),
            _worst(case.pairs, "loss", max),
            _worst(case.pairs, "concealed", max),
        )
        return element(
            "tr",
            element("td", _badge(case.outcome)),
            element("td", element("a", case.name, href=f"#case{place}")),
            *(element("td", text, class_="figure") for text in worst),
        )

    def _colophon(self) -> Node:
        versions = self._report.versions
        return element(
            "footer",
            element(
                "p",
                f"blink {versions.blink}, libopus {versions.libopus}, Python {versions.python}, numpy {versions.numpy}, {versions.platform}.",
            ),
            element(
                "p",
                "PESQ is ITU-T P.862.2, MOS the E-model of ITU-T G.107, jitter that of RFC 3550. ",
                "Sounds in this page are Ogg Opus of 56 kb/s; figures were computed of the sounds before that.",
            ),
        )

    # a case

    def _case(self, case: CaseResult, place: str) -> Node:
        blamed = _failed_voices(case)
        return element(
            "section",
            element("h2", _badge(case.outcome), f" {case.name}"),
            element("p", case.about) if case.about else None,
            element(
                "p",
                f"{_ENGINES.get(case.engine, case.engine)}, {seconds(case.duration_s)}, seed {case.seed}. To repeat it: ",
                element("code", case.command),
                class_="small",
            ),
            element("p", case.error, class_="error") if case.error is not None else None,
            *(element("p", f"Note: {note}", class_="note") for note in case.notes),
            _expectations(case),
            _people(case),
            element("h3", "Who heard whom") if case.pairs else None,
            matrices(case, place) if case.pairs else None,
            element(
                "p",
                "The more a field stands out, the worse it is. Choose one to see the voice over time.",
                class_="small",
            )
            if case.pairs
            else None,
            element("div", *(self._voice(case, pair, place, blamed) for pair in case.pairs), class_="voices"),
            id=place,
            data_case=case.name,
        )

    # a voice

    def _voice(self, case: CaseResult, pair: PairResult, place: str, blamed: set[str]) -> Node:
        name = f"{pair.speaker}->{pair.listener}"
        opened = len(case.pairs) <= OPEN_VOICES or name in blamed
        axis = TimeAxis(case.duration_s, happenings(case, pair.speaker, pair.listener))
        return element(
            "details",
            element(
                "summary",
                element("h3", f"{pair.speaker} → {pair.listener}"),
                element("span", f" what {pair.listener} heard of {pair.speaker}"),
                element("span", " an expectation failed", class_="failed") if name in blamed else None,
            ),
            _figures(pair),
            _happenings(axis, pair),
            *self._plots(case, pair, axis),
            id=voice_place(place, pair),
            class_="voice",
            open=opened,
            data_speaker=pair.speaker,
            data_listener=pair.listener,
            data_duration=repr(case.duration_s),
        )

    def _plots(self, case: CaseResult, pair: PairResult, axis: TimeAxis) -> Iterable[Node]:
        if self._voices >= MOST_VOICES:
            self._voices_left_out += 1
            yield element(
                "p",
                f"This page has plots of {MOST_VOICES} voices, and none of this one. Run its case alone to see them.",
                class_="note",
            )
            return
        self._voices += 1
        said_file = next(one.said_file for one in case.participants if one.name == pair.speaker)
        yield self._player(pair, said_file)
        yield done_plot(axis, pair)
        yield from measured_plots(axis, pair)
        if pair.pictures is not None:
            yield from picture_plots(axis, pair.pictures)
        if pair.decisions_file is not None:
            yield from playout_plots(axis, self._files.decisions(pair.decisions_file))
        yield _playout_table(pair)
        if said_file is not None and pair.heard_file is not None:
            yield self._picture(
                axis,
                said_file,
                key="said",
                title="Said",
                about=f"What the microphone of {pair.speaker} heard. Each dark patch is sound; high voices stand higher.",
            )
            yield self._picture(
                axis,
                pair.heard_file,
                key="heard",
                title="Heard",
                about=_heard_about(case, pair),
            )

    def _player(self, pair: PairResult, said_file: str | None) -> Node:
        return element(
            "div",
            element(
                "label",
                "Moment ",
                element(
                    "input", type="range", min="0", step="0.05", value="0", aria_label="Moment, in seconds"
                ),
            ),
            element("output", "", aria_live="polite"),
            self._audio("Said", said_file),
            self._audio("Heard", pair.heard_file),
            class_="player",
        )

    def _audio(self, title: str, name: str | None) -> Node:
        if name is None:
            return element("p", f"{title}: not kept.", class_="small")
        if name not in self._said:
            self._said[name] = self._sound_address(name)
        address = self._said[name]
        if address is None:
            return element(
                "p",
                f"{title}: left out, since this page holds {MOST_SOUND_BYTES >> 20} MiB of sound at most; it is {name} below the folder of --out.",
                class_="small",
            )
        return element(
            "div",
            element("span", title),
            element("audio", controls=True, preload="metadata", src=address, aria_label=title),
            class_="sound",
        )

    def _sound_address(self, name: str) -> str | None:
        if self._sound_bytes < MOST_SOUND_BYTES:
            ogg = encoded(self._files.sound(name))
            if self._sound_bytes + len(ogg) <= MOST_SOUND_BYTES:
                self._sound_bytes += len(ogg)
                self._sounds += 1
                return sound_uri(ogg)
        self._sounds_left_out += 1
        return None

    def _picture(self, axis: TimeAxis, name: str, *, key: str, title: str, about: str) -> Node:
        if name not in self._pictures:
            self._pictures[name] = picture(self._files.sound(name), axis.duration_s)
        drawn = element(
            "image",
            href=self._pictures[name],
            width=1000 * axis.duration_s,
            height=PICTURE_ROWS,
            preserveAspectRatio="none",
            class_="spectrogram",
        )
        return plot(axis, _PICTURES, PICTURE_ROWS, [drawn], key=key, title=title, unit="kHz", about=about)


_ENGINES: Final = {"virtual": "In virtual time", "real": "With real sessions"}


def _badge(outcome: Outcome) -> Node:
    return element("span", _MARKS[outcome], class_=f"badge {outcome}")


def _heard_about(case: CaseResult, pair: PairResult) -> str:
    if case.engine == "real" and len(case.participants) > 2:
        return f"All that came out of the loudspeaker of {pair.listener}, the others' voices too: a real one plays a mix."
    return f"What {pair.listener} heard. Holes and smears that are not above are the fault of the way."


def _worst(pairs: Sequence[PairResult], key: str, worst: Callable[[Iterable[float]], float]) -> str:
    figure = figure_of(key)
    values = [value for pair in pairs if (value := figure.value(pair)) is not None]
    return figure.text(worst(values)) if values else UNKNOWN


def _failed_voices(case: CaseResult) -> set[str]:
    return {
        finding.subject
        for one in case.expectations
        if one.outcome == "failed"
        for finding in one.findings
        if not finding.holds
    }


def _expectations(case: CaseResult) -> Node | None:
    if not case.expectations:
        return None
    rows = (
        element(
            "tr",
            element("td", _badge(one.outcome)),
            element("td", element("code", one.text)),
            element("td", one.measured),
            data_expectation=one.text,
        )
        for one in case.expectations
    )
    return table_of(("Verdict", "Expected", "Measured (the worst)"), (), rows, class_="expectations")


def _people(case: CaseResult) -> Node:
    told = "; ".join(
        f"{one.name}: voice {one.voice}, Opus {one.bitrate_bps / 1000:g} kb/s, {one.frame_ms:g} ms, copies {one.redundancy}, FEC {one.fec}"
        for one in case.participants
    )
    return element("p", f"{told}.", class_="small")


def _figures(pair: PairResult) -> Node:
    return element(
        "dl",
        *(
            element(
                "div",
                element("dt", figure.title),
                element("dd", shown(figure, pair)),
                title=figure.about,
            )
            for figure in (FIGURES if pair.pictures is None else FIGURES + PICTURE_FIGURES)
        ),
        class_="figures",
    )


def _happenings(axis: TimeAxis, pair: PairResult) -> Node:
    what = axis.happenings
    blamed = (
        element(
            "li",
            f"{max(one.at_s - 3.0, 0.0):g} to {one.at_s:g} s: {one.damage_ms:.0f} ms were damaged by ",
            element("b", CULPRITS.get(one.culprit, one.culprit)),
            f". {pair.listener}'s session says: {one.reason}.",
            data_culprit=one.culprit,
        )
        for one in pair.disturbances
    )
    steps = (
        element("li", f"{seconds(one.at_s)}: {'; '.join(one.texts)}.", value=str(one.number))
        for one in what.moments
    )
    return element(
        "div",
        element("p", f"The line {pair.speaker} → {pair.listener} at first: {what.at_first}."),
        element("ol", *steps) if what.moments else None,
        element("ul", *blamed, class_="blamed") if pair.disturbances else None,
        class_="small",
    )


def _playout_table(pair: PairResult) -> Node:
    known = {str(action): text for action, text in ACTIONS.items()} | {
        str(reason): text for reason, text in REASONS.items()
    }
    rows = (
        element(
            "tr",
            element("td", known.get(one.action, one.action)),
            element("td", known.get(one.reason, one.reason)),
            element("td", str(one.count), class_="figure"),
            element("td", f"{one.ms:.0f} ms" if one.ms else "", class_="figure"),
            data_action=one.action,
            data_reason=one.reason,
        )
        for one in pair.playout
    )
    return element(
        "details",
        element("summary", "What the playout did, counted"),
        table_of(("Done", "Since"), ("Times", "Sound"), rows),
        class_="counted",
    )

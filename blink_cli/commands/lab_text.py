"""What a run of the laboratory found, as lines of text and a table. Pure."""

from collections.abc import Sequence
from typing import Final

from blink_cli.api.documents import LabPage, LabScenarios
from blink_cli.commands.names_shown import counted
from blink_cli.commands.show.layout import Cell, Column, Table
from blink_cli.commands.show.styled import Line, Span, wrapped_lines
from blink_cli.core.identity.shown_name import printable
from blink_cli.core.text.path_text import shown
from blink_cli.lab.verdict.report import CaseResult, LabReport, PairResult, PicturesResult, Spread

_MARKS: Final = {
    "passed": ("passed", "green"),
    "failed": ("FAILED", "bold red"),
    "skipped": ("skipped", "dim"),
}
_WIDE: Final = 10_000


def case_lines(case: CaseResult, columns: int | None) -> list[Line]:
    """Say the verdict of a case, and of each of its expectations."""
    width = columns or _WIDE
    lines: list[Line] = []
    word, look = _MARKS[case.outcome]
    lines += _hung((Span(f"{word:7}  ", look),), f"{printable(case.name)}, {case.engine}", width)
    if case.error is not None:
        lines += _hung((Span(" " * 9),), printable(case.error), width)
    for one in case.expectations:
        word, look = _MARKS[one.outcome]
        lines += _hung(
            (Span(" " * 9), Span(f"{word:7}  ", look)), f"{one.text}: {printable(one.measured)}", width
        )
    for note in case.notes:
        lines += _hung((Span(" " * 9),), f"note: {printable(note)}", width)
    return lines


def _hung(head: tuple[Span, ...], text: str, width: int) -> list[Line]:
    taken = sum(len(span.text) for span in head)
    first, *rest = wrapped_lines(text, width - taken - 1, hang=2)
    return [(*head, *first), *((Span(" " * taken), *more) for more in rest)]


def pairs_table(cases: Sequence[CaseResult]) -> Table:
    """Show the figures of every voice at every listener."""
    several = len(cases) > 1
    rows = []
    for case in cases:
        for pair in case.pairs:
            name = f"{pair.speaker}->{pair.listener}"
            label = case.name if not case.label else case.label
            rows.append((Cell(f"{label} " if several else "", keep=name), *map(Cell, _figures(pair))))
    columns = (
        Column("voice", "name"),
        Column("pesq", right=True),
        Column("delay", right=True, rank=1),
        Column("p95", right=True, rank=3),
        Column("lost", right=True, rank=1),
        Column("late", right=True, rank=5),
        Column("fixed", right=True, rank=6),
        Column("conceal", right=True, rank=2),
        Column("jitter", right=True, rank=7),
        Column("gaps", right=True, rank=4),
        Column("talking", right=True, rank=5),
        Column("kb/s", right=True, rank=8),
    )
    return Table(columns, tuple(rows))


def _figures(pair: PairResult) -> tuple[str, ...]:
    return (
        _number(pair.pesq_wb, 2),
        _ms(pair.delay_ms, "median"),
        _ms(pair.delay_ms, "p95"),
        _percent(pair.loss),
        _percent(pair.late),
        _percent(pair.recovered),
        _percent(pair.concealed),
        _ms(pair.jitter_ms, "median"),
        str(len(pair.gaps)),
        "-" if pair.talking_after_ms is None else f"{pair.talking_after_ms:.0f} ms",
        "-" if pair.bitrate_bps is None else f"{pair.bitrate_bps / 1000:.1f}",
    )


def pictures_table(cases: Sequence[CaseResult]) -> Table | None:
    """Show the figures of everybody's pictures at everybody's screen; None where nobody shows any."""
    several = len(cases) > 1
    rows = [
        (
            Cell(f"{case.label or case.name} " if several else "", keep=f"{pair.speaker}->{pair.listener}"),
            *map(Cell, _picture_figures(pair.pictures)),
        )
        for case in cases
        for pair in case.pairs
        if pair.pictures is not None
    ]
    columns = (
        Column("pictures", "name"),
        Column("fps", right=True),
        Column("frozen", right=True),
        Column("delay", right=True, rank=1),
        Column("p95", right=True, rank=4),
        Column("ssim", right=True, rank=1),
        Column("psnr", right=True, rank=3),
        Column("sent", right=True, rank=5),
        Column("decoded", right=True, rank=6),
        Column("dropped", right=True, rank=5),
        Column("size", right=True, rank=7),
        Column("kb/s", right=True, rank=2),
    )
    return Table(columns, tuple(rows)) if rows else None


def _picture_figures(pictures: PicturesResult) -> tuple[str, ...]:
    size = pictures.frame_width, pictures.frame_height
    return (
        _number(pictures.frames_per_second, 1),
        f"{pictures.total_freezes_duration:.1f} s",
        "-" if pictures.delay_ms is None else f"{pictures.delay_ms.median:.0f} ms",
        "-" if pictures.delay_ms is None else f"{pictures.delay_ms.p95:.0f} ms",
        "-" if pictures.ssim is None else f"{pictures.ssim.mean:.3f}",
        "-" if pictures.psnr_db is None else f"{pictures.psnr_db.mean:.1f}",
        str(pictures.frames_sent),
        str(pictures.frames_decoded),
        str(pictures.frames_dropped),
        "-" if None in size else f"{size[0]}x{size[1]}",
        "-" if pictures.bitrate_bps is None else f"{pictures.bitrate_bps / 1000:.0f}",
    )


def scenarios_table(listed: LabScenarios) -> Table:
    """Show the scenarios that come with the program."""
    rows = (
        (
            Cell(one.name),
            Cell(str(one.cases)),
            Cell(str(one.participants)),
            Cell(f"{one.duration_s:g} s"),
            Cell(one.about),
        )
        for one in listed.scenarios
    )
    columns = (
        Column("scenario", "name"),
        Column("cases", right=True),
        Column("people", right=True, rank=1),
        Column("time", right=True, rank=2),
        Column("about", "words"),
    )
    return Table(columns, tuple(rows))


def page_text(page: LabPage) -> str:
    """Say what was written, and what had no room in it."""
    left_out = [
        counted(number, what)
        for number, what in ((page.sounds_left_out, "sound"), (page.voices_left_out, "voice"))
        if number
    ]
    text = f"{shown(page.path)}: {counted(page.cases, 'case')}, {page.bytes / 1e6:.1f} MB."
    return f"{text} Left out for want of room: {', '.join(left_out)}." if left_out else text


def total_text(report: LabReport) -> str:
    """Say how many cases passed."""
    parts = [counted(len(report.cases), "case"), f"{report.cases_passed} passed"]
    if report.cases_failed:
        parts.append(f"{report.cases_failed} failed")
    return ", ".join(parts)


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f} %"


def _ms(spread: Spread | None, which: str) -> str:
    return "-" if spread is None else f"{getattr(spread, which):.0f} ms"

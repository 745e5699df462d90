"""What `doctor` found, as lines of text and as a document. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from blink_cli.api.documents import CheckRow, DoctorReport
from blink_cli.commands.names_shown import counted
from blink_cli.commands.show.styled import Line, Span, line, wrapped_lines
from blink_cli.core.identity.shown_name import printable
from blink_cli.doctor.finding import Finding, Level

_MARKS: Final[dict[Level, tuple[str, str]]] = {
    "ok": ("ok", "green"),
    "warning": ("warning", "yellow"),
    "failed": ("FAILED", "bold red"),
    "unknown": ("-", "dim"),
}
"""Word and look of each level: the word alone tells it where there is no colour."""

_INDENT: Final = 2
_WIDE: Final = 10_000
"""Columns of a file: a line is as long as it is."""


def report_of(findings: Sequence[Finding]) -> DoctorReport:
    """Return the document."""
    return DoctorReport(
        checks=tuple(
            CheckRow(name=one.name, ok=one.ok, level=one.level, found=one.found, remedy=one.remedy)
            for one in findings
        )
    )


def doctor_lines(findings: Sequence[Finding], columns: int | None) -> list[Line]:
    """Say all findings, the remedy below what it is for, and how many are of which kind.

    Args:
        findings: In their order.
        columns: Of the terminal; None: no terminal.

    """
    return [*_listed(findings, columns or _WIDE), _total(findings)]


def _listed(findings: Sequence[Finding], columns: int) -> Iterator[Line]:
    marks = max(len(word) for word, _ in _MARKS.values())
    for one in findings:
        word, look = _MARKS[one.level]
        head = f"{word:{marks}}  "
        first, *rest = wrapped_lines(
            f"{printable(one.name)}: {printable(one.found)}", columns - len(head) - 1, hang=_INDENT
        )
        yield (Span(head, look), *first)
        indent = Span(" " * len(head))
        for more in rest:
            yield (indent, *more)
        if one.remedy is not None:
            for more in wrapped_lines(printable(one.remedy), columns - len(head) - _INDENT - 1):
                yield (indent, Span(" " * _INDENT), *more)


def _total(findings: Sequence[Finding]) -> Line:
    failures = sum(1 for one in findings if one.level == "failed")
    warnings = sum(1 for one in findings if one.level == "warning")
    parts = [counted(len(findings), "check")]
    if failures:
        parts.append(f"{failures} failed")
    if warnings:
        parts.append(counted(warnings, "warning"))
    text = ", ".join(parts) if len(parts) > 1 else f"{parts[0]}, nothing wrong"
    return line(text, "bold red" if failures else "")

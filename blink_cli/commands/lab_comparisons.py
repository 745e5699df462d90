"""The work behind `blink lab compare`."""

from collections.abc import Sequence
from pathlib import Path

from blink_cli.commands.report_files import write_report
from blink_cli.lab.comparison.comparing import compare
from blink_cli.lab.comparison.document import Comparison
from blink_cli.lab.html_report.comparison_page import comparison_page
from blink_cli.lab.verdict.kept_report import read_report


def comparison_of(a: Path, b: Path, allowed: Sequence[str]) -> Comparison:
    """Compare two reports that were kept. Raises as `read_report` and `compare`."""
    return compare(read_report(a), read_report(b), allowed=allowed)


def write_comparison_page(found: Comparison, a: Path, b: Path, html: Path) -> None:
    """Write it as one page of HTML. Raises as `write_report`."""
    write_report(html, comparison_page(found, str(a), str(b)))

"""The work behind `blink lab compare`."""

from collections.abc import Sequence
from pathlib import Path

from blink_cli.lab.comparison.comparing import compare
from blink_cli.lab.comparison.document import Comparison
from blink_cli.lab.verdict.kept_report import read_report


def comparison_of(a: Path, b: Path, allowed: Sequence[str]) -> Comparison:
    """Compare two reports that were kept. Raises as `read_report` and `compare`."""
    return compare(read_report(a), read_report(b), allowed=allowed)

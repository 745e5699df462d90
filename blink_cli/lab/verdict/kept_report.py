"""A report that was kept, read again."""

from pathlib import Path
from typing import Final

import msgspec

from blink_cli.core.errors import BlinkError, NotFoundError, UsageError
from blink_cli.core.text.decoding_mistake import mistake_of
from blink_cli.core.text.path_text import shown
from blink_cli.files.reading import read_whole
from blink_cli.lab.verdict.report import SCHEMA, LabReport

REPORT: Final = "report.json"
"""Its name in the folder of a run."""

_MOST_BYTES: Final = 1 << 30


def read_report(path: Path) -> LabReport:
    """Read a report, by its own name or by that of the folder that holds it.

    Raises:
        NotFoundError: There is none.
        UsageError: It is no report of this version.
        BlinkError: It cannot be read.

    """
    file = path / REPORT if path.is_dir() else path
    try:
        content = read_whole(file, _MOST_BYTES)
    except FileNotFoundError:
        raise NotFoundError(
            f"There is no {shown(file)}.", hint=f"`blink lab run … --out DIR` writes {REPORT} into DIR."
        ) from None
    except OSError as error:
        raise BlinkError(f"{shown(file)} cannot be read: {error.strerror or error}.") from error
    try:
        report = msgspec.json.decode(content, type=LabReport)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(
            f"{shown(file)} is no report of this version of blink: {mistake_of(error).sentence}.",
            hint="Make it again with `blink lab run … --out DIR`.",
        ) from error
    if report.schema != SCHEMA:
        raise UsageError(
            f"{shown(file)} has schema {report.schema}, and this version of blink reads {SCHEMA}.",
            hint="Make it again with `blink lab run … --out DIR`.",
        )
    return report

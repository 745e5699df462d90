"""Words in a CSV cell that no spreadsheet takes for a formula.

    =cmd|'/c calc'!A0     is written as     '=cmd|'/c calc'!A0

A spreadsheet runs what begins with one of a few letters, also behind spaces. An apostrophe in front makes it text; one that was there gets another, so that
every word comes back as it was. Numbers are never words.

Source: OWASP, "CSV Injection".
"""

from typing import Final

_APOSTROPHE: Final = "'"
_ACTIVE: Final = (*"=+-@\t\r\n＝＋－＠", _APOSTROPHE)  # noqa: RUF001 - full-width ones count for spreadsheets of East Asia


def as_cell(words: str) -> str:
    """What stands in the cell."""
    return _APOSTROPHE + words if _is_active(words) else words


def from_cell(cell: str) -> str:
    """What was meant."""
    behind = cell.removeprefix(_APOSTROPHE)
    return behind if behind != cell and _is_active(behind) else cell


def _is_active(words: str) -> bool:
    return words.startswith(_ACTIVE) or words.lstrip().startswith(_ACTIVE)

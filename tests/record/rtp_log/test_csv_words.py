"""Words of others in cells."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.record.rtp_log.csv_words import as_cell, from_cell
from blink_cli.record.rtp_log.format import COLUMNS, HEADER, LogEvent
from blink_cli.record.rtp_log.reader import RtpLogReader
from blink_cli.record.rtp_log.rows import LogRows, Remark

pytestmark = pytest.mark.no_clock

FORMULAS = ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "=cmd|'/c calc'!A0"]  # noqa: RUF001 - full-width


@given(st.text() | st.text("=+-@\t\r '").flatmap(lambda start: st.text().map(start.__add__)))
def test_every_word_comes_back_and_none_is_a_formula(words: str) -> None:
    cell = as_cell(words)
    assert from_cell(cell) == words
    assert not cell.lstrip(" ").startswith(tuple("=+-@\t\r"))


@pytest.mark.parametrize("words", ["call c0ffee00", "RED 63", "", "ann", "don't"])
def test_other_words_stay_as_they_are(words: str) -> None:
    assert as_cell(words) == words


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_note_of_a_log_is_a_formula(formula: str) -> None:
    rows = LogRows(0.0)
    rows.take(None, Remark(LogEvent.CALL_ENDED, 10.0, note=formula))
    (text,) = rows.finished(float("inf"))
    note = dict(zip(COLUMNS, next(csv.reader([text], strict=True)), strict=True))["note"]
    assert note == f"'{formula}"


@pytest.mark.parametrize("formula", [formula for formula in FORMULAS if formula.isascii()])
def test_rtp_analyze_gets_the_words_back(formula: str, tmp_path: Path) -> None:
    rows = LogRows(0.0)
    rows.take(None, Remark(LogEvent.CALL_ENDED, 10.0, note=formula))
    (tmp_path / "log.csv").write_bytes("\r\n".join([HEADER, *rows.finished(float("inf")), ""]).encode())
    (row,) = RtpLogReader(tmp_path / "log.csv")
    assert row.note == formula

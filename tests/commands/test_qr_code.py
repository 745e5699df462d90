"""A QR code in the terminal is the very code: each half of a cell is one module, with a quiet zone around."""

from dataclasses import replace
from pathlib import Path

import pytest
import segno

from blink_cli.broker.broker_folder import make_broker_folder
from blink_cli.commands import qr_code
from blink_cli.commands.output import Output
from blink_cli.commands.qr_code import qr_lines, show_qr
from blink_cli.core.api.invitation import qr_text, write_invitation
from blink_cli.core.identity.did import did_of

pytestmark = pytest.mark.no_clock

ANNA = did_of(bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))
TEXT = "blink-join:" + "lQHEIK3q" * 60
LIGHT = {" ": (False, False), "█": (True, True), "▀": (True, False), "▄": (False, True)}


def test_each_half_of_a_cell_is_a_module() -> None:
    rows: list[list[bool]] = []
    for line in qr_lines(TEXT):
        halves = [LIGHT[cell] for cell in line]
        rows += [[upper for upper, _ in halves], [lower for _, lower in halves]]
    matrix = segno.make(TEXT, error="l", boost_error=False, micro=False).matrix
    size, border = len(matrix), 4
    shown = [[not light for light in row[border : border + size]] for row in rows[border : border + size]]
    assert shown == [[bool(module) for module in row] for row in matrix]
    assert all(all(row) for row in rows[:border]), "a quiet zone, light, is around it"
    assert len(rows[0]) <= 120, "it fits a terminal of usual width"


@pytest.mark.parametrize(("spare", "is_drawn"), [(None, True), (0, True), (-1, False)])
def test_a_terminal_that_is_too_narrow_is_told_instead_of_a_broken_code(
    spare: int | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    is_drawn: bool,
) -> None:
    drawn = list(qr_lines(TEXT))
    width = len(drawn[0])
    monkeypatch.setattr(qr_code, "columns_of", lambda _: None if spare is None else width + spare)
    show_qr(Output(json=False, color=False, quiet=False), TEXT)
    shown = capsys.readouterr()
    assert shown.out.splitlines() == drawn * is_drawn
    assert (f"needs {width} columns" in shown.err) is not is_drawn


def test_the_invitation_of_a_person_and_a_broker_fits_a_terminal_of_80_columns(tmp_path: Path) -> None:
    made = make_broker_folder(tmp_path / "made", ["broker.example.org"], 4222)
    line = write_invitation(replace(made.invitation, did=ANNA, nickname="Anna Bräuer"))

    assert len(qr_lines(qr_text(line))[0]) <= 73

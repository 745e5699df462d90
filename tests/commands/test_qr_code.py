"""A QR code in the terminal is the very code: each half of a cell is one module, with a quiet zone around."""

import pytest
import segno

from blink_cli.commands.qr_code import qr_lines

pytestmark = pytest.mark.no_clock

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

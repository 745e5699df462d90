"""A level as a bar of text: ` -23 dBov [########......]  peak  -9`."""

from typing import Final

LOWEST_DBOV: Final = -66.0
CELLS: Final = 33
"""Two decibels each."""

FREE_CELLS: Final = 3
"""At the end of a line that is written over. A full line would go on to the next, and stay; Ctrl-C makes the terminal write `^C` there, which must fit too."""


def level_bar(level_dbov: float, peak_dbfs: float) -> str:
    """Return the bar of a level from -66 to 0 dBov, with a mark at the largest peak."""
    filled, mark = _cell(level_dbov), _cell(peak_dbfs)
    cells = ["#" if index < filled else "." for index in range(CELLS)]
    if mark > filled:
        cells[mark - 1] = "|"
    return f"{level_dbov:4.0f} dBov [{''.join(cells)}]  peak {peak_dbfs:4.0f}"


def _cell(level: float) -> int:
    share = (level - LOWEST_DBOV) / -LOWEST_DBOV
    return round(min(1.0, max(0.0, share)) * CELLS)

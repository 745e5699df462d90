"""A figure over time as a chart of text, for a terminal of any width. Pure. Letters that are one cell wide everywhere.

  0 |
-10 |        ##        :
-20 |   .   :###    .  #       one column: the loudest of its time
-30 |---#--:####:---#-:#:-     a line of dashes: the whole
-40 |  :#.######: :########
    +----------------------
     0:00      0:05    0:11
"""

import math
from collections.abc import Sequence
from typing import Final

LABEL_CELLS: Final = 6
_PARTS: Final = " .:#"
"""Of a cell: nothing, a third, two thirds, all."""


def chart(
    values: Sequence[float | None],
    *,
    duration_s: float,
    columns: int,
    rows: int,
    lowest: float,
    highest: float,
    mark: float | None = None,
) -> list[str]:
    """Draw values that stand at equal steps of time.

    Args:
        values: None where there is none, which is drawn as nothing.
        duration_s: From before the first to behind the last.
        columns: Of the terminal; the chart is no wider, and at least 20.
        rows: Of the chart, without the axis of time.
        lowest: What the bottom stands for; lower values are not seen.
        highest: What the top stands for; higher ones are drawn as high.
        mark: A value that is marked all along.

    """
    width = max(columns, 20) - LABEL_CELLS - 1
    heights = [_height(value, rows, lowest, highest) for value in _slices(values, width)]
    marked = None if mark is None or not lowest <= mark <= highest else _row_of(mark, rows, lowest, highest)
    lines = []
    for row in range(rows - 1, -1, -1):
        top = lowest + (highest - lowest) * (row + 1) / rows
        cells = "".join(_cell(height - row, dashed=row == marked) for height in heights)
        lines.append(f"{top:>{LABEL_CELLS - 1}.0f} |{cells}".rstrip())
    lines.append(f"{'':{LABEL_CELLS}}+{'-' * width}")
    lines.append(f"{'':{LABEL_CELLS}} {_times(duration_s, width)}")
    return lines


def _slices(values: Sequence[float | None], width: int) -> list[float | None]:
    """The largest value of each column."""
    if not values:
        return [None] * width
    found = []
    for column in range(width):
        first = column * len(values) // width
        last = max((column + 1) * len(values) // width, first + 1)
        known = [value for value in values[first:last] if value is not None]
        found.append(max(known, default=None))
    return found


def _height(value: float | None, rows: int, lowest: float, highest: float) -> float:
    """In rows, thirds and all."""
    if value is None or math.isnan(value):
        return 0.0
    share = min(max((value - lowest) / (highest - lowest), 0.0), 1.0)
    return round(share * rows * 3) / 3


def _row_of(value: float, rows: int, lowest: float, highest: float) -> int:
    return min(int((value - lowest) / (highest - lowest) * rows), rows - 1)


def _cell(height: float, *, dashed: bool) -> str:
    filled = _PARTS[min(max(round(height * 3), 0), 3)]
    return "-" if dashed and filled == " " else filled


def _times(duration_s: float, width: int) -> str:
    """Beginning and end, and what fits between; where whole seconds would be the same several times, with tenths and hundredths."""
    wanted = max(min(width // 16, 8), 1)
    step_s = duration_s / wanted
    decimals = 0 if step_s >= 1 else 1 if step_s >= 0.1 else 2
    text = ""
    for number in range(wanted + 1):
        at_s = step_s * number
        label = f"{at_s:.{decimals}f} s" if decimals else clock(at_s)
        place = min(round(width * number / wanted), width - len(label))
        if place >= len(text) + (number > 0):
            text = f"{text:<{place}}{label}"
    return text


def clock(seconds: float) -> str:
    """Minutes and seconds, and hours where there are some."""
    whole = int(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"

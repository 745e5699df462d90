"""A picture of a log: delay, jitter, loss and level over time, one line for each received stream.

Imports matplotlib, which takes half a second: only who plots imports this module. The Agg backend draws without a display.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.figure import Figure

from blink_cli.core.analysis.timeline import Moment
from blink_cli.files.writing import replacing

mpl.use("agg")

SIZE_INCHES: Final = (11.0, 9.0)
DOTS_PER_INCH: Final = 110

_ABSENT: Final = float("nan")


def plot(title: str, streams: Sequence[tuple[str, Sequence[Moment | None]]], out: Path) -> None:
    """Draw streams into a PNG; an existing file is replaced.

    Args:
        title: Above everything.
        streams: Name and seconds of each; None breaks its lines.
        out: Ends in .png; whoever calls has seen to it that nothing else is lost.

    Raises:
        OSError: It cannot be written.

    """
    figure = Figure(figsize=SIZE_INCHES, dpi=DOTS_PER_INCH, layout="constrained")
    delay, jitter, loss, level = figure.subplots(4, 1, sharex=True)
    for index, (name, moments) in enumerate(streams):
        color = f"C{index % 10}"
        times = _points(moments, lambda m: m.time_s)
        delay.plot(times, _points(moments, lambda m: m.buffer_delay_ms), color=color, label=name)
        delay.plot(times, _points(moments, lambda m: m.transit_ms), color=color, linestyle=":", linewidth=1.0)
        jitter.plot(times, _points(moments, lambda m: m.jitter_ms), color=color)
        loss.plot(times, _points(moments, lambda m: _percent(m.lost, m.expected)), color=color)
        loss.plot(
            times,
            _points(moments, lambda m: _percent(m.recovered, m.expected)),
            color=color,
            linestyle=":",
            linewidth=1.0,
        )
        level.plot(times, _points(moments, lambda m: m.level_dbov), color=color)
    delay.set_ylabel("delay, ms")
    delay.set_title("in the buffer; dotted: under way, beside the first packet", fontsize="small", loc="left")
    jitter.set_ylim(bottom=0)
    loss.set_ylim(bottom=0)
    jitter.set_ylabel("jitter, ms")
    jitter.set_title("RFC 3550", fontsize="small", loc="left")
    loss.set_ylabel("loss, %")
    loss.set_title("on the way; dotted: recovered", fontsize="small", loc="left")
    level.set_ylim(-80, 0)  # quieter is silence; and a steady tone is a straight line
    level.set_ylabel("level, dBov")
    level.set_xlabel("time, s")
    for axes in (delay, jitter, loss, level):
        axes.grid(visible=True, alpha=0.3)
    if streams:
        delay.legend(loc="upper right", fontsize="small")
    figure.suptitle(title, parse_math=False)
    with replacing(out) as file:
        figure.savefig(file, format="png")


def _points(moments: Sequence[Moment | None], figure: Callable[[Moment], float | None]) -> list[float]:
    values = (None if moment is None else figure(moment) for moment in moments)
    return [_ABSENT if value is None else value for value in values]


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole > 0 else 0.0

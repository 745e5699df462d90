"""A picture of loudness over time. Imports matplotlib, which takes half a second: only who plots imports this module."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.figure import Figure

from blink_cli.codec.options import LoudnessMethod
from blink_cli.codec.sound_writer import unwritable
from blink_cli.files.writing import replacing

mpl.use("agg")

SIZE_INCHES: Final = (11.0, 5.0)
DOTS_PER_INCH: Final = 110
LOWEST: Final = -70

_WORDS: Final[dict[LoudnessMethod, tuple[str, str, str, str]]] = {
    "bs1770": ("loudness, LUFS", "momentary", "short-term", "integrated"),
    "rms": ("RMS, dBFS", "0.1 s", "0.4 s", "all"),
}


def draw(
    title: str,
    method: LoudnessMethod,
    lines: tuple[Sequence[float], Sequence[float]],
    whole: float | None,
    out: Path,
) -> None:
    """Draw readings of every 0.1 s into a PNG; an existing file is replaced.

    Args:
        title: Above it.
        method: What they are.
        lines: The quick ones and the slow ones; NaN where there is none.
        whole: One for all.
        out: Where to.

    Raises:
        BlinkError: It cannot be written.

    """
    unit, quick, slow, all_of_it = _WORDS[method]
    figure = Figure(figsize=SIZE_INCHES, dpi=DOTS_PER_INCH, layout="constrained")
    axes = figure.subplots()
    times = [0.1 * (number + 1) for number in range(len(lines[0]))]
    axes.plot(times, lines[0], linewidth=0.8, alpha=0.6, label=quick)
    axes.plot(times, lines[1], label=slow)
    if whole is not None:
        axes.axhline(whole, linestyle=":", color="black", label=f"{all_of_it} {whole:.1f}")
    axes.set_ylim(LOWEST, 0)
    axes.set_ylabel(unit)
    axes.set_xlabel("time, s")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(loc="lower right", fontsize="small")
    figure.suptitle(title, parse_math=False)
    try:
        with replacing(out) as file:
            figure.savefig(file, format="png")
    except OSError as failure:
        raise unwritable(out, failure) from failure

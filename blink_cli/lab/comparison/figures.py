"""Which figures of a report are compared, and which direction is better."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from blink_cli.lab.verdict.report import PairResult, spread_value

Better = Literal["higher", "lower", "neither"]


@dataclass(frozen=True, slots=True)
class ComparedFigure:
    """One figure of a voice at an ear."""

    name: str
    """As `--allow` takes it."""

    better: Better
    least: float
    """What single runs differ by is taken to be no less than this: a figure that is counted in steps, or hardly differs, is not known better than so."""

    value: Callable[[PairResult], float | None]
    factor: float = 1.0
    """From the report's unit to the one that is shown."""

    unit: str = ""
    digits: int = 2


FIGURES: Final = (
    ComparedFigure("pesq", "higher", 0.02, lambda pair: pair.pesq_wb),
    ComparedFigure("mos", "higher", 0.02, lambda pair: pair.mos),
    ComparedFigure("delay", "lower", 1.0, spread_value("delay_ms", "median"), unit="ms", digits=1),
    ComparedFigure("delay_p95", "lower", 2.0, spread_value("delay_ms", "p95"), unit="ms", digits=1),
    ComparedFigure("level", "neither", 0.2, spread_value("level_dbfs", "median"), unit="dB", digits=1),
    ComparedFigure("loss", "lower", 0.002, lambda pair: pair.loss, 100.0, "%"),
    ComparedFigure("late", "lower", 0.002, lambda pair: pair.late, 100.0, "%"),
    ComparedFigure("concealed", "lower", 0.002, lambda pair: pair.concealed, 100.0, "%"),
    ComparedFigure("gaps", "lower", 1.0, lambda pair: float(len(pair.gaps)), digits=1),
    ComparedFigure("talking", "lower", 10.0, lambda pair: pair.talking_after_ms, unit="ms", digits=1),
    ComparedFigure("bitrate", "lower", 500.0, lambda pair: pair.bitrate_bps, 0.001, "kb/s", 1),
)
"""What is recovered, and jitter, are not among them: the one is no good in itself, the other is the network's."""

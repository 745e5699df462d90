"""Which figures of a report are compared, and which direction is better."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from blink_cli.lab.verdict.report import PairResult, PicturesResult, Spread, spread_value

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


def _of_pictures(value: Callable[[PicturesResult], float | None]) -> Callable[[PairResult], float | None]:
    return lambda pair: None if pair.pictures is None else value(pair.pictures)


def _median(spread: Spread | None) -> float | None:
    return None if spread is None else spread.median


def _mean(spread: Spread | None) -> float | None:
    return None if spread is None else spread.mean


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
    ComparedFigure("fps", "higher", 0.2, _of_pictures(lambda pictures: pictures.frames_per_second), digits=1),
    ComparedFigure(
        "frozen", "lower", 0.05, _of_pictures(lambda pictures: pictures.total_freezes_duration), unit="s"
    ),
    ComparedFigure(
        "picture_delay",
        "lower",
        2.0,
        _of_pictures(lambda pictures: _median(pictures.delay_ms)),
        unit="ms",
        digits=1,
    ),
    ComparedFigure("ssim", "higher", 0.002, _of_pictures(lambda pictures: _mean(pictures.ssim)), digits=3),
    ComparedFigure(
        "psnr", "higher", 0.2, _of_pictures(lambda pictures: _mean(pictures.psnr_db)), unit="dB", digits=1
    ),
    ComparedFigure(
        "picture_bitrate",
        "neither",
        5000.0,
        _of_pictures(lambda pictures: pictures.bitrate_bps),
        0.001,
        "kb/s",
        0,
    ),
)
"""What is recovered, and jitter, are not among them: the one is no good in itself, the other is the network's."""

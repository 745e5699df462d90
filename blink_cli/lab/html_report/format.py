"""Figures as text, each in one way throughout the page, and which figures a voice has."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from blink_cli.lab.html_report.markup import Node, element
from blink_cli.lab.verdict.report import PairResult, PicturesResult, spread_value

UNKNOWN: Final = "-"


def score(value: float) -> str:
    """PESQ, MOS."""
    return f"{value:.2f}"


def milliseconds(value: float) -> str:
    """A delay."""
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def percent(share: float) -> str:
    """A share of 0 to 1."""
    return f"{100 * share:.1f} %"


def seconds(value: float) -> str:
    """A moment of the scenario."""
    return f"{value:g} s"


def bit_rate(value: float) -> str:
    """Of a stream."""
    return f"{value / 1000:.1f} kb/s"


def count(value: float) -> str:
    """How many."""
    return f"{value:.0f}"


def rate(value: float) -> str:
    """So many a second."""
    return f"{value:.1f}"


def likeness(value: float) -> str:
    """SSIM."""
    return f"{value:.3f}"


def decibels(value: float) -> str:
    """PSNR."""
    return f"{value:.1f} dB"


@dataclass(frozen=True, slots=True)
class VoiceFigure:
    """One figure of a voice at an ear, as it stands on the page."""

    key: str
    """As in report.json."""

    title: str
    about: str
    value: Callable[[PairResult], float | None]
    text: Callable[[float], str]


FIGURES: Final = (
    VoiceFigure(
        "pesq_wb", "PESQ", "sound quality, 1 (bad) to 4.64 (perfect)", lambda pair: pair.pesq_wb, score
    ),
    VoiceFigure(
        "mos",
        "MOS",
        "conversation quality, 1 to 4.5, of delay and made-up sound",
        lambda pair: pair.mos,
        score,
    ),
    VoiceFigure(
        "delay_ms.median",
        "Delay",
        "from mouth to ear, median",
        spread_value("delay_ms", "median"),
        milliseconds,
    ),
    VoiceFigure(
        "delay_ms.p95",
        "Delay, p95",
        "19 of 20 words are no later",
        spread_value("delay_ms", "p95"),
        milliseconds,
    ),
    VoiceFigure(
        "jitter_ms.median",
        "Jitter",
        "how unevenly packets come",
        spread_value("jitter_ms", "median"),
        milliseconds,
    ),
    VoiceFigure("loss", "Lost", "packets that the network lost", lambda pair: pair.loss, percent),
    VoiceFigure(
        "recovered",
        "Repaired",
        "packets whose sound came in another one",
        lambda pair: pair.recovered,
        percent,
    ),
    VoiceFigure("late", "Too late", "packets that came after their moment", lambda pair: pair.late, percent),
    VoiceFigure(
        "concealed", "Made up", "sound for which there was no packet", lambda pair: pair.concealed, percent
    ),
    VoiceFigure(
        "gaps",
        "Gaps",
        "silences of 40 ms or more that should not be",
        lambda pair: float(len(pair.gaps)),
        count,
    ),
    VoiceFigure(
        "talking_after_ms",
        "Talking shown",
        "so long after a word, at most",
        lambda pair: pair.talking_after_ms,
        milliseconds,
    ),
    VoiceFigure(
        "bitrate_bps", "Bit rate", "payload, copies included", lambda pair: pair.bitrate_bps, bit_rate
    ),
)
"""In the order of the page."""


def _of_pictures(value: Callable[[PicturesResult], float | None]) -> Callable[[PairResult], float | None]:
    return lambda pair: None if pair.pictures is None else value(pair.pictures)


PICTURE_FIGURES: Final = (
    VoiceFigure(
        "pictures.frames_per_second",
        "Pictures a second",
        "that were decoded",
        _of_pictures(lambda pictures: pictures.frames_per_second),
        rate,
    ),
    VoiceFigure(
        "pictures.total_freezes_duration",
        "Frozen",
        "so long pictures stood that should not",
        _of_pictures(lambda pictures: pictures.total_freezes_duration),
        seconds,
    ),
    VoiceFigure(
        "pictures.frames_dropped",
        "Dropped",
        "pictures that came and were not shown",
        _of_pictures(lambda pictures: pictures.frames_dropped),
        count,
    ),
    VoiceFigure(
        "pictures.delay_ms.median",
        "Picture delay",
        "from camera to screen, median",
        _of_pictures(lambda pictures: None if pictures.delay_ms is None else pictures.delay_ms.median),
        milliseconds,
    ),
    VoiceFigure(
        "pictures.ssim.mean",
        "SSIM",
        "how much shown pictures are like what the camera saw, to 1; mean",
        _of_pictures(lambda pictures: None if pictures.ssim is None else pictures.ssim.mean),
        likeness,
    ),
    VoiceFigure(
        "pictures.psnr_db.mean",
        "PSNR",
        "likewise, mean",
        _of_pictures(lambda pictures: None if pictures.psnr_db is None else pictures.psnr_db.mean),
        decibels,
    ),
    VoiceFigure(
        "pictures.bitrate_bps",
        "Picture bit rate",
        "payload that came",
        _of_pictures(lambda pictures: pictures.bitrate_bps),
        bit_rate,
    ),
)
"""Of who shows something, behind those of the voice."""


def figure_of(key: str) -> VoiceFigure:
    """Return a figure by its name."""
    return next(one for one in FIGURES if one.key == key)


def shown(figure: VoiceFigure, pair: PairResult) -> Node:
    """Return the figure of a voice as text that scripts can read too."""
    value = figure.value(pair)
    return element(
        "data",
        UNKNOWN if value is None else figure.text(value),
        value="" if value is None else repr(value),
        data_figure=figure.key,
    )

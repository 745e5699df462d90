"""How loud a file is, over time and as a whole: by RMS, or as people hear it (ITU-R BS.1770-4, EBU R 128).

sound ──> LoudnessMeter ──> momentary (0.4 s) and short-term (3 s) every 0.1 s; integrated, range, true peak
     └──> RMS of each 0.1 s, and of the last 0.4 s
"""

import contextlib
import math
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from blink_cli.audio.loudness.meter import LoudnessMeter
from blink_cli.audio.samples import Samples
from blink_cli.codec.figures import LoudnessDone
from blink_cli.codec.options import LoudnessMethod, Source
from blink_cli.codec.rates import LevelMeter, share_done
from blink_cli.codec.sound_reader import file_read, open_sound
from blink_cli.codec.sound_writer import require_replaceable, unwritable
from blink_cli.core.errors import UsageError
from blink_cli.core.progress import Progress
from blink_cli.core.text.path_text import shown
from blink_cli.files.writing import replacing
from blink_cli.runtime.extras import needs_extra

STEP_S: Final = 0.1
SMOOTH_STEPS: Final = 4
"""Of the moving RMS: as long as momentary loudness."""

_LOWEST_RATE_HZ: Final = 4_000


@dataclass(frozen=True, slots=True)
class Loudness:
    """What was found, and what is drawn of it."""

    figures: LoudnessDone
    over_time: list[float | None]
    """Every 0.1 s, None in silence: momentary loudness, or RMS."""


class _OverTime(Protocol):
    @property
    def columns(self) -> tuple[str, ...]:
        """What stands in a row."""

    def add(self, block: Samples) -> list[tuple[float | None, ...]]:
        """Take sound, shape (n, channels); return rows, their time first, in the order of `columns`."""


def loudness(
    source: Source, method: LoudnessMethod, csv: Path | None, plot: Path | None, progress: Progress
) -> Loudness:
    """Measure a file. Blocks.

    Args:
        source: What is read.
        method: How it is measured over time. All of it is measured by both.
        csv: Where rows go, one for each 0.1 s; an earlier file is replaced.
        plot: A PNG, likewise.
        progress: Told how far it is.

    Raises:
        BlinkError: A file cannot be read or written. Nothing is left behind then.

    """
    for out in filter(None, (csv, plot)):
        require_replaceable(out, source.path)
    if plot is not None:
        with needs_extra("plot", "--plot"):
            from blink_cli.codec.loudness_plot import draw  # noqa: PLC0415 - an extra, and half a second
    with open_sound(source) as reader:
        form = reader.form
        if form.rate_hz < _LOWEST_RATE_HZ:
            raise UsageError(
                f"{shown(source.path)} has {form.rate_hz} Hz: too few to tell how loud it is heard.",
                hint=f"{_LOWEST_RATE_HZ} Hz are the least.",
            )
        meter = LoudnessMeter(form.rate_hz, form.channels, true_peak=True)
        level = LevelMeter()
        over_time: _OverTime = _RmsOverTime(form.rate_hz) if method == "rms" else _HeardOverTime(meter)
        drawn, smooth = array("d"), array("d")
        with _rows(csv, over_time.columns) as write:
            for block in reader.blocks():
                level.take(block)
                if method == "rms":
                    meter.add(block)
                for row in over_time.add(block):
                    drawn.append(math.nan if row[1] is None else row[1])
                    smooth.append(math.nan if row[2] is None else row[2])
                    write(row)
                progress(share_done(level.frames, form.frames))
    whole = meter.figures
    if plot is not None:
        mark = whole.integrated_lufs if method == "bs1770" else level.level_dbfs
        draw(source.path.name, method, (drawn, smooth), mark, plot)
    figures = LoudnessDone(
        input=file_read(source.path, form, level),
        method=method,
        integrated_lufs=_rounded(whole.integrated_lufs),
        range_lu=_rounded(whole.range_lu),
        highest_momentary_lufs=_rounded(whole.highest_momentary_lufs),
        highest_short_term_lufs=_rounded(whole.highest_short_term_lufs),
        true_peak_dbtp=_rounded(whole.true_peak_dbtp),
        rows=len(drawn),
        csv=None if csv is None else str(csv),
        plot=None if plot is None else str(plot),
    )
    return Loudness(figures, [None if math.isnan(value) else value for value in drawn])


class _HeardOverTime:
    """By BS.1770."""

    columns = ("at_s", "momentary_lufs", "short_term_lufs")

    def __init__(self, meter: LoudnessMeter) -> None:
        self._meter = meter

    def add(self, block: Samples) -> list[tuple[float | None, ...]]:
        return [
            (round(one.at_s, 4), one.momentary_lufs, one.short_term_lufs) for one in self._meter.add(block)
        ]


class _RmsOverTime:
    """Power of all channels together, of each 0.1 s and of the last four of them."""

    columns = ("at_s", "rms_dbfs", "rms_400ms_dbfs", "rms")

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._rest: Samples | None = None
        self._taken = 0
        self._steps = 0
        self._recent: deque[float] = deque(maxlen=SMOOTH_STEPS)

    def add(self, block: Samples) -> list[tuple[float | None, ...]]:
        rest = block if self._rest is None else np.concatenate((self._rest, block))
        rows: list[tuple[float | None, ...]] = []
        while (end := -(-(self._steps + 1) * self._rate_hz // 10) - self._taken) <= len(rest):
            power = float(np.mean(np.square(rest[:end], dtype=np.float64)))
            rest = rest[end:]
            self._taken += end
            self._steps += 1
            self._recent.append(power)
            moving = sum(self._recent) / len(self._recent)
            rows.append((round(self._taken / self._rate_hz, 4), _db(power), _db(moving), math.sqrt(power)))
        self._rest = rest
        return rows


@contextlib.contextmanager
def _rows(csv: Path | None, columns: tuple[str, ...]) -> Iterator[Callable[[tuple[float | None, ...]], None]]:
    """What writes rows: numbers with a point, and nothing where there is none."""
    if csv is None:
        yield lambda _: None
        return
    try:
        with replacing(csv) as file:
            file.write((",".join(columns) + "\n").encode())

            def write(row: tuple[float | None, ...]) -> None:
                cells = ("" if value is None else f"{value:.6f}".rstrip("0").rstrip(".") for value in row)
                file.write((",".join(cells) + "\n").encode())

            yield write
    except OSError as failure:
        raise unwritable(csv, failure) from failure


def _db(power: float) -> float | None:
    return 10 * math.log10(power) if power > 0 else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)

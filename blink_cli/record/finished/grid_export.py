"""One MP4 of a recording with pictures, for people: all participants side by side with their names, and the mix of their voices.

NAME.mp4 ──┬──> RecordingDecoder ──> Mixdown ──────────┐
           │    a second at a time                     ├──> GridFile, NAME-grid.mp4
           └──> PictureReader ──> Canvas (a tile each) ┘
"""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import av
import numpy as np

from blink_cli.core.api.camera_name import PictureSize
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import BlinkError, UsageError
from blink_cli.core.progress import Progress
from blink_cli.core.text.path_text import name_ending
from blink_cli.files.writing import name_for_library, replacing
from blink_cli.record.failure_text import failure_text
from blink_cli.record.finished.export import (
    Exported,
    alike,
    make_folder,
    opened,
    people_of,
    require_replaceable,
    unreadable,
)
from blink_cli.record.finished.grid_file import GridFile
from blink_cli.record.finished.leftovers import paths_of
from blink_cli.record.finished.mixdown import Mixdown
from blink_cli.record.finished.picture_reader import PictureReader
from blink_cli.record.finished.track_decoder import RecordingDecoder

_GRID_FPS: Final = 30


class Canvas(Protocol):
    """Where the pictures of all participants are brought together."""

    size: PictureSize

    def show(self, number: int, frame: av.VideoFrame) -> None:
        """Put a picture into a participant's place, counted from 0."""

    def frame(self) -> av.VideoFrame:
        """Return the whole."""


def export_grid(
    path: Path,
    folder: Path | None,
    progress: Progress,
    token: str,
    canvas_for: Callable[[Sequence[str]], Canvas],
) -> Exported:
    """Make one MP4 of a recording with pictures: all participants side by side, and their mix. Arguments and errors as of `export`.

    A picture is written when one of the participants has another one, 30 times a second at most and twice at least.

    Args:
        path: As there.
        folder: As there.
        progress: As there.
        token: As there.
        canvas_for: Given the names of the participants, in their order.

    """
    decoder, sidecar = opened(path)
    target = path.parent if folder is None else folder
    place = target / name_ending(paths_of(path).final.stem, "-grid.mp4")
    try:
        reader = PictureReader(path)
    except (OSError, ValueError, MemoryError) as failure:
        decoder.close()
        raise unreadable(path, failure) from failure
    try:
        if not reader.titles:
            raise UsageError(
                f"{path} holds voices alone.",
                hint="A grid needs a recording with pictures (`blink record start --pictures`); `--format mix` makes one file of all voices.",
            )
        people = people_of(sidecar, decoder.labels.tracks)
        canvas = canvas_for([nickname or did for did, nickname in people])
        make_folder(target)
        require_replaceable(place)
        with replacing(place, token) as file:
            samples = _paint_into(file, decoder, reader, canvas, progress)
    except OSError as failure:
        raise BlinkError(
            f"The grid cannot be written to {target}: {failure_text(failure)}.",
            hint="Can the folder be written, and has its disk room? A minute takes some 5 MB.",
        ) from failure
    finally:
        reader.close()
        decoder.close()
    return Exported(place, "grid", tuple(people), samples / SAMPLE_RATE_HZ)


def _paint_into(
    file: BinaryIO,
    decoder: RecordingDecoder,
    reader: PictureReader,
    canvas: Canvas,
    progress: Progress,
) -> int:
    """Return how long it is, in samples."""
    rows = _rows_of(reader.titles, decoder.labels.tracks)
    channels = max(decoder.channels)
    title = decoder.labels.title
    grid = GridFile(
        name_for_library(file), canvas.size, channels, title=title, created=decoder.labels.created
    )
    mixdown, samples, tick, written_tick = Mixdown(), 0, 0, -_GRID_FPS
    expected = max(decoder.duration_s * SAMPLE_RATE_HZ, 1)
    try:
        for block in decoder.blocks():
            of_tracks = np.split(block, np.cumsum(decoder.channels)[:-1])
            grid.sound(mixdown.mix(alike(of_tracks, block, channels)))
            samples += block.shape[1]
            while tick * SAMPLE_RATE_HZ < samples * _GRID_FPS:
                # The nearest tick: half of one early or late, instead of a whole one late.
                found = reader.until((tick + 0.5) / _GRID_FPS)
                for track, frame in found.items():
                    canvas.show(rows[track], frame)
                if found or tick - written_tick >= _GRID_FPS // 2:
                    grid.picture(canvas.frame(), tick / _GRID_FPS)
                    written_tick = tick
                tick += 1
            progress(min(samples / expected, 1.0))
        if written_tick < tick - 1:  # players end with the last picture
            grid.picture(canvas.frame(), (tick - 1) / _GRID_FPS)
        grid.close()
    except BaseException:
        with contextlib.suppress(OSError):
            grid.give_up()
        raise
    return samples


def _rows_of(titles: Sequence[str], sounds: Sequence[str]) -> list[int]:
    """Whose each track of pictures is: that of the sound of the same title; of equal titles the next one, in their order."""
    rows: list[int] = []
    for track, title in enumerate(titles):
        free = [row for row, sound in enumerate(sounds) if sound == title and row not in rows]
        rows.append(free[0] if free else min(track, len(sounds) - 1))
    return rows

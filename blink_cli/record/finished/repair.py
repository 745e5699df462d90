"""Finishes a recording whose program died: its packets, copied into an ordinary MP4 with its index in front.

    NAME.part.mp4 (fragments, the last one perhaps torn) ──packets──> temporary file ──renamed──> NAME.mp4, NAME.part.mp4 removed

All tracks end at the same place: where the longest one ends, the others filled with silence. Killed in the middle, it leaves the leftover as it was.
Of a damaged one, what can be read is copied, and the leftover is kept as NAME.damaged.mp4. What FFmpeg does with damaged bytes nobody knows before:
this runs in a process with limits (app/files/recording_worker.py).
"""

import itertools
import os
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from blink_cli.core.audio_format import PRE_SKIP_SAMPLES, SAMPLE_RATE_HZ
from blink_cli.core.errors import BlinkError, NotFoundError, StateError, UsageError
from blink_cli.core.media.opus_packet import STEREO_BIT
from blink_cli.core.progress import Progress
from blink_cli.core.text.path_text import name_ending
from blink_cli.files.writing import appearing, name_for_library
from blink_cli.record.failure_text import failure_text
from blink_cli.record.file_lock import is_growing
from blink_cli.record.finished.leftovers import belongs, paths_of, sidecar_of
from blink_cli.record.finished.picture_copy import PictureCopy
from blink_cli.record.finished.repaired_sidecar import repaired_sidecar
from blink_cli.record.mp4.boxes import boxes_of, holds_fragments
from blink_cli.record.mp4.file import Mp4Reader, mux, open_ordinary
from blink_cli.record.mp4.movie import amend
from blink_cli.record.recording.filler import GRID_SAMPLES, silence
from blink_cli.record.recording.recording import PART_SUFFIX
from blink_cli.record.recording.sidecar import write_sidecar

_HINT: Final = (
    f"Unfinished recordings end in {PART_SUFFIX}; `blink record status` lists those that are known."
)


class Repaired(msgspec.Struct, frozen=True):
    """A recording that is whole now."""

    path: Path
    duration_s: float
    titles: tuple[str, ...]
    damaged: Path | None
    """The unfinished file, kept under this name because parts of it could not be read."""


def repair(path: Path, progress: Progress, token: str) -> Repaired:
    """Finish a leftover.

    Args:
        path: The unfinished file, or another of its recording.
        progress: Told how far it is.
        token: What the name of the file that is not whole yet begins with, behind `.blink-`.

    Raises:
        NotFoundError: There is no such recording.
        UsageError: It is a folder, or no file of a recording.
        StateError: It is still being written, or is whole already.
        BlinkError: It holds nothing, or the result cannot be written.

    """
    paths = paths_of(path)
    if path.is_dir():
        raise UsageError(f"{path} is a folder.", hint=f"Name the file in it that ends in {PART_SUFFIX}.")
    if not belongs(path) and path.exists():
        raise UsageError(f"{path} is no unfinished recording.", hint=_HINT)
    if not belongs(path) or not paths.part.exists():
        raise _nothing_to_repair(path, paths.final)
    try:
        grows = is_growing(paths.part)
    except OSError as failure:
        raise BlinkError(f"{paths.part} cannot be read: {failure_text(failure)}.") from failure
    if grows:
        raise StateError(f"{paths.part} is being recorded now.", hint="`blink record stop` finishes it.")
    if paths.final.exists():
        raise _in_the_way(paths.final)
    left = sidecar_of(path)
    try:
        reader = Mp4Reader(paths.part, None if left is None else left.duration_s)
    except (OSError, ValueError, MemoryError) as failure:
        raise BlinkError(
            f"{paths.part} holds no sound that can be read: {failure_text(failure)}.",
            hint="It was perhaps begun less than a second before its program ended, or is damaged.",
        ) from failure
    try:
        with appearing(paths.final, token) as file:
            samples, picture_bytes = _copy(reader, paths.part, file, progress)
            is_damaged = _left_out(paths.part, reader.payload_bytes + picture_bytes)
    except FileExistsError as failure:
        raise _in_the_way(paths.final) from failure
    except (OSError, ValueError, MemoryError) as failure:  # ValueError: packets that the muxer refuses
        raise BlinkError(
            f"{paths.final} cannot be written: {failure_text(failure)}.",
            hint="The unfinished file is as it was; is there room for a second one?",
        ) from failure
    finally:
        reader.close()
    duration_s = samples / SAMPLE_RATE_HZ
    damaged: Path | None = None
    try:
        if is_damaged:
            damaged = _kept(paths.part)
        else:
            paths.part.unlink()  # first: a disk that is full has room for the sidecar then
        if left is not None:
            write_sidecar(paths.sidecar, repaired_sidecar(left, paths.final.name, duration_s))
    except OSError as failure:
        raise BlinkError(
            f"{paths.final} is whole, but what belongs to it could not be brought up to date: {failure_text(failure)}.",
            hint=f"{paths.part} is not needed any more, and {paths.sidecar} still calls the recording unfinished.",
        ) from failure
    return Repaired(paths.final, duration_s, reader.labels.tracks, damaged)


def _left_out(part: Path, read_bytes: int) -> bool:
    """Whether more of a leftover was not read than its torn end."""
    boxes = boxes_of(part)
    return (boxes.fragments > 0 and boxes.media_bytes > read_bytes) or holds_fragments(
        part, boxes.whole_bytes
    )


def _kept(part: Path) -> Path:
    """Give a damaged leftover another name, which no recording is repaired under again."""
    stem = part.name.removesuffix(PART_SUFFIX)
    for number in itertools.count(1):
        place = part.with_name(name_ending(stem, f".damaged{'' if number == 1 else number}.mp4"))
        if not place.exists():
            return part.rename(place)
    raise AssertionError("there is always another number")


def _in_the_way(final: Path) -> StateError:
    return StateError(
        f"{final} is in the way: its recording would be written over.", hint="Move it away first."
    )


def _nothing_to_repair(path: Path, final: Path) -> BlinkError:
    """Why a recording has no unfinished file: it is whole, or is none."""
    if not final.exists():
        return NotFoundError(f"There is no unfinished recording {path}.", hint=_HINT)
    try:
        Mp4Reader(final).close()
    except (OSError, ValueError, MemoryError) as failure:
        return BlinkError(
            f"{final} cannot be read, and it is no unfinished recording: {failure_text(failure)}.", hint=_HINT
        )
    return StateError(f"{final} is whole: there is nothing to repair.")


def _copy(reader: Mp4Reader, part: Path, target: BinaryIO, progress: Progress) -> tuple[int, int]:
    """Copy all packets into an open file. Returns how many samples of sound they are, and how many bytes of pictures came with them."""
    container, streams = open_ordinary(name_for_library(target), reader.labels)
    pictures = PictureCopy(container, part)
    ends = [0] * len(streams)
    expected = max(reader.duration_s * SAMPLE_RATE_HZ, 1)
    told = 0.0
    stereo: set[int] = set()
    try:
        for track, payload, place, samples in reader.packets():
            if samples <= 0:
                continue
            if payload[0] & STEREO_BIT:
                stereo.add(track)
            _fill(container, streams[track], ends, track, place)
            mux(container, streams[track], payload, ends[track], samples)
            ends[track] += samples
            pictures.copy_until(place)
            done = min(place / expected, 1.0)
            if done - told >= 0.01:
                told = done
                progress(done)
        end = max(ends, default=0)
        for track, stream in enumerate(streams):
            _fill(container, stream, ends, track, end)
        pictures.copy_until(end)
    finally:
        pictures.close()
        container.close()
    amend(target.fileno(), stereo)
    os.fsync(target.fileno())
    progress(1.0)
    return max(end - PRE_SKIP_SAMPLES, 0), pictures.payload_bytes


def _fill(container: Any, stream: Any, ends: list[int], track: int, place: int) -> None:
    missing = place - ends[track]
    if missing <= 0:
        return
    for filler in silence(missing - missing % GRID_SAMPLES):
        mux(container, stream, filler.payload, ends[track], filler.samples)
        ends[track] += filler.samples

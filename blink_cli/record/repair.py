"""Finishes a recording whose program died: its packets, copied into an ordinary MP4 with its index in front.

    NAME.part.mp4 (fragments, the last one perhaps torn) ──packets──> temporary file ──renamed──> NAME.mp4, NAME.part.mp4 removed

All tracks end at the same place: where the longest one ends, the others filled with silence. Killed in the middle, it leaves the leftover as it was.
"""

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from blink_cli.core.errors import BlinkError, NotFoundError, StateError, UsageError
from blink_cli.core.progress import Progress
from blink_cli.core.voice import SAMPLE_RATE_HZ
from blink_cli.record.failure_text import failure_text
from blink_cli.record.file_lock import is_growing
from blink_cli.record.filler import silence
from blink_cli.record.leftovers import belongs, paths_of, sidecar_of
from blink_cli.record.mp4_file import Mp4Reader, mux, open_ordinary
from blink_cli.record.recording import PART_SUFFIX
from blink_cli.record.repaired_sidecar import repaired_sidecar
from blink_cli.record.sidecar import write_sidecar
from blink_cli.record.track import FRAME_SAMPLES

_HINT: Final = (
    f"Unfinished recordings end in {PART_SUFFIX}; `blink record status` lists those that are known."
)


@dataclass(frozen=True, slots=True)
class Repaired:
    """A recording that is whole now."""

    path: Path
    duration_s: float
    titles: tuple[str, ...]


def repair(path: Path, progress: Progress) -> Repaired:
    """Finish a leftover.

    Args:
        path: The unfinished file, or another of its recording.
        progress: Told how far it is.

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
    if is_growing(paths.part):
        raise StateError(f"{paths.part} is being recorded now.", hint="`blink record stop` finishes it.")
    if paths.final.exists():
        raise StateError(
            f"{paths.final} is in the way: its recording would be written over.", hint="Move it away first."
        )
    try:
        reader = Mp4Reader(paths.part)
    except (OSError, ValueError) as failure:
        raise BlinkError(
            f"{paths.part} holds no sound that can be read: {failure_text(failure)}.",
            hint="It was perhaps begun less than a second before its program ended.",
        ) from failure
    temporary = paths.final.with_name(f".{paths.final.name}.{secrets.token_hex(4)}")
    try:
        end = _copy(reader, temporary, progress)
        temporary.replace(paths.final)
    except OSError as failure:
        raise BlinkError(
            f"{paths.final} cannot be written: {failure_text(failure)}.",
            hint="The unfinished file is as it was; is there room for a second one?",
        ) from failure
    finally:
        reader.close()
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    duration_s = end / SAMPLE_RATE_HZ
    try:
        paths.part.unlink()  # first: a disk that is full has room for the sidecar then
        _tell_sidecar(path, duration_s)
    except OSError as failure:
        raise BlinkError(
            f"{paths.final} is whole, but what belongs to it could not be brought up to date: {failure_text(failure)}.",
            hint=f"{paths.part} is not needed any more, and {paths.sidecar} still calls the recording unfinished.",
        ) from failure
    return Repaired(paths.final, duration_s, reader.titles)


def _nothing_to_repair(path: Path, final: Path) -> BlinkError:
    """Why a recording has no unfinished file: it is whole, or is none."""
    if not final.exists():
        return NotFoundError(f"There is no unfinished recording {path}.", hint=_HINT)
    try:
        Mp4Reader(final).close()
    except (OSError, ValueError) as failure:
        return BlinkError(
            f"{final} cannot be read, and it is no unfinished recording: {failure_text(failure)}.", hint=_HINT
        )
    return StateError(f"{final} is whole: there is nothing to repair.")


def _copy(reader: Mp4Reader, target: Path, progress: Progress) -> int:
    # Its owner's alone before the first byte.
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    container, streams = open_ordinary(target, reader.titles, comment=reader.comment)
    ends = [0] * len(streams)
    expected = max(reader.duration_s * SAMPLE_RATE_HZ, 1)
    told = 0.0
    try:
        for track, payload, place, samples in reader.packets():
            if samples <= 0:
                continue
            _fill(container, streams[track], ends, track, place)
            mux(container, streams[track], payload, ends[track], samples)
            ends[track] += samples
            done = min(place / expected, 1.0)
            if done - told >= 0.01:
                told = done
                progress(done)
        end = -(-max(ends, default=0) // FRAME_SAMPLES) * FRAME_SAMPLES
        for track, stream in enumerate(streams):
            _fill(container, stream, ends, track, end)
    finally:
        container.close()
    descriptor = os.open(target, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    progress(1.0)
    return end


def _fill(container: Any, stream: Any, ends: list[int], track: int, place: int) -> None:
    missing = place - ends[track]
    if missing <= 0:
        return
    for filler in silence(missing - missing % 120):
        mux(container, stream, filler.payload, ends[track], filler.samples)
        ends[track] += filler.samples


def _tell_sidecar(path: Path, duration_s: float) -> None:
    paths = paths_of(path)
    left = sidecar_of(path)
    if left is not None:
        write_sidecar(paths.sidecar, repaired_sidecar(left, paths.final.name, duration_s))

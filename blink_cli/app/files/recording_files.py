"""What can be done with a recording's files without a session: finish a leftover, make files of one participant each and a mixdown."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import soundfile

from blink_cli.app.files.recording_loudness import RecordingLoudness
from blink_cli.core.api.replies.loudness import RecordedLoudness
from blink_cli.core.api.replies.peers import NamedPeer
from blink_cli.core.api.replies.recordings import RecordedFile, RecordingFiles
from blink_cli.core.errors import BlinkError, UsageError
from blink_cli.core.ids import Did
from blink_cli.core.progress import Progress
from blink_cli.core.text.path_text import as_word
from blink_cli.files.reading import open_reading
from blink_cli.record.finished.export import FORMATS, Exported, export
from blink_cli.record.finished.leftovers import paths_of, sidecar_of
from blink_cli.record.finished.repair import repair
from blink_cli.record.recording.processing_dump import KINDS, name_of
from blink_cli.record.recording.sidecar import Sidecar

_REPAIRED: Final = 0.1
"""Of the progress, if there is also something to decode, which takes ten times as long."""

_BESIDE_GRID: Final = 0.1
"""Of the progress, for sound files that are made besides a grid."""


def repair_recording(path: Path, progress: Progress, token: str) -> RecordingFiles:
    """Finish an unfinished recording, and make the files that were to be made of it. Blocks: some seconds for an hour, a minute and more with WAV files.

    Raises:
        BlinkError: It is not there, not unfinished, or cannot be written.

    """
    left = sidecar_of(path)
    wanted = () if left is None else tuple(kind for kind in FORMATS if kind in left.formats)
    share = _REPAIRED if wanted else 1.0
    repaired = repair(path, lambda done: progress(done * share), token)
    people = (
        () if left is None else tuple(NamedPeer(did=p.did, nickname=p.nickname) for p in left.participants)
    )
    files: tuple[RecordedFile, ...] = (
        RecordedFile(
            path=str(repaired.path), kind="mp4", participants=people, duration_s=round(repaired.duration_s, 6)
        ),
    )
    loudness: tuple[RecordedLoudness, ...] = ()
    warnings = []
    if repaired.damaged is not None:
        warnings.append(
            f"the file is damaged, and parts of it could not be read; it is kept as {repaired.damaged}"
        )
    if wanted:
        try:
            made = export_recording(
                repaired.path, wanted, None, lambda done: progress(share + done * (1 - share)), token
            )
            files, loudness = (*files, *made.files), made.loudness
        except BlinkError as failure:
            warnings.append(
                f"{failure.message.removesuffix('.')}; `blink record export {as_word(repaired.path)} --format {','.join(wanted)}` tries again"
            )
    if left is not None:
        files = (*files, *_processing_files(left, repaired.path, people))
    return RecordingFiles(
        files=files, reason="repaired", warning="; ".join(warnings) or None, loudness=loudness
    )


def _processing_files(left: Sidecar, final: Path, people: tuple[NamedPeer, ...]) -> tuple[RecordedFile, ...]:
    """The sound around the filters, which can be read after any end: its headers never promise more than is there."""
    own = {participant.did for participant in left.participants if participant.self}
    kinds = {entry.kind for entry in left.files}
    found = []
    for kind in KINDS:
        path = final.with_name(name_of(final.stem, kind))
        if kind not in kinds:
            continue
        try:
            with open_reading(path) as file, soundfile.SoundFile(file) as sound:
                duration_s = sound.frames / sound.samplerate
        except (OSError, soundfile.LibsndfileError):  # moved away, or never begun
            continue
        whose = tuple(one for one in people if (one.did in own) != (kind == "reference"))
        found.append(
            RecordedFile(path=str(path), kind=kind, participants=whose, duration_s=round(duration_s, 6))
        )
    return tuple(found)


def export_recording(
    path: Path, formats: Sequence[str], folder: Path | None, progress: Progress, token: str
) -> RecordingFiles:
    """Make files of one participant each and a mixdown, and measure how loud everybody is; without formats only that.

    Blocks: a minute for an hour of four participants.

    Raises:
        UsageError: A format is none.
        BlinkError: The recording cannot be read, or a file not written.

    """
    possible = (*FORMATS, "grid")
    for one in formats:
        if one not in possible:
            raise UsageError(
                f"A recording cannot be exported as {one!r}.", hint=f"Choose {', '.join(possible)}."
            )
    source = path
    if path.suffix == ".json":
        paths = paths_of(path)
        source = paths.final if paths.final.exists() else paths.part
    sounds = tuple(one for one in formats if one != "grid")
    share = (_BESIDE_GRID if sounds else 0.0) if "grid" in formats else 1.0
    heard = RecordingLoudness()
    made = []
    if sounds or not formats:
        made = export(source, sounds, folder, lambda done: progress(done * share), token, listener=heard)
    if "grid" in formats:
        made.append(_grid(source, folder, lambda done: progress(share + done * (1 - share)), token))
    files = tuple(
        RecordedFile(
            path=str(one.path),
            kind=one.kind,
            participants=tuple(
                NamedPeer(did=Did(did), nickname=nickname) for did, nickname in one.participants
            ),
            duration_s=round(one.duration_s, 6),
        )
        for one in made
    )
    return RecordingFiles(
        files=files, reason="exported" if formats else "measured", loudness=heard.loudness()
    )


def _grid(source: Path, folder: Path | None, progress: Progress, token: str) -> Exported:
    # Only who makes a grid needs what paints.
    from blink_cli.record.finished.grid_export import export_grid  # noqa: PLC0415 - as above
    from blink_cli.video.grid.tiles import Tiles  # noqa: PLC0415 - as above

    return export_grid(source, folder, progress, token, Tiles)

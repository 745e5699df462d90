"""What can be done with a recording's files without a session: finish a leftover, make files of one participant each and a mixdown."""

from collections.abc import Sequence
from pathlib import Path

from blink_cli.app.files.recording_loudness import RecordingLoudness
from blink_cli.core.api.replies import NamedPeer, RecordedFile, RecordingFiles
from blink_cli.core.errors import UsageError
from blink_cli.core.ids import Did
from blink_cli.core.progress import Progress
from blink_cli.record.finished.export import FORMATS, export
from blink_cli.record.finished.leftovers import paths_of, sidecar_of
from blink_cli.record.finished.repair import repair


def repair_recording(path: Path, progress: Progress, token: str) -> RecordingFiles:
    """Finish an unfinished recording. Blocks for as long as it takes: some seconds for an hour.

    Raises:
        BlinkError: It is not there, not unfinished, or cannot be written.

    """
    repaired = repair(path, progress, token)
    sidecar = sidecar_of(repaired.path)
    people = (
        ()
        if sidecar is None
        else tuple(NamedPeer(did=p.did, nickname=p.nickname) for p in sidecar.participants)
    )
    file = RecordedFile(
        path=str(repaired.path), kind="mp4", participants=people, duration_s=round(repaired.duration_s, 6)
    )
    warning = (
        None
        if repaired.damaged is None
        else f"the file is damaged, and parts of it could not be read; it is kept as {repaired.damaged}"
    )
    return RecordingFiles(files=(file,), reason="repaired", warning=warning)


def export_recording(
    path: Path, formats: Sequence[str], folder: Path | None, progress: Progress, token: str
) -> RecordingFiles:
    """Make files of one participant each and a mixdown, and measure how loud everybody is; without formats only that.

    Blocks: a minute for an hour of four participants.

    Raises:
        UsageError: A format is none.
        BlinkError: The recording cannot be read, or a file not written.

    """
    for one in formats:
        if one not in FORMATS:
            raise UsageError(
                f"A recording cannot be exported as {one!r}.", hint=f"Choose {', '.join(FORMATS)}."
            )
    source = path
    if path.suffix == ".json":
        paths = paths_of(path)
        source = paths.final if paths.final.exists() else paths.part
    heard = RecordingLoudness()
    files = tuple(
        RecordedFile(
            path=str(one.path),
            kind=one.kind,
            participants=tuple(
                NamedPeer(did=Did(did), nickname=nickname) for did, nickname in one.participants
            ),
            duration_s=round(one.duration_s, 6),
        )
        for one in export(source, formats, folder, progress, token, listener=heard)
    )
    return RecordingFiles(
        files=files, reason="exported" if formats else "measured", loudness=heard.loudness()
    )

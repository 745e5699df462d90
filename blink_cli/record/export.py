"""WAV files and a mixdown of a recording, decoded from its MP4, a second at a time.

    NAME.mp4 ──> RecordingDecoder ──┬──> NAME-1-alice.wav, NAME-2-bob.wav, …   16 bits, 48 kHz, one channel, all equally long
                                    └──> Mixdown ──> NAME-mix.flac              16 bits, 48 kHz, one channel

Each file is written beside its place and renamed in the end: what has its name is whole.
"""

import contextlib
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import soundfile

from blink_cli.core.errors import BlinkError, NotFoundError, UsageError
from blink_cli.core.names import Did
from blink_cli.core.progress import Progress
from blink_cli.core.voice import SAMPLE_RATE_HZ
from blink_cli.record.failure_text import failure_text
from blink_cli.record.leftovers import paths_of, sidecar_of
from blink_cli.record.mixdown import Mixdown
from blink_cli.record.track_decoder import RecordingDecoder

FORMATS: Final = ("wav", "mix")

_TITLE: Final = re.compile(r"(.*) \((did:key:\w+)\)|(did:key:\w+)", re.DOTALL)
"""`Invited.title`: nickname and DID, or the DID of those without a nickname."""


@dataclass(frozen=True, slots=True)
class Exported:
    """One file that was written."""

    path: Path
    kind: str
    """wav or mix"""

    participants: tuple[tuple[Did, str], ...]
    """DID and nickname of whom it holds."""

    duration_s: float


def export(path: Path, formats: Sequence[str], folder: Path | None, progress: Progress) -> list[Exported]:
    """Decode a recording into files of their own. What is there under their names is replaced.

    Args:
        path: An MP4, finished or left over.
        formats: Of `FORMATS`.
        folder: Where to; None: beside the MP4.
        progress: Told how far it is.

    Raises:
        NotFoundError: There is no such file.
        UsageError: It is no recording of this program, or `folder` is a file.
        BlinkError: It cannot be read, or a file cannot be written.

    """
    if not path.is_file():
        raise NotFoundError(f"There is no recording {path}.", hint="`blink record export` wants its MP4.")
    target = path.parent if folder is None else folder
    stem = paths_of(path).final.stem
    try:
        decoder = RecordingDecoder(path)
    except (OSError, ValueError) as failure:
        raise BlinkError(f"{path} is no recording that can be read: {failure_text(failure)}.") from failure
    if not _is_ours(decoder):
        decoder.close()
        raise UsageError(
            f"{path} is no recording of blink: its tracks are not named after participants.",
            hint="Other MP4s are a matter for FFmpeg: `ffmpeg -i FILE OUT.wav`.",
        )
    people = _people(path, decoder.titles)
    files: list[tuple[Path, str, tuple[tuple[Did, str], ...]]] = []
    if "wav" in formats:
        for number, (did, nickname) in enumerate(people):
            name = f"{stem}-{number + 1}-{_harmless(nickname or did)}.wav"
            files.append((target / name, "wav", ((did, nickname),)))
    if "mix" in formats:
        files.append((target / f"{stem}-mix.flac", "mix", tuple(people)))
    try:
        _make_folder(target)
        tracks = len(people) if "wav" in formats else 0
        samples = _decode_into(decoder, [place for place, _, _ in files], tracks, progress)
    except (OSError, soundfile.LibsndfileError) as failure:
        raise BlinkError(
            f"The files cannot be written to {target}: {failure_text(failure)}.",
            hint="Is there room on the disk? An hour of one participant needs 350 MB as WAV.",
        ) from failure
    finally:
        decoder.close()
    return [Exported(place, kind, who, samples / SAMPLE_RATE_HZ) for place, kind, who in files]


def _decode_into(
    decoder: RecordingDecoder,
    places: list[Path],
    tracks: int,
    progress: Progress,
) -> int:
    """The first `tracks` places are one track each, a further one is the mix. Returns how long they are, in samples."""
    mixdown = Mixdown()
    samples = 0
    expected = max(decoder.duration_s * SAMPLE_RATE_HZ, 1)
    with contextlib.ExitStack() as stack:
        sinks = [stack.enter_context(_appearing(place)) for place in places]
        for block in decoder.blocks():
            for number in range(tracks):
                sinks[number].write(block[number])
            if len(sinks) > tracks:
                sinks[tracks].write(mixdown.mix(block))
            samples += block.shape[1]
            progress(min(samples / expected, 1.0))
    return samples


@contextlib.contextmanager
def _appearing(place: Path) -> Iterator[Any]:
    """A sound file that gets its name when it is whole."""
    beside = place.with_name(f".{place.stem}.{secrets.token_hex(4)}{place.suffix}")
    try:
        with soundfile.SoundFile(beside, "w", SAMPLE_RATE_HZ, 1, "PCM_16") as sink:
            beside.chmod(0o600)
            yield sink
        beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as failure:
        raise UsageError(f"{folder} is a file, and no folder.", hint="Name a folder with --out.") from failure
    except OSError as failure:
        raise BlinkError(
            f"The folder {folder} cannot be made: {failure_text(failure)}.",
            hint="Name another one with --out.",
        ) from failure


def _is_ours(decoder: RecordingDecoder) -> bool:
    """Whether `record` wrote it: its comment names the call, and its titles the participants."""
    return bool(decoder.titles) and (
        re.fullmatch(r"call [0-9a-f]+", decoder.comment) is not None
        or all(_TITLE.fullmatch(title) for title in decoder.titles)
    )


def _people(path: Path, titles: Sequence[str]) -> list[tuple[Did, str]]:
    sidecar = sidecar_of(path)
    if sidecar is not None and len(sidecar.participants) == len(titles):
        return [(participant.did, participant.nickname) for participant in sidecar.participants]
    people = []
    for title in titles:
        named = _TITLE.fullmatch(title)
        people.append((Did(named[2] or named[3]), named[1] or "") if named else (Did(title), ""))
    return people


def _harmless(name: str) -> str:
    """A part of a file's name on every system."""
    return re.sub(r"[^\w.-]+", "_", name).strip("._")[:40] or "participant"

"""Files of one participant each, and a mixdown, of a recording's MP4.

    NAME.mp4 ──┬──> RecordingDecoder ──┬──> NAME-1-alice.wav, NAME-2-bob.wav, …    16 bits, 48 kHz, one channel or two, all equally long
               │    a second at a time └──> Mixdown ──> NAME-mix.flac               16 bits, 48 kHz, two channels if one of the tracks has two
               └──> OggOpusWriter ────────> NAME-1-alice.opus, NAME-2-bob.opus, …  the packets as they are, equally long too

Each file is written beside its place and renamed in the end: what has its name is whole. Nobody else can read it.
"""

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
import numpy as np
import soundfile

from blink_cli.core.audio_format import PRE_SKIP_SAMPLES, SAMPLE_RATE_HZ
from blink_cli.core.errors import BlinkError, NotFoundError, StateError, UsageError
from blink_cli.core.ids import Did
from blink_cli.core.progress import Progress
from blink_cli.core.text.path_text import name_ending
from blink_cli.files.ordinary import ordinary_stands_at
from blink_cli.files.reading import open_reading
from blink_cli.files.writing import replacing
from blink_cli.record.failure_text import failure_text
from blink_cli.record.finished.leftovers import paths_of, sidecar_of
from blink_cli.record.finished.mixdown import Mixdown
from blink_cli.record.finished.ogg_opus import OggOpusWriter
from blink_cli.record.finished.track_decoder import Block, RecordingDecoder
from blink_cli.record.mp4.file import Mp4Reader
from blink_cli.record.recording.sidecar import Sidecar

FORMATS: Final = ("wav", "opus", "mix")
"""`grid_export` makes another one, of what is seen."""

_TITLE: Final = re.compile(r"(.*) \((did:key:\w+)\)|(did:key:\w+)", re.DOTALL)
"""`Invited.title`: nickname and DID, or the DID of those without a nickname."""


_ELSEWHERE: Final = "Move it away, or name another folder with --out."


class _Form(msgspec.Struct, frozen=True):
    """A kind of sound file."""

    name: str
    """What libsndfile calls it, and people do."""

    begin: re.Pattern[bytes]
    """Of every such file."""


_FORMS: Final = {
    ".wav": _Form("WAV", re.compile(rb"RIFF.{4}WAVE", re.DOTALL)),
    ".flac": _Form("FLAC", re.compile(rb"fLaC")),
    ".mp4": _Form("MP4", re.compile(rb".{4}ftyp", re.DOTALL)),
    ".opus": _Form("Ogg Opus", re.compile(rb"OggS.{24}OpusHead", re.DOTALL)),
}
_SIGNATURE_BYTES: Final = 36

_COPIED: Final = 0.1
"""Of the progress, if there is also something to decode, which takes ten times as long as copying and more."""


class Exported(msgspec.Struct, frozen=True):
    """One file that was written."""

    path: Path
    kind: str
    """wav, opus, mix or grid"""

    participants: tuple[tuple[Did, str], ...]
    """DID and nickname of whom it holds."""

    duration_s: float


class TrackListener(Protocol):
    """Who wants to hear what is decoded anyway."""

    def begin(self, people: Sequence[tuple[Did, str]]) -> None:
        """Tell who is on which track, with their nicknames; once, before the first block."""

    def hear(self, block: Block) -> None:
        """Take the next second of all tracks: float32, shape (tracks, samples), 48 kHz; valid during the call."""


def export(
    path: Path,
    formats: Sequence[str],
    folder: Path | None,
    progress: Progress,
    token: str,
    *,
    listener: TrackListener | None = None,
) -> list[Exported]:
    """Make files of a recording, one for each participant or a mix of all. An earlier export of the same name is replaced, and nothing else.

    Args:
        path: An MP4, finished or left over.
        formats: Of `FORMATS`.
        folder: Where to; None: beside the MP4.
        progress: Told how far it is.
        token: What the names of files that are not whole yet begin with, behind `.blink-`.
        listener: Hears all tracks if something is decoded, or if there are no formats.

    Raises:
        NotFoundError: There is no such file.
        UsageError: It is no recording of this program, or `folder` is a file.
        StateError: A file of one of the names is no earlier export.
        BlinkError: It cannot be read, or a file cannot be written.

    """
    decoder, sidecar = opened(path)
    target = path.parent if folder is None else folder
    stem = paths_of(path).final.stem
    people = people_of(sidecar, decoder.labels.tracks)
    channels = decoder.channels
    files: list[tuple[Path, str, tuple[tuple[Did, str], ...], int]] = []
    for kind in ("wav", "opus"):
        if kind in formats:
            for number, (did, nickname) in enumerate(people):
                place = target / name_ending(stem, f"-{number + 1}-{_harmless(nickname or did)}.{kind}")
                files.append((place, kind, ((did, nickname),), channels[number]))
    if "mix" in formats:
        files.append((target / name_ending(stem, "-mix.flac"), "mix", tuple(people), max(channels)))
    try:
        make_folder(target)
        for place, _, _, _ in files:
            require_replaceable(place)
        sinks = [
            _Sink(
                place,
                f"{token}-{number}",
                ", ".join(nickname or did for did, nickname in who),
                decoder.labels.created,
                channels_of_file,
            )
            for number, (place, _, who, channels_of_file) in enumerate(files)
        ]
        copied = [sink for sink in sinks if sink.place.suffix == ".opus"]
        decoded = [sink for sink in sinks if sink.place.suffix != ".opus"]
        samples = 0
        if copied:
            share = _COPIED if decoded else 1.0
            samples = _copy_into(path, sidecar, copied, lambda done: progress(done * share))
        if decoded or not files:
            begun = _COPIED if copied else 0.0
            tracks = len(people) if "wav" in formats else 0
            if listener is not None:
                listener.begin(people)
            samples = _decode_into(
                decoder, decoded, tracks, lambda done: progress(begun + done * (1 - begun)), listener
            )
    except (OSError, soundfile.LibsndfileError) as failure:
        raise BlinkError(
            f"The files cannot be written to {target}: {failure_text(failure)}.",
            hint="Can the folder be written, and has its disk room? An hour of one participant needs 350 MB as WAV, and 15 MB as Opus.",
        ) from failure
    finally:
        decoder.close()
    return [Exported(place, kind, who, samples / SAMPLE_RATE_HZ) for place, kind, who, _ in files]


def unreadable(path: Path, failure: Exception) -> BlinkError:
    """What is said of a recording that cannot be read."""
    return BlinkError(f"{path} is no recording that can be read: {failure_text(failure)}.")


def opened(path: Path) -> tuple[RecordingDecoder, Sidecar | None]:
    """Open a recording of this program. Raises as `export`."""
    if not path.is_file():
        raise NotFoundError(
            f"There is no recording {path}.",
            hint="Name the recording's MP4 file; `blink record status` lists unfinished ones.",
        )
    sidecar = sidecar_of(path)
    try:
        decoder = RecordingDecoder(path, None if sidecar is None else sidecar.duration_s)
    except (OSError, ValueError, MemoryError) as failure:
        raise unreadable(path, failure) from failure
    if not _is_ours(decoder):
        decoder.close()
        raise UsageError(
            f"{path} is no recording of blink: its tracks are not named after participants.",
            hint="Other MP4s are a matter for FFmpeg: `ffmpeg -i FILE OUT.wav`.",
        )
    return decoder, sidecar


class _Sink(msgspec.Struct, frozen=True):
    """A sound file that is to be written."""

    place: Path
    token: str
    """Its name until it is whole, behind `.blink-`."""

    title: str
    """Whom it holds."""

    created: str
    """When the recording began: ISO 8601, UTC."""

    channels: int
    """1 or 2."""


def _decode_into(
    decoder: RecordingDecoder,
    wanted: list[_Sink],
    tracks: int,
    progress: Progress,
    listener: TrackListener | None,
) -> int:
    """The first `tracks` files are one track each, a further one is the mix. Returns how long they are, in samples."""
    mixdown = Mixdown()
    samples = 0
    expected = max(decoder.duration_s * SAMPLE_RATE_HZ, 1)
    with contextlib.ExitStack() as stack:
        sinks = [stack.enter_context(_appearing(one)) for one in wanted]
        for block in decoder.blocks():
            of_tracks = np.split(block, np.cumsum(decoder.channels)[:-1])
            if listener is not None:
                listener.hear(np.stack([sound.mean(axis=0) for sound in of_tracks]))
            for number in range(tracks):
                sinks[number].write(of_tracks[number].T)
            if len(sinks) > tracks:
                sinks[tracks].write(mixdown.mix(alike(of_tracks, block, wanted[tracks].channels)))
            samples += block.shape[1]
            progress(min(samples / expected, 1.0))
    return samples


def alike(of_tracks: Sequence[Block], block: Block, channels: int) -> Block:
    """All tracks with as many channels: shape (tracks, samples), or (tracks, samples, 2)."""
    if channels == 1:
        return block
    return np.stack([np.broadcast_to(sound, (2, sound.shape[1])).T for sound in of_tracks])


def _copy_into(path: Path, sidecar: Sidecar | None, wanted: list[_Sink], progress: Progress) -> int:
    """Each file is one track. Returns how long they are, in samples."""
    try:
        reader = Mp4Reader(path, None if sidecar is None else sidecar.duration_s)
    except (OSError, ValueError, MemoryError) as failure:  # another one has its name by now
        raise unreadable(path, failure) from failure
    expected = max(reader.duration_s * SAMPLE_RATE_HZ, 1)
    try:
        with contextlib.ExitStack() as stack:
            writers = []
            for one in wanted:
                file = stack.enter_context(replacing(one.place, one.token))
                writers.append(
                    stack.enter_context(
                        contextlib.closing(OggOpusWriter(file, one.title, one.created, channels=one.channels))
                    )
                )
            for track, payload, place, samples in reader.packets():
                writers[track].write(payload, place, samples)
                progress(min(place / expected, 1.0))
            end = max(writer.end for writer in writers)
            for writer in writers:
                writer.pad(end)
            return max(end - PRE_SKIP_SAMPLES, 0)
    finally:
        reader.close()


@contextlib.contextmanager
def _appearing(wanted: _Sink) -> Iterator[Any]:
    """A sound file that gets its name when it is whole."""
    with (
        replacing(wanted.place, wanted.token) as file,
        soundfile.SoundFile(
            file.fileno(),
            "w",
            SAMPLE_RATE_HZ,
            wanted.channels,
            "PCM_16",
            format=_FORMS[wanted.place.suffix].name,
            closefd=False,
        ) as sink,
    ):
        sink.title = wanted.title
        if wanted.created:
            sink.date = wanted.created
        yield sink


def require_replaceable(place: Path) -> None:
    """Only an earlier export is replaced by one: a name of something else must cost nothing."""
    form = _FORMS[place.suffix]
    try:
        if not ordinary_stands_at(place):
            return
        with open_reading(place) as file:
            is_export = form.begin.match(file.read(_SIGNATURE_BYTES)) is not None
    except OSError as failure:
        raise BlinkError(
            f"{place} cannot be replaced: {failure_text(failure)}.", hint=_ELSEWHERE
        ) from failure
    if not is_export:
        raise StateError(f"{place} exists and is no {form.name}, so no export replaces it.", hint=_ELSEWHERE)


def make_folder(folder: Path) -> None:
    """Make where exports go. Raises `UsageError` and `BlinkError`."""
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
    return bool(decoder.labels.tracks) and (
        re.fullmatch(r"call [0-9a-f]+", decoder.labels.comment) is not None
        or all(_TITLE.fullmatch(title) for title in decoder.labels.tracks)
    )


def people_of(sidecar: Sidecar | None, titles: Sequence[str]) -> list[tuple[Did, str]]:
    """Return DID and nickname of each track: by the sidecar, else by what the tracks are named."""
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

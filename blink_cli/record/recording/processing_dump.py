"""What went into the capture chain and what came out of it, as three WAV files that lie on each other to the sample.

    capture thread ── put ──> bounded queue ──> [thread "blink-processing-dump"] ──> NAME-microphone.wav
                                                                                     NAME-reference.wav     what the speaker played meanwhile
                                                                                     NAME-processed.wav     what was sent of it, muted or not

Each block comes with the moment at which it was captured, however late a filter gave it back; so the same sample of the three files is the same
moment at the microphone, and a filter's delay shows in none of them. Sample 0 is the first of the recording. Blocks that follow each other stand behind each
other, as the microphone's clock has them; over a gap it is monotonic time that tells the place. What was not captured, or did not fit into the
queue, is silence in all three alike, as long as it took.

The headers are brought up to date after every write, so that the files open while they grow and after a kill. A kill between two writes may
leave one file a fifth of a second longer than another; their beginnings lie on each other nevertheless.
"""

import io
import logging
import queue
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec

from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_MS, TICK_SAMPLES
from blink_cli.core.media.wav_header import FLOAT32, wav_header
from blink_cli.files.writing import create
from blink_cli.record.failure_text import failure_text
from blink_cli.runtime.on_demand import on_demand

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Samples = npt.NDArray[np.float32]
else:
    Samples = Any
    np = on_demand("numpy")

QUEUE_BLOCKS: Final = 1000
"""10 s, under 6 MB: a disk that sleeps wakes up in less."""

WRITE_EVERY_S: Final = 0.2
FOLLOWS_S: Final = 0.005
"""A block that was captured so near to the end of the one before follows it: half a block, five times what devices promise of a moment."""

KINDS: Final = ("microphone", "reference", "processed")

_TICK_S: Final = TICK_MS / 1000

_log = logging.getLogger(__name__)


def name_of(stem: str, kind: str) -> str:
    """The file of a recording, `stem` being the name of its MP4 without the ending."""
    return f"{stem}-{kind}.wav"


class DumpTotals(msgspec.Struct, frozen=True):
    """What the files hold now."""

    paths: tuple[Path, ...]
    """In the order of `KINDS`; empty before they are there."""

    duration_s: float
    lost_s: float
    """What did not fit into the queue, because the disk was too slow; it is silence."""

    failure: str | None
    """Why nothing is written any more, as the end of a sentence; None while all is well."""


class _Block(msgspec.Struct, frozen=True):
    """Three times 480 samples, in the order of `KINDS`, and where the first ones stand."""

    place: int
    sounds: tuple[Samples, Samples, Samples]


class ProcessingDump:
    """`put` belongs to the capture thread, the files to a thread of their own from `start` on, all else to the event loop."""

    def __init__(self, start_s: float, *, queue_blocks: int = QUEUE_BLOCKS) -> None:
        """Begin to take blocks; they wait for `start`.

        Args:
            start_s: The moment of sample 0, monotonic.
            queue_blocks: How many may wait.

        """
        self._start_s = start_s
        self._capacity = queue_blocks
        self._queue: queue.SimpleQueue[_Block] = queue.SimpleQueue()
        self._until_s: float | None = None
        self._place = 0
        self._lost_blocks = 0
        self._written = 0
        self._paths: tuple[Path, ...] = ()
        self._failure: str | None = None
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def put(self, near: Samples, far: Samples, processed: Samples, captured_until: float) -> None:
        """Take one block of each, shape (480,), not changed afterwards by anybody; when the queue is full it is lost, and silence in its place.

        Args:
            near: As the microphone heard it.
            far: What was heard from the speaker meanwhile.
            processed: What the chain made of `near`.
            captured_until: When the last sample was captured, monotonic.

        """
        place = self._next_place(captured_until)
        if place < 0:
            return  # it was said before the recording began
        if self._queue.qsize() < self._capacity:
            self._queue.put(_Block(place, (near, far, processed)))
        elif self._failure is None:
            self._lost_blocks += 1

    def start(self, folder: Path, stem: str) -> None:
        """Make the files, in the background."""
        self._thread = threading.Thread(
            target=self._run, args=(folder, stem), name="blink-processing-dump", daemon=True
        )
        self._thread.start()

    def end(self) -> None:
        """Write what waits and close the files, in the background. Safe to call twice."""
        self._ending.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for that; whether it is so. Blocks."""
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @property
    def totals(self) -> DumpTotals:
        """What is in the files. Any thread."""
        return DumpTotals(
            self._paths, self._written / SAMPLE_RATE_HZ, self._lost_blocks * _TICK_S, self._failure
        )

    # the capture thread

    def _next_place(self, captured_until: float) -> int:
        began_s = captured_until - _TICK_S
        if self._until_s is None:
            self._place = round((began_s - self._start_s) * SAMPLE_RATE_HZ)
        else:
            gap_s = began_s - self._until_s
            missing = 0 if abs(gap_s) < FOLLOWS_S else max(0, round(gap_s * SAMPLE_RATE_HZ))
            self._place += TICK_SAMPLES + missing
        self._until_s = captured_until
        return self._place

    # the thread

    def _run(self, folder: Path, stem: str) -> None:
        try:
            with ExitStack() as opened:
                paths = tuple(folder / name_of(stem, kind) for kind in KINDS)
                files = tuple(opened.enter_context(_GrowingFile(path)) for path in paths)
                self._paths = paths
                ending = False
                while not ending:
                    ending = self._ending.wait(WRITE_EVERY_S)
                    self._write_queued(files)
        except OSError as failure:
            self._fail(failure_text(failure))
        except Exception as failure:  # noqa: BLE001 - whatever it is, who waits must learn that nothing is written
            _log.exception("the sound around the capture chain is not written any more")
            self._fail(f"an error in the program: {failure!r}")

    def _fail(self, reason: str) -> None:
        self._failure = reason
        self._capacity = 0
        while not self._queue.empty():
            self._queue.get()

    def _write_queued(self, files: "tuple[_GrowingFile, ...]") -> None:
        blocks = [self._queue.get() for _ in range(self._queue.qsize())]
        if not blocks:
            return
        for number, file in enumerate(files):
            file.write([(block.place, block.sounds[number]) for block in blocks])
        for file in files:
            file.promise()
        self._written = files[0].samples


class _GrowingFile:
    """One file, which is readable whenever `promise` was called."""

    def __init__(self, path: Path) -> None:
        """Make it, its owner's alone. Nothing is overwritten. Without a buffer: what was refused must not be tried again when it is closed."""
        self._file = io.FileIO(create(path), "r+b")
        self._file.write(wav_header(0, FLOAT32))
        self.samples = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, blocks: list[tuple[int, Samples]]) -> None:
        """Write blocks at their places, in order. Where none is, the file is silent, and takes no room on most disks."""
        run: list[Samples] = []
        start = end = self.samples
        for place, sound in blocks:
            if place != end:
                self._write_run(start, run)
                run, start = [], place
            run.append(sound)
            end = place + len(sound)
        self._write_run(start, run)
        self.samples = end

    def _write_run(self, place: int, run: list[Samples]) -> None:
        if not run:
            return
        data = np.concatenate(run).astype("<f4").tobytes()
        at = place * FLOAT32.sample_bytes
        if at + len(data) > FLOAT32.most_data_bytes:
            raise OSError("a WAV file holds at most 4 GiB")
        self._file.seek(FLOAT32.header_bytes + at)
        self._append(data)

    def promise(self) -> None:
        """Bring the header up to date: the samples reach the file before it tells of them."""
        self._file.seek(0)
        self._append(wav_header(self.samples * FLOAT32.sample_bytes, FLOAT32))

    def _append(self, data: bytes) -> None:
        written = 0
        while written < len(data):
            written += self._file.write(data[written:])

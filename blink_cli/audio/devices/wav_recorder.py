"""`wav:PATH`: what would be heard, as 16-bit mono at 48 kHz.

    playout thread ── hear ──> bounded queue ──> [writer thread] samples, then header, every 0.1 s

The header is brought up to date after every write, so that the file opens in any reader while the call goes on and after a kill; at most
the last 0.2 s are missing then. When the disk cannot keep up, blocks are dropped, counted, and later filled with silence, so that sample k
stays the one that was played at k / 48000 seconds.

The file is its owner's alone, and always one that was made here: what has its name before is replaced, never written through.
"""

import logging
import os
import queue
import threading
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import DeviceError
from blink_cli.core.media.wav_header import PCM16, wav_header
from blink_cli.files.ordinary import ordinary_stands_at
from blink_cli.files.writing import open_again, replacing

QUEUE_BLOCKS: Final = 1000
"""10 s of sound, under 2 MB: a disk that is slower than that is broken."""

WRITE_EVERY_S: Final = 0.1
HEADER_BYTES: Final = PCM16.header_bytes
SAMPLE_BYTES: Final = PCM16.sample_bytes

_FULL_SCALE = 32767.0

_log = logging.getLogger(__name__)


class WavRecorder:
    """The listener of `wav:`. `hear` belongs to the playout thread; the file to a thread of its own between `begin` and `end`."""

    def __init__(self, path: Path) -> None:
        """Look at the place. Nothing is written before `begin`.

        Args:
            path: Where to write. The folder must exist.

        Raises:
            DeviceError: It cannot be written there.

        """
        self.path = path
        self.heard_before = 0
        self.failure: str | None = None
        self.dropped_samples = 0
        self._heard = 0
        self._filled_to = 0
        self._queue: queue.SimpleQueue[tuple[int, Samples]] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._writer: threading.Thread | None = None
        self._made: os.stat_result | None = None
        _check_place(path)

    def begin(self) -> None:
        """Replace what stands there, or from the second time on continue it, and start the writer.

        Raises:
            DeviceError: It cannot be written, or is being written already.

        """
        if self.recording:
            raise already_written(self.path)
        try:
            file = self._made_before() or self._made_anew()
            size = file.seek(0, os.SEEK_END)
        except OSError as error:
            raise _cannot_write(self.path, error.strerror or str(error)) from error
        self.heard_before = max(0, size - HEADER_BYTES) // SAMPLE_BYTES
        self.failure = None
        self.dropped_samples = 0
        self._queue = queue.SimpleQueue()  # after a failure, the earlier one still holds what was not written
        self._heard = self._filled_to = 0
        self._ending.clear()
        self._writer = threading.Thread(
            target=self._write, args=(file,), name="blink-wav-writer", daemon=True
        )
        self._writer.start()

    @property
    def recording(self) -> bool:
        """Whether it is between `begin` and `end`."""
        return self._writer is not None

    def hear(self, samples: Samples) -> None:
        """Queue a copy of `samples`; drop them, counted, when the queue is full."""
        if self._queue.qsize() < QUEUE_BLOCKS:
            self._queue.put((self._heard, samples.copy()))
        else:
            self.dropped_samples += len(samples)
        self._heard += len(samples)

    def hear_nothing(self, count: int) -> None:
        """Leave a gap, which the writer fills."""
        self._heard += count

    def end(self) -> None:
        """Write what is queued, then close the file."""
        if self._writer is not None:
            self._ending.set()
            self._writer.join()
            self._writer = None

    def _made_before(self) -> BinaryIO | None:
        """The file of an earlier call; None if there was none, or someone has cleared it away."""
        if self._made is None:
            return None
        try:
            return os.fdopen(open_again(self.path, self._made), "r+b")
        except FileNotFoundError:
            return None

    def _made_anew(self) -> BinaryIO:
        # A new file, in place of another one: who opened the old one before shall not hear what is written now.
        ordinary_stands_at(self.path)
        with replacing(self.path) as new:
            new.write(wav_header(0, PCM16))
            self._made = os.fstat(new.fileno())
        return os.fdopen(open_again(self.path, self._made), "r+b")

    def _write(self, file: BinaryIO) -> None:
        try:
            # Closing writes what is buffered, and can fail too.
            with file:
                while not self._ending.wait(WRITE_EVERY_S):
                    self._write_queued(file)
                self._write_queued(file)
                self._fill(file, self._heard)
                self._write_header(file)
        except OSError as error:
            self.failure = f"{self.path} cannot be written any more: {error.strerror or error}"
        except Exception as error:  # noqa: BLE001 - whatever it is, who hears must learn that nothing is written
            _log.exception("a WAV file is not written any more")
            self.failure = f"{self.path} cannot be written any more: {error!r}"

    def _write_queued(self, file: BinaryIO) -> None:
        wrote = False
        while not self._queue.empty():
            at, samples = self._queue.get()
            self._fill(file, at)
            self._append(file, samples)
            wrote = True
        if wrote:
            self._write_header(file)

    def _fill(self, file: BinaryIO, until: int) -> None:
        while self._filled_to < until:
            count = min(until - self._filled_to, SAMPLE_RATE_HZ)
            self._append(file, np.zeros(count, dtype=np.float32))

    def _append(self, file: BinaryIO, samples: Samples) -> None:
        if file.tell() + len(samples) * SAMPLE_BYTES > PCM16.most_data_bytes:
            raise OSError("a WAV file holds at most 4 GiB")
        file.write(pcm16(samples))
        self._filled_to += len(samples)

    def _write_header(self, file: BinaryIO) -> None:
        # The samples reach the file before the header promises them, so that a kill in between leaves no promise unkept.
        file.flush()
        end = file.tell()
        file.seek(0)
        file.write(wav_header(end - HEADER_BYTES, PCM16))
        file.flush()
        file.seek(end)


def pcm16(samples: Samples) -> bytes:
    """Return what a file of 16 bits holds for these samples, shape (n,)."""
    data: bytes = np.rint(np.clip(samples, -1.0, 1.0) * _FULL_SCALE).astype("<i2").tobytes()
    return data


def already_written(path: Path) -> DeviceError:
    """Return the error of whoever wants a second writer for one file."""
    return DeviceError(f"{path} is being written already.", hint="Choose another file.")


def _check_place(path: Path) -> None:
    """Raise `DeviceError` if writing to `path` cannot succeed, without touching it."""
    try:
        ordinary_stands_at(path)
        if not path.parent.exists():
            raise _cannot_write(path, "No such file or directory")
    except OSError as error:
        raise _cannot_write(path, error.strerror or str(error)) from error
    if not os.access(path.parent, os.W_OK):
        raise _cannot_write(path, "Permission denied")


def _cannot_write(path: Path, why: str) -> DeviceError:
    return DeviceError(
        f"{path} cannot be written: {why}.",
        hint="Choose a path in a folder that exists and is yours.",
    )

"""`wav:PATH`: what would be heard, as 16-bit mono at 48 kHz.

    playout thread ── hear ──> bounded queue ──> [writer thread] samples, then header, every 0.1 s

The header is brought up to date after every write, so that the file opens in any reader while the call goes on and after a kill; at most
the last 0.2 s are missing then. When the disk cannot keep up, blocks are dropped, counted, and later filled with silence, so that sample k
stays the one that was played at k / 48000 seconds.

Source: Multimedia Programming Interface and Data Specifications 1.0 (IBM, Microsoft 1991), "Waveform Audio File Format".
"""

import logging
import os
import queue
import struct
import threading
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from blink_cli.audio.samples import Samples
from blink_cli.core.errors import DeviceError
from blink_cli.core.voice import SAMPLE_RATE_HZ

QUEUE_BLOCKS: Final = 1000
"""10 s of sound, under 2 MB: a disk that is slower than that is broken."""

WRITE_EVERY_S: Final = 0.1
HEADER_BYTES: Final = 44
SAMPLE_BYTES: Final = 2
MAX_DATA_BYTES: Final = 0xFFFFFFFF - HEADER_BYTES
"""A WAV header counts in 32 bits: 12.4 hours."""

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
        self._begun = False
        _check_place(path)

    def begin(self) -> None:
        """Replace what stands there, or from the second time on continue it, and start the writer.

        Raises:
            DeviceError: It cannot be written, or is being written already.

        """
        if self.recording:
            raise already_written(self.path)
        try:
            if not (self._begun and self.path.exists()):  # someone may have cleared away an earlier call's
                self.path.write_bytes(_header(0))
            file = self.path.open("r+b")
            size = file.seek(0, 2)
        except OSError as error:
            raise _cannot_write(self.path, error.strerror or str(error)) from error
        self._begun = True
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
        if file.tell() + len(samples) * SAMPLE_BYTES > MAX_DATA_BYTES:
            raise OSError("a WAV file holds at most 4 GiB")
        file.write(np.rint(np.clip(samples, -1.0, 1.0) * _FULL_SCALE).astype("<i2").tobytes())
        self._filled_to += len(samples)

    def _write_header(self, file: BinaryIO) -> None:
        # The samples reach the file before the header promises them, so that a kill in between leaves no promise unkept.
        file.flush()
        end = file.tell()
        file.seek(0)
        file.write(_header(end - HEADER_BYTES))
        file.flush()
        file.seek(end)


def _header(data_bytes: int) -> bytes:
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        data_bytes + HEADER_BYTES - 8,
        b"WAVE",
        b"fmt ",
        16,
        1,  # PCM
        1,  # channel
        SAMPLE_RATE_HZ,
        SAMPLE_RATE_HZ * SAMPLE_BYTES,
        SAMPLE_BYTES,
        8 * SAMPLE_BYTES,
        b"data",
        data_bytes,
    )


def already_written(path: Path) -> DeviceError:
    """Return the error of whoever wants a second writer for one file."""
    return DeviceError(f"{path} is being written already.", hint="choose another file")


def _check_place(path: Path) -> None:
    """Raise `DeviceError` if writing to `path` cannot succeed, without touching it."""
    try:
        written = path if path.exists() else path.parent
        if not written.exists():
            raise _cannot_write(path, "No such file or directory")
        if path.is_dir():
            raise _cannot_write(path, "Is a directory")
        if path.exists() and not path.is_file():
            raise _cannot_write(path, "It is not an ordinary file")
    except OSError as error:
        raise _cannot_write(path, error.strerror or str(error)) from error
    if not os.access(written, os.W_OK):
        raise _cannot_write(path, "Permission denied")


def _cannot_write(path: Path, why: str) -> DeviceError:
    return DeviceError(
        f"{path} cannot be written: {why}.",
        hint="choose a path in a folder that exists and is yours",
    )

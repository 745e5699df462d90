"""WAV files of a replay: written block by block, as `wav:` writes them."""

import os
from pathlib import Path
from typing import BinaryIO

from blink_cli.audio.devices.wav_recorder import pcm16
from blink_cli.audio.samples import Samples
from blink_cli.core.media.wav_header import PCM16, wav_header
from blink_cli.files.writing import create


class HeardWav:
    """A new file of one channel at 48 kHz, 16 bits."""

    def __init__(self, path: Path) -> None:
        """Make it.

        Raises:
            FileExistsError: Something has this name.
            OSError: It cannot be made.

        """
        self.path = path
        self._bytes = 0
        self._file: BinaryIO = os.fdopen(create(path), "wb")
        self._file.write(wav_header(0, PCM16))

    def add(self, samples: Samples) -> None:
        """Append samples, shape (n,)."""
        data = pcm16(samples)
        self._bytes += len(data)
        self._file.write(data)

    def add_silence(self, count: int) -> None:
        """Append so many samples of silence."""
        self._bytes += count * PCM16.sample_bytes
        self._file.write(bytes(count * PCM16.sample_bytes))

    def close(self) -> None:
        """Say in the header how long it is."""
        self._file.seek(0)
        self._file.write(wav_header(self._bytes, PCM16))
        self._file.close()

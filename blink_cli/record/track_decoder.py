"""A finished or growing recording as sound: all tracks together, a second at a time.

    packets ──> one Opus decoder each ──> pre-skip left out ──> blocks of one second, shape (tracks, 48000)

What a player plays is what comes out, to the sample. An hour of eight tracks is read with a few megabytes.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import av
import numpy as np
import numpy.typing as npt
from av.audio.codeccontext import AudioCodecContext

from blink_cli.core.voice import SAMPLE_RATE_HZ
from blink_cli.record.mp4_file import PRE_SKIP_SAMPLES, Mp4Reader

BLOCK_SAMPLES: Final = SAMPLE_RATE_HZ

Block = npt.NDArray[np.float32]

MOST_AHEAD_SAMPLES: Final = 60 * SAMPLE_RATE_HZ
"""How far one track may be read before another: files interleave at most half a second."""


class RecordingDecoder:
    """Reads one recording from its start to its end, once."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            OSError: It cannot be read.

        """
        self._reader = Mp4Reader(path)
        self.titles = self._reader.titles
        self.comment = self._reader.comment
        self.duration_s = self._reader.duration_s

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()

    def blocks(self) -> Iterator[Block]:
        """Float32 blocks of shape (tracks, samples), each a second long but the last one. Tracks that end early are silent from there."""
        tracks = [_TrackSound() for _ in self.titles]
        for number, payload, place, samples in self._reader.packets():
            tracks[number].decode(payload, place, samples)
            ready = min(track.ready for track in tracks)
            if max(track.ready for track in tracks) - ready > MOST_AHEAD_SAMPLES:
                ready = BLOCK_SAMPLES  # a track that has ended
            while ready >= BLOCK_SAMPLES:
                yield np.stack([track.take(BLOCK_SAMPLES) for track in tracks])
                ready -= BLOCK_SAMPLES
        rest = max((track.ready for track in tracks), default=0)
        while rest > 0:
            size = min(rest, BLOCK_SAMPLES)
            yield np.stack([track.take(size) for track in tracks])
            rest -= size


class _TrackSound:
    """One track's decoder and the sound that was not taken yet."""

    def __init__(self) -> None:
        self._decoder = self._new_decoder()
        self._skip = PRE_SKIP_SAMPLES
        self._pieces: list[npt.NDArray[np.float32]] = []
        self._end = 0
        self.ready = 0

    @staticmethod
    def _new_decoder() -> AudioCodecContext:
        decoder = av.CodecContext.create("libopus", "r")
        assert isinstance(decoder, AudioCodecContext), "libopus is an audio codec"
        decoder.sample_rate = SAMPLE_RATE_HZ
        decoder.layout = "mono"
        return decoder

    def decode(self, payload: bytes, place: int, samples: int) -> None:
        """Take the next packet. One that cannot be decoded is silent, and as long as it says."""
        if place > self._end:
            self._append(np.zeros(place - self._end, np.float32))
        try:
            frames = self._decoder.decode(av.Packet(payload))
        except av.error.FFmpegError:
            frames = []
        sound = (
            np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])
            if frames
            else np.zeros(0, np.float32)
        )
        if sound.dtype == np.int16:
            sound = sound.astype(np.float32) / 32768
        if len(sound) != samples:
            sound = (
                np.resize(sound, samples)
                if len(sound) > samples
                else np.pad(sound, (0, samples - len(sound)))
            )
        self._append(sound)

    def take(self, samples: int) -> npt.NDArray[np.float32]:
        """The next samples, zeros behind the end."""
        taken: list[npt.NDArray[np.float32]] = []
        wanted = samples
        while wanted and self._pieces:
            piece = self._pieces[0]
            if len(piece) <= wanted:
                taken.append(self._pieces.pop(0))
            else:
                taken.append(piece[:wanted])
                self._pieces[0] = piece[wanted:]
            wanted -= len(taken[-1])
        if wanted:
            taken.append(np.zeros(wanted, np.float32))
        self.ready = max(self.ready - samples, 0)
        return np.concatenate(taken)

    def _append(self, sound: npt.NDArray[np.float32]) -> None:
        self._end += len(sound)
        if self._skip:
            cut = min(self._skip, len(sound))
            self._skip -= cut
            sound = sound[cut:]
        if len(sound):
            self._pieces.append(sound)
            self.ready += len(sound)

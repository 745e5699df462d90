"""A finished or growing recording as sound: all tracks together, a second at a time.

    packets ──> one Opus decoder each ──> pre-skip left out ──> blocks of one second, shape (channels of all tracks, 48000)

What a player plays is what comes out, to the sample. An hour of eight tracks is read with a few megabytes.
"""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import av
import numpy as np
import numpy.typing as npt
from av.audio.codeccontext import AudioCodecContext

from blink_cli.core.audio_format import PRE_SKIP_SAMPLES, SAMPLE_RATE_HZ
from blink_cli.record.mp4.file import Mp4Reader

BLOCK_SAMPLES: Final = SAMPLE_RATE_HZ

Block = npt.NDArray[np.float32]

MOST_HELD_SAMPLES: Final = 240 * SAMPLE_RATE_HZ
"""Sound of tracks that are read before another one, all together: files interleave at most half a second. 46 MB."""


class RecordingDecoder:
    """Reads one recording from its start to its end, once."""

    def __init__(self, path: Path, told_s: float | None) -> None:
        """Open it.

        Args:
            path: The MP4.
            told_s: How long it was by its sidecar; None without one.

        Raises:
            OSError: It cannot be read.
            ValueError: It claims what no recording has.
            MemoryError: Its index is too large, or damaged.

        """
        self._reader = Mp4Reader(path, told_s)
        self.labels = self._reader.labels
        self.duration_s = self._reader.duration_s

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()

    @property
    def channels(self) -> tuple[int, ...]:
        """Of each track, 1 or 2."""
        return self._reader.channels

    def blocks(self) -> Iterator[Block]:
        """Float32 blocks of shape (channels of all tracks, samples), each a second long but the last one.

        The tracks stand in their order, of one with two channels left, then right. Tracks that end early are silent from there.
        """
        tracks = [_TrackSound(channels) for channels in self.channels]
        for number, payload, place, samples in self._reader.packets():
            tracks[number].decode(payload, place, samples)
            while (
                min(track.ready for track in tracks) >= BLOCK_SAMPLES
                or sum(track.held for track in tracks) > MOST_HELD_SAMPLES  # because of one that has ended
            ):
                yield np.concatenate([track.take(BLOCK_SAMPLES) for track in tracks])
        while (rest := max((track.ready for track in tracks), default=0)) > 0:
            size = min(rest, BLOCK_SAMPLES)
            yield np.concatenate([track.take(size) for track in tracks])


class _TrackSound:
    """One track's decoder and the sound that was not taken yet. Silence between packets is a number, however long it is."""

    def __init__(self, channels: int = 1) -> None:
        self._channels = channels
        self._decoder = self._new_decoder(channels)
        self._pieces: deque[npt.NDArray[np.float32] | int] = deque()
        self._end = -PRE_SKIP_SAMPLES
        """Behind the last packet; what stands before 0 is the decoder's start, and is left out."""

        self._taken = 0
        self.held = 0
        """Samples of sound, without silence."""

    @property
    def ready(self) -> int:
        """Samples that can be taken."""
        return max(self._end - self._taken, 0)

    @staticmethod
    def _new_decoder(channels: int) -> AudioCodecContext:
        decoder = av.CodecContext.create("libopus", "r")
        assert isinstance(decoder, AudioCodecContext), "libopus is an audio codec"
        decoder.sample_rate = SAMPLE_RATE_HZ
        decoder.layout = "mono" if channels == 1 else "stereo"
        return decoder

    def decode(self, payload: bytes, place: int, samples: int) -> None:
        """Take the next packet. One that cannot be decoded is silent, and as long as it says."""
        missing = place - PRE_SKIP_SAMPLES - self._end
        if missing > 0:
            self._append_silence(missing)
        try:
            frames = self._decoder.decode(av.Packet(payload))
        except av.error.FFmpegError:
            frames = []
        sound = (
            np.concatenate([frame.to_ndarray().reshape(-1, self._channels) for frame in frames])
            if frames
            else np.zeros((0, self._channels), np.float32)
        )
        if sound.dtype == np.int16:
            sound = sound.astype(np.float32) / 32768
        if len(sound) != samples:
            sound = sound[:samples]
            sound = np.pad(sound, ((0, samples - len(sound)), (0, 0)))
        late = min(max(self._taken - self._end, 0), len(sound))  # its place was taken, or is before the start
        self._end += len(sound)
        if late < len(sound):
            self._pieces.append(sound[late:])
            self.held += len(sound) - late

    def take(self, samples: int) -> npt.NDArray[np.float32]:
        """The next samples, shape (channels, samples), zeros behind the end."""
        taken = np.zeros((samples, self._channels), np.float32)
        filled = 0
        while filled < samples and self._pieces:
            piece = self._pieces.popleft()
            length = piece if isinstance(piece, int) else len(piece)
            used = min(length, samples - filled)
            if isinstance(piece, int):
                if used < length:
                    self._pieces.appendleft(length - used)
            else:
                taken[filled : filled + used] = piece[:used]
                self.held -= used
                if used < length:
                    self._pieces.appendleft(piece[used:])
            filled += used
        self._taken += samples
        return taken.T

    def _append_silence(self, samples: int) -> None:
        late = min(max(self._taken - self._end, 0), samples)
        self._end += samples
        if late < samples:
            self._pieces.append(samples - late)

"""Another reader of recordings: what FFmpeg says of a file, and plays of it."""

from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

PRE_SKIP_S = 312 / 48_000
"""Of its packets, what a finished track is not long: decoders leave it out at the start."""


def durations_s(path: Path) -> list[float]:
    """How long each track says it is."""
    with av.open(str(path)) as container:
        return [float((stream.duration or 0) * (stream.time_base or 0)) for stream in container.streams.audio]


def packet_seconds(path: Path) -> list[float]:
    """How long each track is, counted from the packets that can really be read."""
    with av.open(str(path)) as container:
        ends = dict.fromkeys(range(len(container.streams.audio)), 0)
        for read in container.demux(container.streams.audio):
            if read.size:
                ends[read.stream_index] += read.duration or 0
        return [end / 48_000 for end in ends.values()]


def track_of(path: Path, number: int) -> npt.NDArray[np.float32]:
    """One track, as FFmpeg's own decoder plays it."""
    with av.open(str(path)) as container:
        frames = container.decode(container.streams.audio[number])
        return np.concatenate([frame.to_ndarray()[0].astype(np.float32) for frame in frames])

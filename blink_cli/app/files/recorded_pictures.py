"""The pictures of a recording: from where they are seen to the thread that encodes them, and on to the one that writes.

    PictureStore ──watch──> PictureRecorder (its own thread) ──put──> RecordingThread ──> MP4

What encodes is loaded when a recording with pictures begins.
"""

import asyncio
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Protocol, Self

from blink_cli.core.ids import Did
from blink_cli.core.media.recorded_picture import PeerClock, PictureTrack
from blink_cli.record.recording.recording import Recording
from blink_cli.record.recording.recording_thread import RecordingThread
from blink_cli.runtime.shared_objects import load_shared_objects

if TYPE_CHECKING:
    from blink_cli.video.picture_store import PictureStore  # numpy
    from blink_cli.video.recorded.picture_recorder import PictureRecorder  # FFmpeg

USUAL: Final = PictureTrack(640, 360)
"""Of who shows nothing as the recording begins."""


class PictureSource(Protocol):
    """The pictures of a call."""

    @property
    def store(self) -> "PictureStore":
        """What is seen of everybody."""

    def clock_of(self, did: Did) -> PeerClock:
        """What is known of the clock of a participant's pictures. Any thread."""


async def picture_tracks(source: PictureSource, dids: Sequence[Did]) -> dict[Did, PictureTrack]:
    """Return the tracks of a recording that begins now: as large as what is seen of each."""
    await asyncio.to_thread(_load)
    tracks = {}
    for did in dids:
        seen = source.store.latest(did)
        size = None if seen is None else seen.picture.size
        tracks[did] = USUAL if size is None else PictureTrack(size.width, size.height)
    return tracks


class RecordedPictures:
    """Of one recording. Belongs to the event loop."""

    def __init__(self, source: PictureSource, recorder: "PictureRecorder") -> None:
        """Use `begin`."""
        self._source = source
        self._recorder = recorder

    @classmethod
    async def begin(
        cls, source: PictureSource, tracks: dict[Did, PictureTrack], start_s: float, thread: RecordingThread
    ) -> Self:
        """Record pictures from now on; `start_s` is the recording's first sample, in monotonic time."""
        from blink_cli.video.recorded.picture_recorder import PictureRecorder  # noqa: PLC0415 - see the head

        recorder = await asyncio.to_thread(
            functools.partial(
                PictureRecorder,
                tracks,
                start_s,
                clock_of=source.clock_of,
                encoded=functools.partial(thread.put, Recording.seen),
            )
        )
        recorder.start()
        source.store.watch(recorder.put)
        return cls(source, recorder)

    async def end(self) -> None:
        """Record no more pictures; what came is in the queue of the recording's thread when this returns. Safe to call twice."""
        self._source.store.forget(self._recorder.put)
        await asyncio.to_thread(self._recorder.stop)


def _load() -> None:
    """Off the event loop: 50 ms."""
    load_shared_objects("av")
    import blink_cli.record.mp4.picture_stream  # noqa: PLC0415 - see the head
    import blink_cli.video.recorded.picture_recorder  # noqa: F401, PLC0415 - as above

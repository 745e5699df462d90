"""The thread that decodes what comes, of everybody, and puts it where it is seen at its time.

    event loop --frame, when it is due--> [queue of its participant] --> decoder --> PictureStore

One thread for all: decoding takes a millisecond. A participant whose queue is full loses what is in it, and its sender is asked for a key frame.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from blink_cli.core.errors import WireError
from blink_cli.core.ids import Did
from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.core.media.video.freeze_meter import FreezeMeter
from blink_cli.core.media.video_codec import VideoCodec
from blink_cli.runtime.loop_bridge import LoopBridge
from blink_cli.video.codec.picture_decoder import PictureDecoder
from blink_cli.video.picture import Picture

MOST_WAITING: Final = 64
"""Frames of one participant: two seconds. They wait for their time, with the voice that belongs to them."""

STOP_WITHIN_S: Final = 2.0


@dataclass(slots=True, eq=False)
class DecodedStream:
    """What is decoded of one participant. Figures may be read on any thread."""

    did: Did
    frames_decoded: int = 0
    key_frames_decoded: int = 0
    frames_dropped: int = 0
    """Not decoded, since the decoder could not go on; or decoded when the next one was due already."""

    decode_s: float = 0.0
    """Sum of processor time (totalDecodeTime)."""

    codec: VideoCodec | None = None
    """Of the newest picture; None before the first."""

    width: int | None = None
    height: int | None = None
    shown: FreezeMeter = field(default_factory=FreezeMeter)
    waiting: deque[tuple[float, CodedPicture]] = field(default_factory=deque)
    decoder: PictureDecoder | None = None


class DecoderThread:
    """Made on the event loop, and belongs to it, but for what runs inside."""

    def __init__(self, *, show: Callable[[Did, Picture], None], lost: Callable[[Did], None]) -> None:
        """Decode nothing yet; the thread begins with the first frame.

        Args:
            show: Given each picture when it is due, on the decoder's thread.
            lost: Told whose decoder cannot go on without a key frame, on the event loop.

        """
        self._show, self._lost = show, lost
        self._bridge = LoopBridge()
        self._streams: dict[Did, DecodedStream] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def stream(self, did: Did) -> DecodedStream:
        """What is decoded of a participant, from the first frame of its on."""
        with self._changed:
            return self._streams.setdefault(did, DecodedStream(did))

    def put(self, did: Did, coded: CodedPicture, due_s: float) -> None:
        """Have a frame decoded and shown at a monotonic time, behind those of the same participant that were put before."""
        stream = self.stream(did)
        full = False
        with self._changed:
            if len(stream.waiting) >= MOST_WAITING:
                stream.frames_dropped += len(stream.waiting)
                stream.waiting.clear()
                stream.decoder = None
                full = True
            stream.waiting.append((due_s, coded))
            self._changed.notify()
        if full:
            self._lost(did)
        if self._thread is None and not self._stopping:
            self._thread = threading.Thread(target=self._run, name="blink pictures", daemon=True)
            self._thread.start()

    def forget(self, did: Did) -> None:
        """What waits of a participant is of no use any more: its stream ended."""
        with self._changed:
            stream = self._streams.get(did)
            if stream is not None:
                stream.waiting.clear()
                stream.decoder = None
                stream.shown.stopped()

    def stop(self) -> None:
        """End the thread. Waits for the picture that is being decoded; safe to call twice."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(STOP_WITHIN_S)
            self._thread = None

    # the thread

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._stopping:
                    return
                waiting = [stream for stream in self._streams.values() if stream.waiting]
                if not waiting:
                    self._changed.wait()
                    continue
                stream = min(waiting, key=lambda one: one.waiting[0][0])
                due_s, coded = stream.waiting[0]
                now_s = time.monotonic()
                if due_s > now_s:
                    self._changed.wait(due_s - now_s)
                    continue
                stream.waiting.popleft()
                overtaken = bool(stream.waiting) and stream.waiting[0][0] <= now_s
                decoder = stream.decoder
                if decoder is None:
                    decoder = stream.decoder = PictureDecoder()
            self._decode(stream, decoder, coded, overtaken=overtaken)

    def _decode(
        self, stream: DecodedStream, decoder: PictureDecoder, coded: CodedPicture, *, overtaken: bool
    ) -> None:
        began_s = time.thread_time()
        try:
            picture = decoder.decode(coded)
        except WireError:
            stream.frames_dropped += 1
            self._bridge.call(self._lost, stream.did)
            return
        finally:
            stream.decode_s += time.thread_time() - began_s
        stream.frames_decoded += 1
        stream.key_frames_decoded += coded.is_key
        stream.codec = coded.codec
        if picture is None or overtaken:
            stream.frames_dropped += overtaken
            return
        stream.width, stream.height = picture.size.width, picture.size.height
        stream.shown.shown(time.monotonic())
        self._show(stream.did, picture)

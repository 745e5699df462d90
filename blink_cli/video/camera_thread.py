"""The thread that takes pictures and encodes them: one camera, one encoder, for everybody in the call.

    camera --picture--> own preview
               '------> encoder, if anybody is to see it and the line has room --> event loop

It never waits for the event loop, and the voice thread never for it. What the loop has not taken yet is bounded: then pictures are not encoded, which
costs a picture and nothing else; one that is encoded is needed by all that follow it.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from blink_cli.core.api.camera_name import PictureSize
from blink_cli.core.errors import BlinkError
from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.core.media.video.frame_pace import FramePace, wanted_fps
from blink_cli.core.media.video.key_frame_wish import KeyFrameRule
from blink_cli.core.media.video_codec import VideoCodec
from blink_cli.runtime.loop_bridge import LoopBridge
from blink_cli.video.cameras.interface import Camera
from blink_cli.video.codec.bounded_encoder import BoundedEncoder
from blink_cli.video.picture import Picture

_log = logging.getLogger(__name__)

MOST_UNTAKEN: Final = 3
"""Encoded frames that the event loop has not taken: it stands still for a tenth of a second then."""

STOP_WITHIN_S: Final = 2.0


class CameraThread:
    """Made on the event loop, and belongs to it, but for what runs inside."""

    def __init__(
        self,
        *,
        preview: Callable[[Picture], None],
        coded: Callable[[CodedPicture], None],
        failed: Callable[[str], None],
        target_bps: float,
    ) -> None:
        """Have no camera.

        Args:
            preview: Given each picture, on the camera's thread.
            coded: Given each encoded frame, on the event loop.
            failed: Told why the camera ended by itself, on the event loop, once.
            target_bps: How much may be sent at first.

        """
        self.target_bps = target_bps
        """How much may be sent, in the mean."""

        self.codec = VideoCodec.VP8
        """By what pictures are encoded."""

        self.sends = False
        """Whether anybody is to see it."""

        self.not_before_s = 0.0
        """Monotonic: until then the line has no room for another frame."""

        self.frames_captured = 0
        self.encoded_size: PictureSize | None = None
        """Of the newest picture that was encoded."""

        self.frames_encoded = 0
        self.key_frames_encoded = 0
        self.frames_held_back = 0
        """Taken, and not encoded: for want of room on a line, or because there are fewer frames for their quality."""

        self.encode_s = 0.0
        """Sum of processor time (totalEncodeTime)."""

        self._preview, self._coded, self._failed = preview, coded, failed
        self._bridge = LoopBridge()
        self._camera: Camera | None = None
        self._encoder: BoundedEncoder | None = None
        self._keys = KeyFrameRule()
        self._untaken = 0
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._pace = FramePace()

    @property
    def camera(self) -> Camera | None:
        """The camera that runs."""
        return self._camera

    def start(self, camera: Camera) -> None:
        """Take pictures with a camera that was started. It is stopped with `stop`, by whoever started it."""
        assert self._thread is None, "one camera at a time"
        self._camera = camera
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, args=(camera,), name="blink camera", daemon=True)
        self._thread.start()

    def stop(self) -> Camera | None:
        """Take no more pictures. Returns the camera, which is to be stopped. Waits for the picture that is being encoded; safe to call twice."""
        thread, self._thread = self._thread, None
        camera, self._camera = self._camera, None
        if thread is not None:
            self._stopping.set()
            thread.join(STOP_WITHIN_S)
        return camera

    def want_key_frame(self) -> None:
        """Somebody cannot go on, or has just come: one is made for all who ask within a moment."""
        self._keys.wanted()

    # the thread

    def _run(self, camera: Camera) -> None:
        try:
            while not self._stopping.is_set():
                now_s = time.monotonic()
                due_s = camera.ready_s(now_s)
                if due_s > now_s:
                    self._stopping.wait(due_s - now_s)
                    continue
                picture = camera.read(now_s)
                if picture is None:
                    failure = camera.reading(now_s).failure
                    if failure is not None:
                        self._bridge.call(self._failed, failure)
                        return
                    self._stopping.wait(0.002)
                    continue
                self.frames_captured += 1
                self._preview(picture)
                if self.sends:
                    self._encode(picture, camera.parameters.fps)
        except BlinkError as failure:
            self._bridge.call(self._failed, failure.message)
        except Exception as failure:  # noqa: BLE001 - whatever it is, the camera is off, and must not be shown as on
            _log.exception("the camera failed")
            self._bridge.call(self._failed, f"an error in the program: {failure!r}")
        finally:
            if self._encoder is not None:
                self._encoder.close()
                self._encoder = None

    def _encode(self, picture: Picture, camera_fps: float) -> None:
        now_s = time.monotonic()
        key = self._keys.due(now_s)
        target_bps = self.target_bps
        fps = wanted_fps(camera_fps, picture.size.width * picture.size.height, target_bps)
        if (
            now_s < self.not_before_s
            or self._untaken >= MOST_UNTAKEN
            or not self._pace.is_due(now_s, fps, camera_fps)
        ):
            self.frames_held_back += 1
            return
        began_s = time.thread_time()
        encoder = self._encoder
        codec = self.codec
        if encoder is None or encoder.size != picture.size or encoder.codec is not codec:
            if encoder is not None:
                encoder.close()
            encoder = self._encoder = BoundedEncoder(picture.size, camera_fps, codec)
        coded = encoder.encode(picture, target_bps, fps, key=key)
        self.encode_s += time.thread_time() - began_s
        if coded is None:
            self.frames_held_back += 1
            return
        self._pace.taken(now_s, fps)
        self.frames_encoded += 1
        self.encoded_size = picture.size
        if coded.is_key:
            self.key_frames_encoded += 1
            self._keys.made(now_s)
        self._untaken += 1
        self._bridge.call(self._take, coded)

    # the event loop

    def _take(self, coded: CodedPicture) -> None:
        self._untaken -= 1
        self._coded(coded)

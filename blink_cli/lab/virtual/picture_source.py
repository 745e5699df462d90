"""A camera and its encoder in virtual time: what `CameraThread` does, at the very moments at which pictures are taken.

camera --picture--> is there room on the line? --> encoder --CodedPicture, after ENCODE_S--> each PictureEnd
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.core.media.video.frame_pace import MOST_BACKLOG_S, FramePace, wanted_fps
from blink_cli.core.media.video.key_frame_wish import KeyFrameRule
from blink_cli.core.media.video_codec import VideoCodec
from blink_cli.lab.virtual.picture_end import PictureEnd
from blink_cli.video.cameras.interface import Camera
from blink_cli.video.codec.bounded_encoder import BoundedEncoder
from blink_cli.video.picture import Picture, Plane

ENCODE_S: Final = 0.004
"""From the moment of a picture until it is encoded: of 640x360 on one processor."""

LIKENESS_EVERY: Final = 5
"""Pictures that are encoded, of which one is kept to be held against what is seen of it."""

MOST_KEPT: Final = 32
"""Of those: ten seconds at 15 a second."""


class PictureSource:
    """Of one session. One camera at a time, one encoder for everybody."""

    def __init__(self) -> None:
        """Have no camera."""
        self.key_frames = KeyFrameRule()
        self._codec = VideoCodec.VP8
        self._camera: Camera | None = None
        self._encoder: BoundedEncoder | None = None
        self._pace = FramePace()
        self._not_before_s = 0.0
        self._ready: tuple[float, CodedPicture] | None = None
        self._kept: OrderedDict[int, Plane] = OrderedDict()
        self._encoded = 0

    @property
    def is_on(self) -> bool:
        """Whether its camera is on."""
        return self._camera is not None

    def start(self, camera: Camera, codec: VideoCodec, now_s: float) -> None:
        """Take pictures with a camera from now on, encoded by `codec`; the one before is stopped.

        Raises:
            DeviceError: Its file is gone or damaged.

        """
        self.stop()
        camera.start(now_s)
        self._camera, self._codec = camera, codec
        self.key_frames.wanted()

    def stop(self) -> None:
        """Take no more pictures."""
        camera, self._camera, self._ready = self._camera, None, None
        if camera is not None:
            camera.stop()
        if self._encoder is not None:
            self._encoder.close()
            self._encoder = None

    def next_at(self, now_s: float) -> float:
        """When to call `take` next; infinite while it is off."""
        ready_at = math.inf if self._ready is None else self._ready[0]
        return ready_at if self._camera is None else min(ready_at, self._camera.ready_s(now_s))

    def take(self, now_s: float, ends: Sequence[PictureEnd]) -> None:
        """Take the picture of this moment, and send to these ends what is encoded by now; the slowest line says how much that may be."""
        if self._ready is not None and self._ready[0] <= now_s:
            coded, self._ready = self._ready[1], None
            for end in ends:
                end.send(coded, now_s)
            backlog_s = max((end.sender.backlog_s for end in ends), default=0.0)
            self._not_before_s = now_s + backlog_s - MOST_BACKLOG_S
        camera = self._camera
        if camera is None or camera.ready_s(now_s) > now_s:
            return
        picture = camera.read(now_s)
        if picture is not None and ends and self._ready is None:
            target_bps = min(end.sender.encoder_bps(now_s) for end in ends)
            self._encode(picture, camera.parameters.fps, target_bps, now_s)

    def _encode(self, picture: Picture, camera_fps: float, target_bps: float, now_s: float) -> None:
        fps = wanted_fps(camera_fps, picture.size.width * picture.size.height, target_bps)
        if now_s < self._not_before_s or not self._pace.is_due(now_s, fps, camera_fps):
            return
        encoder = self._encoder
        if encoder is None or encoder.size != picture.size:
            if encoder is not None:
                encoder.close()
            encoder = self._encoder = BoundedEncoder(picture.size, camera_fps, self._codec)
        coded = encoder.encode(picture, target_bps, fps, key=self.key_frames.due(now_s))
        if coded is None:
            return
        self._pace.taken(now_s, fps)
        if coded.is_key:
            self.key_frames.made(now_s)
        if self._encoded % LIKENESS_EVERY == 0:
            self._kept[picture.timestamp] = picture.y
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        self._encoded += 1
        self._ready = (now_s + ENCODE_S, coded)

    def taken(self, timestamp: int) -> Plane | None:
        """Return the brightness of a picture as the camera took it; None of one that was not kept."""
        return self._kept.get(timestamp)

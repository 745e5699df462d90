"""What is decoded and shown of one participant in virtual time: what `PeerVideo` and `DecoderThread` do.

CodedPicture --> PictureSchedule, with the voice --> waits for its time --> decoder --picture, after DECODE_S--> shown
"""

import math
from collections import deque
from typing import Final, NamedTuple

from blink_cli.core.api.camera_name import PictureSize
from blink_cli.core.errors import WireError
from blink_cli.core.media.rtp import SenderReport
from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.core.media.video.freeze_meter import FreezeMeter
from blink_cli.core.media.video.picture_schedule import PictureSchedule
from blink_cli.lab.picture_quality import psnr_db, ssim
from blink_cli.video.codec.picture_decoder import PictureDecoder
from blink_cli.video.decoder_thread import MOST_WAITING
from blink_cli.video.frames import Fitter, frame_of
from blink_cli.video.picture import Picture, Plane

DECODE_S: Final = 0.002
"""Until a picture that is due is shown: of 640x360 on one processor."""


MOST_PSNR_DB: Final = 100.0
"""Of a picture that is the very same; infinity is no number in JSON."""


class Seen(NamedTuple):
    """A picture that is shown."""

    at_s: float
    picture: Picture


class PictureScreen:
    """Of one participant at another, over all links to it."""

    def __init__(self) -> None:
        """Have seen nothing."""
        self.frames_decoded = 0
        self.frames_dropped = 0
        """Not decoded, since the decoder could not go on; or decoded when the next one was due already."""

        self.freezes = FreezeMeter()
        self.size: PictureSize | None = None
        """Of the newest picture; None before the first."""

        self._schedule = PictureSchedule()
        self._waiting: deque[tuple[float, CodedPicture]] = deque()
        self._decoder: PictureDecoder | None = None

    def begin(self) -> None:
        """Pictures come over another link from now on."""
        self._schedule.begin()

    def sender_reported(self, report: SenderReport) -> None:
        """Learn which wall clock time of the sender an RTP time is."""
        self._schedule.sender_reported(report.ntp_s, report.rtp_timestamp, report.arrival_s)

    def put(self, coded: CodedPicture, voice_wait_s: float | None) -> bool:
        """Have a frame shown at its time, while the voice waits so long in its own buffer. Returns whether all that waited was thrown away, as it was too much."""
        overflows = len(self._waiting) >= MOST_WAITING
        if overflows:
            self.frames_dropped += len(self._waiting)
            self._forget()
        self._schedule.voice_wait_s = voice_wait_s
        due_s = self._schedule.due_s(coded.timestamp, coded.arrived_at)
        self._waiting.append((due_s, coded))
        return overflows

    @property
    def next_at(self) -> float:
        """When to call `show` next; infinite while nothing waits."""
        return self._waiting[0][0] if self._waiting else math.inf

    def show(self, now_s: float) -> Seen | None:
        """Decode the frame that is due; None if it shows nothing new, or comes when the next one is due already.

        Raises:
            WireError: The decoder cannot go on without a key frame.

        """
        _, coded = self._waiting.popleft()
        overtaken = self.next_at <= now_s
        if self._decoder is None:
            self._decoder = PictureDecoder()
        try:
            picture = self._decoder.decode(coded)
        except WireError:
            self.frames_dropped += 1
            raise
        self.frames_decoded += 1
        if picture is None or overtaken:
            self.frames_dropped += overtaken
            return None
        self.size = picture.size
        self.freezes.shown(now_s + DECODE_S)
        return Seen(now_s + DECODE_S, picture)

    def _forget(self) -> None:
        self._waiting.clear()
        self._decoder = None

    def stopped(self) -> None:
        """The link, or the camera at its other end, is off: what comes later is no freeze."""
        self._forget()
        self.freezes.stopped()


def likeness_of(taken: Plane, picture: Picture) -> tuple[float, float]:
    """SSIM and PSNR of a picture, brought to the size in which it was taken."""
    y = picture.y
    if y.shape != taken.shape:
        height, width = taken.shape
        y = Fitter(PictureSize(width, height)).fit(frame_of(picture), 0, None).y
    return ssim(taken, y), min(psnr_db(taken, y), MOST_PSNR_DB)

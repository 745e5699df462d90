"""Puts what a recording needs of a call's media into the queue of its thread."""

import time

from blink_cli.core.media_tap import MediaTap
from blink_cli.core.names import Did
from blink_cli.core.rtp import EncodedFrame, ReceptionReport, RtpPacket, SenderReport
from blink_cli.record.recording import Recording
from blink_cli.record.recording_thread import RecordingThread


class RecordingTap(MediaTap):
    """Listens in from the start of a recording to its end. What is recorded does not depend on what was played."""

    def __init__(self, thread: RecordingThread, own: Did) -> None:
        """Feed this thread; `own` is who our own voice belongs to."""
        self._thread = thread
        self._put = thread.put
        self._own = own

    def media_ended(self) -> None:
        """End with the call."""
        self._thread.stop("the call ended", time.monotonic())

    def frame_encoded(self, frame: EncodedFrame, now_s: float) -> None:
        """Record our own voice."""
        self._put(Recording.captured, self._own, frame, now_s)

    def link_connected(self, peer: Did, opus: int, red: int | None) -> None:
        """Its packets may come."""
        self._put(Recording.link_connected, peer, opus, red, time.monotonic())

    def link_ended(self, peer: Did) -> None:
        """From here on it is absent."""
        self._put(Recording.link_ended, peer, time.monotonic())

    def packet_received(self, peer: Did, packet: RtpPacket) -> None:
        """Record the peer."""
        self._put(Recording.received, peer, packet)

    def sender_reported(self, peer: Did, report: SenderReport) -> None:
        """Keep its time by it."""
        self._put(Recording.reported, peer, report)

    def reception_reported(self, peer: Did, report: ReceptionReport) -> None:
        """It tells how long the path is."""
        if report.rtt_s is not None:
            self._put(Recording.round_trip, peer, report.rtt_s, report.arrival_s)

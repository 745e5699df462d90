"""Puts what a recording needs of a call's media into the queue of its thread."""

import time

from typing_extensions import override

from blink_cli.core.api.events import Observer
from blink_cli.core.ids import Did
from blink_cli.core.media.media_tap import MediaTap
from blink_cli.core.media.rtp import EncodedFrame, ReceptionReport, RtpPacket, SenderReport
from blink_cli.record.recording.recording import Recording
from blink_cli.record.recording.recording_thread import RecordingThread


class RecordingTap(MediaTap):
    """Listens in from the start of a recording to its end. What is recorded does not depend on what was played."""

    observer = Observer.RECORDING
    wants_everybody = True

    def __init__(self, thread: RecordingThread, own: Did) -> None:
        """Feed this thread; `own` is who our own voice belongs to."""
        self._thread = thread
        self._put = thread.put
        self._own = own

    @override
    def media_ended(self) -> None:
        """End with the call."""
        self._thread.stop("the call ended", time.monotonic())

    @override
    def tap_failed(self, reason: str) -> None:
        """End here: what follows would be missing. What was recorded so far is kept."""
        self._thread.fail(reason, time.monotonic())

    @override
    def frame_encoded(self, frame: EncodedFrame, now_s: float) -> None:
        """Record our own voice."""
        self._put(Recording.captured, self._own, frame, now_s)

    @override
    def link_connected(self, peer: Did, opus: int, red: int | None) -> None:
        """Its packets may come."""
        self._put(Recording.link_connected, peer, opus, red, time.monotonic())

    @override
    def link_ended(self, peer: Did) -> None:
        """From here on it is absent."""
        self._put(Recording.link_ended, peer, time.monotonic())

    @override
    def packet_received(self, peer: Did, packet: RtpPacket) -> None:
        """Record the peer."""
        self._put(Recording.received, peer, packet)

    @override
    def reported(self, peer: Did, report: SenderReport | ReceptionReport) -> None:
        """Keep a peer's time by what it says of its clock, and by how long the path is."""
        if isinstance(report, SenderReport):
            self._put(Recording.reported, peer, report)
        elif report.rtt_s is not None:
            self._put(Recording.round_trip, peer, report.rtt_s, report.arrival_s)

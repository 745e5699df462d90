"""Passes a call's media on to everyone who listens in."""

from blink_cli.core.media_tap import MediaTap, PlayoutOutcome
from blink_cli.core.names import CallId, Did
from blink_cli.core.rtp import (
    EncodedFrame,
    ReceptionReport,
    RepeatedPacket,
    RtpPacket,
    SenderReport,
    SentPacket,
)


class MediaTaps(MediaTap):
    """A `MediaTap` of many. Taps come and go on the event loop; the playout thread sees the old tuple or the new one."""

    def __init__(self) -> None:
        self._taps: tuple[MediaTap, ...] = ()

    def add(self, tap: MediaTap) -> None:
        """Listen in from now on."""
        self._taps = (*self._taps, tap)

    def remove(self, tap: MediaTap) -> None:
        """Listen no more; harmless when it did not."""
        self._taps = tuple(one for one in self._taps if one is not tap)

    def media_began(self, call: CallId) -> None:
        """See `MediaTap`."""
        for tap in self._taps:
            tap.media_began(call)

    def media_ended(self) -> None:
        """See `MediaTap`."""
        for tap in self._taps:
            tap.media_ended()

    def frame_encoded(self, frame: EncodedFrame, now_s: float) -> None:
        """See `MediaTap`."""
        for tap in self._taps:
            tap.frame_encoded(frame, now_s)

    def link_connected(self, peer: Did, opus: int, red: int | None) -> None:
        """See `MediaTap`."""
        for tap in self._taps:
            tap.link_connected(peer, opus, red)

    def link_ended(self, peer: Did) -> None:
        """See `MediaTap`."""
        for tap in self._taps:
            tap.link_ended(peer)

    def packet_sent(self, peer: Did, packet: SentPacket) -> None:
        """See `MediaTap`."""
        for tap in self._taps:
            tap.packet_sent(peer, packet)

    def packet_received(self, peer: Did, packet: RtpPacket) -> None:
        """See `MediaTap`."""
        for tap in self._taps:
            tap.packet_received(peer, packet)

    def packet_repeated(self, peer: Did, packet: RepeatedPacket) -> None:
        """See `MediaTap`."""
        for tap in self._taps:
            tap.packet_repeated(peer, packet)

    def sender_reported(self, peer: Did, report: SenderReport) -> None:
        """See `MediaTap`."""
        for tap in self._taps:
            tap.sender_reported(peer, report)

    def reception_reported(self, peer: Did, report: ReceptionReport) -> None:
        """See `MediaTap`."""
        for tap in self._taps:
            tap.reception_reported(peer, report)

    def frame_played(self, peer: Did, ssrc: int, timestamp: int, outcome: PlayoutOutcome) -> None:
        """See `MediaTap`. On the playout thread."""
        for tap in self._taps:
            tap.frame_played(peer, ssrc, timestamp, outcome)

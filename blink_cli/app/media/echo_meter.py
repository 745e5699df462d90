"""Keeps what is sent to an echo peer and what comes back, to be compared when the call is over."""

from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec
from typing_extensions import override

from blink_cli.app.media.media_readings import MediaWatcher, PeerReading, SourceReading
from blink_cli.core.api.replies.statistics import PeerStatistics
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.media_tap import Observer
from blink_cli.core.media.rtp import EncodedFrame, ReceptionReport, RtpPacket, SenderReport

MOST: Final = 6_000
"""Frames, and packets, that are kept: two minutes of 20 ms, 2 MB with two copies in each packet. The oldest go first."""


class LinkFigures(msgspec.Struct, frozen=True):
    """A reading of the link to the peer, about once a second while it stood."""

    statistics: PeerStatistics
    loss_told: LossReport | None
    redundancy_levels: int


class EchoMeter(MediaWatcher):
    """Belongs to the event loop. Takes the first peer that is connected in the first call that it sees."""

    observer = Observer.ECHO_TEST

    def __init__(self, read: Callable[[Did], LinkFigures | None]) -> None:
        """Have seen nothing.

        Args:
            read: Returns how the link to a peer does now; None when there is none.

        """
        self._read = read
        self.call: CallId | None = None
        self.peer: Did | None = None
        self.payload_types: tuple[int, int | None] | None = None
        self.frames: deque[EncodedFrame] = deque(maxlen=MOST)
        self.packets: deque[RtpPacket] = deque(maxlen=MOST)
        self.figures: LinkFigures | None = None
        self.last_report: ReceptionReport | None = None
        self.voice_levels: deque[int] = deque(maxlen=MOST)
        """Of the frames in which this session's voice was heard."""

        self.failure: str | None = None
        self._over = False

    @override
    def media_began(self, call: CallId) -> None:
        """A call begins; only the first counts."""
        if self.call is None:
            self.call = call

    @override
    def media_ended(self) -> None:
        """It is over; nothing later counts."""
        self._over = self.call is not None

    @override
    def link_connected(self, peer: Did, opus: int, red: int | None) -> None:
        """The first peer is the one that is compared with."""
        if self.peer is None and not self._over:
            self.peer = peer
            self.payload_types = (opus, red)

    @override
    def frame_encoded(self, frame: EncodedFrame, now_s: float) -> None:
        """Keep it, from the moment at which somebody is there."""
        if self.peer is not None and not self._over:
            self.frames.append(frame)
            if frame.voice:
                self.voice_levels.append(frame.audio_level_dbov)

    @override
    def packet_received(self, peer: Did, packet: RtpPacket) -> None:
        """Keep it."""
        if peer == self.peer and not self._over and not packet.retransmitted:
            self.packets.append(packet)

    @override
    def reported(self, peer: Did, report: SenderReport | ReceptionReport) -> None:
        """Keep what the peer says of our stream."""
        if peer == self.peer and isinstance(report, ReceptionReport):
            self.last_report = report

    @override
    def look(self, peers: tuple[PeerReading, ...], source: SourceReading | None, now_s: float) -> None:
        """Read the figures while there are some."""
        self.read()

    @override
    def tap_failed(self, reason: str) -> None:
        """Nothing more comes."""
        self.failure = reason

    def read(self) -> None:
        """Read the figures of the link, if it stands."""
        if self.peer is not None and not self._over:
            figures = self._read(self.peer)
            if figures is not None:
                self.figures = figures

"""What comes in over a link: heard by the thread that has read it, counted and told on the event loop.

    [voice thread] datagram of the round --> RtpReceiver: header --> hear, then a queue
    [event loop]   a little later            RtpReceiver: statistics --> AskingAgain, LinkEvents <--'
    [event loop]   datagram that it read --> both, one after the other

A socket that is in the round is read by the voice thread, all others by the event loop (media_round.py).
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from blink_cli.core.media.rtp import RtpPacket
from blink_cli.core.media.rtp_header import clear_ssrc
from blink_cli.core.media.rtp_receiver import RtpReceiver
from blink_cli.core.media.unwrapper import SEQUENCE_MASK
from blink_cli.net.link.asking_again import AskingAgain
from blink_cli.net.link.link_events import LinkEvents
from blink_cli.net.link.media_round import MediaRound
from blink_cli.net.link.picture_demultiplexer import PictureDemultiplexer
from blink_cli.net.link.secure_transport import SecureTransport
from blink_cli.net.link.srtp import CameBy

MOST_READ: Final = 1_024
"""Packets that wait to be counted by an event loop that does not come: twenty seconds of voice. The oldest goes, and counts as lost."""

WAY_TOLD_EVERY_S: Final = 0.1
"""How often it is said that the way in use carries voice: it is left for another one after a second without."""


class PacketReceiving:
    """Of one link. `read` belongs to the thread that goes the round, everything else to the event loop."""

    def __init__(
        self, events: LinkEvents, pictures: PictureDemultiplexer, media_round: MediaRound | None
    ) -> None:
        """Take nothing before `begin`.

        Args:
            events: Told of each packet once it is counted.
            pictures: Gets what is theirs.
            media_round: The session's; None where the event loop reads every socket.

        """
        self.events = events
        self.hear: Callable[[RtpPacket], object] | None = None
        """Takes each packet that is to be played, before anybody is told of it, on the thread that read its datagram; it must not wait."""

        self.receiver: RtpReceiver | None = None
        """Parses and counts; None before both descriptions are known."""

        self.last_heard_s: float | None = None
        """Monotonic arrival of the last authentic RTP or RTCP packet; None before the first."""

        self._pictures = pictures
        self._round = media_round
        self._transport: SecureTransport | None = None
        self._asking: AskingAgain | None = None
        self._next_read: tuple[int, bool] | None = None
        """With which number and voice bit the next packet comes while all is as usual. The round's."""

        self._came_by: CameBy | None = None
        """By which way the last one came. The round's."""

        self._read: deque[RtpPacket] = deque(maxlen=MOST_READ)
        """What the round has read and the event loop has not counted."""

        self._is_told_of_read = False
        self._way_told_s = 0.0

    def begin(self, receiver: RtpReceiver, asking: AskingAgain, transport: SecureTransport) -> None:
        """Take what comes from now on: both descriptions are known."""
        self.receiver = receiver
        self._asking = asking
        self._transport = transport

    def close(self) -> None:
        """Ask for nothing more; what still comes is counted all the same."""
        if self._asking is not None:
            self._asking.close()

    # by the event loop

    def received(self, data: bytes, arrival_s: float) -> None:
        """Take a decrypted RTP packet that the event loop has read."""
        if self._pictures.ssrcs and clear_ssrc(data) in self._pictures.ssrcs:
            self._picture_received(data, arrival_s)
            return
        self.last_heard_s = arrival_s
        if self.receiver is not None:
            packet = self.receiver.received(data, arrival_s)
            if packet is not None:
                if self.hear is not None:
                    self.hear(packet)
                self._count_in(packet)

    def replayed(self, data: bytes, sealing_bytes: int, arrival_s: float) -> None:
        """Take a copy of a packet that had come before, still sealed. It is not authentic, so it does not say that the peer is there."""
        if self.receiver is not None:
            copy = self.receiver.replayed(data, sealing_bytes, arrival_s)
            if copy is not None:
                self.events.packet_repeated(copy)

    def _picture_received(self, data: bytes, arrival_s: float) -> None:
        self.last_heard_s = max(arrival_s, self.last_heard_s or arrival_s)
        self._pictures.rtp_received(data, arrival_s)

    def _count_in(self, packet: RtpPacket) -> None:
        """Tell of a packet that was counted and is in its inbox."""
        if self._asking is not None:
            self._asking.packet(packet)
        self.events.packet_received(packet)

    # by the round

    def may_join_round(self) -> bool:
        """Whether the link's sockets may be left to the round now."""
        return self._asking is None or self._asking.lets_round_read

    def read(self, data: bytes, arrival_s: float, came_by: CameBy) -> None:
        """Take a decrypted RTP packet that the round has read. On the thread that goes it."""
        receiver, media_round, transport = self.receiver, self._round, self._transport
        assert receiver is not None and media_round is not None and transport is not None, "it is in a round"  # noqa: PT018
        if self._pictures.ssrcs and clear_ssrc(data) in self._pictures.ssrcs:
            media_round.tell_soon(self._picture_received, data, arrival_s)
            return
        packet = receiver.read(data, arrival_s)
        if packet is None:
            return
        if packet.payload_type == receiver.rtx_type:
            media_round.tell_soon(self._retransmission_read, packet)
            return
        # A copy with the same number has not passed libsrtp, which remembers as many numbers as the statistics do.
        if self.hear is not None:
            self.hear(packet)
        if came_by != self._came_by:
            self._came_by = came_by
            media_round.tell(transport.heard, *came_by)
        # What is as usual is counted when the event loop is awake anyway. A number that is missing is to be asked for, and who begins to talk, to be told.
        self._read.append(packet)
        usual, number, voice = self._next_read, packet.sequence_number, packet.voice
        self._next_read = (number + 1) & SEQUENCE_MASK, voice
        if usual != (number, voice):
            media_round.tell_soon(self.count_read)
        elif not self._is_told_of_read:
            self._is_told_of_read = True
            media_round.tell(self.count_read)

    def _retransmission_read(self, packet: RtpPacket) -> None:
        """On the event loop."""
        again = None if self.receiver is None else self.receiver.repaired(packet)
        if again is not None:
            if self.hear is not None:
                self.hear(again)
            self._count_in(again)

    def count_read(self) -> None:
        """Count what the round has read. On the event loop, a little later."""
        self._is_told_of_read = False  # first: what is read from now on is told of anew
        read, receiver, transport = self._read, self.receiver, self._transport
        if not read or receiver is None or transport is None:
            return
        count, count_in = receiver.count, self._count_in
        while read:
            packet = read.popleft()
            if count(packet):
                count_in(packet)
        arrival_s = self.last_heard_s = packet.arrival_s
        came_by = self._came_by
        if came_by is not None and arrival_s - self._way_told_s >= WAY_TOLD_EVERY_S:
            self._way_told_s = arrival_s
            transport.heard(*came_by)

"""Figures of one peer over all of its links, so that a reconnect does not begin them anew."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from blink_cli.core.media.reception_statistics import ReceptionStatistics
from blink_cli.core.media.room_stream import RoomStream

if TYPE_CHECKING:  # aiortc: see `LinkSet`
    from blink_cli.net.link.media_link import MediaLink


@dataclass(slots=True)
class LinkTotals:
    """Counts of packets and datagrams."""

    packets_received: int = 0
    packets_lost: int = 0
    packets_duplicated: int = 0
    packets_reordered: int = 0
    stun_refused: int = 0
    dtls_refused: int = 0
    srtp_refused: int = 0
    others_refused: int = 0
    nacks_sent: int = 0
    retransmitted_packets_received: int = 0
    packets_sent: int = 0
    bytes_sent: int = 0
    nacks_received: int = 0
    retransmitted_packets_sent: int = 0
    retransmitted_bytes_sent: int = 0

    @property
    def datagrams_refused(self) -> int:
        """Of every kind."""
        return self.stun_refused + self.dtls_refused + self.srtp_refused + self.others_refused

    def with_link(self, link: "MediaLink | None") -> "LinkTotals":
        """These and what this link has counted so far."""
        totals = replace(self)
        if link is not None:
            totals.add(link)
        return totals

    def add(self, link: "MediaLink") -> None:
        """Count what this link has counted."""
        self._add_streams(link.streams.values())
        refused, dropped = link.transport_counters, link.receive_counters
        self.stun_refused += refused.stun_refused
        self.dtls_refused += refused.dtls_refused + refused.datagrams_overflowed
        self.others_refused += refused.datagrams_malformed
        self.srtp_refused += (
            refused.srtp_refused
            + refused.datagrams_unauthenticated
            + dropped.packets_malformed
            + dropped.packets_of_unknown_type
            + dropped.packets_of_unknown_source
        )
        self.nacks_sent += dropped.nack_count
        self.retransmitted_packets_received += dropped.retransmitted_packets_received
        sent = link.send_counters
        self.nacks_received += sent.nack_count
        self.retransmitted_packets_sent += sent.retransmitted_packets_sent
        self.retransmitted_bytes_sent += sent.retransmitted_bytes_sent
        self.packets_sent += sent.packets_sent
        self.bytes_sent += sent.bytes_sent

    def add_room(self, stream: RoomStream) -> None:
        """Count what came of this peer through a room. What was sent there was sent to nobody alone."""
        self._add_streams(stream.streams.values())
        dropped = stream.receive_counters
        self.srtp_refused += (
            dropped.packets_malformed + dropped.packets_of_unknown_type + dropped.packets_of_unknown_source
        )

    def _add_streams(self, streams: Iterable[ReceptionStatistics]) -> None:
        for stream in streams:
            self.packets_received += stream.packets_received
            self.packets_lost += stream.packets_lost
            self.packets_duplicated += stream.packets_duplicated
            self.packets_reordered += stream.packets_reordered

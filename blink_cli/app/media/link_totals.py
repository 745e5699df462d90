"""Figures of one peer over all of its links, so that a reconnect does not begin them anew."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

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
    packets_sent: int = 0
    bytes_sent: int = 0

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
        for stream in link.streams.values():
            self.packets_received += stream.packets_received
            self.packets_lost += stream.packets_lost
            self.packets_duplicated += stream.packets_duplicated
            self.packets_reordered += stream.packets_reordered
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
        sent = link.send_counters
        self.packets_sent += sent.packets_sent
        self.bytes_sent += sent.bytes_sent

"""How many streams of one peer SRTP is shown: libsrtp keeps keys and a replay window for each, and an invited peer may draw numbers."""

from collections.abc import Collection
from typing import Final

from blink_cli.core.media.rtp_header import clear_ssrc

MAX_SOURCES: Final = 4
"""Streams of one peer. One is usual; a new one when its sender begins anew."""

MAX_REPORTERS: Final = 4
"""Who sends RTCP: the streams' sources, and one that only listens has a number of its own."""


class SourceCap:
    """Of one link. Looks at the clear header of a datagram, and learns an SSRC only of what was authentic."""

    def __init__(self, announced: Collection[int]) -> None:
        """Know the sources that the peer's description names; none to learn them from its packets."""
        self._announced = frozenset(announced)
        self._later: frozenset[int] = frozenset()
        self._sources: set[int] = set()
        self._reporters: set[int] = set()

    def announce(self, ssrcs: Collection[int]) -> None:
        """Know sources that were agreed on later, those of pictures, in place of others so agreed on."""
        self._later = frozenset(ssrcs)

    def admits_rtp(self, datagram: bytes) -> bool:
        """Whether libsrtp may see this RTP packet of at least 12 bytes."""
        ssrc = clear_ssrc(datagram)
        if ssrc in self._later:
            return True
        if self._announced:
            return ssrc in self._announced
        return ssrc in self._sources or len(self._sources) < MAX_SOURCES

    def knows(self, datagram: bytes) -> bool:
        """Whether this RTP packet of at least 12 bytes is of a source that was announced, or of which something authentic came."""
        ssrc = clear_ssrc(datagram)
        return ssrc in self._announced or ssrc in self._sources or ssrc in self._later

    def knows_rtcp(self, datagram: bytes) -> bool:
        """Whether this RTCP packet of at least 8 bytes is of somebody who was announced, or of whom something authentic came."""
        ssrc = _reporter(datagram)
        return (
            ssrc in self._announced or ssrc in self._sources or ssrc in self._later or ssrc in self._reporters
        )

    def admits_rtcp(self, datagram: bytes) -> bool:
        """Whether libsrtp may see this RTCP packet of at least 8 bytes."""
        return self.knows_rtcp(datagram) or len(self._reporters) < MAX_REPORTERS

    def heard_rtp(self, datagram: bytes) -> None:
        """This one was authentic."""
        ssrc = clear_ssrc(datagram)
        if not self._announced and ssrc not in self._later:
            self._sources.add(ssrc)

    def heard_rtcp(self, datagram: bytes) -> None:
        """This one was authentic."""
        ssrc = _reporter(datagram)
        if ssrc not in self._announced and ssrc not in self._sources and ssrc not in self._later:
            self._reporters.add(ssrc)


def _reporter(datagram: bytes) -> int:
    return int.from_bytes(datagram[4:8], "big")

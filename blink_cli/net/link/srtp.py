"""SRTP of one link: which datagrams libsrtp sees, what it opens, and what is counted of the rest (RFC 3711).

datagram -> length, SSRC (source_cap.py) -> keys there? -> unprotect -> back to the socket, which hands it on
| refused, counted       | no: 32 wait     | refused: a copy that the network made, or a stranger's
"""

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator
from typing import Final, Protocol

import pylibsrtp
from aioice.ice import StunProtocol

from blink_cli.core.media.rtcp import RTCP_HEADER_BYTES
from blink_cli.core.media.rtp_header import RTP_HEADER_BYTES, is_rtcp
from blink_cli.core.media.source_cap import SourceCap
from blink_cli.net.handed_on import handed_on
from blink_cli.net.link.rtp_sealing import opening, sealing
from blink_cli.net.transport_counters import TransportCounters

MAX_EARLY: Final = 32
"""SRTP that overtook the last handshake message, kept for the moment after it: 640 ms of voice. The oldest goes."""

MAX_SRTP_BYTES: Final = 1_500
"""What pylibsrtp's buffer takes."""

NOTHING_NEW: Final = b""
"""It waits for the keys, or is a copy that the network made."""

_REPLAYED: Final = "replay check failed (bad index)"

CameBy = tuple[StunProtocol, tuple[str, int]]
"""To which socket, and from which IP address and port."""


class Ways(Protocol):
    """Who knows by which ways the peer speaks."""

    def trusts(self, protocol: StunProtocol, source: tuple[str, int]) -> bool:
        """Whether the peer is known to speak from this address to this socket."""


class Srtp:
    """Belongs to the event loop of its link, but for `voice` and `report`, which are whoever goes the round's (media_round.py), and the sealing."""

    def __init__(
        self,
        counters: TransportCounters,
        ways: Ways,
        *,
        on_replayed: Callable[[bytes, int, float], None],
        on_heard: Callable[[StunProtocol, tuple[str, int]], None],
    ) -> None:
        """Have no keys yet.

        Args:
            counters: Of what is refused.
            ways: Says who has proved to be the peer.
            on_replayed: Told an RTP packet that had come before, still sealed and therefore not authentic, the bytes that sealing added
                to it, and its arrival.
            on_heard: Told by which way something authentic came.

        """
        self._protect: Callable[[bytes], bytes] | None = None
        self._protect_rtcp: Callable[[bytes], bytes] | None = None
        self._unprotect: Callable[[bytes], bytes] | None = None
        self._unprotect_rtcp: Callable[[bytes], bytes] | None = None
        self._counters = counters
        self._ways = ways
        self._on_replayed = on_replayed
        self._on_heard = on_heard
        self._sources = SourceCap(())
        self._voice_ssrc = b""
        """Of the last packet that was of a known source, as on the wire."""

        self._early: deque[tuple[bytes, float, CameBy]] = deque(maxlen=MAX_EARLY)
        self._sealing_bytes = 0  # what SRTP adds to a packet: its tag
        self._opening = threading.Lock()
        """Between the event loop and the round: libsrtp's sessions are one thread's at a time."""

        self._sealing = threading.Lock()
        """The same between those who send."""

    def expect(self, ssrcs: Collection[int]) -> None:
        """Know the sources that the other side announces; none to learn a few of its packets."""
        self._sources = SourceCap(ssrcs)
        self._voice_ssrc = b""

    def expect_also(self, ssrcs: Collection[int]) -> None:
        """Know further sources, which were agreed on later."""
        self._sources.announce(ssrcs)

    def begin(self, incoming: pylibsrtp.Session, outgoing: pylibsrtp.Session) -> None:
        """Take the keys. What waits for them is passed on by `hand_early_on`."""
        self._protect, self._protect_rtcp = sealing(outgoing), outgoing.protect_rtcp
        self._unprotect, self._unprotect_rtcp = opening(incoming), incoming.unprotect_rtcp

    @property
    def has_keys(self) -> bool:
        """Whether packets can be sealed."""
        return self._protect is not None

    def seal(self, packet: bytes) -> bytes | None:
        """Seal an RTP packet of at most 1,340 bytes; None before there are keys. Any thread."""
        protect = self._protect
        if protect is None:
            return None
        with self._sealing:
            return protect(packet)

    def seal_rtcp(self, packet: bytes) -> bytes | None:
        """Seal an RTCP compound packet; as `seal`."""
        protect = self._protect_rtcp
        if protect is None:
            return None
        with self._sealing:
            return protect(packet)

    def early(self) -> Iterator[tuple[bytes, float]]:
        """Yield the packets that overtook the end of the handshake, decrypted, and when each arrived. The keys are there."""
        while self._early:
            data, arrival_s, came_by = self._early.popleft()
            opened = self.opened(data, arrival_s, came_by)
            if opened:
                yield opened, arrival_s

    def opened(self, data: bytes, arrival_s: float, came_by: CameBy) -> bytes | None:
        """Return the decrypted RTP or RTCP; `NOTHING_NEW` when it is the peer's, and there is nothing to hand on; None when it is a stranger's."""
        rtcp = is_rtcp(data)
        if not self._may_be_opened(data, came_by, rtcp=rtcp):
            return None
        if self._unprotect is None or self._unprotect_rtcp is None:
            self._early.append((data, arrival_s, came_by))
            return NOTHING_NEW
        try:
            with self._opening:
                opened = self._unprotect_rtcp(data) if rtcp else self._unprotect(data)
        except pylibsrtp.Error as refusal:
            is_the_peers = self._stays_sealed(data, arrival_s, came_by, str(refusal), rtcp=rtcp)
            return NOTHING_NEW if is_the_peers else None
        self._on_heard(*came_by)
        if rtcp:
            self._sources.heard_rtcp(data)
        else:
            self._sources.heard_rtp(data)
            self._sealing_bytes = len(data) - len(opened)
        return opened

    def voice(self, data: bytes) -> bytes | None:
        """Return the decrypted RTP of a datagram that is the peer's voice beyond doubt; None to have the event loop judge it by `opened`."""
        unprotect = self._unprotect
        if unprotect is None or not RTP_HEADER_BYTES <= len(data) <= MAX_SRTP_BYTES or is_rtcp(data):
            return None
        if data[8:12] != self._voice_ssrc:
            if not self._sources.knows(data):
                return None
            self._voice_ssrc = data[8:12]
        try:
            with self._opening:
                opened = unprotect(data)
        except pylibsrtp.Error:
            return None
        self._sealing_bytes = len(data) - len(opened)
        return opened

    def report(self, data: bytes) -> bytes | None:
        """Return the decrypted RTCP of a datagram that is a known reporter's; None to have the event loop judge it by `opened`. `reported` is to follow."""
        unprotect = self._unprotect_rtcp
        if unprotect is None or not RTCP_HEADER_BYTES <= len(data) <= MAX_SRTP_BYTES or not is_rtcp(data):
            return None
        if not self._sources.knows_rtcp(data):
            return None
        try:
            with self._opening:
                return unprotect(data)
        except pylibsrtp.Error:
            return None

    def reported(self, came_by: CameBy) -> None:
        """Count what `report` opened."""
        self._on_heard(*came_by)

    def _may_be_opened(self, data: bytes, came_by: CameBy, *, rtcp: bool) -> bool:
        """Whether libsrtp shall see this datagram, now or when it has its keys."""
        if not (RTCP_HEADER_BYTES if rtcp else RTP_HEADER_BYTES) <= len(data) <= MAX_SRTP_BYTES:
            self._counters.datagrams_malformed += 1
            return False
        admitted = self._sources.admits_rtcp(data) if rtcp else self._sources.admits_rtp(data)
        # Few early ones are kept: a stranger's would push the peer's out.
        if not admitted or (self._unprotect is None and not self._ways.trusts(*came_by)):
            self._counters.srtp_refused += 1
            return False
        return True

    def _stays_sealed(self, data: bytes, arrival_s: float, came_by: CameBy, why: str, *, rtcp: bool) -> bool:
        """Count what libsrtp did not open. Returns whether it was the peer's: a packet that the network brought twice."""
        if why != _REPLAYED or rtcp:
            self._counters.datagrams_unauthenticated += 1
            return False
        if not self._ways.trusts(*came_by):  # somebody plays a recording
            self._counters.srtp_refused += 1
            return False
        with handed_on():
            self._on_replayed(data, self._sealing_bytes, arrival_s)
        return True

"""One socket of a link: sorts what comes in by its first byte (RFC 7983, section 7), and shuts out strangers who send too much.

datagram   0 to 3      STUN   -> stun_guard.py -> aioice
20 to 63    DTLS   -> from where the peer has proved to be -> aioice -> aiortc
128 to 191  SRTP   -> srtp.py
all else    counted

What is impaired on purpose waits in front of that (link_impairment.py). Once voice has come by it, the socket is read by who goes the round
(media_round.py), who takes the voice and leaves all else to the event loop.
"""

import contextlib
import functools
import time
from collections.abc import Callable
from socket import SOCK_DGRAM
from typing import Any, Final

import msgspec
from aioice.ice import StunProtocol
from aioice.turn import TurnTransport
from typing_extensions import override

from blink_cli.core.media.rtcp import wants_answer
from blink_cli.core.media.rtp_header import is_rtcp
from blink_cli.net.handed_on import report_fault
from blink_cli.net.host.arrival import ArrivalClock
from blink_cli.net.host.socket_filter import is_available
from blink_cli.net.ice.ice_connection import IceConnection
from blink_cli.net.ice.stranger_filter import SourceFilter
from blink_cli.net.ice.stun_failures import STUN_FAILURES
from blink_cli.net.ice.stun_guard import Verdict
from blink_cli.net.ice.stun_socket import StunSocket
from blink_cli.net.ice.udp_endpoint import UdpEndpoint
from blink_cli.net.link.media_round import MediaRound
from blink_cli.net.link.srtp import CameBy, Srtp
from blink_cli.net.link_impairment import LinkImpairment
from blink_cli.net.transport_counters import TransportCounters

FLOOD_DATAGRAMS: Final = 32
FLOOD_WINDOW_S: Final = 1.0
"""So many datagrams of strangers within this are a flood: a scan sends fewer."""

FLOOD_LASTS_S: Final = 5.0
"""For so long behind one the event loop reads the socket."""


class MediaReceivers(msgspec.Struct, frozen=True):
    """Who is told what comes, with its monotonic arrival."""

    rtp: Callable[[bytes, float], None]
    """Each decrypted RTP packet, on the event loop."""

    rtcp: Callable[[bytes, float], None]
    """Each RTCP compound packet, on the event loop."""

    voice: Callable[[bytes, float, CameBy], None]
    """In place of `rtp` each RTP packet of a socket that is in the round, on the thread that goes it."""


class LinkSocket(StunSocket):
    """Of one candidate. While servers are asked for candidates it is aioice's alone; `open` makes it the link's."""

    def __init__(
        self,
        connection: IceConnection,
        srtp: Srtp,
        counters: TransportCounters,
        on_media: MediaReceivers,
        on_refused: Callable[[StunProtocol, Exception], None],
        *,
        impairment: LinkImpairment,
        media_round: MediaRound | None,
        may_join_round: Callable[[], bool],
    ) -> None:
        """Of this connection.

        Args:
            connection: Whose candidate it is.
            srtp: Opens the media.
            counters: Of what is refused.
            on_media: Told the media.
            on_refused: As of `StunSocket`.
            impairment: What is done on purpose to what goes to the peer, and comes.
            media_round: The session's; None where nobody goes one.
            may_join_round: Whether the socket may be left to it now.

        """
        super().__init__(connection, impairment, on_refused)
        self.strangers: SourceFilter | None = None
        """The kernel's filter of this socket; None where there is none, or no socket."""

        self._connection = connection
        self._guard = connection.guard
        self._opened = srtp.opened
        self._srtp = srtp
        self._told = on_media
        self._on_rtp, self._on_rtcp = on_media.rtp, on_media.rtcp
        self._counters = counters
        self._round = media_round
        self._may_join_round = may_join_round
        self._strange = self._strange_in_round = 0
        self._strange_since_s = self._flooded_until_s = float("-inf")
        self._zone = ""
        self._arrived_s: Callable[[], float] = time.monotonic

    def open(self) -> None:
        """Take what comes in from now on; its candidate is known."""
        self.is_gathered = True
        self._zone = self._connection.zone_of(self)
        read_from = _datagram_socket(self)
        self._arrived_s = ArrivalClock(None if read_from is None else read_from.fileno()).now_s
        socket = self.transport.get_extra_info("socket")  # a relay has none of its own
        if socket is not None and is_available():
            self.strangers = SourceFilter(
                socket.fileno(),
                known=functools.partial(self._connection.known_to, self),
                trusted=functools.partial(self._connection.trusted_by, self),
                named_us=self._guard.named_us,
            )

    @override
    def datagram_received(self, data: Any, addr: tuple[Any, ...]) -> None:
        # `data` is bytes, for which aioice says `bytes | str`.
        if not self.is_gathered:
            super().datagram_received(data, addr)
            return
        incoming = self._impairment.incoming
        if incoming is not None and data:
            incoming.put(data, self._arrived_s(), functools.partial(self._came_out, addr))
        else:
            self._sort(data, addr, None)

    def _came_out(self, addr: tuple[Any, ...], data: bytes, due_at: float) -> None:
        """Take what was on its way for longer than the network needed: it arrived when it was due, whenever this is read."""
        if not self.is_closed:
            self._sort(data, addr, due_at)

    def _sort(self, data: bytes, addr: tuple[Any, ...], arrival_s: float | None) -> None:
        source = self._source(addr)
        first = data[0] if data else 255
        if 127 < first < 192:
            if arrival_s is None:
                arrival_s = self._arrived_s()
            try:
                opened = self._opened(data, arrival_s, (self, source))
                if opened is None:
                    self._count_stranger()
                elif opened:
                    if is_rtcp(opened):
                        self._on_rtcp(opened, arrival_s)
                    else:
                        self._on_rtp(opened, arrival_s)
                        self._join_round()
            except Exception as fault:  # noqa: BLE001 - this program's: the datagram is not blamed for it
                report_fault(fault)
        elif first < 4:
            verdict = self._guard.judge(data, self, source, time.monotonic())
            if verdict is Verdict.PASSES:
                self._hand_to_aioice(data, source)
            elif verdict is Verdict.REFUSED:
                self._counters.stun_refused += 1
                self._count_stranger()
        elif 19 < first < 64:
            if self._guard.trusts(self, source):
                self._connection.shaken_by(self, source)
                self._hand_to_aioice(data, source)
            else:
                self._counters.dtls_refused += 1
                self._count_stranger()
        else:
            self._counters.datagrams_malformed += 1
            self._count_stranger()

    def _source(self, addr: tuple[Any, ...]) -> tuple[str, int]:
        if len(addr) == 2:
            return addr
        # Four parts for IPv6; the zone is in the first from one reader and not from another.
        zone = self._zone
        return (f"{addr[0].partition('%')[0]}%{zone}" if zone else addr[0], addr[1])

    # the round

    def _join_round(self) -> None:
        """Leave the socket, by which voice comes, to who goes the round, if somebody does."""
        transport, media_round = self.transport, self._round
        if media_round is None or not media_round.is_gone or not isinstance(transport, UdpEndpoint):
            return
        if transport.is_left:
            return  # it is in the round, and this was held back on purpose
        if time.monotonic() < self._flooded_until_s or not self._may_join_round():
            return
        arrivals = ArrivalClock(transport.socket.fileno(), wall_clock=media_round.wall_clock)
        read = functools.partial(self._read_in_round, transport, media_round, arrivals)
        media_round.join(transport, read)

    def leave_round(self) -> None:
        """Have the event loop read the socket again."""
        if isinstance(self.transport, UdpEndpoint) and self.transport.is_left:
            self.transport.take_back()

    def _read_in_round(self, transport: UdpEndpoint, media_round: MediaRound, arrivals: ArrivalClock) -> None:
        """Read one datagram. On the thread that goes the round."""
        received = transport.receive()
        if received is None:
            return
        data, addr = received
        arrival_s = arrivals.arrived_s()
        if data and 127 < data[0] < 192 and self._impairment.incoming is None:
            opened = self._srtp.voice(data)
            if opened is not None:
                self._told.voice(opened, arrival_s, (self, self._source(addr)))
                return
            opened = self._srtp.report(data)
            if opened is not None:
                tell = media_round.tell_soon if wants_answer(opened) else media_round.tell
                tell(self._reported, opened, addr, arrival_s)
                return
        # Soon: a check and a handshake wait for an answer.
        media_round.tell_soon(self._left_by_round, data, addr, arrival_s)

    def _reported(self, opened: bytes, addr: tuple[Any, ...], arrival_s: float) -> None:
        if not self.is_closed:
            self._srtp.reported((self, self._source(addr)))
            self._on_rtcp(opened, arrival_s)

    def _left_by_round(self, data: bytes, addr: tuple[Any, ...], arrival_s: float) -> None:
        if self.is_closed:
            return
        strange_before = self._strange
        self._take_left(data, addr, arrival_s)
        if self._strange != strange_before:
            self._mind_flood(arrival_s)

    def _mind_flood(self, now_s: float) -> None:
        """What strangers send in floods fills the socket between two rounds, and the voice finds no room: the event loop empties it as it comes."""
        if now_s - self._strange_since_s > FLOOD_WINDOW_S:
            self._strange_since_s, self._strange_in_round = now_s, 0
        self._strange_in_round += 1
        if self._strange_in_round >= FLOOD_DATAGRAMS:
            self._flooded_until_s = time.monotonic() + FLOOD_LASTS_S
            self.leave_round()

    def _take_left(self, data: bytes, addr: tuple[Any, ...], arrival_s: float) -> None:
        incoming = self._impairment.incoming
        if incoming is not None and data:
            incoming.put(data, arrival_s, functools.partial(self._came_out, addr))
        else:
            self._sort(data, addr, arrival_s)

    def _hand_to_aioice(self, data: bytes, source: tuple[str, int]) -> None:
        counters = self._counters
        refused = counters.datagrams_malformed + counters.datagrams_overflowed
        try:
            super().datagram_received(data, source)
        except STUN_FAILURES:
            counters.datagrams_malformed += 1
        if counters.datagrams_malformed + counters.datagrams_overflowed != refused:
            self._count_stranger()
        elif self.strangers is not None:
            with contextlib.suppress(OSError):  # the socket is gone
                self.strangers.heard(source)

    def _count_stranger(self) -> None:
        self._strange += 1
        if self.strangers is not None:
            with contextlib.suppress(OSError):  # not allowed here: a flood then costs what it costs
                self.strangers.refused(time.monotonic())


def _datagram_socket(protocol: StunProtocol) -> Any:
    """What the datagrams of a candidate are read from: its own UDP socket, or that to its relay. None: a relay over TCP."""
    transport: Any = protocol.transport
    if isinstance(transport, TurnTransport):
        transport = vars(transport)["_TurnTransport__inner_protocol"].transport
    found = transport.get_extra_info("socket")
    return found if found is not None and found.type == SOCK_DGRAM else None

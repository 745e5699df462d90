"""One socket of a link: sorts what comes in by its first byte (RFC 7983, section 7), and shuts out strangers who send too much.

datagram   0 to 3      STUN   -> stun_guard.py -> aioice
20 to 63    DTLS   -> from where the peer has proved to be -> aioice -> aiortc
128 to 191  SRTP   -> srtp.py
all else    counted

What is impaired on purpose waits in front of that (link_impairment.py).
"""

import contextlib
import functools
import time
from collections.abc import Callable
from socket import SOCK_DGRAM
from typing import Any

from aioice.ice import StunProtocol
from aioice.turn import TurnTransport
from typing_extensions import override

from blink_cli.core.media.rtp_header import is_rtcp
from blink_cli.net.handed_on import report_fault
from blink_cli.net.host.arrival import ArrivalClock
from blink_cli.net.host.socket_filter import is_available
from blink_cli.net.ice.ice_connection import IceConnection
from blink_cli.net.ice.stranger_filter import SourceFilter
from blink_cli.net.ice.stun_failures import STUN_FAILURES
from blink_cli.net.ice.stun_guard import Verdict
from blink_cli.net.ice.stun_socket import StunSocket
from blink_cli.net.link.srtp import Srtp
from blink_cli.net.link_impairment import LinkImpairment
from blink_cli.net.transport_counters import TransportCounters

MediaReceived = tuple[Callable[[bytes, float], None], Callable[[bytes, float], None]]
"""Who is told each decrypted RTP packet, and each RTCP compound packet, with its monotonic arrival."""


class LinkSocket(StunSocket):
    """Of one candidate. While servers are asked for candidates it is aioice's alone; `open` makes it the link's."""

    def __init__(
        self,
        connection: IceConnection,
        srtp: Srtp,
        counters: TransportCounters,
        on_media: MediaReceived,
        on_refused: Callable[[StunProtocol, Exception], None],
        *,
        impairment: LinkImpairment,
    ) -> None:
        """Of this connection.

        Args:
            connection: Whose candidate it is.
            srtp: Opens the media.
            counters: Of what is refused.
            on_media: Told the media.
            on_refused: As of `StunSocket`.
            impairment: What is done on purpose to what goes to the peer, and comes.

        """
        super().__init__(connection, impairment, on_refused)
        self.strangers: SourceFilter | None = None
        """The kernel's filter of this socket; None where there is none, or no socket."""

        self._connection = connection
        self._guard = connection.guard
        self._opened = srtp.opened
        self._on_rtp, self._on_rtcp = on_media
        self._counters = counters
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
        # Four parts for IPv6; the zone is in the first on one event loop and not on another.
        zone = self._zone
        source = (f"{addr[0].partition('%')[0]}%{zone}" if zone else addr[0], addr[1])
        first = data[0] if data else 255
        if 127 < first < 192:
            if arrival_s is None:
                arrival_s = self._arrived_s()
            try:
                opened = self._opened(data, arrival_s, (self, source))
                if opened is None:
                    self._count_stranger()
                elif opened:
                    (self._on_rtcp if is_rtcp(opened) else self._on_rtp)(opened, arrival_s)
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
                self._hand_to_aioice(data, source)
            else:
                self._counters.dtls_refused += 1
                self._count_stranger()
        else:
            self._counters.datagrams_malformed += 1
            self._count_stranger()

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

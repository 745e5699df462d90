"""Whether multicast passes on this machine: each interface is sent to and listened on, as a session does it.

    own socket ── send ──> group on the interface ── looped back by the system, through its filters ──> group socket of the interface

What is sent is a datagram of the protocol on a topic that nobody has joined: sessions that hear it drop it unread, as they do what is said between
others. Whoever else is heard on the group meanwhile is told too: so it is seen whether others' multicast arrives.
"""

import secrets
import selectors
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from blink_cli.core.endpoint import Group
from blink_cli.core.gossip.datagram import HEADER_BYTES, MESSAGE_ID_BYTES, write_datagrams
from blink_cli.core.signaling.topics import TOPIC_BYTES, Topic
from blink_cli.net.host.interfaces import Interface
from blink_cli.net.host.zones import Zones
from blink_cli.net.signaling.udp_seats import IPV4, IPV6, GroupSeat, wanted_seats
from blink_cli.net.signaling.udp_sockets import FamilySockets, Ipv4Sockets, Ipv6Sockets

LISTENED_S: Final = 2.3
"""Sessions speak about once a second."""

SENT_EVERY_S: Final = 0.25
SENT_TIMES: Final = 4
_FRAGMENT_BYTES: Final = 32
_READ_BYTES: Final = 2048


@dataclass(slots=True)
class SeatHeard:
    """What became of one family on one interface."""

    interface: str
    version: int
    """4 or 6, of IP."""

    loopback: bool
    own_heard: bool = False
    """Whether what was sent came back."""

    refusal: str | None = None
    """Why the system did not join, or send, as the end of a sentence."""

    others: frozenset[str] = frozenset()
    """Addresses of those who spoke on the group, this machine's left out."""


def probe_multicast(
    group: Group, interfaces: Sequence[Interface], *, listen_s: float = LISTENED_S
) -> tuple[SeatHeard, ...]:
    """Send to the group and listen on each interface. Blocks for `listen_s`."""
    zones = Zones()
    zones.update(interfaces)
    families: dict[int, FamilySockets] = {IPV6: Ipv6Sockets(group.ipv6, group.port, zones)}
    if group.ipv4 is not None:
        families = {IPV4: Ipv4Sockets(group.ipv4, group.port), **families}
    own_addresses = {found.address.partition("%")[0] for one in interfaces for found in one.addresses}
    seats = [
        seat for seat in wanted_seats(interfaces, families, restricted=True) if isinstance(seat, GroupSeat)
    ]
    with ExitStack() as opened, selectors.DefaultSelector() as selector:
        probes = [_Probe(seat, families[seat.version], opened, selector) for seat in seats]
        begun_s = time.monotonic()
        sent = 0
        while (now_s := time.monotonic()) < begun_s + listen_s:
            if sent < SENT_TIMES and now_s >= begun_s + sent * SENT_EVERY_S:
                sent += 1
                for probe in probes:
                    probe.send()
            next_s = begun_s + (sent * SENT_EVERY_S if sent < SENT_TIMES else listen_s)
            for key, _ in selector.select(max(0.0, min(next_s - now_s, begun_s + listen_s - now_s))):
                key.data.receive(own_addresses)
        return tuple(probe.heard for probe in probes)


class _Probe:
    """Of one seat."""

    def __init__(
        self, seat: GroupSeat, family: FamilySockets, opened: ExitStack, selector: selectors.BaseSelector
    ) -> None:
        self.heard = SeatHeard(
            seat.interface, seat.version, loopback=seat.path.name.partition("%")[0] in ("127.0.0.1", "::1")
        )
        self._seat = seat
        self._family = family
        self._id = secrets.token_bytes(MESSAGE_ID_BYTES)
        topic = Topic(secrets.token_bytes(TOPIC_BYTES))
        content = secrets.token_bytes(_FRAGMENT_BYTES)
        (self._datagram,) = write_datagrams(topic, self._id, [content], ttl=0, attempt=0)
        self._own: socket.socket | None = None
        try:
            self._own = opened.enter_context(family.own(family.anywhere, 0))
            self._group = opened.enter_context(family.group(seat.index, seat.path.name))
            selector.register(self._group, selectors.EVENT_READ, self)
        except OSError as reason:
            self.heard.refusal = f"the group cannot be joined: {reason.strerror or reason}"
            self._own = None

    def send(self) -> None:
        if self._own is None or self.heard.refusal is not None:
            return
        try:
            self._family.send_to_group(self._own, self._datagram, self._seat.index, self._seat.path.name)
        except BlockingIOError:
            pass  # a full queue; it is sent again
        except OSError as reason:
            self.heard.refusal = f"nothing can be sent: {reason.strerror or reason}"

    def receive(self, own_addresses: set[str]) -> None:
        try:
            datagram, address = self._group.recvfrom(_READ_BYTES)
        except OSError:
            return
        if datagram[HEADER_BYTES - MESSAGE_ID_BYTES : HEADER_BYTES] == self._id:
            self.heard.own_heard = True
            return
        host = str(address[0]).partition("%")[0]
        if host not in own_addresses:
            self.heard.others |= {host}

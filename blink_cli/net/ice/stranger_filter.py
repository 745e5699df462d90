"""Has the kernel drop what strangers send to a media socket, for as long as somebody floods it.

A datagram that this process reads only to refuse it costs ten microseconds; 50,000 a second take the processor from the voice, and fill
the socket's buffer before the voice gets in. The kernel's socket filter (`SO_ATTACH_FILTER`, classic BPF) drops them for a fraction of a
microsecond, by their source address. It is not there in peace: a peer whose address changes in the middle, behind a NAT that
forgets, is heard as ever. Nor is such a peer shut out by a flood: connectivity checks that name us pass from anywhere. Only when the
flood knows that name, which anybody reads who overhears a check, do all strangers stay out. Who forges the peer's address gets through, and meets
the guards behind.
"""

import ipaddress
from collections.abc import Callable, Iterable
from typing import Final

from blink_cli.net.host.socket_filter import (
    DROP,
    IP_HEADER,
    LOAD_BYTE,
    LOAD_HALF,
    LOAD_WORD,
    PAYLOAD,
    RETURN,
    SOURCE_PORT,
    attach,
    detach,
    instruction,
    keep_if,
)
from blink_cli.net.ice.stun_guard import BINDING_REQUEST, HEADER_BYTES, MAGIC_COOKIE, USERNAME

FLOOD_DATAGRAMS: Final = 200
"""So many refused datagrams within `WINDOW_S` are a flood; a peer's leftovers after a reconnect are a few dozen."""

WINDOW_S: Final = 1.0
CLOSED_S: Final = 10.0
"""Strangers stay out for so long; then the next flood has to show itself anew."""

_SOURCE_OFFSETS: Final = {4: 12, 6: 8}
"""Where the source address stands in an IPv4 and in an IPv6 header."""

Address = tuple[str, int]


class SourceFilter:
    """Watches one UDP socket of a link. Belongs to the event loop."""

    def __init__(
        self,
        descriptor: int,
        *,
        known: Callable[[], Iterable[Address]],
        trusted: Callable[[], Iterable[Address]],
        named_us: bytes,
    ) -> None:
        """Take note of the socket; nothing is filtered yet.

        Args:
            descriptor: The socket's.
            known: Tells the addresses from which the peer may speak.
            trusted: Tells those of them that are the peer's without a doubt.
            named_us: How the user name of each of the peer's checks begins.

        """
        self._descriptor = descriptor
        self._known = known
        self._trusted = trusted
        self._named_us = named_us
        self._refused = 0
        self._window_ends_s = 0.0
        self._opens_s: float | None = None
        self._strict = False
        self._passed: frozenset[Address] = frozenset()
        self.closings = 0
        """Times that strangers were shut out."""

    def refused(self, now_s: float) -> None:
        """Count a datagram that was good for nothing.

        Raises:
            OSError: The system has no such filter, or refuses it.

        """
        if now_s >= self._window_ends_s:
            self._window_ends_s = now_s + WINDOW_S
            self._refused = 0
        self._refused += 1
        if self._refused < FLOOD_DATAGRAMS or self._strict:
            return
        # A second flood that came through the first filter knows our name.
        self._strict = self._opens_s is not None
        self._refused = 0
        self._attach()
        self.closings += 1
        self._opens_s = now_s + CLOSED_S

    def heard(self, source: Address) -> None:
        """A check of the peer's came from this address: what else comes from it passes from now on.

        Raises:
            OSError: The socket is gone.

        """
        if self._opens_s is not None and source not in self._passed:
            self._attach()

    def look(self, now_s: float) -> None:
        """Let strangers in again when their time is over; to be called every now and then.

        Raises:
            OSError: The socket is gone.

        """
        if self._opens_s is not None and now_s >= self._opens_s:
            self._opens_s = None
            self._strict = False
            self._passed = frozenset()
            detach(self._descriptor)

    def look_at_known(self) -> None:
        """The peer named more addresses: they pass from now on.

        Raises:
            OSError: The socket is gone.

        """
        if self._opens_s is not None:
            self._attach()

    def _attach(self) -> None:
        self._passed = frozenset(self._trusted() if self._strict else self._known())
        attach(self._descriptor, program(sorted(self._passed), b"" if self._strict else self._named_us))


def program(known: Iterable[Address], named_us: bytes) -> bytes:
    """Return the classic BPF program that keeps datagrams from these addresses, and connectivity checks that name us, and drops all others.

    Args:
        known: Addresses from which everything passes.
        named_us: How the user name of a check begins; empty to let none pass from elsewhere.

    """
    code = b""
    for host, port in known:
        address = ipaddress.ip_address(host.partition("%")[0])
        offset = IP_HEADER + _SOURCE_OFFSETS[address.version]
        code += keep_if([(LOAD_HALF, SOURCE_PORT, port), *_equal(offset, address.packed)])
    if named_us:
        # The user name comes first in the checks of all that is known but libnice.
        user_name = PAYLOAD + HEADER_BYTES
        code += keep_if(
            [
                (LOAD_HALF, PAYLOAD, BINDING_REQUEST),
                (LOAD_WORD, PAYLOAD + 4, MAGIC_COOKIE),
                (LOAD_HALF, user_name, USERNAME),
                *_equal(user_name + 4, named_us),
            ]
        )
    return code + instruction(RETURN, DROP)


def _equal(offset: int, wanted: bytes) -> list[tuple[int, int, int]]:
    """Load and compare these bytes: what to load, where, and the value that is wanted. A load from beyond the end drops the datagram."""
    whole = len(wanted) // 4 * 4
    words = [
        (LOAD_WORD, offset + at, int.from_bytes(wanted[at : at + 4], "big")) for at in range(0, whole, 4)
    ]
    return words + [(LOAD_BYTE, offset + at, wanted[at]) for at in range(whole, len(wanted))]

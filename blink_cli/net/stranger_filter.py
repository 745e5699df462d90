"""Has the kernel drop what strangers send to a media socket, for as long as somebody floods it.

A datagram that this process reads only to refuse it costs ten microseconds; 50,000 a second take the processor from the voice, and fill
the socket's buffer before the voice gets in. The kernel's socket filter (`SO_ATTACH_FILTER`, classic BPF) drops them for a fraction of a
microsecond, by their source address. It is not there in peace: a peer whose address changes in the middle, behind a NAT that
forgets, is heard as ever. Who forges the peer's address gets through, and meets SRTP.
"""

import ctypes
import ipaddress
import os
import socket
import struct
import sys
from collections.abc import Callable, Iterable
from typing import Final

FLOOD_DATAGRAMS: Final = 200
"""So many refused datagrams within `WINDOW_S` are a flood; a peer's leftovers after a reconnect are a few dozen."""

WINDOW_S: Final = 1.0
CLOSED_S: Final = 10.0
"""Strangers stay out for so long; then the next flood has to show itself anew."""

_SO_ATTACH_FILTER: Final = 26
_SO_DETACH_FILTER: Final = 27
_INSTRUCTION: Final = struct.Struct("=HBBI")
_LOAD_HALF: Final = 0x28
_LOAD_WORD: Final = 0x20
_JUMP_IF_EQUAL: Final = 0x15
_RETURN: Final = 0x06
_SOURCE_PORT: Final = 0
"""A UDP socket's filter sees the datagram from its UDP header on."""

_IP_HEADER: Final = 0xFFF00000
"""`SKF_NET_OFF`: the kernel's name for the beginning of the IP header."""

_SOURCE_OFFSETS: Final = {4: 12, 6: 8}
"""Where the source address stands in an IPv4 and in an IPv6 header."""

Address = tuple[str, int]


class StrangerFilter:
    """Watches one UDP socket of a connected link. Belongs to the event loop."""

    def __init__(self, descriptor: int, known: Callable[[], Iterable[Address]]) -> None:
        """Take note of the socket; nothing is filtered yet. `known` tells the addresses from which the peer may speak."""
        self._descriptor = descriptor
        self._known = known
        self._refused = 0
        self._window_ends_s = 0.0
        self._opens_s: float | None = None
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
        if self._refused == FLOOD_DATAGRAMS and self._opens_s is None:
            self._attach()
            self.closings += 1
            self._opens_s = now_s + CLOSED_S

    def look(self, now_s: float) -> None:
        """Let strangers in again when their time is over; to be called every now and then.

        Raises:
            OSError: The socket is gone.

        """
        if self._opens_s is not None and now_s >= self._opens_s:
            self._opens_s = None
            with _borrowed(self._descriptor) as sock:
                sock.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)

    def _attach(self) -> None:
        code = program(self._known())
        held = ctypes.create_string_buffer(code, len(code))
        pointer = struct.pack("@HP", len(code) // _INSTRUCTION.size, ctypes.addressof(held))
        with _borrowed(self._descriptor) as sock:
            sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, pointer)


def is_available() -> bool:
    """Whether this system has socket filters of this kind."""
    return sys.platform == "linux"


def program(known: Iterable[Address]) -> bytes:
    """Return the classic BPF program that keeps datagrams from these addresses and drops all others.

    Source: Linux, Documentation/networking/filter.rst.
    """
    code = []
    for host, port in known:
        address = ipaddress.ip_address(host.partition("%")[0])
        packed = address.packed
        offset = _IP_HEADER + _SOURCE_OFFSETS[address.version]
        checks = [(_LOAD_HALF, _SOURCE_PORT, port)]
        checks += [
            (_LOAD_WORD, offset + at, int.from_bytes(packed[at : at + 4])) for at in range(0, len(packed), 4)
        ]
        behind = 2 * len(checks)  # instructions from the first one to this address's verdict
        for number, (load, where, wanted) in enumerate(checks):
            code.append(_INSTRUCTION.pack(load, 0, 0, where))
            code.append(_INSTRUCTION.pack(_JUMP_IF_EQUAL, 0, behind - 2 * number - 1, wanted))
        code.append(_INSTRUCTION.pack(_RETURN, 0, 0, 0xFFFFFFFF))
    code.append(_INSTRUCTION.pack(_RETURN, 0, 0, 0))
    return b"".join(code)


def _borrowed(descriptor: int) -> socket.socket:
    """The socket as Python's own object, whatever the event loop wraps it in; closing it closes the copy of the descriptor only."""
    return socket.socket(fileno=os.dup(descriptor))

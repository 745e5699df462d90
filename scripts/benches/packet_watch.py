"""Sees when the kinds of packets of a connection pass on loopback: connectivity checks, handshake, media.

A raw socket of Linux, so it needs root. Nothing is kept but times.
"""

import asyncio
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final

_ETH_P_ALL: Final = 0x0003
_ETHERNET_BYTES: Final = 14
_UDP: Final = 17
_UDP_HEADER_BYTES: Final = 8
_OUTGOING: Final = 4
"""PACKET_OUTGOING: loopback shows every packet twice, going and coming."""

_MAX_PACKETS: Final = 100_000


class Kind(Enum):
    """What a datagram is, by its first byte."""

    STUN = "stun"
    DTLS = "dtls"
    RTP = "rtp"
    RTCP = "rtcp"


def kind_of(payload: bytes) -> Kind | None:
    """Tell by RFC 7983, section 7, and RFC 5761, section 4; None for what is none of these."""
    if len(payload) < 2:
        return None
    if payload[0] < 4:
        return Kind.STUN
    if 19 < payload[0] < 64:
        return Kind.DTLS
    if 127 < payload[0] < 192:
        return Kind.RTCP if 192 <= payload[1] <= 223 else Kind.RTP
    return None


@dataclass(slots=True)
class PacketTimes:
    """What was seen: wall clock seconds, kind, source and target port, in order."""

    seen: list[tuple[float, Kind, int, int]] = field(default_factory=list)

    def between(self, ports: frozenset[int], after_s: float) -> list[tuple[float, Kind]]:
        """What passed from one of these ports to another after a time, where connectivity was checked: signals look like media."""
        passed = [one for one in self.seen if one[0] >= after_s and ports.issuperset(one[2:])]
        checked = {port for _, kind, *pair in passed if kind is Kind.STUN for port in pair}
        return [(at, kind) for at, kind, *pair in passed if checked.issuperset(pair)]


class PacketWatch:
    """Reads what passes on loopback when it comes, and whenever `drain` is called; the kernel holds 8 MiB of it meanwhile."""

    def __init__(self, raw: socket.socket, ignored_port: int) -> None:
        self._raw = raw
        self._ignored_port = ignored_port
        self.times = PacketTimes()

    def forget(self) -> None:
        """Begin anew: what has passed so far belongs to an earlier call, or to other programs."""
        self.drain()
        self.times.seen.clear()

    def drain(self) -> None:
        """Take what has passed so far."""
        while True:
            try:
                frame, ancillary, _, address = self._raw.recvmsg(128, 64)
            except BlockingIOError:
                return
            if address[2] == _OUTGOING and len(self.times.seen) < _MAX_PACKETS:
                self._note(frame, _stamp_s(ancillary))

    def _note(self, frame: bytes, at_s: float) -> None:
        at = (
            _ETHERNET_BYTES + (frame[_ETHERNET_BYTES] & 0x0F) * 4
            if len(frame) > _ETHERNET_BYTES
            else len(frame)
        )
        if (
            frame[12:14] != b"\x08\x00"
            or frame[_ETHERNET_BYTES + 9] != _UDP
            or len(frame) < at + _UDP_HEADER_BYTES
        ):
            return
        source, target = struct.unpack_from("!HH", frame, at)
        kind = kind_of(frame[at + _UDP_HEADER_BYTES :])
        if kind is not None and self._ignored_port not in (source, target):
            self.times.seen.append((at_s, kind, source, target))


def _stamp_s(ancillary: list[tuple[int, int, bytes]]) -> float:
    for _, kind, data in ancillary:
        if kind == _SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("@ll", data[:16])
            return float(seconds + nanoseconds * 1e-9)
    return time.time()


_SO_RCVBUFFORCE: Final = 33
_SO_TIMESTAMPNS: Final = 35


def udp_ports(pid: int) -> frozenset[int]:
    """The UDP ports that a process has open. Linux."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            inodes.add(str(descriptor.readlink()))
    ports = set()
    for table in ("udp", "udp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text("ascii").splitlines()[1:]:
            columns = line.split()
            if f"socket:[{columns[9]}]" in inodes:
                ports.add(int(columns[1].rpartition(":")[2], 16))
    return frozenset(ports)


@contextmanager
def watching(ignored_port: int) -> Iterator[PacketWatch | None]:
    """Watch loopback, but for one port (the gossip's), while the running event loop runs; None where this user may not, or on another system."""
    if sys.platform != "linux":
        yield None
        return
    try:
        raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
    except PermissionError:
        yield None
        return
    with raw:
        raw.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        # Beyond what the system allows everybody: a second of all that passes has to fit.
        raw.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 8 << 20)
        raw.bind(("lo", 0))
        raw.setblocking(False)  # noqa: FBT003 - it takes no keyword
        watch = PacketWatch(raw, ignored_port)
        # As it comes: what others do on loopback meanwhile fills what the kernel holds within a tenth of a second.
        loop = asyncio.get_running_loop()
        loop.add_reader(raw, watch.drain)
        try:
            yield watch
        finally:
            loop.remove_reader(raw)

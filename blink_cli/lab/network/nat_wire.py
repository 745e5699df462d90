"""A wire some of whose hosts are behind network address translators. What is between the ports is the Internet then.

    {"do": "nat", "host": "alice", "inside": "192.168.1.2", "outside": "10.66.0.1", "mapping": "endpoint-independent", "filtering": ...}
    {"do": "reboot", "host": "alice"}      her translator forgets its mappings

A translator is a part of its host's cable: it changes addresses, ports and checksums of IPv4's UDP and TCP, and the address in ARP, so that host and
Internet see each other's Ethernet addresses and need no router. Nothing else passes it: no multicast, no IPv6, no ICMP. ARP is neither lost nor
late on this wire: the routers of the Internet know each other.
"""

import struct
import time
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_address
from socket import inet_aton, inet_ntoa
from typing import Any, Final

from typing_extensions import override

from blink_cli.lab.network.nat import Dependence, Endpoint, Nat, NatBehaviour
from blink_cli.lab.network.wire import Wire, main

_TYPE_AT: Final = 12
_IPV4: Final = b"\x08\x00"
_ARP: Final = b"\x08\x06"
_ARP_BYTES: Final = 42
_ARP_SENDER_AT: Final = 28
_ARP_TARGET_AT: Final = 38
_IP_AT: Final = 14
_IP_SUM_AT: Final = 24
_SOURCE_AT: Final = 26
_DESTINATION_AT: Final = 30
_UDP: Final = 17
_CHECKSUM_IN_SEGMENT: Final = {6: 16, _UDP: 6}
"""Where the checksum is, by IP's number of the protocol."""


@dataclass(frozen=True, slots=True)
class Translator:
    """At the end of one host's cable."""

    nat: Nat
    inside: str
    """The host's address."""

    outside: str
    """That by which it is known."""

    private: IPv4Network
    """The subnet of the host, where nobody else is."""

    def leaving(self, frame: bytes, now_s: float) -> bytes | None:
        """Return a frame of the host as it goes out; None if it does not."""
        kind = frame[_TYPE_AT:_IP_AT]
        if kind == _ARP and len(frame) >= _ARP_BYTES:
            asked = frame[_ARP_TARGET_AT : _ARP_TARGET_AT + 4]
            if ip_address(asked) in self.private:
                return None
            return _with(frame, _ARP_SENDER_AT, inet_aton(self.outside))
        ends = _endpoints(frame)
        if ends is None or ends.source[0] != self.inside or not _is_unicast(ends.destination[0]):
            return None
        port = self.nat.leave(ends.protocol, ends.source, ends.destination, now_s)
        return _readdressed(frame, ends, _SOURCE_AT, 0, (self.outside, port))

    def entering(self, frame: bytes, now_s: float) -> bytes | None:
        """Return a frame that came to the translator as the host gets it; None if it does not."""
        kind = frame[_TYPE_AT:_IP_AT]
        if kind == _ARP and len(frame) >= _ARP_BYTES:
            if frame[_ARP_TARGET_AT : _ARP_TARGET_AT + 4] != inet_aton(self.outside):
                return None
            return _with(frame, _ARP_TARGET_AT, inet_aton(self.inside))
        ends = _endpoints(frame)
        if ends is None or ends.destination[0] != self.outside:
            return None
        inside = self.nat.enter(ends.protocol, ends.destination[1], ends.source, now_s)
        return None if inside is None else _readdressed(frame, ends, _DESTINATION_AT, 2, inside)


def ip_network_of(inside: str) -> IPv4Network:
    """Return the subnet that a host has at home."""
    return IPv4Network((inside, 24), strict=False)


@dataclass(frozen=True, slots=True)
class _Ends:
    protocol: int
    segment_at: int
    source: Endpoint
    destination: Endpoint


def _endpoints(frame: bytes) -> _Ends | None:
    """Between whom a frame's segment goes; None if it is not a whole one of UDP or TCP over IPv4."""
    if frame[_TYPE_AT:_IP_AT] != _IPV4 or len(frame) < _IP_AT + 28:
        return None
    protocol = frame[_IP_AT + 9]
    segment_at = _IP_AT + (frame[_IP_AT] & 0x0F) * 4
    is_fragment = int.from_bytes(frame[_IP_AT + 6 : _IP_AT + 8], "big") & 0x3FFF
    checksum = _CHECKSUM_IN_SEGMENT.get(protocol)
    if is_fragment or checksum is None or len(frame) < segment_at + checksum + 2:
        return None
    from_port, to_port = struct.unpack_from("!HH", frame, segment_at)
    return _Ends(
        protocol,
        segment_at,
        (inet_ntoa(frame[_SOURCE_AT : _SOURCE_AT + 4]), from_port),
        (inet_ntoa(frame[_DESTINATION_AT : _DESTINATION_AT + 4]), to_port),
    )


def _readdressed(frame: bytes, ends: _Ends, address_at: int, port_offset: int, endpoint: Endpoint) -> bytes:
    host, port = endpoint
    port_at = ends.segment_at + port_offset
    address, port_bytes = inet_aton(host), port.to_bytes(2, "big")
    old_address, old_port = frame[address_at : address_at + 4], frame[port_at : port_at + 2]
    changed = bytearray(frame)
    changed[address_at : address_at + 4] = address
    changed[port_at : port_at + 2] = port_bytes
    _adjust(changed, _IP_SUM_AT, old_address, address)
    checksum_at = ends.segment_at + _CHECKSUM_IN_SEGMENT[ends.protocol]
    has_none = ends.protocol == _UDP and changed[checksum_at : checksum_at + 2] == b"\0\0"
    if not has_none:
        _adjust(changed, checksum_at, old_address + old_port, address + port_bytes)
    return bytes(changed)


def _adjust(frame: bytearray, checksum_at: int, old: bytes, new: bytes) -> None:
    """Let a checksum stand for changed words (RFC 1624, equation 3)."""
    total = ~int.from_bytes(frame[checksum_at : checksum_at + 2], "big") & 0xFFFF
    for at in range(0, len(old), 2):
        total += ~int.from_bytes(old[at : at + 2], "big") & 0xFFFF
        total += int.from_bytes(new[at : at + 2], "big")
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    frame[checksum_at : checksum_at + 2] = (~total & 0xFFFF).to_bytes(2, "big")


def _with(frame: bytes, at: int, changed: bytes) -> bytes:
    return frame[:at] + changed + frame[at + len(changed) :]


def _is_unicast(host: str) -> bool:
    address = ip_address(host)
    return not address.is_multicast and host != "255.255.255.255"


class NatWire(Wire):
    """See the top of the file."""

    def __init__(self, seed: str) -> None:
        super().__init__(seed)
        self._nat_seed = seed
        self._translators: dict[str, Translator] = {}

    @override
    def _send(self, source: Any, frame: bytes, now: float) -> None:
        translator = self._translators.get(source.host)
        leaving = frame if translator is None else translator.leaving(frame, now)
        if leaving is None:
            return
        if leaving[_TYPE_AT:_IP_AT] != _ARP:
            super()._send(source, leaving, now)
            return
        self._home_of[leaving[6:12]] = source.host
        known = self._home_of.get(leaving[:6])
        for target in [known] if known else list(self._ports):
            if target != source.host:
                self._write(target, leaving, now)

    @override
    def _write(self, target: str, frame: bytes, due_at: float) -> None:
        translator = self._translators.get(target)
        entering = frame if translator is None else translator.entering(frame, time.monotonic())
        if entering is not None:
            super()._write(target, entering, due_at)

    @override
    def _obey(self, order: dict[str, Any]) -> dict[str, Any]:
        match order["do"]:
            case "nat":
                host, inside = order["host"], order["inside"]
                behaviour = NatBehaviour(Dependence(order["mapping"]), Dependence(order["filtering"]))
                nat = Nat(behaviour, f"{self._nat_seed}/{host}/nat")
                self._translators[host] = Translator(nat, inside, order["outside"], ip_network_of(inside))
                return {"ok": True}
            case "reboot":
                self._translators[order["host"]].nat.reboot()
                return {"ok": True}
            case _:
                return super()._obey(order)


if __name__ == "__main__":
    main(NatWire)

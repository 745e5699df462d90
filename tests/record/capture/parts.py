"""Captures made here: streams with everything that networks and senders do to them, as frames of any link in files of any kind."""

import random
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.record.simulated_call import spoken

OWN, FAR = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
PORT = 5004
START_NS = 1_700_000_000_123_456_789
Captured = tuple[int, bytes]
"""Nanoseconds since 1970, and an IP packet."""


def rtp(
    sequence: int, timestamp: int, payload_type: int, ssrc: int, payload: bytes, *, marker: bool = False
) -> bytes:
    second = payload_type | (0x80 if marker else 0)
    return struct.pack("!BBHII", 0x80, second, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc) + payload


def udp(
    payload: bytes, source: bytes = FAR, target: bytes = OWN, ports: tuple[int, int] = (4000, PORT)
) -> bytes:
    """An IPv4 or IPv6 packet, by the length of the addresses."""
    datagram = struct.pack("!HHHH", *ports, 8 + len(payload), 0) + payload
    if len(source) == 16:
        return struct.pack("!IHBB", 0x60000000, len(datagram), 17, 64) + source + target + datagram
    return (
        struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(datagram), 0, 0, 64, 17, 0, source, target) + datagram
    )


@dataclass(frozen=True)
class Sending:
    """What one stream sends, and what happens to it."""

    packets: int = 300
    payload_type: int = 111
    step: int = 960
    rate_hz: int = 48_000
    first_sequence: int = 1000
    first_timestamp: int = 0
    ssrc: int = 0x1234
    port: int = 4000
    loss: float = 0.0
    burst: int = 1
    copies: float = 0.0
    late: float = 0.0
    jitter_s: float = 0.0
    change: Callable[[int, dict[str, int]], None] = lambda _number, _fields: None
    """Changes the fields of a packet by its number."""

    payload: Callable[[int], bytes] = lambda number: spoken()[number % 150]


def mu_law(number: int) -> bytes:
    """20 ms of something like speech, as PCMU."""
    source = random.Random(number)
    return bytes(source.choice((0xFF, 0x7F, 0xFE, 0xF0)) for _ in range(160))


def stream(seed: int, sending: Sending = Sending()) -> list[Captured]:
    """Return its packets in the order in which they come."""
    source = random.Random(seed)
    captured, losing = [], 0
    for number in range(sending.packets):
        fields = {
            "sequence": sending.first_sequence + number,
            "timestamp": sending.first_timestamp + number * sending.step,
            "payload_type": sending.payload_type,
            "ssrc": sending.ssrc,
        }
        sending.change(number, fields)
        marker = number == 0 or source.random() < 0.01
        if not losing and source.random() < sending.loss:
            losing = source.randint(1, sending.burst)
        if losing:
            losing -= 1
            continue
        at_ns = START_NS + number * sending.step * 10**9 // sending.rate_hz
        at_ns += int(abs(source.gauss(0, sending.jitter_s)) * 1e9)
        at_ns += 50_000_000 if source.random() < sending.late else 0
        packet = udp(
            rtp(**fields, payload=sending.payload(number), marker=marker), ports=(sending.port, PORT)
        )
        captured.append((at_ns, packet))
        while source.random() < sending.copies:
            at_ns += source.randrange(30_000_000)
            captured.append((at_ns, packet))
    return sorted(captured, key=lambda one: one[0])


def description(host: str, port: int, types: str) -> bytes:
    """A datagram of SAP (RFC 2974) that describes a stream: by it tshark knows the clock rate of a dynamic type."""
    number = types.split(maxsplit=1)[0]
    sdp = f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {port} RTP/AVP {number}\r\na=rtpmap:{types}\r\n"
    return b"\x20\x00\x12\x34" + OWN + b"application/sdp\0" + sdp.encode()


SAP_PORT = 9875


def announcement(port: int = PORT, types: str = "111 opus/48000/2") -> bytes:
    """The same as an IP packet, of what comes to `OWN`."""
    return udp(
        description("10.0.0.1", port, types), target=bytes((224, 2, 127, 254)), ports=(SAP_PORT, SAP_PORT)
    )


def pcap(
    path: Path, captured: Iterable[Captured], *, order: str = "<", link: int = 101, snap_bytes: int = 65_535
) -> Path:
    """Write a capture with nanoseconds."""
    parts = [struct.pack(f"{order}IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, snap_bytes, link)]
    for at_ns, frame in captured:
        held = frame[:snap_bytes]
        parts.append(struct.pack(f"{order}IIII", *divmod(at_ns, 10**9), len(held), len(frame)) + held)
    path.write_bytes(b"".join(parts))
    return path


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(f"{order}I", 12 + len(body))
    return struct.pack(f"{order}I", kind) + length + body + length


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4)


def pcapng(path: Path, captured: Iterable[Captured], *, order: str = "<") -> Path:
    """Write a capture of two interfaces: one counts 2^-20 s, the other nanoseconds from a thousand seconds on."""
    parts = [block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))]
    head = struct.pack(f"{order}HHI", 101, 0, 0)
    parts.append(
        block(order, 1, head + option(order, 2, b"eth0") + option(order, 9, b"\x94") + option(order, 0, b""))
    )
    offset = option(order, 14, struct.pack(f"{order}q", 1000))
    parts.append(block(order, 1, head + option(order, 9, b"\x09") + offset + option(order, 0, b"")))
    parts.append(block(order, 5, bytes(12)))  # statistics: passed over
    for number, (at_ns, frame) in enumerate(captured):
        interface = number % 2
        at = at_ns - 1000 * 10**9 if interface else at_ns * 2**20 // 10**9
        head = struct.pack(f"{order}IIIII", interface, at >> 32, at & 0xFFFFFFFF, len(frame), len(frame))
        parts.append(block(order, 6, head + frame))
    path.write_bytes(b"".join(parts))
    return path


def pcapng_of_links(path: Path, links: Iterable[tuple[int, list[Captured]]]) -> Path:
    """Write a capture with an interface for each link, whose frames these are."""
    parts = [block("<", 0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))]
    frames = []
    for number, (link, captured) in enumerate(links):
        parts.append(block("<", 1, struct.pack("<HHI", link, 0, 0)))
        frames += [(at_ns // 1000, number, frame) for at_ns, frame in captured]
    for at_us, number, frame in sorted(frames):
        head = struct.pack("<IIIII", number, at_us >> 32, at_us & 0xFFFFFFFF, len(frame), len(frame))
        parts.append(block("<", 6, head + frame))
    path.write_bytes(b"".join(parts))
    return path


def ethernet(packet: bytes, *tags: int) -> bytes:
    kind = b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00"
    framed = bytes(12) + b"".join(struct.pack("!HH", tag, 7) for tag in tags) + kind + packet
    return framed + bytes(max(0, 60 - len(framed)))  # as short frames are filled up


def cooked(packet: bytes) -> bytes:
    return bytes(14) + (b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00") + packet


def cooked_2(packet: bytes) -> bytes:
    return (b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00") + bytes(18) + packet


def loopback(packet: bytes) -> bytes:
    return struct.pack("<I", 30 if packet[0] >> 4 == 6 else 2) + packet


def as_ipv6(packet: bytes) -> bytes:
    """The same datagram in IPv6, behind a hop-by-hop header."""
    datagram = packet[20:]
    head = struct.pack("!IHBB", 0x60000000, 8 + len(datagram), 0, 64)
    return head + bytes(15) + b"\x02" + bytes(15) + b"\x01" + bytes((17, 0, 1, 4, 0, 0, 0, 0)) + datagram

"""A log as a packet capture for Wireshark and its like: RTP in made-up IPv4 and UDP, with the payloads that the log kept, else with zeros.

    | pcap record header | IPv4, 20 bytes | UDP, 8 bytes | RTP header, 12 or 20 bytes | payload: as long as it was |

This session is 10.0.0.1, its peers 10.0.0.2 and up, in the order in which they appear; all on port 5004. The audio level travels as header extension 1.

Before the first payload of a link that the log kept, a session description goes by (SDP in SAP), as it might have on a network: by it Wireshark knows RTP and its payload types without being
told, and plays Opus. Before the first packet of a peer's pictures another one goes by, since nothing else tells their clock. What holds neither is as the log has it, packet by packet, and nothing
else. Pictures that went again are left out, as voices that came again: they would count twice.

Packets are whole, and the link type is raw IP (101): GStreamer knows no raw IPv4 (228), and passes over packets that are cut, as `tcpdump -s` cuts
them.

Written with `struct`: the format is 40 bytes of headers, and the one library for it that is small has had no release since 2022.

Source: draft-ietf-opsawg-pcap (file), RFC 791 (IPv4), RFC 768 (UDP, without checksum), RFC 2974 (SAP), RFC 8866 (SDP).
"""

import os
import struct
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from enum import Enum, auto
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from blink_cli.core.errors import WireError
from blink_cli.core.ids import Did
from blink_cli.core.media import red
from blink_cli.core.media.rtp_header import AUDIO_LEVEL_URI, RtpHeaderWriter
from blink_cli.core.media.video.video_format import VIDEO_CLOCK_HZ
from blink_cli.files.writing import create
from blink_cli.record.rtp_log.format import LogEvent, LogRow
from blink_cli.record.rtp_log.video_rows import codec_of

PORT: Final = 5004
"""RTP's (RFC 3551, section 8): Wireshark's `Decode As` or `tshark -d udp.port==5004,rtp` takes all streams at once."""

AUDIO_LEVEL_ID: Final = 1

_MOST_BYTES: Final = 0xFFFF
"""An IPv4 packet is no longer."""

_FILE_HEADER: Final = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)  # microseconds; raw IP
_RECORD: Final = struct.Struct("<IIII")
_IPV4: Final = struct.Struct("!BBHHHBBH4s4s")
_UDP: Final = struct.Struct("!HHHH")
_OWN: Final = bytes((10, 0, 0, 1))
_MOST_PEERS: Final = 60_000
"""More share addresses."""

_MOST_WRITERS: Final = 4_096


_SAP_TARGET: Final = bytes((224, 2, 127, 254))
_SAP_PORT: Final = 9875
_MOST_DESCRIPTIONS: Final = 1_000
_MOST_ORIGINALS: Final = 4_096
"""Payloads that are remembered for copies, of which a log has no payload: SRTP refused them unopened."""


class RedPackets(Enum):
    """What becomes of packets that carry copies of earlier frames (RED)."""

    AS_THEY_WERE = auto()
    PRIMARY_ALONE = auto()
    """Plain Opus with the packet's own frame: Wireshark's player knows no RED."""


class CaptureTotals(msgspec.Struct, frozen=True):
    """What was written, and what nobody can see in it."""

    packets: int
    pauses: int
    """How often the log was paused: a capture has no place for it, so its readers take it for loss."""

    rows_lost: int
    """That the log itself says are missing; the same holds."""

    payloads: int = 0
    """Packets whose payload the log has kept; those of the others are zeros."""


def write_capture(
    rows: Iterable[LogRow], out: Path, redundant: RedPackets = RedPackets.AS_THEY_WERE
) -> CaptureTotals:
    """Write every packet of a log, copies included, into a new file.

    Raises:
        FileExistsError: There is one already.
        OSError: It cannot be written.

    """
    with os.fdopen(create(out), "wb") as file:
        return _Writer(file, redundant).write(rows)


class _Writer:
    """One capture."""

    def __init__(self, file: BinaryIO, redundant: RedPackets) -> None:
        self._file = file
        self._redundant = redundant
        self._addresses: dict[Did, bytes] = {}
        self._headers: dict[tuple[int, bool], RtpHeaderWriter] = {}
        self._red_types: dict[Did, int] = {}
        self._types: dict[int, str] = {}
        """Of all links so far, with their names in SDP."""

        self._undescribed: set[Did] = set()
        self._with_pictures: set[tuple[Did, int]] = set()
        self._originals: dict[tuple[Did, int, int], bytes] = {}
        self._origin_s: float | None = None
        self._packets = self._payloads = self._descriptions = 0

    def write(self, rows: Iterable[LogRow]) -> CaptureTotals:
        """Write everything, the file's header first."""
        self._file.write(_FILE_HEADER)
        pauses = rows_lost = 0
        for row in rows:
            if self._origin_s is None:
                # One wall time and then the monotonic clock: a wall clock that was set would spoil every interval.
                self._origin_s = _seconds(row.wall_time) - row.time_s
            if row.event is LogEvent.PAUSED:
                pauses += 1
            elif row.event is LogEvent.ROWS_LOST:
                rows_lost += row.packets
            elif row.event is LogEvent.LINK_CONNECTED and row.peer is not None:
                self._link(row, row.peer)
            elif row.event is LogEvent.PACKET and row.peer is not None and row.sequence is not None:
                self._packet(row, row.peer, row.sequence)
            elif row.event is LogEvent.VIDEO_PACKET and row.peer is not None and row.sequence is not None:
                self._announce_pictures(row, row.peer)
                self._packet(row, row.peer, row.sequence)
        return CaptureTotals(self._packets, pauses, rows_lost, self._payloads)

    def _link(self, row: LogRow, peer: Did) -> None:
        """Remember what may come over a link."""
        self._types[row.payload_type] = "opus/48000/2"
        red_type = row.note.removeprefix("RED ")
        if red_type.isascii() and red_type.isdigit() and int(red_type) < 128:
            self._red_types[peer] = int(red_type)
            self._types[int(red_type)] = "red/48000/2"
        if len(self._undescribed) < _MOST_DESCRIPTIONS:
            self._undescribed.add(peer)

    def _describe(self, time_s: float, peer: Did) -> None:
        """Say what may come over a link, to whom it comes: both ends."""
        self._undescribed.remove(peer)
        self._say(time_s, peer, "audio", self._types)

    def _announce_pictures(self, row: LogRow, peer: Did) -> None:
        """Say, once for each peer and payload type, how its pictures and ours are encoded, and by which clock."""
        key = peer, row.payload_type
        if key not in self._with_pictures and len(self._with_pictures) < _MOST_DESCRIPTIONS:
            self._with_pictures.add(key)
            name = f"{codec_of(row.payload_type).value}/{VIDEO_CLOCK_HZ}"
            self._say(row.time_s, peer, "video", {row.payload_type: name})

    def _say(self, time_s: float, peer: Did, media: str, types: dict[int, str]) -> None:
        if self._descriptions < _MOST_DESCRIPTIONS:
            self._descriptions += 1
            for address in (_OWN, self._address(peer)):
                payload = _description(address, media, types)
                self._datagram(time_s, (_OWN, _SAP_TARGET), payload, port=_SAP_PORT)

    def _packet(self, row: LogRow, peer: Did, sequence: int) -> None:
        key = row.ssrc, row.level_dbov is not None
        writer = self._headers.get(key)
        if writer is None:
            if len(self._headers) >= _MOST_WRITERS:
                self._headers.clear()  # they are made again
            writer = self._headers[key] = RtpHeaderWriter(row.ssrc, AUDIO_LEVEL_ID if key[1] else None)
        payload_type, payload = self._payload(row, peer, sequence)
        if row.payload and peer in self._undescribed:
            self._describe(row.time_s, peer)
        header = writer.header(
            payload_type=payload_type,
            sequence_number=sequence & 0xFFFF,
            timestamp=row.timestamp,
            marker=row.marker,
            audio_level_dbov=row.level_dbov or 0,
            voice=row.voice,
        )
        address = self._address(peer)
        way = (_OWN, address) if row.direction == "sent" else (address, _OWN)
        most_bytes = _MOST_BYTES - _IPV4.size - _UDP.size - len(header)
        self._datagram(row.time_s, way, header + payload[:most_bytes], port=PORT)
        self._packets += 1

    def _payload(self, row: LogRow, peer: Did, sequence: int) -> tuple[int, bytes]:
        """Payload type and payload of a packet."""
        payload = row.payload
        key = peer, row.ssrc, sequence
        if payload:
            self._originals[key] = payload
            if len(self._originals) > _MOST_ORIGINALS:
                del self._originals[next(iter(self._originals))]
        else:
            payload = self._originals.get(key, b"")
        if len(payload) != row.payload_bytes or not payload:
            return row.payload_type, bytes(row.payload_bytes)
        self._payloads += 1
        if self._redundant is RedPackets.PRIMARY_ALONE and row.payload_type == self._red_types.get(peer):
            with suppress(WireError):
                _, primary, primary_type = red.unpack(payload, row.timestamp)[-1]
                return primary_type, primary
        return row.payload_type, payload

    def _datagram(self, time_s: float, way: tuple[bytes, bytes], payload: bytes, *, port: int) -> None:
        whole = _ip_and_udp(way, len(payload), self._packets, port) + payload
        origin_s = self._origin_s or 0.0
        second, microsecond = divmod(round((origin_s + time_s) * 1e6), 1_000_000)
        self._file.write(_RECORD.pack(second & 0xFFFFFFFF, microsecond, len(whole), len(whole)))
        self._file.write(whole)

    def _address(self, peer: Did) -> bytes:
        addresses = self._addresses
        address = addresses.get(peer)
        if address is None:
            if len(addresses) >= _MOST_PEERS:
                addresses.clear()
            number = 2 + len(addresses)
            address = addresses[peer] = bytes((10, 0, number >> 8, number & 0xFF))
        return address


def _description(address: bytes, media: str, types: dict[int, str]) -> bytes:
    """An announcement of RTP that comes to an address."""
    host = ".".join(map(str, address))
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 10.0.0.1",
        "s=RTP log",
        f"c=IN IP4 {host}",
        "t=0 0",
        f"m={media} {PORT} RTP/AVP {' '.join(map(str, types))}",
        *(f"a=rtpmap:{number} {name}" for number, name in types.items()),
        *([f"a=extmap:{AUDIO_LEVEL_ID} {AUDIO_LEVEL_URI}"] if media == "audio" else []),
    ]
    return (
        b"\x20\0\0\x01"
        + _OWN
        + b"application/sdp\0"
        + "".join(f"{line}\r\n" for line in lines).encode("ascii")
    )


def _ip_and_udp(way: tuple[bytes, bytes], udp_payload_bytes: int, number: int, port: int) -> bytes:
    source, target = way
    length = _IPV4.size + _UDP.size + udp_payload_bytes
    fields = (0x45, 0, length, number & 0xFFFF, 0, 64, 17)
    ip = _IPV4.pack(*fields, _checksum(_IPV4.pack(*fields, 0, source, target)), source, target)
    return ip + _UDP.pack(port, port, length - _IPV4.size, 0)


def _checksum(header: bytes) -> int:
    """RFC 1071."""
    total: int = sum(struct.unpack("!10H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def _seconds(wall_time: str) -> float:
    try:
        return datetime.fromisoformat(wall_time).timestamp()
    except (
        ValueError,
        OverflowError,
        OSError,
    ):  # no year of this calendar; or another program left the column out: intervals are still right
        return 0.0

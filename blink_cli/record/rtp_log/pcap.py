"""A log as a packet capture for Wireshark and its like: RTP headers in made-up IPv4 and UDP, with payloads of zeros.

    | pcap record header | IPv4, 20 bytes | UDP, 8 bytes | RTP header, 12 or 20 bytes | payload: as long as it was, all zeros |

This session is 10.0.0.1, its peers 10.0.0.2 and up, in the order in which they appear; all on port 5004. The audio level travels as header extension 1.

Packets are whole, and the link type is raw IP (101): GStreamer knows no raw IPv4 (228), and passes over packets that are cut, as `tcpdump -s` cuts
them.

Written with `struct`: the format is 40 bytes of headers, and the one library for it that is small has had no release since 2022.

Source: draft-ietf-opsawg-pcap (file), RFC 791 (IPv4), RFC 768 (UDP, without checksum).
"""

import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from blink_cli.core.ids import Did
from blink_cli.core.media.rtp_header import RtpHeaderWriter
from blink_cli.files.writing import create
from blink_cli.record.rtp_log.format import LogEvent, LogRow

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


@dataclass(frozen=True, slots=True)
class CaptureTotals:
    """What was written, and what nobody can see in it."""

    packets: int
    pauses: int
    """How often the log was paused: a capture has no place for it, so its readers take it for loss."""

    rows_lost: int
    """That the log itself says are missing; the same holds."""


def write_capture(rows: Iterable[LogRow], out: Path) -> CaptureTotals:
    """Write every packet of a log, copies included, into a new file.

    Raises:
        FileExistsError: There is one already.
        OSError: It cannot be written.

    """
    with os.fdopen(create(out), "wb") as file:
        return _write(rows, file)


def _write(rows: Iterable[LogRow], file: BinaryIO) -> CaptureTotals:
    file.write(_FILE_HEADER)
    addresses: dict[Did, bytes] = {}
    writers: dict[tuple[int, bool], RtpHeaderWriter] = {}
    origin_s: float | None = None
    packets = pauses = rows_lost = 0
    for row in rows:
        if origin_s is None:
            # One wall time and then the monotonic clock: a wall clock that was set would spoil every interval.
            origin_s = _seconds(row.wall_time) - row.time_s
        if row.event is LogEvent.PAUSED:
            pauses += 1
        elif row.event is LogEvent.ROWS_LOST:
            rows_lost += row.packets
        if row.event is not LogEvent.PACKET or row.peer is None or row.sequence is None:
            continue
        key = row.ssrc, row.level_dbov is not None
        writer = writers.get(key)
        if writer is None:
            if len(writers) >= _MOST_WRITERS:
                writers.clear()  # they are made again
            writer = writers[key] = RtpHeaderWriter(row.ssrc, AUDIO_LEVEL_ID if key[1] else None)
        header = writer.header(
            payload_type=row.payload_type,
            sequence_number=row.sequence & 0xFFFF,
            timestamp=row.timestamp,
            marker=row.marker,
            audio_level_dbov=row.level_dbov or 0,
            voice=row.voice,
        )
        peer = _address(addresses, row.peer)
        source, target = (_OWN, peer) if row.direction == "sent" else (peer, _OWN)
        payload_bytes = min(row.payload_bytes, _MOST_BYTES - _IPV4.size - _UDP.size - len(header))
        whole = (
            _ip_and_udp(source, target, len(header) + payload_bytes, packets) + header + bytes(payload_bytes)
        )
        second, microsecond = divmod(round((origin_s + row.time_s) * 1e6), 1_000_000)
        file.write(_RECORD.pack(second & 0xFFFFFFFF, microsecond, len(whole), len(whole)))
        file.write(whole)
        packets += 1
    return CaptureTotals(packets, pauses, rows_lost)


def _ip_and_udp(source: bytes, target: bytes, udp_payload_bytes: int, number: int) -> bytes:
    length = _IPV4.size + _UDP.size + udp_payload_bytes
    fields = (0x45, 0, length, number & 0xFFFF, 0, 64, 17)
    ip = _IPV4.pack(*fields, _checksum(_IPV4.pack(*fields, 0, source, target)), source, target)
    return ip + _UDP.pack(PORT, PORT, length - _IPV4.size, 0)


def _checksum(header: bytes) -> int:
    """RFC 1071."""
    total: int = sum(struct.unpack("!10H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def _address(addresses: dict[Did, bytes], peer: Did) -> bytes:
    address = addresses.get(peer)
    if address is None:
        if len(addresses) >= _MOST_PEERS:
            addresses.clear()
        number = 2 + len(addresses)
        address = addresses[peer] = bytes((10, 0, number >> 8, number & 0xFF))
    return address


def _seconds(wall_time: str) -> float:
    try:
        return datetime.fromisoformat(wall_time).timestamp()
    except (
        ValueError,
        OverflowError,
        OSError,
    ):  # no year of this calendar; or another program left the column out: intervals are still right
        return 0.0

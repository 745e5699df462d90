"""Packet captures of RTP, and what tshark says of them."""

import re
import struct
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from blink_cli.lab.requirements import require_program

UDP_PORT = 6004
_LINK_TYPE_RAW_IP = 101


@dataclass(frozen=True, slots=True)
class CapturedStream:
    """One row of tshark's table of RTP streams."""

    ssrc: int
    packets: int
    """Duplicates included."""

    lost: int
    """Expected less all that came: a duplicate hides a loss."""

    max_delta_ms: float
    mean_jitter_ms: float
    max_jitter_ms: float


def write_rtp_capture(path: Path, packets: Iterable[tuple[float, bytes]]) -> None:
    """Write RTP packets with their times in seconds as a capture with nanoseconds."""
    localhost = bytes([127, 0, 0, 1])
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, _LINK_TYPE_RAW_IP))
        for time_s, packet in packets:
            udp = struct.pack("!HHHH", 5004, UDP_PORT, 8 + len(packet), 0) + packet
            ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, localhost, localhost)
            file.write(struct.pack("<IIII", int(time_s), int(time_s % 1 * 1e9), len(ip + udp), len(ip + udp)))
            file.write(ip + udp)


def rtp_streams(path: Path) -> list[CapturedStream]:
    """tshark's `-z rtp,streams` of a capture, one row per stream; skips the test where there is no tshark."""
    tshark = require_program("tshark")
    ran = subprocess.run(
        [tshark, "-r", str(path), "-d", f"udp.port=={UDP_PORT},rtp", "-q", "-z", "rtp,streams"],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = []
    for line in ran.stdout.splitlines():
        match = re.search(r"(0x[0-9A-Fa-f]{8})\s.*?\s(\d+)\s+(-?\d+) \([^)]*\)\s+(.*)", line)
        if match:
            numbers = [float(field) for field in match[4].split()[:6]]
            rows.append(
                CapturedStream(
                    int(match[1], 16), int(match[2]), int(match[3]), numbers[2], numbers[4], numbers[5]
                )
            )
    return rows

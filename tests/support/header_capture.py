"""What tshark says of the RTP streams in a live capture of a call: from the clear headers of SRTP.

tshark knows no clock rate of a dynamic payload type without its SDP, and so computes no jitter for Opus. The headers are therefore written into a
second capture as payload type 11, whose clock is 44.1 kHz: 960 ticks of 48 kHz are 882 of that, exactly. Numbers, times and markers stay.
"""

import asyncio
import struct
from dataclasses import dataclass, field
from pathlib import Path

from blink_cli.lab.requirements import require_program
from tests.support.captures import CapturedStream, rtp_streams, write_rtp_capture


@dataclass(slots=True)
class HeaderStream:
    """The headers of one SSRC from one socket to another, in the order of arrival, copies included."""

    source: str
    ssrc: int
    sequences: list[int] = field(default_factory=list)
    timestamps: list[int] = field(default_factory=list)
    markers: list[bool] = field(default_factory=list)
    arrivals_s: list[float] = field(default_factory=list)

    @property
    def extended(self) -> list[int]:
        """Sequence numbers that count on across the wrap."""
        numbers = [self.sequences[0]]
        for sequence in self.sequences[1:]:
            highest = max(numbers)
            numbers.append(highest + ((sequence - highest + 0x8000) & 0xFFFF) - 0x8000)
        return numbers

    @property
    def lost(self) -> int:
        """Numbers between the first and the highest that never came."""
        numbers = self.extended
        return max(numbers) - min(numbers) + 1 - len(set(numbers))

    @property
    def duplicated(self) -> int:
        """Copies."""
        return len(self.sequences) - len(set(self.extended))

    @property
    def reordered(self) -> int:
        """Came after a higher number, copies left out (RFC 4737)."""
        highest, seen, count = -1, set(), 0
        for number in self.extended:
            count += number < highest and number not in seen
            highest = max(highest, number)
            seen.add(number)
        return count

    def judged_by_tshark(self, file: Path) -> CapturedStream:
        """tshark's own table row for this stream, by way of a rewritten capture."""
        origin = self.timestamps[0]
        packets = []
        for sequence, timestamp, marker, arrival_s in zip(
            self.sequences, self.timestamps, self.markers, self.arrivals_s, strict=True
        ):
            ticks = ((timestamp - origin + 2**31) % 2**32 - 2**31) * 147 // 160
            second = 11 | (0x80 if marker else 0)
            header = struct.pack("!BBHII", 0x80, second, sequence, (ticks + 2**31) % 2**32, self.ssrc)
            packets.append((arrival_s, header + bytes(60)))
        write_rtp_capture(file, packets)
        (row,) = rtp_streams(file)
        return row


async def header_streams(file: Path, source: str) -> list[HeaderStream]:
    """Return the RTP streams that a host sent, told from STUN, DTLS and RTCP by their first bytes (RFC 7983, RFC 5761).

    Args:
        file: The capture.
        source: The host's IPv4 address.

    """
    tshark = require_program("tshark")
    fields = ("frame.time_epoch", "ip.src", "udp.srcport", "udp.payload")
    process = await asyncio.create_subprocess_exec(
        *(tshark, "-n", "-r", str(file), "-Y", f"udp and ip.src=={source} and not ip.dst==224.0.0.0/4"),
        *("-T", "fields", *(word for name in fields for word in ("-e", name))),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    stdout, stderr = await process.communicate()
    assert process.returncode == 0, stderr.decode()
    streams: dict[tuple[str, int], HeaderStream] = {}
    for line in stdout.decode().splitlines():
        time_s, address, port, payload = line.split("\t")
        data = bytes.fromhex(payload)
        if len(data) < 12 or not 128 <= data[0] <= 191 or 192 <= data[1] <= 223:
            continue
        second, sequence, timestamp, ssrc = struct.unpack_from("!BHII", data, 1)
        key = f"{address}:{port}", ssrc
        stream = streams.setdefault(key, HeaderStream(*key))
        stream.sequences.append(sequence)
        stream.timestamps.append(timestamp)
        stream.markers.append(second > 127)
        stream.arrivals_s.append(float(time_s))
    return list(streams.values())

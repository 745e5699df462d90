"""What really went over a link: tshark's capture, and the RTP streams in it.

SRTP leaves the RTP header in the clear (RFC 3711), so sequence numbers can be counted without keys.
"""

import asyncio
import struct
from bisect import bisect_right
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from blink_cli.lab.requirements import require_program

_START_TIMEOUT_S = 15.0
_EMPTY_RECEIVER_REPORT = b"\x80\xc9\x00\x01"
_LOSS_REPORT_BYTES = 28 + 20
"""With what SRTCP adds to it: an index, and the tag of AES-GCM (RFC 7714), which both sides prefer."""

_HANDED_OVER_S = 0.5
"""What the kernel has captured it hands over block by block, up to some 0.2 s later; tshark leaves what it has not got when it ends."""


@dataclass(slots=True)
class RtpStream:
    """The packets of one SSRC from one socket to another."""

    source: str
    target: str
    ssrc: int
    sequences: list[int] = field(default_factory=list)
    """In the order of arrival, 16 bits each."""

    arrivals_s: list[float] = field(default_factory=list)
    payload_types: set[int] = field(default_factory=set)
    """Those that occur, 0 to 127."""

    def until(self, moment_s: float) -> Self:
        """What had come by then, in seconds of the wall clock."""
        known = bisect_right(self.arrivals_s, moment_s)
        return replace(self, sequences=self.sequences[:known], arrivals_s=self.arrivals_s[:known])

    @property
    def missing(self) -> int:
        """How many numbers between the lowest and the highest were never seen."""
        ahead = [
            (number - self.sequences[0] + 2**15) % 2**16 - 2**15 for number in self.sequences
        ]  # of less than 32,768 packets
        return max(ahead) - min(ahead) + 1 - self.distinct

    @property
    def packets(self) -> int:
        """How many were captured."""
        return len(self.sequences)

    @property
    def distinct(self) -> int:
        """How many different ones."""
        return len(set(self.sequences))


@asynccontextmanager
async def capturing(interface: str, file: Path, *, prefix: Sequence[str] = ()) -> AsyncIterator[None]:
    """Capture the UDP of an interface into a file while the block runs.

    Args:
        interface: Its name, such as `eth0` or `lo`.
        file: Where the packets go (pcapng).
        prefix: What comes before the command, such as a host's `nsenter`.

    """
    tshark = require_program("tshark")
    process = await asyncio.create_subprocess_exec(
        *prefix,
        *(tshark, "-n", "-i", interface, "-f", "udp", "-w", str(file), "-s", "96", "-B", "16"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    said = b""
    try:
        async with asyncio.timeout(_START_TIMEOUT_S):
            # "Capturing on ..." comes before the device is open; the file is begun when it is.
            while b"File:" not in said and b"Capture started" not in said:
                line = await process.stderr.readline()
                assert line, f"tshark ended: {said.decode()}"
                said += line
        yield
        await asyncio.sleep(_HANDED_OVER_S)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def requests_s(file: Path, source: str) -> list[float]:
    """When each request for packets passed that came from this address, in seconds of the wall clock.

    What SRTCP encrypts begins behind the first packet's SSRC (RFC 3711, section 3.4). A receiver report without a block stands before requests and
    before what is told of losses at once. That is as long as a request that names two runs of packets, which is seldom made and not returned.
    """
    return [
        datagram.time_s
        for datagram in await _datagrams(file)
        if datagram.source.partition(":")[0] == source
        and datagram.payload.startswith(_EMPTY_RECEIVER_REPORT)
        and len(datagram.payload) < _LOSS_REPORT_BYTES
    ]


async def _datagrams(file: Path) -> "list[_Datagram]":
    tshark = require_program("tshark")
    fields = ("frame.time_epoch", "ip.src", "udp.srcport", "ip.dst", "udp.dstport", "udp.payload")
    process = await asyncio.create_subprocess_exec(
        *(tshark, "-n", "-r", str(file), "-Y", "udp", "-T", "fields"),
        *(word for name in fields for word in ("-e", name)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    stdout, stderr = await process.communicate()
    assert process.returncode == 0, stderr.decode()
    return [_Datagram.of(line) for line in stdout.decode().splitlines()]


async def rtp_streams(file: Path) -> list[RtpStream]:
    """Return the RTP streams of a capture.

    Between two sockets that talk ICE, RTP is told from STUN, DTLS and RTCP by the first bytes (RFC 7983, RFC 5761); other
    datagrams of the link, which may begin with any byte, are between other sockets.
    """
    datagrams = await _datagrams(file)
    ice = {frozenset((datagram.source, datagram.target)) for datagram in datagrams if datagram.is_stun}
    streams: dict[tuple[str, str, int], RtpStream] = {}
    for datagram in datagrams:
        if not datagram.is_rtp or frozenset((datagram.source, datagram.target)) not in ice:
            continue
        sequence, _, ssrc = struct.unpack_from("!HII", datagram.payload, 2)
        key = datagram.source, datagram.target, ssrc
        stream = streams.setdefault(key, RtpStream(*key))
        stream.sequences.append(sequence)
        stream.arrivals_s.append(datagram.time_s)
        stream.payload_types.add(datagram.payload[1] & 0x7F)
    return list(streams.values())


@dataclass(frozen=True, slots=True)
class _Datagram:
    time_s: float
    source: str
    target: str
    payload: bytes

    @classmethod
    def of(cls, line: str) -> Self:
        time_s, source, source_port, target, target_port, payload = line.split("\t")
        return cls(
            float(time_s), f"{source}:{source_port}", f"{target}:{target_port}", bytes.fromhex(payload)
        )

    @property
    def is_stun(self) -> bool:
        return self.payload[4:8] == b"\x21\x12\xa4\x42"

    @property
    def is_rtp(self) -> bool:
        data = self.payload
        return len(data) >= 12 and 128 <= data[0] <= 191 and not 192 <= data[1] <= 223

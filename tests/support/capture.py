"""What really went over a link: tshark's capture, and the RTP streams in it.

SRTP leaves the RTP header in the clear (RFC 3711), so sequence numbers can be counted without keys.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from blink_cli.lab.requirements import require_program

_START_TIMEOUT_S = 15.0
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


async def rtp_streams(file: Path) -> list[RtpStream]:
    """Return the RTP streams of a capture.

    Between two sockets that talk ICE, RTP is told from STUN, DTLS and RTCP by the first bytes (RFC 7983, RFC 5761); other
    datagrams of the link, which may begin with any byte, are between other sockets.
    """
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
    datagrams = [_Datagram.of(line) for line in stdout.decode().splitlines()]
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

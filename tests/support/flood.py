"""A flood of datagrams, from a process of its own: `python -m tests.support.flood RATE SECONDS HOST:PORT...`, datagrams on stdin.

Each datagram on stdin comes after its length, two bytes, big-endian. They go out in turn, each time to the next destination, at
RATE a second in all, paced in steps of two milliseconds; the number sent is printed at the end.
"""

import asyncio
import contextlib
import os
import random
import secrets
import socket
import struct
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from blink_cli.core.gossip import Gossip, Transmit
from blink_cli.core.gossip.paths import Path as GossipPath
from blink_cli.core.gossip.paths import PathKind
from blink_cli.core.identity import Identity
from blink_cli.core.names import Did
from blink_cli.core.signals import Presence

STEP_S = 0.002
_CHECKOUT = Path(__file__).resolve().parent.parent.parent


def main() -> None:
    """Send."""
    rate, seconds = float(sys.argv[1]), float(sys.argv[2])
    destinations = [(host, int(port)) for host, _, port in (text.rpartition(":") for text in sys.argv[3:])]
    datagrams = list(_split(sys.stdin.buffer.read()))
    sockets = []
    for destination in destinations:
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.settimeout(0)
        if destination[0].startswith("239."):
            one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        one.connect(destination)
        sockets.append(one)
    os.nice(5)  # the attacker is another machine: it shall not win the processor from its victims
    sys.stdout.write(f"{_send(sockets, datagrams, rate, seconds)}\n")


def _send(sockets: Sequence[socket.socket], datagrams: Sequence[bytes], rate: float, seconds: float) -> int:
    begun_s = time.monotonic()
    sent = 0
    while (gone_s := time.monotonic() - begun_s) < seconds:
        due = int(rate * gone_s)
        # What could not be sent in time is not made up for in one burst.
        sent = max(sent, due - int(rate * 0.05))
        while sent < due:
            with contextlib.suppress(OSError):  # a full buffer, or a port that was closed: the flood goes on
                sockets[sent % len(sockets)].send(datagrams[sent % len(datagrams)])
            sent += 1
        time.sleep(STEP_S)
    return sent


def _split(stream: bytes) -> Sequence[bytes]:
    found, position = [], 0
    while position < len(stream):
        (length,) = struct.unpack_from("!H", stream, position)
        found.append(stream[position + 2 : position + 2 + length])
        position += 2 + length
    return found


def garbage(seed: int, count: int = 2_000) -> list[bytes]:
    """Bytes of all lengths, among them some that begin like a signal, STUN, DTLS, SRTP and SRTCP."""
    draw = random.Random(seed)
    heads = (
        b"",
        b"\xb1\x04\x00\x00\x01",
        b"\x00\x01\x00\x58\x21\x12\xa4\x42",
        b"\x16\xfe\xfd",
        b"\x80\x6f",
        b"\x80\xc8",
    )
    return [draw.choice(heads) + draw.randbytes(draw.randrange(1, 400)) for _ in range(count)]


def stranger_says(peer: Did, count: int) -> list[bytes]:
    """Well-signed presences of an identity that nobody invited, all different, sealed to one peer."""
    gossip = Gossip(Identity(secrets.token_bytes(32)), secrets.token_bytes)
    gossip.set_paths((GossipPath(PathKind.LOOPBACK, "127.0.0.1"),))
    said = []
    for number in range(count):
        presence = Presence(nickname=f"stranger {number}", reply_wanted=False)
        effects = gossip.send_to_peer(peer, presence, None, time.monotonic(), time.time())
        said += [effect.datagram for effect in effects if isinstance(effect, Transmit)]
    return said


def udp_ports(pid: int) -> list[int]:
    """Return the ports of a process's IPv4 UDP sockets."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        target = str(descriptor.readlink())
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    rows = [line.split() for line in Path(f"/proc/{pid}/net/udp").read_text().splitlines()[1:]]
    return sorted({int(row[1].rpartition(":")[2], 16) for row in rows if row[9] in inodes})


async def flood(datagrams: Sequence[bytes], destinations: Sequence[str], *, rate: int, seconds: float) -> int:
    """Run a flood and return how many datagrams were sent."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.flood",
        str(rate),
        str(seconds),
        *destinations,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=_CHECKOUT,
    )
    stream = b"".join(struct.pack("!H", len(datagram)) + datagram for datagram in datagrams)
    stdout, _ = await process.communicate(stream)
    assert process.returncode == 0, "the flood did not run"
    return int(stdout)


if __name__ == "__main__":
    main()

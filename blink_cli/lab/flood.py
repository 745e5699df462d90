"""A flood of datagrams, from a process of its own: `python -m blink_cli.lab.flood RATE SECONDS HOST:PORT...`, datagrams on stdin.

Each datagram on stdin comes after its length, two bytes, big-endian. They go out in turn, each time to the next destination, at
RATE a second in all, paced in steps of two milliseconds; the numbers sent and received are printed at the end.
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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aioice.stun import Class, Message, Method

from blink_cli.core.gossip import Gossip, Transmit, versions
from blink_cli.core.gossip.datagram import HEADER_BYTES, MESSAGE_ID_BYTES, VERSION, write_datagrams
from blink_cli.core.gossip.greeting import GREETING
from blink_cli.core.gossip.neighbours import NEIGHBOUR_TOPIC
from blink_cli.core.gossip.paths import Path as GossipPath
from blink_cli.core.gossip.paths import PathKind
from blink_cli.core.identity.did import public_key_of
from blink_cli.core.identity.identity import Identity
from blink_cli.core.ids import Did
from blink_cli.core.signaling.channel_seal import SEALED_BYTES, seal_message
from blink_cli.core.signaling.signals import Presence
from blink_cli.core.signaling.topics import SALT_BYTES, TOPIC_BYTES, Topic, knock_channel

STEP_S = 0.002
_CHECKOUT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Send."""
    rate, seconds = float(sys.argv[1]), float(sys.argv[2])
    destinations = [(host, int(port)) for host, _, port in (text.rpartition(":") for text in sys.argv[3:])]
    datagrams = list(_split(sys.stdin.buffer.read()))
    doors = []
    for destination in destinations:
        # Not connected: what is said to a group, or to one port, may be answered from another one.
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.settimeout(0)
        one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        doors.append((one, destination))
    os.nice(5)  # the attacker is another machine: it shall not win the processor from its victims
    told = _send(doors, datagrams, rate, seconds)
    sys.stdout.write(f"{told.sent} {told.replies}\n")


@dataclass(frozen=True, slots=True)
class Told:
    """How a flood went."""

    sent: int
    replies: int
    """Datagrams that came back."""


def _send(
    doors: Sequence[tuple[socket.socket, tuple[str, int]]],
    datagrams: Sequence[bytes],
    rate: float,
    seconds: float,
) -> Told:
    begun_s = time.monotonic()
    sent = replies = 0
    while (gone_s := time.monotonic() - begun_s) < seconds:
        due = int(rate * gone_s)
        # What could not be sent in time is not made up for in one burst.
        sent = max(sent, due - int(rate * 0.05))
        while sent < due:
            with contextlib.suppress(OSError):  # a full buffer, or a port that was closed: the flood goes on
                one, destination = doors[sent % len(doors)]
                one.sendto(datagrams[sent % len(datagrams)], destination)
            sent += 1
        replies += sum(_received(one) for one, _ in doors)
        time.sleep(STEP_S)
    return Told(sent, replies + sum(_received(one) for one, _ in doors))


def _received(sock: socket.socket) -> int:
    """Empty a socket. Returns how many datagrams were in it."""
    replies = 0
    with contextlib.suppress(OSError):  # nothing more, or the port was closed
        while sock.recv(2_000):
            replies += 1
    return replies


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
        b"\xb2\x04\x00\x00\x01",
        b"\x00\x01\x00\x58\x21\x12\xa4\x42",
        b"\x16\xfe\xfd",
        b"\x80\x6f",
        b"\x80\xc8",
    )
    return [draw.choice(heads) + draw.randbytes(draw.randrange(1, 400)) for _ in range(count)]


def media_kinds(seed: int, count: int = 500) -> dict[str, list[bytes]]:
    """What strangers may send to a port of an audio link, by kind (RFC 7983), as well formed as it can be without its secrets."""
    draw = random.Random(seed)

    def some(make: Callable[[], bytes]) -> list[bytes]:
        return [make() for _ in range(count)]

    def stun(message_class: Class, attributes: dict[str, str | int]) -> bytes:
        message = Message(Method.BINDING, message_class, draw.randbytes(12), attributes)
        if "USERNAME" in attributes:
            message.add_message_integrity(draw.randbytes(22))
        return bytes(message)

    def client_hello() -> bytes:
        body = b"\xfe\xfd" + draw.randbytes(32) + b"\x00\x00\x00\x02\xc0\x2b\x01\x00"
        size = len(body).to_bytes(3, "big")
        handshake = b"\x01" + size + bytes(5) + size + body
        return b"\x16\xfe\xfd" + bytes(8) + len(handshake).to_bytes(2, "big") + handshake

    return {
        "stun: requests without a user name": some(lambda: stun(Class.REQUEST, {})),
        "stun: requests with another user name": some(
            lambda: stun(Class.REQUEST, {"USERNAME": "abcd:efgh", "PRIORITY": 1, "ICE-CONTROLLING": 1})
        ),
        "stun: answers": some(lambda: stun(Class.RESPONSE, {"SOFTWARE": "nobody asked"})),
        "stun: indications": some(lambda: stun(Class.INDICATION, {})),
        "dtls: client hellos": some(client_hello),
        "dtls: records": some(
            lambda: b"\x17\xfe\xfd" + draw.randbytes(10) + b"\x00\x40" + draw.randbytes(64)
        ),
        "srtp: voice": some(lambda: b"\x80\x6f" + draw.randbytes(100)),
        "srtp: reports": some(lambda: b"\x80\xc8\x00\x06" + draw.randbytes(60)),
        "other: channel data of TURN": some(lambda: b"\x40\x00\x00\x50" + draw.randbytes(80)),
        "other: garbage": some(lambda: b"\xff" + draw.randbytes(draw.randrange(400))),
    }


def stranger_says(peer: Did, count: int) -> list[bytes]:
    """Well-signed presences of an identity that nobody invited, all different, sealed to one peer."""
    return presences_of(Identity(secrets.token_bytes(32)), peer, count)


def presences_of(identity: Identity, peer: Did, count: int) -> list[bytes]:
    """Well-signed presences of this identity, all different, sealed to one peer, as first words."""
    return _presences(Gossip(identity, secrets.token_bytes), peer, count)


def presences_to_a_contact(identity: Identity, peer: Did, count: int) -> list[bytes]:
    """The same, half of them on the channel of the two."""
    gossip = Gossip(identity, secrets.token_bytes)
    gossip.set_contacts(frozenset({peer}))
    return _presences(gossip, peer, count)


def _presences(gossip: Gossip, peer: Did, count: int) -> list[bytes]:
    gossip.set_paths((GossipPath(PathKind.LOOPBACK, "127.0.0.1"),))
    said = []
    for number in range(count):
        presence = Presence(nickname=f"stranger {number}", reply_wanted=False)
        effects = gossip.send_to_peer(peer, presence, None, time.monotonic(), time.time())
        said += [effect.datagram for effect in effects if isinstance(effect, Transmit)]
    return said


def strangers_say(peer: Did, count: int) -> list[bytes]:
    """The same, each of an identity of its own."""
    return [datagram for _ in range(count) for datagram in stranger_says(peer, 1)]


def greetings_of_nobody(seed: int, count: int = 2_000) -> list[bytes]:
    """Greetings that name keys which nobody has."""
    draw = random.Random(seed)
    said: list[bytes] = []
    for _ in range(count):
        fragment = GREETING + Identity(draw.randbytes(32)).public_key + b"ghost"
        said += write_datagrams(
            NEIGHBOUR_TOPIC, draw.randbytes(MESSAGE_ID_BYTES), (fragment,), ttl=0, attempt=0
        )
    return said


def valid_headers(seed: int, count: int = 2_000) -> list[bytes]:
    """Datagrams on topics of nobody, right in every rule that can be kept without a key."""
    draw = random.Random(seed)
    return [_unsealed(draw, Topic(draw.randbytes(TOPIC_BYTES))) for _ in range(count)]


def on_copied_topics(heard: Sequence[bytes], seed: int, count: int = 2_000) -> list[bytes]:
    """The same on the topics of what was overheard."""
    draw = random.Random(seed)
    topics = sorted({topic_of(datagram) for datagram in heard} - {NEIGHBOUR_TOPIC})
    return [_unsealed(draw, draw.choice(topics)) for _ in range(count)]


def topic_of(datagram: bytes) -> Topic:
    """The topic of a datagram of signals."""
    end = HEADER_BYTES - MESSAGE_ID_BYTES
    return Topic(datagram[end - TOPIC_BYTES : end])


def knocks_for(peer: Did, seed: int, count: int = 2_000) -> list[bytes]:
    """Knocks that open for this peer, each with something to a peer that does not."""
    draw = random.Random(seed)
    said: list[bytes] = []
    for _ in range(count):
        channel = knock_channel(public_key_of(peer), draw.randbytes(SALT_BYTES))
        message_id = draw.randbytes(MESSAGE_ID_BYTES)
        message = b"\x01" + draw.randbytes(32) + b"\x00" + draw.randbytes(200)
        parts = seal_message(message, channel, message_id)
        said += write_datagrams(channel.topic, message_id, parts, ttl=4, attempt=0)
    return said


def words_of_other_versions(seed: int, count: int = 2_000) -> list[bytes]:
    """Words of sessions of the next version that are not there."""
    draw = random.Random(seed)
    following = versions.SPOKEN + 1
    return [
        versions.WORD
        + bytes((following, following, 1))
        + Identity(draw.randbytes(32)).public_key
        + b"\x05ghost"
        for _ in range(count)
    ]


def datagrams_of_other_versions(seed: int, count: int = 2_000) -> list[bytes]:
    """What begins as a datagram of the next version."""
    draw = random.Random(seed)
    return [bytes((VERSION + 1,)) + draw.randbytes(511) for _ in range(count)]


def _unsealed(draw: random.Random, topic: Topic) -> bytes:
    sealed = draw.randbytes(draw.choice(SEALED_BYTES))
    (datagram,) = write_datagrams(topic, draw.randbytes(MESSAGE_ID_BYTES), (sealed,), ttl=4, attempt=0)
    return datagram


def sessions_of_nobody(seed: int, count: int = 5_000) -> list[bytes]:
    """Responses of multicast DNS that announce sessions which are not there."""
    draw = random.Random(seed)
    did = f"did={Identity(draw.randbytes(32)).did}".encode()
    texts = b"".join(
        bytes([len(text)]) + text for text in (b"v=1", did, b"nick=ghost", b"group=239.255.66.76:7667")
    )
    return [_announcement(f"ghost-{draw.randbytes(6).hex()}".encode(), texts) for _ in range(count)]


def _announcement(label: bytes, texts: bytes) -> bytes:
    service = _dns_name(b"_blink", b"_udp", b"local")
    name, host = _dns_name(label, b"_blink", b"_udp", b"local"), _dns_name(label, b"local")
    records = (
        (service, 12, 1, name),
        (name, 33, 0x8001, struct.pack("!HHH", 0, 0, 7_000) + host),
        (name, 16, 0x8001, texts),
        (host, 1, 0x8001, socket.inet_aton("192.0.2.7")),
    )
    said = struct.pack("!HHHHHH", 0, 0x8400, 0, len(records), 0, 0)
    for owner, kind, record_class, data in records:
        said += owner + struct.pack("!HHIH", kind, record_class, 4_500, len(data)) + data
    return said


def _dns_name(*labels: bytes) -> bytes:
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def udp_ports(pid: int) -> list[int]:
    """Return the ports of a process's IPv4 UDP sockets."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:  # closed meanwhile
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    rows = [line.split() for line in Path(f"/proc/{pid}/net/udp").read_text().splitlines()[1:]]
    return sorted({int(row[1].rpartition(":")[2], 16) for row in rows if row[9] in inodes})


async def overheard(group: str, seconds: float) -> list[bytes]:
    """What anybody on the network hears of a call's signals."""
    address, _, port = group.rpartition(":")
    found: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ear.bind((address, int(port)))
        membership = socket.inet_aton(address) + socket.inet_aton("127.0.0.1")
        ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        ear.settimeout(0)
        try:
            async with asyncio.timeout(seconds):
                while True:
                    found.append(await asyncio.get_running_loop().sock_recv(ear, 2_000))
        except TimeoutError:
            return found


async def flood(
    datagrams: Sequence[bytes], destinations: Sequence[str], *, rate: int, seconds: float
) -> Told:
    """Run a flood."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "blink_cli.lab.flood",
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
    return Told(*map(int, stdout.split()))


if __name__ == "__main__":
    main()

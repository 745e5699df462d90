"""What zeroconf is given of a flood at port 5353, and how much it keeps of it."""

import asyncio
import socket
import sys
from typing import Any

import pytest

from blink_cli.core.gossip.budget import BURST_S
from blink_cli.net.signaling.discovery import MAX_INSTANCES, SERVICE_TYPE
from blink_cli.net.signaling.mdns_guard import (
    DATAGRAMS_PER_S,
    MAX_SCHEDULED,
    QUESTIONS_PER_S,
    RECORDS_PER_S,
    SHARE,
    MdnsGuard,
)
from tests.net.gossip_parts import eventually
from tests.net.signaling.test_discovery import Seeker

pytestmark = pytest.mark.real_time

SOMEWHERE = ("192.0.2.1", 5353)
QUESTION = 0x0000
RESPONSE = 0x8400


class Inner:
    """In zeroconf's place."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.got.append(data)

    def connection_lost(self, exc: Exception | None) -> None:
        pass


def packet(flags: int, body: bytes, *, answers: int = 0) -> bytes:
    return bytes(2) + flags.to_bytes(2, "big") + bytes(2) + answers.to_bytes(2, "big") + bytes(4) + body


def dns_name(*labels: bytes) -> bytes:
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


SERVICE = dns_name(b"_blink", b"_udp", b"local")


def guarded() -> tuple[Inner, MdnsGuard]:
    inner = Inner()
    return inner, MdnsGuard(inner, -1)


def test_what_others_say_is_not_read() -> None:
    inner, guard = guarded()
    others = [b"", b"\x84", packet(RESPONSE, dns_name(b"_ipp", b"_tcp", b"local"), answers=1)]
    ours = [
        packet(RESPONSE, SERVICE, answers=1),
        packet(RESPONSE, SERVICE.upper(), answers=1),
        packet(QUESTION, dns_name(b"blink-0123456789abcdef", b"local")),
        packet(QUESTION, dns_name(b"_services", b"_dns-sd", b"_udp", b"local")),
    ]
    for datagram in (*others, *ours):
        guard.datagram_received(datagram, SOMEWHERE)
    assert inner.got == ours


def test_questions_are_answered_at_a_pace() -> None:
    inner, guard = guarded()
    for _ in range(1_000):
        guard.datagram_received(packet(QUESTION, SERVICE), SOMEWHERE)
    assert QUESTIONS_PER_S < len(inner.got) < (BURST_S + 2.0) * QUESTIONS_PER_S
    guard.datagram_received(packet(RESPONSE, SERVICE, answers=1), SOMEWHERE)
    assert inner.got[-1][2:4] == RESPONSE.to_bytes(2, "big"), "questions spend nothing of the records"


def test_records_are_taken_by_how_many_there_are() -> None:
    inner, guard = guarded()
    for _ in range(300):
        guard.datagram_received(packet(RESPONSE, SERVICE + bytes(1_200), answers=50), SOMEWHERE)
    assert RECORDS_PER_S / 50 < len(inner.got) < (BURST_S + 2.0) * RECORDS_PER_S / 50
    inner, guard = guarded()
    for _ in range(10):
        guard.datagram_received(packet(RESPONSE, SERVICE, answers=65_535), SOMEWHERE)
    assert len(inner.got) == 10, "a number that cannot be spends no more than the datagram could hold"


@pytest.mark.skipif(sys.platform != "linux", reason="socket filters of this kind are Linux's own")
async def test_in_a_flood_the_kernel_keeps_most_away() -> None:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
        inner = Inner()
        ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        ear.bind(("127.0.0.1", 0))
        mouth.connect(ear.getsockname())
        guard = MdnsGuard(inner, ear.fileno())
        transport, _ = await loop.create_datagram_endpoint(lambda: guard, sock=ear)
        for _ in range(round((BURST_S + 2.0) * DATAGRAMS_PER_S)):
            guard.datagram_received(b"garbage", SOMEWHERE)
        before = len(inner.got)
        flood = packet(RESPONSE, SERVICE, answers=0)
        for _ in range(10 * SHARE):
            mouth.send(flood)
        guard._open()
        mouth.send(packet(RESPONSE, SERVICE, answers=1))
        guard._datagrams._tokens = DATAGRAMS_PER_S
        await eventually(lambda: inner.got[-1:] == [packet(RESPONSE, SERVICE, answers=1)])
        assert len(inner.got) - before < 5 * SHARE
        transport.close()
        await asyncio.sleep(0)


async def test_zeroconf_is_guarded_and_its_browser_plans_to_ask_for_few() -> None:
    seeker = Seeker("anna")
    async with seeker.discovery as discovery:
        await eventually(lambda: discovery._zeroconf and discovery._browser)
        zeroconf = discovery._zeroconf
        assert zeroconf is not None
        guards: list[Any] = [reader.transport.get_protocol() for reader in zeroconf.zeroconf.engine.readers]
        assert guards
        assert all(isinstance(guard, MdnsGuard) for guard in guards)
        names = iter(range(10 * MAX_SCHEDULED))
        for _ in range(10 * MAX_SCHEDULED // 32):
            body = b""
            for _ in range(32):
                alias = dns_name(f"ghost {next(names)}".encode(), *SERVICE_TYPE.encode().split(b".")[:3])
                body += (
                    SERVICE
                    + b"\x00\x0c\x00\x01"
                    + (4_500).to_bytes(4, "big")
                    + len(alias).to_bytes(2, "big")
                    + alias
                )
            guards[0]._inner.datagram_received(packet(RESPONSE, body, answers=32), SOMEWHERE)
        assert discovery._browser is not None
        scheduler = discovery._browser.query_scheduler
        assert MAX_INSTANCES <= len(scheduler._next_scheduled_for_alias) <= MAX_SCHEDULED + 32
        assert len(scheduler._query_heap) <= MAX_SCHEDULED + 32

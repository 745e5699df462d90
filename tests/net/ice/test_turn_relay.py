"""A relay's channels: used as soon as they are asked for, said again while nobody confirms them, and given up when the server refuses."""

import asyncio
from typing import Any

import pytest
from aioice.stun import Class, Message, Method, TransactionFailed
from aioice.turn import TurnClientUdpProtocol, TurnTransport
from typing_extensions import override

from blink_cli.net.ice.turn_relay import BIND_AGAIN_S, RelayTransport

pytestmark = pytest.mark.no_clock

PEER = ("192.0.2.7", 4000)
CHANNEL = 0x4000


class Server(TurnClientUdpProtocol):
    """aioice's client, whose server is this test."""

    def __init__(self) -> None:
        super().__init__(("192.0.2.1", 3478), "alice", "secret", 600, 500)
        self.sent: list[bytes] = []
        self.answers: list[asyncio.Future[None]] = []
        self.connection_made(_Open())
        self.receiver = _Receiver()

    @override
    def _send(self, data: bytes) -> None:
        self.sent.append(data)

    @override
    def send_stun(self, message: Message, addr: tuple[str, int]) -> None:
        assert addr == self.server
        self.sent.append(b"bind" + message.transaction_id)

    @override
    async def request_with_retry(self, request: Message) -> Any:
        assert request.message_method is Method.CHANNEL_BIND
        assert request.attributes["XOR-PEER-ADDRESS"] == PEER
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.answers.append(answer)
        self.transactions[request.transaction_id] = None  # type: ignore[assignment]
        self.send_stun(request, self.server)
        try:
            return await answer
        finally:
            del self.transactions[request.transaction_id]

    @override
    async def delete(self) -> None:
        self.sent.append(b"deleted")

    @property
    def kinds(self) -> list[str]:
        return ["bind" if sent.startswith(b"bind") else sent[4:].decode() for sent in self.sent]


class _Open(asyncio.DatagramTransport):
    @override
    def is_closing(self) -> bool:
        return False


class _Receiver(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.errors: list[Exception] = []

    @override
    def error_received(self, exc: Exception) -> None:
        self.errors.append(exc)


class Clocks:
    """Both of them, which stand still but for what a test adds."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def read(self) -> float:
        return self.now_s


@pytest.fixture(autouse=True)
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    made = Clocks()
    monkeypatch.setattr("time.monotonic", made.read)
    monkeypatch.setattr("time.time", made.read)
    return made


@pytest.fixture
async def server() -> Server:
    return Server()


async def rounds() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_data_follows_the_bind_and_waits_for_nothing(server: Server) -> None:
    relay = RelayTransport(TurnTransport(server))
    relay.sendto(b"one", PEER)
    relay.sendto(b"two", PEER)
    await rounds()
    assert server.kinds == ["bind", "one", "two"]
    assert server.sent[1][:4] == CHANNEL.to_bytes(2, "big") + b"\0\x03"
    assert server.channel_to_peer == {CHANNEL: PEER}, "what comes by it is taken already"
    server.answers[0].set_result(None)
    await rounds()
    relay.sendto(b"three", PEER)
    assert server.kinds == ["bind", "one", "two", "three"]
    relay.close()
    await rounds()


async def test_a_bind_that_nobody_confirms_is_said_again_with_the_next_data(
    server: Server, clocks: Clocks
) -> None:
    relay = RelayTransport(TurnTransport(server))
    relay.sendto(b"one", PEER)
    await rounds()
    clocks.now_s += 2 * BIND_AGAIN_S
    relay.sendto(b"two", PEER)
    relay.sendto(b"three", PEER)
    await rounds()
    assert server.kinds == ["bind", "one", "bind", "two", "three"]
    assert server.sent[0] == server.sent[2], "the same transaction"
    relay.close()
    await rounds()


async def test_a_refused_channel_is_told_and_asked_for_again_under_its_number(server: Server) -> None:
    relay = RelayTransport(TurnTransport(server))
    relay.sendto(b"one", PEER)
    await rounds()
    refusal = Message(Method.CHANNEL_BIND, Class.ERROR)
    refusal.attributes["ERROR-CODE"] = (403, "Forbidden")
    server.answers[0].set_exception(TransactionFailed(refusal))
    await rounds()
    assert isinstance(server.receiver, _Receiver)
    assert [type(error) for error in server.receiver.errors] == [TransactionFailed]
    assert not server.peer_to_channel
    relay.sendto(b"two", PEER)
    await rounds()
    assert server.kinds == ["bind", "one", "bind", "two"]
    assert server.peer_to_channel == {PEER: CHANNEL}
    relay.close()
    await rounds()


async def test_a_channel_is_refreshed_once_and_carries_data_meanwhile(server: Server, clocks: Clocks) -> None:
    relay = RelayTransport(TurnTransport(server))
    relay.sendto(b"one", PEER)
    await rounds()
    server.answers[0].set_result(None)
    await rounds()
    clocks.now_s += server.channel_refresh_time + 1
    relay.sendto(b"two", PEER)
    relay.sendto(b"three", PEER)
    await rounds()
    assert server.kinds == ["bind", "one", "bind", "two", "three"]
    relay.close()
    await rounds()


async def test_nothing_is_said_once_it_is_closed(server: Server) -> None:
    relay = RelayTransport(TurnTransport(server))
    relay.sendto(b"one", PEER)
    relay.close()
    relay.sendto(b"two", PEER)
    await rounds()
    assert "one" not in server.kinds
    assert "two" not in server.kinds
    assert server.sent[-1] == b"deleted"

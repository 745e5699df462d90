"""A connection to real nats-servers that are refused, frozen, killed and started again: always there again, and nothing old comes out."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from blink_cli.broker.broker_folder import make_broker_folder
from blink_cli.core.api.signal_server import SignalAccess, SignalServer, parse_signal_server
from blink_cli.core.errors import UsageError
from blink_cli.lab.nats_server import NatsServer, cluster
from blink_cli.net.signaling import nats_connection
from blink_cli.net.signaling.flooded_subjects import BURST
from blink_cli.net.signaling.nats_connection import MOST_WAITING, ConnectionState, Message, NatsConnection
from tests.net.gossip_parts import eventually
from tests.support.complaining_nats_server import ComplainingNatsServer
from tests.support.stopped_nats_server import StoppedNatsServer

pytestmark = pytest.mark.real_time

NOWHERE = "nats://127.0.0.1:1"


class Client:
    """One connection, and what it told."""

    def __init__(
        self,
        *servers: NatsServer | StoppedNatsServer | ComplainingNatsServer,
        inbox: str = "blink.i.one",
        access: SignalAccess | None = None,
    ) -> None:
        self.states: list[tuple[float, ConnectionState]] = []
        self.messages: list[Message] = []
        self.connection = NatsConnection(
            [parse_signal_server(server.url) for server in servers] or [parse_signal_server(NOWHERE)],
            access or SignalAccess(),
            inbox=inbox,
            received=self.messages.append,
            changed=lambda state: self.states.append((time.monotonic(), state)),
        )

    @property
    def at(self) -> SignalServer:
        return self.states[-1][1].server


@asynccontextmanager
async def two(*servers: NatsServer) -> AsyncIterator[tuple[Client, Client]]:
    """Clients of which the second listens to `blink.t.x`."""
    one, other = Client(*servers), Client(*servers, inbox="blink.i.other")
    other.connection.subscribe({"blink.t.x"})
    async with one.connection, other.connection:
        await eventually(lambda: one.connection.is_up and other.connection.is_up)
        yield one, other


async def passes(one: Client, other: Client, data: bytes) -> None:
    one.connection.publish("blink.t.x", data)
    await eventually(lambda: other.messages and other.messages[-1].data == data)


async def test_messages_come_with_their_reply_and_not_back(tmp_path: Path) -> None:
    with NatsServer(tmp_path) as server:
        async with two(server) as (one, other):
            await passes(one, other, b"to all")
            assert other.messages[-1] == Message(b"to all", "blink.i.one", straight=False)
            other.connection.publish("blink.i.one", b"to you")
            await eventually(lambda: one.messages)
            assert one.messages == [Message(b"to you", "blink.i.other", straight=True)]
            other.connection.subscribe({"blink.t.y"})
            await eventually(lambda: other.connection._subscribed.keys() == {"blink.i.other", "blink.t.y"})
            await other.connection.drain()  # a round trip: the server knows
            one.connection.publish("blink.t.x", b"nobody listens")
            one.connection.publish("blink.t.y", b"heard")
            await eventually(lambda: other.messages[-1].data == b"heard")
            assert [message.data for message in other.messages] == [b"to all", b"heard"]
            assert one.connection.rtt_s is not None
            assert 0 < one.connection.rtt_s < 1


async def test_a_frozen_server_is_noticed_and_what_was_said_into_it_is_bounded(tmp_path: Path) -> None:
    with NatsServer(tmp_path) as server:
        async with two(server) as (one, other):
            await passes(one, other, b"before")
            server.freeze()
            frozen_at = time.monotonic()
            await eventually(lambda: not one.connection.is_up and not other.connection.is_up)
            assert time.monotonic() - frozen_at < 3.0
            assert one.states[-1][1].problem == "does not answer within 1.5 s"
            for number in range(100):
                one.connection.publish("blink.t.x", b"%d" % number)
            assert one.connection.dropped == 100
            server.thaw()
            await eventually(lambda: one.connection.is_up and other.connection.is_up)
            await passes(one, other, b"after")
            assert [message.data for message in other.messages] == [b"before", b"after"]


async def test_a_lost_address_is_noticed_before_a_ping_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with NatsServer(tmp_path) as server:
        async with two(server) as (one, other):
            await passes(one, other, b"before")
            asked: list[str] = []
            monkeypatch.setattr(nats_connection, "is_own_address", asked.append)
            await eventually(lambda: not one.connection.is_up and not other.connection.is_up)
            assert set(asked) == {"127.0.0.1"}
            problem = one.states[-1][1].problem
            assert problem == "was reached from an address that this machine has lost"
            monkeypatch.undo()
            await eventually(lambda: one.connection.is_up and other.connection.is_up)
            await passes(one, other, b"after")


async def test_a_killed_server_is_found_again_and_what_is_subscribed_to_too(tmp_path: Path) -> None:
    server = NatsServer(tmp_path)
    with server:
        async with two(server) as (one, other):
            for number in range(3):
                await passes(one, other, b"before %d" % number)
                server.kill()
                await eventually(lambda: not one.connection.is_up and not other.connection.is_up)
                server.start()
                started_at = time.monotonic()
                await eventually(lambda: one.connection.is_up and other.connection.is_up)
                assert time.monotonic() - started_at < 3.0
                await passes(one, other, b"after %d" % number)


async def test_what_nats_py_tells_when_it_has_ended_raises_nothing_in_its_tasks(tmp_path: Path) -> None:
    """Its flusher tells of an error that comes when the connection is closed already, as one that was cut off by a firewall is."""
    with NatsServer(tmp_path) as server:
        async with two(server) as (one, other):
            client = one.connection._client
            assert client is not None
            await client.close()
            await client._error_cb(ConnectionResetError("Connection lost"))
            await eventually(lambda: one.connection.is_up and one.connection._client is not client)
            await passes(one, other, b"after")


async def test_another_server_of_the_cluster_takes_over(tmp_path: Path) -> None:
    first, second, third = cluster(tmp_path, 3)
    with first, second, third:
        async with two(first, second, third) as (one, other):
            by_url = {server.url: server for server in (first, second, third)}
            lost = by_url[other.at.url]
            # What a server of a cluster has not told the others yet is not carried between them.
            async with asyncio.timeout(10):
                while not other.messages:
                    one.connection.publish("blink.t.x", b"before")
                    await asyncio.sleep(0.02)
            lost.kill()
            await eventually(lambda: other.connection.is_up and other.at.url != lost.url)
            await eventually(lambda: one.connection.is_up and one.at.url != lost.url)
            async with asyncio.timeout(5):
                while other.messages[-1].data != b"after":
                    one.connection.publish("blink.t.x", b"after")
                    await asyncio.sleep(0.02)


async def test_why_it_cannot_be_used_is_told_in_words(tmp_path: Path) -> None:
    nobody = Client(NatsServer(tmp_path))
    async with nobody.connection:
        await eventually(lambda: nobody.states)
        assert nobody.states[0][1].problem == "refuses connections"
    with NatsServer(tmp_path, "--user", "anna", "--pass", "secret") as server:
        stranger = Client(server)
        async with stranger.connection:
            await eventually(lambda: stranger.states)
            assert stranger.states[0][1].problem == "refuses this session's credentials"
        known = Client(server)
        known.connection = NatsConnection(
            [parse_signal_server(f"nats://anna:secret@127.0.0.1:{server.port}")],
            SignalAccess(),
            inbox="blink.i.one",
            received=known.messages.append,
            changed=lambda state: known.states.append((0.0, state)),
        )
        async with known.connection:
            await eventually(lambda: known.connection.is_up)


async def test_what_waits_in_the_kernel_for_a_server_out_of_reach_never_comes() -> None:
    async with StoppedNatsServer() as server:
        client = Client(server)
        async with client.connection:
            await eventually(lambda: client.connection.is_up)
            await server.stop_reading()
            for _ in range(MOST_WAITING):
                client.connection.publish("blink.t.x", bytes(1_200))
            await eventually(lambda: not client.connection.is_up)
            came, reset = await server.rest()
        assert reset
        assert came < MOST_WAITING * 1_200 / 2


class Refused(NamedTuple):
    """A broker's folder that is not as its members were told, and what they read."""

    hosts: tuple[str, ...]
    ca: str
    seed: str
    problem: str


REFUSED = {
    "of another authority": Refused(
        ("127.0.0.1",), "other", "own", "shows a certificate that is not trusted: self-signed certificate"
    ),
    "for another host": Refused(
        ("broker.example",), "own", "own", "shows a certificate that is not trusted: IP address mismatch"
    ),
    "with another nkey": Refused(("127.0.0.1",), "own", "other", "refuses this session's credentials"),
}


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED)
async def test_a_broker_that_is_not_the_one_that_was_told_of_is_refused(
    refused: Refused, tmp_path: Path
) -> None:
    make_broker_folder(tmp_path / "other", ["127.0.0.1"], 4_222)
    own = make_broker_folder(tmp_path / "own", refused.hosts, 4_222).path
    access = SignalAccess(
        (tmp_path / refused.ca / "certificate.pem").read_text(encoding="utf-8"),
        (tmp_path / refused.seed / "member.seed").read_text(encoding="utf-8"),
    )
    with NatsServer(own, "-c", "nats.conf") as server:
        problem = await problem_of(f"tls://127.0.0.1:{server.port}", access)
    assert problem.startswith(refused.problem)


async def problem_of(url: str, access: SignalAccess | None = None) -> str:
    """What the first attempt says."""
    states: list[ConnectionState] = []
    connection = NatsConnection(
        [parse_signal_server(url)],
        access or SignalAccess(),
        inbox="blink.i.one",
        received=lambda _: None,
        changed=states.append,
        probe="blink.t.probe",
    )
    connection.subscribe({"blink.t.x"})
    async with connection:
        await eventually(lambda: states)
    assert states[0].problem is not None, "it was not connected for a moment"
    return states[0].problem


async def test_nothing_is_said_in_the_clear_where_tls_is_demanded(tmp_path: Path) -> None:
    with NatsServer(tmp_path, "--user", "anna", "--pass", "secret", "-DV") as server:
        problem = await problem_of(f"tls://anna:secret@127.0.0.1:{server.port}")
    assert problem == "offers no TLS, which tls:// demands"
    assert b"CONNECT {" not in server.log.read_bytes()


@pytest.mark.parametrize(
    ("publish", "subscribe", "missing"),
    [("other.>", "blink.>", "publish"), ("blink.>", "blink.i.>", "subscription")],
)
async def test_who_is_permitted_half_of_it_is_told_so_before_it_is_used(
    publish: str, subscribe: str, missing: str, tmp_path: Path
) -> None:
    user = f'user: anna, password: x, permissions: {{publish: "{publish}", subscribe: "{subscribe}"}}'
    settings = tmp_path / "half.conf"
    settings.write_text(f"authorization {{ users: [ {{ {user} }} ] }}", encoding="utf-8")
    with NatsServer(tmp_path, "-c", str(settings)) as server:
        problem = await problem_of(f"nats://anna:x@127.0.0.1:{server.port}")
    assert problem.startswith(f"does not permit it (permissions violation for {missing}")


@pytest.mark.parametrize(
    "greeting", [b"INFO []\r\n", b"INFO 7\r\n", b'INFO {"nonce":5}\r\n', b"SSH-2.0\r\n", b""]
)
async def test_what_is_no_nats_server_is_told_as_such_and_tried_again(greeting: bytes) -> None:
    greeted = 0

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal greeted
        greeted += 1
        writer.write(greeting)
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        client = Client()
        client.connection = NatsConnection(
            [parse_signal_server(f"nats://127.0.0.1:{port}")],
            SignalAccess(),
            inbox="blink.i.one",
            received=client.messages.append,
            changed=lambda state: client.states.append((0.0, state)),
        )
        async with client.connection:
            await eventually(lambda: greeted >= 2)
    assert all(state.problem is not None for _, state in client.states)


@pytest.mark.parametrize(
    "credentials", ["hello", "SUAAAA", "-----BEGIN NATS USER JWT-----\nx\n", "\N{SNOWMAN}", ""]
)
def test_credentials_that_are_none_are_refused_at_once(credentials: str) -> None:
    with pytest.raises(UsageError, match="credentials for the signal servers cannot be read"):
        NatsConnection(
            [parse_signal_server("nats://127.0.0.1")],
            SignalAccess(credentials=credentials),
            inbox="blink.i.one",
            received=lambda _: None,
            changed=lambda _: None,
        )


async def test_a_thousand_subjects_are_listened_to_and_what_is_said_last_still_goes(tmp_path: Path) -> None:
    with NatsServer(tmp_path) as server:
        one, other = Client(server), Client(server, inbox="blink.i.other")
        subjects = [f"blink.t.{number}" for number in range(1_000)]
        other.connection.subscribe(subjects)
        async with other.connection:
            async with one.connection:
                await eventually(lambda: one.connection.is_up and other.connection.is_up)
                for subject in subjects[:MOST_WAITING]:
                    one.connection.publish(subject, b"last words")
                await one.connection.drain()
            await eventually(lambda: len(other.messages) == MOST_WAITING)


async def test_a_subject_that_is_flooded_is_left_alone_and_the_others_are_heard(tmp_path: Path) -> None:
    with NatsServer(tmp_path) as server:
        async with two(server) as (one, other):
            other.connection.subscribe({"blink.t.x", "blink.t.flooded"})
            await eventually(lambda: "blink.t.flooded" in other.connection._subscribed)
            await other.connection.drain()
            for _ in range(2 * BURST // MOST_WAITING + 1):
                for _ in range(MOST_WAITING):
                    one.connection.publish("blink.t.flooded", bytes(512))
                await one.connection.drain()
            await eventually(lambda: "blink.t.flooded" not in other.connection._subscribed)
            assert other.connection.floods == 1
            await passes(one, other, b"heard")
            assert other.connection.is_up
            await eventually(lambda: "blink.t.flooded" in other.connection._subscribed)


async def test_a_server_that_takes_no_whole_datagram_is_told_as_such(tmp_path: Path) -> None:
    settings = tmp_path / "small.conf"
    settings.write_text("max_payload: 512", encoding="utf-8")
    with NatsServer(tmp_path, "-c", str(settings)) as server:
        problem = await problem_of(server.url)
    assert problem == "takes messages of 512 bytes at most (`max_payload`), and a signal has up to 1200"


async def test_a_server_that_is_full_says_so(tmp_path: Path) -> None:
    settings = tmp_path / "full.conf"
    settings.write_text("max_connections: 1", encoding="utf-8")
    with NatsServer(tmp_path, "-c", str(settings)) as server:
        first = Client(server)
        async with first.connection:
            await eventually(lambda: first.connection.is_up)
            # The server says so and closes; where it had not read our greeting yet, its reset may overtake its word.
            problems = [await problem_of(server.url) for _ in range(5)]
            assert "cannot be used: maximum connections exceeded" in problems
            assert set(problems) <= {
                "cannot be used: maximum connections exceeded",
                "cannot be used: Connection lost",
            }


async def test_a_server_that_takes_few_subscriptions_says_so(tmp_path: Path) -> None:
    settings = tmp_path / "few.conf"
    settings.write_text("max_subscriptions: 20", encoding="utf-8")
    with NatsServer(tmp_path, "-c", str(settings)) as server:
        client = Client(server)
        client.connection.subscribe({f"blink.t.{number}" for number in range(40)})
        async with client.connection:
            await eventually(lambda: any(state.problem for _, state in client.states))
    # The server takes the connection before it counts, so that it may be up for a moment.
    problems = [state.problem for _, state in client.states if state.problem]
    assert problems[0] == "cannot be used: maximum subscriptions exceeded"


@pytest.mark.parametrize(
    "error", ["Maximum Connections Exceeded", "Unknown Protocol Operation", "Parser Error"]
)
async def test_a_server_that_answers_with_an_error_is_told_and_tried_again(error: str) -> None:
    """nats-py closes itself for good then."""
    async with ComplainingNatsServer(error) as server:
        client = Client(server)
        async with client.connection:
            await eventually(lambda: server.greeted >= 2)
    problems = {state.problem for _, state in client.states}
    assert any(problem is not None and error.lower() in problem.lower() for problem in problems), problems


async def test_a_server_that_sends_and_answers_late_does_not_stand_still() -> None:
    async with ComplainingNatsServer(None, answers_after_s=2.5) as server:
        client = Client(server)
        async with client.connection:
            await eventually(lambda: client.messages)
            before = len(client.messages)
            await eventually(lambda: len(client.messages) > before + 20)
            assert client.connection.is_up
            assert server.greeted == 1

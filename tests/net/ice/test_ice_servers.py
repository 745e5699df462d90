"""Which server a link uses: real coturns that live, die, come back and refuse, and servers that say nothing."""

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any

import pytest

from blink_cli.core.api.ice_server import ConfiguredServer, parse_ice_server
from blink_cli.lab.turn_server import LOOPBACK, Silence, TurnServer, free_port
from blink_cli.net.ice import ice_probe, ice_servers
from blink_cli.net.ice.ice_probe import probe
from blink_cli.net.ice.ice_servers import IceServers, ProbePace, ServerVerdict
from blink_cli.net.link_settings import GATHERING_TIMEOUT_S

pytestmark = pytest.mark.real_time

IMPATIENT = ProbePace(
    alive_every_s=60.0, dead_every_s=(0.1,), refused_every_s=0.1, doubt_gap_s=0.0, timeout_s=0.6
)
RARE = ProbePace(dead_every_s=(60.0,), doubt_gap_s=0.0, timeout_s=0.6)
"""Asks by itself only once: what follows is what a test causes."""


class Ear:
    """What was told, and a way to wait for it."""

    def __init__(self) -> None:
        self.told: list[tuple[ConfiguredServer, str | None]] = []
        self._changed = asyncio.Event()

    def __call__(self, server: ConfiguredServer, reason: str | None) -> None:
        self.told.append((server, reason))
        self._changed.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(15):
            while len(self.told) < count:
                self._changed.clear()
                await self._changed.wait()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not holds():  # noqa: ASYNC110 - verdicts change without an event for links
            await asyncio.sleep(0.01)


def states(servers: IceServers) -> list[tuple[bool | None, bool]]:
    return [(verdict.alive, verdict.in_use) for verdict in servers.verdicts()]


def planned(servers: IceServers) -> list[str]:
    return [server.url for server in servers.plan().servers]


async def test_without_servers_nothing_runs_and_nothing_is_waited_for() -> None:
    before = asyncio.all_tasks()
    async with IceServers() as servers:
        assert asyncio.all_tasks() == before
        await asyncio.wait_for(servers.settled(), 1)
        servers.doubt()
        assert servers.plan().servers == ()
        assert servers.verdicts() == ()
        assert asyncio.all_tasks() == before


async def test_of_each_kind_the_first_that_lives_is_used() -> None:
    async with Silence() as silence:
        with TurnServer() as first, TurnServer() as second:
            configured = [
                silence.server("stun"),
                silence.server(),
                silence.server(transport="tcp"),
                first.server(credential="wrong"),
                second.server("stun"),
                first.server(transport="tcp"),
                second.server(),
                first.server("stun"),
            ]
            async with IceServers(configured, pace=IMPATIENT) as servers:
                await servers.settled()
                assert states(servers) == [
                    (False, False),
                    (False, False),
                    (False, False),
                    (False, False),
                    (True, True),
                    (True, True),
                    (True, False),
                    (True, False),
                ]
                plan = servers.plan()
                assert [server.url for server in plan.servers] == [
                    second.server("stun").url,
                    first.server(transport="tcp").url,
                ]
                assert [server.credential for server in plan.servers] == [None, first.credential]
                assert plan.patience_s == pytest.approx(GATHERING_TIMEOUT_S, abs=0.5)
                relayed = servers.verdicts()[5]
                assert relayed.rtt_ms is not None
                assert 0 < relayed.rtt_ms < 1000
                assert relayed.address is not None
                assert relayed.address[0] == LOOPBACK


async def test_what_is_not_known_yet_is_used_before_what_is_dead_and_never_before_what_lives() -> None:
    async with Silence() as silence:
        with TurnServer() as coturn:
            pace = ProbePace(timeout_s=30.0)
            async with IceServers([silence.server(), coturn.server()], pace=pace) as servers:
                assert planned(servers) == [silence.server().url]
                await until(lambda: states(servers)[1][0] is True)
                assert states(servers) == [(None, False), (True, True)]


async def test_a_refusal_is_told_once_however_often_it_is_repeated() -> None:
    ear = Ear()
    with TurnServer() as coturn:
        wrong = coturn.server(credential="wrong")
        async with IceServers([wrong], on_change=ear, pace=IMPATIENT) as servers:
            await servers.settled()
            refusals = coturn.log.count("401")
            await until(lambda: coturn.log.count("401") >= refusals + 3)
            assert ear.told == [(wrong, "it refuses the username or the credential")]
            assert planned(servers) == []


async def test_a_server_that_dies_and_comes_back_is_told_once_each_way() -> None:
    ear = Ear()
    with TurnServer() as coturn:
        server = coturn.server(transport="tcp")
        async with IceServers([server], on_change=ear, pace=IMPATIENT) as servers:
            await servers.settled()
            coturn.kill()
            servers.doubt()
            await ear.until(1)
            assert planned(servers) == []
            assert servers.verdicts()[0].address is not None, "its last figures are still shown"
            coturn.start()
            await ear.until(2)
            assert planned(servers) == [server.url]
    assert ear.told == [(server, "nothing listens there"), (server, None)]


async def test_who_answers_a_doubt_comes_before_who_has_not_yet() -> None:
    with TurnServer() as first, TurnServer() as second:
        pace = ProbePace(doubt_gap_s=0.0, timeout_s=30.0)
        async with IceServers([first.server(), second.server()], pace=pace) as servers:
            await servers.settled()
            assert planned(servers) == [first.server().url]
            calm_s = servers.plan().patience_s
            first.kill()
            servers.doubt()
            await until(lambda: planned(servers) == [second.server().url])
            assert states(servers)[0] == (True, False), "its probe still waits"
            assert servers.plan().patience_s > calm_s, "who just answered may lose a datagram"


async def test_doubts_in_a_row_ask_once() -> None:
    with TurnServer() as coturn:
        pace = ProbePace(doubt_gap_s=60.0)
        async with IceServers([coturn.server("stun")], pace=pace) as servers:
            await servers.settled()
            entry = servers._entries[0]
            servers.doubt()
            await until(lambda: not entry.doubted)
            for _ in range(10):
                servers.doubt()
            assert not entry.doubted


async def test_a_changed_interface_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = frozenset({"lo 127.0.0.1"})
    monkeypatch.setattr(ice_servers, "list_addresses", lambda: addresses)
    port = free_port()
    ear = Ear()
    pace = ProbePace(dead_every_s=(60.0,), interfaces_every_s=0.05, timeout_s=0.6)
    async with IceServers([parse_ice_server(f"stun:{LOOPBACK}:{port}")], on_change=ear, pace=pace) as servers:
        await servers.settled()
        assert states(servers) == [(False, False)]
        with TurnServer(port=port):
            addresses = frozenset({"lo 127.0.0.1", "wlan0 192.0.2.1"})
            await ear.until(2)
            assert states(servers) == [(True, True)]


async def test_time_limited_credentials_are_new_for_each_link() -> None:
    clock_s = time.time()
    with TurnServer(secret="north star") as coturn:
        async with IceServers([coturn.server()], pace=RARE, wall_clock=lambda: clock_s) as servers:
            await servers.settled()
            assert states(servers) == [(True, True)]
            for _ in range(2):
                (server,) = servers.plan().servers
                assert server.username == f"{int(clock_s) + 86_400}:alice"
                digest = hmac.new(b"north star", server.username.encode(), hashlib.sha1).digest()
                assert server.credential == base64.b64encode(digest).decode()
                clock_s += 7_200


async def test_a_name_is_given_to_links_as_the_address_that_answered() -> None:
    with TurnServer() as coturn:
        named = parse_ice_server(f"turn:alice:{coturn.credential}@localhost:{coturn.port}")
        async with IceServers([named], pace=RARE) as servers:
            assert planned(servers) == [f"turn:localhost:{coturn.port}"]
            await servers.settled()
            assert planned(servers) == [f"turn:{LOOPBACK}:{coturn.port}"]


async def test_closing_ends_every_probe_and_every_wait() -> None:
    async with Silence() as silence:
        servers = IceServers([silence.server(), silence.server("stun")], pace=ProbePace(timeout_s=60.0))
        async with servers:
            waiting = asyncio.get_running_loop().create_task(servers.settled())
            await until(lambda: silence.heard >= 2)
            await asyncio.wait_for(servers.aclose(), 5)
            await asyncio.wait_for(waiting, 5)
        await servers.aclose()


async def test_a_surprise_in_one_probe_leaves_the_others_and_the_waiting_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def surprising(server: ConfiguredServer, **how: Any) -> Any:
        if server.kind == "stun":
            raise KeyError("surprise")
        return await probe(server, **how)

    monkeypatch.setattr(ice_probe, "probe", surprising)
    with TurnServer() as coturn:
        async with IceServers([coturn.server("stun"), coturn.server()], pace=RARE) as servers:
            await asyncio.wait_for(servers.settled(), 10)
            verdicts: tuple[ServerVerdict, ...] = servers.verdicts()
            assert [verdict.alive for verdict in verdicts] == [None, True]
    assert "surprise" in caplog.text

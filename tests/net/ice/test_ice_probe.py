"""Probes against a real coturn, and against servers that are not there, say nothing, or say no."""

import asyncio
import time
from collections.abc import Iterator
from typing import NoReturn

import pytest
from aioice import stun

from blink_cli.core.api.ice_server import ConfiguredServer, parse_ice_server
from blink_cli.lab.turn_server import LOOPBACK, Silence, TurnServer, free_port
from blink_cli.net.ice.ice_probe import _Binding, probe
from blink_cli.net.ice.probe_verdict import ProbeAnswer, ProbeFailure
from blink_cli.net.ice.stun_failures import STUN_FAILURES

pytestmark = pytest.mark.real_time


@pytest.fixture(scope="module")
def coturn() -> Iterator[TurnServer]:
    with TurnServer() as server:
        yield server


@pytest.fixture(scope="module")
def timed() -> Iterator[TurnServer]:
    with TurnServer(secret="north star") as server:
        yield server


async def ask(
    server: ConfiguredServer, *, at_wall_s: float | None = None, timeout_s: float = 5.0
) -> ProbeAnswer:
    now_wall_s = time.time() if at_wall_s is None else at_wall_s
    return await probe(server, now_wall_s=now_wall_s, timeout_s=timeout_s)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_turn_server_gives_a_relay_and_gets_it_back(coturn: TurnServer, transport: str) -> None:
    answer = await ask(coturn.server(transport=transport))
    assert answer.host == LOOPBACK
    assert answer.address[0] == LOOPBACK
    assert answer.address[1] != coturn.port
    assert 0 < answer.rtt_s <= answer.setup_s < 5
    # A closed allocation says so in the log: lifetime 0 was asked for and granted.
    async with asyncio.timeout(5):
        while "lifetime=0" not in coturn.log.replace(" ", ""):  # noqa: ASYNC110 - a file of another process
            await asyncio.sleep(0.02)


async def test_a_stun_server_says_where_we_are(coturn: TurnServer) -> None:
    answer = await ask(coturn.server("stun"))
    assert answer.address[0] == LOOPBACK
    assert 0 < answer.rtt_s == answer.setup_s


async def test_a_name_is_looked_up(coturn: TurnServer) -> None:
    assert (await ask(parse_ice_server(f"stun:localhost:{coturn.port}"))).host == LOOPBACK


async def test_time_limited_credentials_are_taken_until_they_expire(timed: TurnServer) -> None:
    assert (await ask(timed.server())).address[0] == LOOPBACK
    with pytest.raises(ProbeFailure) as refused:
        await ask(timed.server(), at_wall_s=time.time() - 3 * 86_400)
    assert refused.value.refused


async def test_wrong_credentials_are_told_from_none(coturn: TurnServer) -> None:
    for server, sentence in (
        (coturn.server(credential="wrong"), "refuses the username or the credential"),
        (parse_ice_server(f"turn:{LOOPBACK}:{coturn.port}"), "wants a username"),
    ):
        with pytest.raises(ProbeFailure, match=sentence) as refused:
            await ask(server)
        assert refused.value.refused


@pytest.mark.parametrize(("kind", "transport"), [("stun", "udp"), ("turn", "udp"), ("turn", "tcp")])
async def test_silence_is_waited_for_no_longer_than_allowed(kind: str, transport: str) -> None:
    async with Silence() as silence:
        begun_s = time.monotonic()
        with pytest.raises(ProbeFailure, match=r"no answer in 0\.7 s") as failure:
            await ask(silence.server(kind, transport=transport), timeout_s=0.7)
        assert 0.6 < time.monotonic() - begun_s < 3.0
        assert not failure.value.refused
        assert silence.heard >= (2 if transport == "udp" else 1), "a lost request is repeated after 0.5 s"


async def test_nobody_there_is_noticed_at_once() -> None:
    begun_s = time.monotonic()
    for server in (
        parse_ice_server(f"stun:{LOOPBACK}:{free_port()}"),
        parse_ice_server(f"turn:a:b@{LOOPBACK}:{free_port()}?transport=tcp"),
    ):
        with pytest.raises(ProbeFailure, match="nothing listens there"):
            await ask(server)
    with pytest.raises(ProbeFailure, match="cannot be looked up"):
        await ask(parse_ice_server("stun:no-such-host.invalid"))
    assert time.monotonic() - begun_s < 5.0


async def test_a_server_that_is_no_turn_server_is_no_surprise() -> None:
    async def nonsense(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    port = free_port()
    async with await asyncio.start_server(nonsense, LOOPBACK, port):
        for scheme in ("turn", "turns"):
            with pytest.raises(ProbeFailure):
                await ask(parse_ice_server(f"{scheme}:a:b@{LOOPBACK}:{port}?transport=tcp"), timeout_s=0.5)


async def test_a_probe_that_is_cancelled_closes_what_it_opened() -> None:
    async with Silence() as silence:
        for kind in ("stun", "turn"):
            asking = asyncio.get_running_loop().create_task(ask(silence.server(kind)))
            heard = silence.heard
            async with asyncio.timeout(5):
                while silence.heard == heard:  # noqa: ASYNC110 - a counter
                    await asyncio.sleep(0.01)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
    # an open socket would be a ResourceWarning, which is an error; a task left would fail the fixture


@pytest.mark.parametrize("failure", STUN_FAILURES)
async def test_an_answer_that_is_not_stun_is_passed_over(
    failure: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(data: bytes) -> NoReturn:
        raise failure("nonsense")

    binding = _Binding()
    with monkeypatch.context() as broken:
        broken.setattr(stun, "parse_message", fail)
        binding.datagram_received(b"nonsense", (LOOPBACK, 1))
    assert not binding.answer.done(), "the true answer may still come"

"""A client without an event loop: what it is answered, what it is refused, and what it does with a session that says nothing."""

import asyncio
import contextlib
import os
import signal
import socket
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Never, TypeVar

import pytest

from blink_cli.app.control import control_server
from blink_cli.app.control.asking_client import AskingClient
from blink_cli.app.control.control_server import ControlServer
from blink_cli.app.control.control_socket import ControlDoor, UnixDoor
from blink_cli.core.api.events import PeerAppeared, SessionEnding
from blink_cli.core.api.requests import AcceptCall, GetPeers, GetStatus, PlaceOffer, R, Request
from blink_cli.core.errors import BlinkError, NoSessionError, NotFoundError
from tests.app.control.conftest import HELLO, Running
from tests.support.scripted_session import BOB, ScriptedSession

pytestmark = pytest.mark.no_clock(sockets=True)

T = TypeVar("T")

APPEARED = PeerAppeared(did=BOB, nickname="bob")


def done(work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns that waits for no event loop."""
    try:
        work.send(None)
    except StopIteration as ended:
        value: T = ended.value
        return value
    raise AssertionError("it waits for an event loop")


def asked(door: ControlDoor, *requests: Request[R]) -> list[R]:
    with AskingClient.connect(door) as client:
        assert client.hello == HELLO
        return [done(client.ask(request)) for request in requests]


async def test_answers_and_errors_are_those_of_the_session(running: Running) -> None:
    status, again = await asyncio.to_thread(asked, running.door, GetStatus(), GetStatus())
    assert status == again == running.session.state
    with pytest.raises(NotFoundError, match="'dave'") as not_found:
        await asyncio.to_thread(asked, running.door, PlaceOffer(peers=("dave",)))
    assert not_found.value.hint == "`blink peers` lists those that were seen"


async def test_events_come_behind_the_snapshot_until_the_session_ends(running: Running) -> None:
    listening = asyncio.Event()
    loop = asyncio.get_running_loop()

    def heard() -> list[object]:
        with AskingClient.connect(running.door) as client:
            events = client.events()
            found: list[object] = [done(anext(events))]
            loop.call_soon_threadsafe(listening.set)
            with contextlib.suppress(StopAsyncIteration):
                while True:
                    found.append(done(anext(events)))
            return found

    async def end() -> None:
        await listening.wait()
        running.session.publish(APPEARED)
        await running.session.aclose()
        await running.server.aclose()

    found, _ = await asyncio.gather(asyncio.to_thread(heard), end())
    assert found == [running.session.state, APPEARED, SessionEnding()]


async def test_a_session_that_ends_first_is_told(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_server, "PARTING_S", 0.05)

    async def end() -> None:
        await running.session.waits_begun.wait()
        await running.server.aclose()

    with pytest.raises(NoSessionError, match="ended before it answered"):
        await asyncio.gather(asyncio.to_thread(asked, running.door, AcceptCall(wait_s=60)), end())


async def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(NoSessionError):
        asked(UnixDoor(tmp_path), GetPeers())


async def test_a_session_that_is_stuck_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blink_cli.app.control.asking_client.HELLO_S", 0.05)
    door = UnixDoor(tmp_path)
    with socket.socket(socket.AF_UNIX) as stuck:
        stuck.bind(str(door.path))
        stuck.listen()
        with pytest.raises(BlinkError, match="does not answer"):
            asked(door, GetStatus())


async def test_something_else_that_answers_is_not_taken_for_a_session(tmp_path: Path) -> None:
    door = UnixDoor(tmp_path)

    def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org ESMTP\r\n")
        writer.close()

    async with await door.listen(greet):
        with pytest.raises(BlinkError, match="is not a session"):
            await asyncio.to_thread(asked, door, GetStatus())
    door.remove()


def test_who_is_interrupted_takes_the_request_back(tmp_path: Path) -> None:
    """The client is in the main thread, where signals come; the session in another."""
    door = UnixDoor(tmp_path)
    is_open, taken_back = threading.Event(), threading.Event()

    async def serve() -> None:
        session = ScriptedSession()
        async with ControlServer(door) as server:
            await server.listen(session, HELLO)
            is_open.set()
            await session.waits_begun.wait()
            os.kill(os.getpid(), signal.SIGUSR1)
            while not session.cancelled:  # noqa: ASYNC110 - the session is looked at, not asked
                await asyncio.sleep(0.005)
            taken_back.set()
            await session.aclose()

    def interrupt(number: int, frame: object) -> Never:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, interrupt)
    serving = threading.Thread(target=asyncio.run, args=(serve(),), name="session")
    try:
        serving.start()
        assert is_open.wait(10)
        with AskingClient.connect(door) as client:
            with pytest.raises(KeyboardInterrupt):
                done(client.ask(AcceptCall(wait_s=60)))
            assert taken_back.wait(10)
    finally:
        signal.signal(signal.SIGUSR1, before)
        serving.join(10)

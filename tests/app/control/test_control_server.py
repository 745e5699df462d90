"""The control socket, through every door: real sockets, a scripted session."""

import asyncio
import contextlib
import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from blink_cli.app.control import control_server, loopback_door
from blink_cli.app.control import control_socket as control_door
from blink_cli.app.control.control_client import ControlClient
from blink_cli.app.control.control_server import ControlServer
from blink_cli.app.control.control_socket import UnixDoor
from blink_cli.app.control.loopback_door import LoopbackDoor
from blink_cli.app.event_hub import BACKLOG_EVENTS
from blink_cli.core.api.control_protocol import MAX_LINE_BYTES, MAX_REQUESTS_IN_FLIGHT
from blink_cli.core.api.events import EventsMissed, PeerAppeared, SessionEnding
from blink_cli.core.api.replies.calls import CallAccepted
from blink_cli.core.api.replies.document import Done
from blink_cli.core.api.replies.peers import Peers
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.requests import (
    AcceptCall,
    GetPeers,
    GetStatus,
    PlaceOffer,
    Quit,
    R,
    Request,
    SetDevice,
    SetMuted,
)
from blink_cli.core.errors import (
    BlinkError,
    DeviceError,
    IdentityError,
    NoSessionError,
    NotFoundError,
)
from blink_cli.lab.requirements import unavailable
from tests.app.control.conftest import HELLO, Running
from tests.support.scripted_session import ALICE, BOB, ScriptedSession

pytestmark = pytest.mark.no_clock(sockets=True)


@contextlib.asynccontextmanager
async def raw(running: Running) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection that has read the hello and says what it likes."""
    connection = running.door.connect()
    reader, writer = await asyncio.open_connection(sock=connection)
    assert json.loads(await reader.readline())["kind"] == "hello"
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def answer(reader: asyncio.StreamReader) -> Any:
    return json.loads(await reader.readline())


async def test_the_hello_says_who_answers(running: Running) -> None:
    async with await ControlClient.connect(running.door) as client:
        assert client.hello == HELLO


async def test_answers_and_errors_are_those_of_the_session(running: Running) -> None:
    async with await ControlClient.connect(running.door) as client:
        assert await client.ask(GetStatus()) == running.session.state
        assert isinstance(await client.ask(GetPeers()), Peers)
        with pytest.raises(NotFoundError, match="'dave'") as not_found:
            await client.ask(PlaceOffer(peers=("dave",)))
        assert not_found.value.hint == "`blink peers` lists those that were seen"
        with pytest.raises(DeviceError):
            await client.ask(SetDevice(direction="input", device="broken"))


async def test_a_request_that_waits_holds_up_no_other(running: Running) -> None:
    async with await ControlClient.connect(running.door) as client, asyncio.TaskGroup() as tasks:
        accepting = tasks.create_task(client.ask(AcceptCall(wait_s=60)))
        await running.session.waits_begun.wait()
        assert isinstance(await client.ask(GetStatus()), Status)
        running.session.ring()
        assert isinstance(await accepting, CallAccepted)


async def test_cancelling_here_cancels_there(running: Running) -> None:
    async with await ControlClient.connect(running.door) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await client.ask(AcceptCall(wait_s=60))
        # The answer to this one comes after the cancelling was read.
        await client.ask(GetStatus())
        assert running.session.cancelled == [AcceptCall(wait_s=60)]


async def test_what_a_vanished_client_waits_for_is_cancelled(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_server, "LINGER_S", 0.05)
    async with raw(running) as (_, writer):
        writer.write(b'{"kind":"request","id":1,"request":{"type":"accept","wait_s":60}}\n')
        await running.session.waits_begun.wait()
        writer.transport.abort()
        async with asyncio.timeout(10):
            while not running.session.cancelled:  # noqa: ASYNC110 - what the session saw, without a hook for it
                await asyncio.sleep(0.01)


async def test_a_client_that_only_closed_its_sending_end_is_still_answered(running: Running) -> None:
    async with raw(running) as (reader, writer):
        writer.write(b'{"kind":"request","id":1,"request":{"type":"status"}}\n')
        writer.write_eof()
        assert (await answer(reader))["id"] == 1
        assert await reader.read() == b""


async def test_a_half_line_harms_nobody(running: Running) -> None:
    async with raw(running) as (reader, writer):
        writer.write(b'{"kind":"request","id":1,"requ')
        writer.write_eof()
        assert await reader.read() == b""
    async with await ControlClient.connect(running.door) as client:
        assert isinstance(await client.ask(GetStatus()), Status)


async def test_a_line_in_pieces_is_a_line(running: Running) -> None:
    async with raw(running) as (reader, writer):
        for byte in b'{"kind":"request","id":1,"request":{"type":"status"}}\n':
            writer.write(bytes([byte]))
            await writer.drain()
        assert (await answer(reader))["reply"]["did"] == ALICE


async def test_a_huge_line_ends_the_connection_with_a_word(running: Running) -> None:
    async with raw(running) as (reader, writer):
        writer.write(b"x" * (MAX_LINE_BYTES + 10_000))
        refusal = await answer(reader)
        assert (refusal["kind"], refusal["id"], refusal["code"]) == ("error", None, "usage")
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""


@pytest.mark.parametrize(
    ("line", "request_id"),
    [
        (b"hello?\n", None),
        (b"\xff\xfe\n", None),
        (b'{"kind":"dance","id":1}\n', None),
        (b'{"kind":"request","id":5,"request":{"type":"dance"}}\n', 5),
        (b'{"kind":"request","id":5,"request":{"type":"status","sudo":true}}\n', 5),
        (b'{"kind":"request","id":5,"request":{"type":"offer","peers":[]}}\n', 5),
    ],
)
async def test_nonsense_is_answered_and_the_connection_goes_on(
    running: Running, line: bytes, request_id: int | None
) -> None:
    async with raw(running) as (reader, writer):
        writer.write(line)
        refusal = await answer(reader)
        assert (refusal["kind"], refusal["id"], refusal["code"], refusal["exit_code"]) == (
            "error",
            request_id,
            "usage",
            2,
        )
        writer.write(b'\n{"kind":"request","id":6,"request":{"type":"status"}}\n')
        assert (await answer(reader))["id"] == 6


async def test_too_many_requests_at_once_are_refused_one_by_one(running: Running) -> None:
    async with raw(running) as (reader, writer):
        for number in range(MAX_REQUESTS_IN_FLIGHT + 1):
            writer.write(
                json.dumps(
                    {"kind": "request", "id": number, "request": {"type": "accept", "wait_s": 60}}
                ).encode()
                + b"\n"
            )
        refusal = await answer(reader)
        assert (refusal["id"], refusal["code"]) == (MAX_REQUESTS_IN_FLIGHT, "state")
        writer.write(b'{"kind":"cancel","id":3}\n')
        assert (await answer(reader))["code"] == "cancelled"


async def test_an_id_that_is_still_waiting_is_refused(running: Running) -> None:
    async with raw(running) as (reader, writer):
        writer.write(b'{"kind":"request","id":1,"request":{"type":"accept","wait_s":60}}\n' * 2)
        assert (await answer(reader))["code"] == "usage"


async def test_subscribers_get_the_snapshot_first_and_then_every_event(running: Running) -> None:
    async with (
        await ControlClient.connect(running.door) as client,
        contextlib.aclosing(client.events()) as events,
    ):
        assert await anext(events) == running.session.state
        for number in range(5):
            running.session.publish(PeerAppeared(did=BOB, nickname=str(number)))
        assert [await anext(events) for _ in range(5)] == [
            PeerAppeared(did=BOB, nickname=str(n)) for n in range(5)
        ]


async def test_a_slow_subscriber_loses_events_and_is_told_and_holds_up_nobody(running: Running) -> None:
    async with raw(running) as (reader, writer):
        writer.write(b'{"kind":"request","id":1,"request":{"type":"subscribe"}}\n')
        assert (await answer(reader))["reply"]["type"] == "status"
        long_name = "n" * 2000
        sent = 0
        async with await ControlClient.connect(running.door) as other:
            # More than its socket's buffers and its backlog hold; in between the server writes what fits.
            for _ in range(30):
                for _ in range(BACKLOG_EVENTS // 2):
                    running.session.publish(PeerAppeared(did=BOB, nickname=long_name))
                    sent += 1
                assert isinstance(await other.ask(GetStatus()), Status)
        running.session.publish(SessionEnding())
        seen = missed = 0
        while (line := await answer(reader))["event"]["event"] != "session_ending":
            if line["event"]["event"] == "events_missed":
                missed += line["event"]["count"]
            else:
                seen += 1
        assert missed > 0
        assert seen + missed == sent


async def test_a_slow_reader_in_this_program_is_told_too(running: Running) -> None:
    async with (
        await ControlClient.connect(running.door) as client,
        contextlib.aclosing(client.events()) as events,
    ):
        await anext(events)
        for _ in range(3):
            for number in range(BACKLOG_EVENTS // 2):
                running.session.publish(PeerAppeared(did=BOB, nickname=str(number)))
            await client.ask(GetStatus())
        assert isinstance(await anext(events), EventsMissed)


async def test_a_second_subscription_of_one_connection_is_refused(running: Running) -> None:
    async with raw(running) as (reader, writer):
        writer.write(b'{"kind":"request","id":1,"request":{"type":"subscribe"}}\n')
        assert (await answer(reader))["kind"] == "reply"
        writer.write(b'{"kind":"request","id":2,"request":{"type":"subscribe"}}\n')
        assert (await answer(reader))["code"] == "state"


async def test_a_hundred_clients_are_served_and_those_past_the_cap_are_told(running: Running) -> None:
    async with contextlib.AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(await ControlClient.connect(running.door))
            for _ in range(control_server.MAX_CLIENTS)
        ]
        assert all(
            isinstance(reply, Status)
            for reply in await asyncio.gather(*(client.ask(GetStatus()) for client in clients))
        )
        with pytest.raises(BlinkError, match="128 programs are connected"):
            await ControlClient.connect(running.door)
        await clients[0].aclose()
        async with asyncio.timeout(10):
            while True:
                try:
                    async with await ControlClient.connect(running.door) as late:
                        assert isinstance(await late.ask(GetStatus()), Status)
                        break
                except BlinkError:
                    await asyncio.sleep(0.01)


async def test_a_session_that_ends_says_its_last_words_and_goes(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_server, "PARTING_S", 0.05)
    async with (
        await ControlClient.connect(running.door) as client,
        contextlib.aclosing(client.events()) as events,
    ):
        await anext(events)
        assert await client.ask(Quit()) == Done()
        await running.server.stop_listening()
        with pytest.raises(NoSessionError):
            await ControlClient.connect(running.door)
        assert list(running.directory.iterdir()) == []
        await asyncio.sleep(0.2)  # a session may take longer to end than its answers to be read
        await running.session.aclose()
        await running.server.aclose()
        assert [event async for event in events] == [SessionEnding()]
        with pytest.raises(NoSessionError):
            await client.ask(GetStatus())


async def test_who_still_waits_when_the_session_ends_is_told(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_server, "PARTING_S", 0.05)

    async def end() -> None:
        await running.session.waits_begun.wait()
        await running.server.aclose()

    async with await ControlClient.connect(running.door) as client:
        answer, _ = await asyncio.gather(client.ask(AcceptCall(wait_s=60)), end(), return_exceptions=True)
        assert isinstance(answer, NoSessionError)
        assert "ended before it answered" in answer.message


async def test_a_client_that_never_reads_does_not_hold_up_the_end(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_server, "PARTING_S", 0.05)
    async with raw(running) as (_, writer):
        for _ in range(3000):
            writer.write(b'{"kind":"request","id":1,"request":{"type":"dance"}}\n')
        async with asyncio.timeout(10):
            await running.server.aclose()


class Failing(ScriptedSession):
    """A session with a bug."""

    @override
    async def ask(self, request: Request[R]) -> R:
        if isinstance(request, SetMuted):
            raise ZeroDivisionError("a bug")
        return await super().ask(request)


async def test_a_bug_in_the_session_is_an_answer_and_not_silence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    door = UnixDoor(tmp_path)
    async with ControlServer(door) as server:
        await server.listen(Failing(), HELLO)
        async with await ControlClient.connect(door) as client:
            with pytest.raises(BlinkError, match="ZeroDivisionError"):
                await client.ask(SetMuted(muted=True))
            assert isinstance(await client.ask(GetStatus()), Status)
    assert "a bug" in caplog.text


async def test_a_wrong_secret_learns_nothing(tmp_path: Path) -> None:
    door = LoopbackDoor(tmp_path)
    async with ControlServer(door) as server:
        await server.listen(ScriptedSession(), HELLO)
        port = json.loads(door.path.read_bytes())["port"]
        for line in (
            b'{"kind":"secret","secret":"guess"}\n',
            b'{"kind":"request","id":1,"request":{"type":"status"}}\n',
            b"GET / HTTP/1.1\r\n",
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(line)
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()


async def test_who_shows_no_secret_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loopback_door, "ADMISSION_S", 0.05)
    door = LoopbackDoor(tmp_path)
    async with ControlServer(door) as server:
        await server.listen(ScriptedSession(), HELLO)
        port = json.loads(door.path.read_bytes())["port"]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()
        await writer.wait_closed()


async def test_a_secret_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    door = LoopbackDoor(tmp_path)
    async with ControlServer(door) as server:
        await server.listen(ScriptedSession(), HELLO)
        assert door.path.stat().st_mode & 0o777 == 0o600
        door.path.chmod(0o644)
        with pytest.raises(IdentityError, match="read or changed by others"):
            await ControlClient.connect(door)


async def test_another_user_is_refused_by_both_sides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    door = UnixDoor(tmp_path)
    async with ControlServer(door) as server:
        await server.listen(ScriptedSession(), HELLO)
        monkeypatch.setattr(control_door, "peer_uid", lambda _: os.getuid() + 1)
        with pytest.raises(IdentityError, match="belongs to another user"):
            await ControlClient.connect(door)
        reader, writer = await asyncio.open_unix_connection(door.path)
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
    assert "it is not this user's" in caplog.text


async def test_a_process_of_another_user_gets_nothing_even_where_the_files_let_it(tmp_path: Path) -> None:
    if sys.platform != "linux" or os.getuid() != 0:
        unavailable("only root on Linux can be somebody else")
    door = UnixDoor(tmp_path / "run")
    async with ControlServer(door) as server:
        await server.listen(ScriptedSession(), HELLO)
        stranger = "import os,socket,sys; os.setgid(65534); os.setuid(65534); s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print(s.recv(99))"

        async def attempt() -> tuple[bytes, bytes]:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-S",
                "-c",
                stranger,
                str(door.path),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            return await process.communicate()

        for folder in (door.path.parent, *door.path.parents):
            if folder.stat().st_uid == 0 and Path(tempfile.gettempdir()) in folder.parents:
                folder.chmod(0o755)
        door.path.parent.chmod(0o700)
        assert b"PermissionError" in (await attempt())[1]
        door.path.parent.chmod(0o755)
        door.path.chmod(0o666)
        stdout, stderr = await attempt()
        assert stdout.strip() == b"b''", stderr


async def test_folder_and_socket_are_private(tmp_path: Path) -> None:
    door = UnixDoor(tmp_path / "run")
    async with ControlServer(door) as server:
        await server.listen(ScriptedSession(), HELLO)
        assert door.path.stat().st_mode & 0o777 == 0o600
        assert door.path.parent.stat().st_mode & 0o777 == 0o700


async def test_a_socket_that_a_crash_left_behind_is_no_session_and_blocks_none(tmp_path: Path) -> None:
    door = UnixDoor(tmp_path)
    with socket.socket(socket.AF_UNIX) as crashed:
        crashed.bind(str(door.path))
    with pytest.raises(NoSessionError):
        await ControlClient.connect(door)
    async with ControlServer(door) as server:
        await server.listen(ScriptedSession(), HELLO)
        async with await ControlClient.connect(door) as client:
            assert isinstance(await client.ask(GetStatus()), Status)


async def test_a_folder_with_a_very_long_name_works(tmp_path: Path) -> None:
    directory = tmp_path / ("long" * 30)
    door = UnixDoor(directory)
    async with ControlServer(door) as server:
        await server.listen(ScriptedSession(), HELLO)
        async with await ControlClient.connect(UnixDoor(directory)) as client:
            assert isinstance(await client.ask(GetStatus()), Status)
        assert door.path.parent.stat().st_mode & 0o777 == 0o700
        assert (directory / "control.path").stat().st_mode & 0o777 == 0o600
    assert not door.path.parent.exists()
    assert list(directory.iterdir()) == []
    with pytest.raises(NoSessionError):
        await ControlClient.connect(UnixDoor(directory))


async def test_nobody_can_take_the_place_of_a_socket_whose_folder_has_a_long_name(tmp_path: Path) -> None:
    directory = tmp_path / ("long" * 30)
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    guessed = Path(f"/tmp/blink-{os.getuid()}-{digest}")
    guessed.touch()  # noqa: ASYNC240 - a moment
    try:
        door = UnixDoor(directory)
        async with ControlServer(door) as server:
            await server.listen(ScriptedSession(), HELLO)
            async with await ControlClient.connect(UnixDoor(directory)) as client:
                assert isinstance(await client.ask(GetStatus()), Status)
    finally:
        guessed.unlink()  # noqa: ASYNC240 - as above


async def test_what_a_crashed_session_left_far_away_is_cleared_away(tmp_path: Path) -> None:
    directory = tmp_path / ("long" * 30)
    crashed = UnixDoor(directory)
    server = await crashed.listen(lambda _reader, _writer: None)
    server.close()
    door = UnixDoor(directory)
    async with ControlServer(door) as again:
        await again.listen(ScriptedSession(), HELLO)
        assert not crashed.path.parent.exists()
        async with await ControlClient.connect(UnixDoor(directory)) as client:
            assert isinstance(await client.ask(GetStatus()), Status)


async def test_a_file_that_others_can_write_does_not_tell_where_the_session_is(tmp_path: Path) -> None:
    directory = tmp_path / ("long" * 30)
    door = UnixDoor(directory)
    async with ControlServer(door) as server:
        await server.listen(ScriptedSession(), HELLO)
        (directory / "control.path").chmod(0o622)
        with pytest.raises(IdentityError, match="changed by others"):
            await ControlClient.connect(UnixDoor(directory))
        (directory / "control.path").chmod(0o600)


async def test_what_does_not_answer_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blink_cli.app.control.control_client.HELLO_S", 0.05)
    door = UnixDoor(tmp_path)
    with socket.socket(socket.AF_UNIX) as stuck:
        stuck.bind(str(door.path))
        stuck.listen()
        with pytest.raises(BlinkError, match="does not answer"):
            await ControlClient.connect(door)


async def test_who_gives_up_while_it_waits_for_a_greeting_leaves_no_connection(tmp_path: Path) -> None:
    door = UnixDoor(tmp_path)
    here, gone = asyncio.Event(), asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        here.set()
        assert await reader.read() == b""
        gone.set()
        writer.close()

    async with await asyncio.start_unix_server(silent, door.path):
        connecting = asyncio.get_running_loop().create_task(ControlClient.connect(door), name="connect")
        await here.wait()
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        async with asyncio.timeout(10):
            await gone.wait()


async def test_something_else_that_answers_is_not_taken_for_a_session(tmp_path: Path) -> None:
    door = UnixDoor(tmp_path)

    def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org ESMTP\r\n")
        writer.close()

    async with await door.listen(greet):
        with pytest.raises(BlinkError, match="is not a session"):
            await ControlClient.connect(door)
    door.remove()

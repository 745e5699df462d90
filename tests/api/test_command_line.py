"""Commands that have no method, from Python."""

import asyncio
import inspect
import os
import sys
from pathlib import Path
from typing import Any, assert_type

import pytest
from typer.core import TyperGroup

import blink_cli as blink
from blink_cli.api.cli import Command
from blink_cli.api.documents import ContactList
from blink_cli.commands.command import PRINTED
from blink_cli.commands.program import entry_point
from blink_cli.core.api.invitation import Invitation, write_invitation
from blink_cli.core.api.signal_server import SignalServer
from blink_cli.runtime.tasks import TaskOwner

pytestmark = pytest.mark.no_clock(sockets=True)


async def test_the_documents_that_a_command_prints_or_its_error(tmp_path: Path) -> None:
    (version,) = await blink.run_command("version")
    assert version["schema"] == 1
    with pytest.raises(blink.NoSessionError) as raised:
        await blink.run_command("status", profile="nobody", data_dir=tmp_path)
    error = raised.value
    assert (error.code, error.message) == ("no_session", "No session of profile 'nobody' is running.")
    assert "--profile nobody" in (error.hint or "")


async def test_cancelling_ends_the_command(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(blink.run_command("status", "--wait", "60", data_dir=tmp_path), 0.3)


def test_each_typed_command_is_one_of_the_program_and_returns_what_it_prints() -> None:
    typed = {name: one for name, one in vars(blink.cli).items() if isinstance(one, Command)}
    assert len(typed) > 30
    for name, one in typed.items():
        assert name == "_".join(one.words).replace("-", "_")
        command: Any = entry_point()
        for word in one.words:
            assert isinstance(command, TyperGroup)
            command = command.commands[word]
        printed = PRINTED[inspect.unwrap(command.callback, stop=lambda function: function in PRINTED)]
        assert printed is one.result, name


async def test_a_typed_result(tmp_path: Path) -> None:
    did = "did:key:z6MktwupdmLXVVqTzCw4i46r4uGyosGXRnR3XjN4Zq7oMMsw"
    await blink.cli.contacts_add("bob", did, data_dir=tmp_path)
    found = await blink.cli.contacts_list(data_dir=tmp_path)
    assert_type(found, ContactList)
    assert [(one.nickname, one.did) for one in found.contacts] == [("bob", did)]


async def test_the_servers_of_an_invitation_are_used_until_they_are_forgotten(tmp_path: Path) -> None:
    server = SignalServer("tls", "broker.example.org", 4222)
    line = write_invitation(Invitation(None, "", (server,), None, None))
    joined = await blink.cli.join(line, data_dir=tmp_path)
    assert (joined.servers, joined.did) == ((server.url,), None)
    assert (await blink.cli.invite(data_dir=tmp_path)).servers == (server.url,)
    forgotten = await blink.cli.join(forget=True, data_dir=tmp_path)
    assert (forgotten.servers, forgotten.check) == ((), None)
    assert (await blink.cli.invite(data_dir=tmp_path)).servers == ()


async def test_options_are_said_as_one_types_them(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    async def run(*words: str, **_: object) -> list[object]:
        said.extend(words)
        return [{"contacts": []}]

    monkeypatch.setattr("blink_cli.api.cli.run_command", run)
    await Command(ContactList, "codec", "show")(
        Path("in.wav"), 3, frame_ms=2.5, fec=True, dtx=False, seed=None, set_=("a=1", "b=2")
    )
    assert said == [
        "codec",
        "show",
        "in.wav",
        "3",
        "--frame-ms",
        "2.5",
        "--fec",
        "--set",
        "a=1",
        "--set",
        "b=2",
    ]


async def _run(printed: str, code: int, monkeypatch: pytest.MonkeyPatch) -> object:
    """What `run_command` makes of a process that prints this and ends so."""
    ending = "os.kill(os.getpid(), 9)" if code < 0 else f"sys.exit({code})"
    script = f"import os, sys; print({printed!r}, flush=True); {ending}"
    start = asyncio.create_subprocess_exec

    async def started(*_: str, **pipes: Any) -> asyncio.subprocess.Process:
        return await start(sys.executable, "-c", script, **pipes)

    with monkeypatch.context() as patch:
        patch.setattr(asyncio, "create_subprocess_exec", started)
        return await blink.run_command("anything")


@pytest.mark.parametrize("code", [0, 3, 6])
async def test_a_document_that_tells_what_is_wrong_is_no_error(
    monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    assert await _run('{"found":1}', code, monkeypatch) == [{"found": 1}]


@pytest.mark.parametrize(
    ("printed", "code"),
    [("", 6), ('{"found":1}', -9), ('{"found":1}\n{"error":{"code":"state","message":"No."}}', 1)],
)
async def test_no_document_a_killed_process_and_an_error_are_errors(
    monkeypatch: pytest.MonkeyPatch, printed: str, code: int
) -> None:
    with pytest.raises(blink.BlinkError):
        await _run(printed, code, monkeypatch)


async def test_a_command_that_says_much_when_it_is_ended_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As a load does, whose report is longer than what a pipe holds."""
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    script = (
        "import pathlib, signal, sys, time\n"
        "def end(*_):\n"
        "    sys.stdout.write('x' * 1_000_000)\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        f"pathlib.Path({str(begun)!r}).write_text('now')\n"
        "time.sleep(60)\n"
    )
    start = asyncio.create_subprocess_exec

    async def started(*_: str, **pipes: Any) -> asyncio.subprocess.Process:
        return await start(sys.executable, "-c", script, **pipes)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", started)
    async with TaskOwner("test") as tasks:
        running = tasks.start(blink.run_command("load"), name="load")
        assert await asyncio.to_thread(begun.read_text) == "now"
        running.cancel()
        done, _ = await asyncio.wait((running,), timeout=20)
        assert done == {running}
        assert running.cancelled()

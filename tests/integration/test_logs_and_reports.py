"""What a session logs and what a bug report holds: all that helps, and no secret of the profile in any byte."""

import asyncio
import base64
import json
import re
import signal
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blink_cli.app.profile.key_file import load_identity
from blink_cli.lab.session_calls import call_of, together
from blink_cli.lab.sessions import Machine, Session
from blink_cli.lab.turn_server import free_port

PASSPHRASE = "open sesame, please"
CREDENTIAL = "hunter2-hunter2"
SECRET = "shared/with+the=server"
ON_THE_LINE = "typed-on-the-line"

CODEC = ("--input", "tone:440", "--output", "null")


def settings(port: int) -> str:
    return f"""
nickname = "Zweistein"

[[ice_servers]]
url = "turn:127.0.0.1:{port}"
username = "anna"
credential = "{CREDENTIAL}"

[[ice_servers]]
url = "turn:127.0.0.1:{port}?transport=tcp"
username = "anna"
secret = "{SECRET}"
"""


def secret_forms(machine: Machine) -> Iterator[bytes]:
    """Every way in which a secret of the profile could stand somewhere."""
    for text in (PASSPHRASE, CREDENTIAL, SECRET, ON_THE_LINE):
        yield text.encode()
        yield base64.b64encode(text.encode()).rstrip(b"=")
    (key,) = machine.directory.rglob("identity.pem")
    content = key.read_bytes()
    yield from (line for line in content.splitlines() if line and not line.startswith(b"-----"))
    yield b"PRIVATE KEY"
    seed = load_identity(key, PASSPHRASE)._signing_key.private_bytes_raw()
    yield seed
    yield seed.hex().encode()
    yield base64.b64encode(seed).rstrip(b"=")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def whole_of(path: Path) -> bytes:
    return path.read_bytes()


def files_in(report: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(report) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def no_secret_in(machine: Machine, contents: dict[str, bytes]) -> None:
    for form in secret_forms(machine):
        assert len(form) >= 8
        for name, content in contents.items():
            assert form not in content, f"{form!r} stands in {name}"
    for name, content in contents.items():
        for found in re.finditer(rb"ice-pwd:(\S+?)(?:\\r|\s|\")", content):
            assert found[1] == b"veiled", f"a password of ICE stands in {name}"


@pytest.fixture
async def machine() -> Any:
    async with Machine(environment={"BLINK_PASSPHRASE": PASSPHRASE}) as here:
        yield here


async def serve(machine: Machine, name: str, *options: str) -> Session:
    folder = machine.data_directory(name) / "profiles" / name
    folder.mkdir(parents=True, mode=0o700)
    if name == "anna":
        (folder / "settings.toml").write_text(settings(free_port()))
    return await machine.serve(name, *CODEC, *options)


async def test_a_report_of_a_call_says_all_but_secrets(machine: Machine, tmp_path: Path) -> None:
    other = Machine(group=machine.group)
    async with other:
        anna, bert = await together(serve(machine, "anna"), serve(other, "bert"))
        async with call_of(anna, bert):
            plain, hidden = await together(
                anna.ask("bugreport", str(tmp_path / "plain.zip")),
                anna.ask("bugreport", "--anonymous", str(tmp_path / "hidden.zip")),
            )
        again = await anna.blink("bugreport", str(tmp_path / "plain.zip"), expect=1)
        assert "already" in again.json["error"]["message"]
    contents = files_in(tmp_path / "plain.zip")
    assert mode_of(tmp_path / "plain.zip") == 0o600
    assert plain["bytes"] == len(whole_of(tmp_path / "plain.zip"))
    assert not plain["anonymous"]
    assert {one["name"] for one in plain["files"]} | {"README.txt"} == set(contents)
    for name in (
        "doctor.json", "machine.json", "settings.json", "status.json", "peers.json", "rtp-stats.json", "ice-servers.json", "trace.json",
    ):  # fmt: skip
        assert json.loads(contents[name]), name
        assert name.encode() in contents["README.txt"]
    (log,) = (name for name in contents if name.startswith("logs/"))
    assert b"call_joined" in contents[log]
    assert b"ice_server_failed" in contents[log]
    assert json.loads(contents["status.json"])["call"]["participants"]
    assert json.loads(contents["settings.json"])["ice_servers"][0]["credential"] == "veiled"
    no_secret_in(machine, {**contents, "the file itself": whole_of(tmp_path / "plain.zip")})

    veiled = files_in(tmp_path / "hidden.zip")
    assert hidden["anonymous"]
    no_secret_in(machine, veiled)
    for name, content in veiled.items():
        for person in (anna.did, bert.did, "anna", "bert"):
            assert person.encode() not in content, f"{person} stands in {name}"
    rows = json.loads(veiled["status.json"])["call"]["participants"]
    assert len({row["did"] for row in rows}) == len({row["nickname"] for row in rows}) == 2, (
        "who is who can be followed"
    )


async def test_a_session_logs_what_happens_and_no_secret(machine: Machine) -> None:
    url = f"turn:anna:{ON_THE_LINE}@127.0.0.1:{free_port()}"
    anna = await serve(machine, "anna", "--ice-server", url)
    path = Path((await anna.ask("status"))["log"])
    assert (await anna.ask("log", "--path")) == {"schema": 1, "path": str(path)}
    assert (mode_of(path), mode_of(path.parent)) == (0o600, 0o700)

    following = await asyncio.create_subprocess_exec(
        *machine.command("anna", "--json", "log", "--follow", "--lines", "1000"),
        stdout=asyncio.subprocess.PIPE,
        env=machine.environment,
    )
    assert following.stdout is not None
    async with asyncio.timeout(30):
        first = json.loads(await following.stdout.readline())
        assert (first["level"], first["source"]) == ("INFO", "session")
        assert first["message"].startswith("blink ")
        seen = [first["message"]]
        while not seen[-1].startswith("ice_server_failed: "):
            seen.append(json.loads(await following.stdout.readline())["message"])
        await anna.blink("mute")
        await anna.quit()
        while "the session has ended" not in (line := await following.stdout.readline()).decode():
            seen.append(json.loads(line)["message"])
    following.terminate()
    await following.communicate()
    assert any(message.startswith("session_ending") for message in seen)
    assert anna.complaints == "", "what is logged is not said on the terminal"
    no_secret_in(machine, {"the log": whole_of(path)})

    shown = await machine.run("anna", "log", "--lines", "2")
    assert [line.rpartition(": ")[2] for line in shown.stdout.splitlines()][-1] == "the session has ended"


async def test_a_session_without_a_place_for_its_log_runs_all_the_same(machine: Machine) -> None:
    folder = machine.data_directory("bert") / "profiles" / "bert"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "logs").write_text("in the way")
    bert = await machine.serve("bert", *CODEC)
    assert (await bert.ask("status"))["log"] is None
    assert "No log of this session is kept" in bert.stderr
    assert (await bert.blink("log", expect=None)).exit_code in (1, 3)


async def test_verbose_says_on_stderr_what_is_logged() -> None:
    async with Machine() as machine:
        anna = Session(machine, "anna")
        machine.sessions["anna"] = anna
        await anna.start("--group", machine.group, "--interface", "127.0.0.1", *CODEC, "-v")
        await anna.quit()
        assert re.search(r"^\d{4}-\S+Z INFO session: the session has ended$", anna.stderr, re.MULTILINE)


async def test_a_crash_says_where_it_was() -> None:
    async with Machine() as machine:
        anna = await machine.serve("anna", *CODEC)
        anna.signal(signal.SIGSEGV)
        assert await anna.ended() == -signal.SIGSEGV
        shown = await machine.run("anna", "log")
        assert "Fatal Python error: Segmentation fault" in shown.stdout
        assert "most recent call first" in shown.stdout
        found = {
            row["name"]: row
            for row in (await machine.run("anna", "--json", "doctor", "session")).json["checks"]
        }
        assert found["session"]["ok"] is True
        assert found["last-session"]["level"] == "warning"
        assert "crashed: Segmentation fault" in found["last-session"]["found"]

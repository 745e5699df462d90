"""Paths are what the system allows, not what text allows: everywhere where a command, a session or another program takes one."""

import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import soundfile

from blink_cli.lab.session_calls import call_of, together
from blink_cli.lab.sessions import Machine, Session

pytestmark = [pytest.mark.real_time, pytest.mark.in_pairs]

ODD_NAMES = (
    b"d\xe9p",
    b"two\nlines \x1b[31m",
    b" spaces at both ends ",
    b"50% $x^2$ ?loop=1",
    b"a:b",
    b"pipe:1",
    b"-",
    b"--json",
    b"~nobody",
    b"quotes '\"\\",
    "\N{LATIN SMALL LETTER E WITH ACUTE}".encode() * 127 + b"x",
)
"""Not UTF-8; moves cursors; ends in what is stripped, or reads like an option, a URL, a home directory; 255 bytes."""


def odd(folder: Path) -> Path:
    """A folder below another, through all of these names."""
    return Path(os.fsdecode(b"/".join((os.fsencode(folder), *ODD_NAMES))))


class Call:
    """Two sessions in a call, all of whose files are below odd folders."""

    def __init__(self, machine: Machine, alice: Session, folder: Path) -> None:
        self.machine = machine
        self.alice = alice
        self.folder = folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def call(tmp_path_factory: Any) -> AsyncIterator[Call]:
    folder = odd(tmp_path_factory.mktemp("odd"))
    folder.mkdir(parents=True)
    voice = folder / "voice?loop=1"
    soundfile.write(os.fsencode(voice), [0.1, -0.1] * 24_000, 48_000, format="WAV")
    async with Machine() as machine:
        plain, machine.directory = machine.directory, odd(machine.directory)
        try:
            machine.directory.mkdir(parents=True)
            alice, bob = await together(
                machine.serve(
                    "alice", "--input", f"file:{voice}?loop=1", "--output", f"wav:{folder}/heard.wav "
                ),
                machine.serve("bob", "--input", "tone:300", "--output", "null"),
            )
            async with call_of(alice, bob):
                yield Call(machine, alice, folder)
        finally:
            await machine.aclose()
            machine.directory = plain


async def test_devices_are_files_of_any_name(call: Call) -> None:
    status = await call.alice.ask("status")
    voice = f"{call.folder}/voice?loop=1"
    assert status["input"] == f"file:{voice}?loop=1"
    assert status["output"] == f"wav:{call.folder}/heard.wav "
    # The file is written a moment after the first sound was played.
    await call.alice.until(
        "status", lambda _: size_of(f"{call.folder}/heard.wav ") > 44, what="sound in the speaker's file"
    )
    await call.alice.blink("set-input", f"file:{voice}?ppm=0")
    assert (await call.alice.ask("status"))["input"] == f"file:{voice}?ppm=0"
    await call.alice.blink("set-input", f"file:{call.folder}/none.wav", expect=5)
    shown = await call.machine.run("alice", "status")
    assert shown.exit_code == 0
    assert "\\xe9" in shown.stdout
    assert "\x1b" not in shown.stdout


async def test_a_recording_its_events_and_its_exports_are_where_they_say(call: Call) -> None:
    alice, folder = call.alice, call.folder / "records"
    async with await alice.events() as events:
        begun = await alice.ask("record", "start", str(folder))
        assert (await events.next("recording_started", did=alice.did))["path"] == begun["path"]
        assert Path(begun["path"]).parent == folder
        assert (await alice.ask("record", "status"))["path"] == begun["path"]
        copy = folder / f"{'k' * 246}.part.mp4"
        shutil.copy(begun["path"], copy)
        stopped = await alice.ask("record", "stop")
        assert (await events.next("recording_stopped", did=alice.did))["path"] == stopped["files"][0]["path"]
    assert all(size_of(file["path"]) for file in stopped["files"])
    left = await alice.ask("record", "status")
    assert [one["path"] for one in left["leftovers"]] == [str(copy)]
    told = await call.machine.run("alice", "record", "status")
    (line,) = [line for line in told.stdout.splitlines() if line.startswith("unfinished: ")]
    assert line.startswith("unfinished: $'")
    repaired = (await alice.ask("record", "repair", str(copy)))["files"][0]["path"]
    assert Path(repaired) == folder / f"{'k' * 246}.mp4"
    exported = await alice.ask(
        "record", "export", repaired, "--format", "wav,mix", "--out", str(folder / "-")
    )
    assert len(exported["files"]) == 3
    for file in exported["files"]:
        assert Path(file["path"]).parent == folder / "-"
        assert soundfile.info(os.fsencode(file["path"])).frames > 0


async def test_a_log_its_analysis_its_plot_and_its_capture(call: Call) -> None:
    alice, log = call.alice, call.folder / f"{'l' * 251}.csv"
    async with await alice.events() as events:
        assert (await alice.ask("rtp-log", "start", str(log)))["path"] == str(log)
        assert (await events.next("rtp_log_started"))["path"] == str(log)
        # A plot has a point for each second.
        await until_logged(alice, 150)
        assert (await alice.ask("rtp-log", "stop"))["files"][0]["path"] == str(log)
    plot = call.folder / "-plot.png"
    found = await alice.ask("rtp-analyze", str(log), "--plot", str(plot))
    assert found["path"] == str(log)
    assert plot.read_bytes().startswith(b"\x89PNG")
    capture = Path((await alice.ask("rtp-log", "export", str(log)))["path"])
    assert capture.name == f"{'l' * 250}.pcap"
    assert size_of(str(capture))
    again = await alice.blink("rtp-log", "export", str(log), expect=1)
    assert again.json["error"]["message"] == f"{capture} exists."
    for_people = await call.machine.run("alice", "rtp-log", "export", str(log))
    assert "d\\xe9p" in for_people.stderr
    assert "\x1b" not in for_people.stderr


async def test_relative_paths_are_those_of_the_working_folder(call: Call) -> None:
    call.machine.prefix = ("env", "-C", str(call.folder))
    try:
        for name in ("-", "~nobody.csv", "a:b"):
            started = await call.alice.ask("rtp-log", "start", "--", name)
            assert started["path"] == str(call.folder / name), "its absolute path"
            await call.alice.ask("rtp-log", "stop")
            assert (await call.alice.ask("rtp-analyze", "--", name))["path"] == name
    finally:
        call.machine.prefix = ()


async def test_piped_lines_name_any_path(call: Call) -> None:
    log = call.folder.parents[len(ODD_NAMES) - 2] / "piped.csv"  # a line has no line ends
    script = b"rtp-log start " + quoted(log) + b"\nrtp-log stop\n"
    ran = await call.machine.run("alice", "--json", stdin=script)
    first = json.loads(ran.stdout.splitlines()[0])
    assert first["path"] == str(log)
    assert log.is_file()


async def test_text_that_is_no_path_stays_text(call: Call) -> None:
    refused = await call.alice.blink("offer", "d\udce9p", expect=2)
    assert "UTF-8" in refused.json["error"]["message"]
    await call.alice.blink("record", "start", str(call.folder / "marked"))
    await call.alice.ask("record", "mark", "d\udce9p")
    stopped = await call.alice.ask("record", "stop")
    sidecar = document(Path(stopped["files"][1]["path"]))
    assert [marker["text"] for marker in sidecar["markers"]] == ["d\N{REPLACEMENT CHARACTER}p"]


def size_of(path: str) -> int:
    """How long a file is."""
    return Path(path).stat().st_size


def document(path: Path) -> Any:
    """What a sidecar holds."""
    return json.loads(path.read_text())


async def until_logged(session: Session, rows: int) -> None:
    """Wait for a log to have so many rows; each round is a process, which paces the loop."""
    while (await session.ask("rtp-log", "status"))["rows"] < rows:
        pass


def quoted(path: Path) -> bytes:
    """A word of a shell's line."""
    return b"'" + os.fsencode(path).replace(b"'", b"'\"'\"'") + b"'"

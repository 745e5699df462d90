"""Sessions in a call through a room on a real Janus: over and back, the server killed and back, and nothing doubled on the way."""

import time
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from blink_cli.broker.broker_folder import make_broker_folder
from blink_cli.lab.continuity import clicks, gaps
from blink_cli.lab.janus_server import JanusServer
from blink_cli.lab.listening import Listener
from blink_cli.lab.session_calls import connected, together
from blink_cli.lab.sessions import Machine, Session

pytestmark = pytest.mark.real_time(within_s=30)


@pytest.fixture
def janus() -> Iterator[JanusServer]:
    with JanusServer() as server:
        yield server


@pytest_asyncio.fixture
async def machine() -> AsyncIterator[Machine]:
    """On all its interfaces: Janus does not answer from loopback."""
    async with Machine(interface=None) as here:
        yield here


async def test_a_call_through_a_room_falls_back_to_direct_connections_and_returns(
    machine: Machine, janus: JanusServer
) -> None:
    options = ("--sfu", janus.url, "--output", "null", "--input")
    alice, bob = await together(
        machine.serve("alice", *options, "tone:440"), machine.serve("bob", *options, "tone:550")
    )
    async with await bob.events() as told:
        await alice.ask("offer", "bob", "--via", "sfu")
        await bob.ask("accept", "--wait", "10")
        for session in (alice, bob):
            await session.until("status", is_through_a_room(janus.url))
            await voice_comes(session)
        janus.kill()
        lost = await told.next("sfu_lost", url=janus.url)
        assert lost["mesh"]
        for session in (alice, bob):
            await session.until("status", goes_directly)
            await voice_comes(session)
        janus.start()
        for session in (alice, bob):
            await session.until("status", is_through_a_room(janus.url))
            await voice_comes(session)
        await alice.ask("leave")


async def test_nothing_is_lost_or_doubled_when_a_call_outgrows_a_mesh_and_when_it_is_small_again(
    machine: Machine, janus: JanusServer, tmp_path: Path
) -> None:
    names = ("alice", "bob", "carol", "dave")
    devices = {"alice": ("tone:440", "null"), "bob": ("silence", f"wav:{tmp_path / 'bob.wav'}")}
    for name in names:
        profile = machine.data_directory(name) / "profiles" / name
        profile.mkdir(parents=True, mode=0o700)
        (profile / "settings.toml").write_text(f'[sfu]\nurl = "{janus.url}"\nabove = 3\n')
    alice, bob, carol, dave = await together(
        *(
            machine.serve(name, "--input", said, "--output", heard)
            for name in names
            for said, heard in [devices.get(name, ("silence", "null"))]
        )
    )
    async with await bob.events() as told:
        await alice.ask("offer", "bob", "carol", "dave")
        await together(bob.ask("accept", "--wait", "10"), carol.ask("accept", "--wait", "10"))
        await connected(bob, 2)
        await voice_comes(bob)
        began_s = time.monotonic()
        await dave.ask("accept", "--wait", "10")
        await told.next("topology_changed", topology="sfu")
        await voice_comes(bob)
        await together(carol.ask("leave"), dave.ask("leave"))
        await told.next("topology_changed", topology="mesh")
        await voice_comes(bob)
        status, ended_s = await bob.ask("status"), time.monotonic()
    await together(alice.quit(), bob.quit())
    heard = Listener.of(status, tmp_path / "bob.wav").between(began_s, ended_s - began_s - 0.3)
    assert sum(gap.duration_s for gap in gaps(heard)) <= 0.1, gaps(heard)
    assert len(clicks(heard, 440)) <= 2, clicks(heard, 440)


async def test_a_protected_server_carries_a_call_and_its_secrets_show_nowhere(
    machine: Machine, tmp_path: Path
) -> None:
    make_broker_folder(tmp_path / "made", ["127.0.0.1"], 4222)
    certificate = tmp_path / "made" / "certificate.pem"
    secrets = {"alice": ("secret-of-all", "makes-rooms"), "bob": ("secret-of-all", "")}
    with JanusServer(
        api_secret="secret-of-all",
        admin_key="makes-rooms",
        certificate=(certificate, tmp_path / "made" / "key.pem"),
    ) as janus:
        for name, (secret, key) in secrets.items():
            profile = machine.data_directory(name) / "profiles" / name
            profile.mkdir(parents=True, mode=0o700)
            lines = ["[sfu]", f'api_secret = "{secret}"', *([f'admin_key = "{key}"'] if key else [])]
            (profile / "settings.toml").write_text("\n".join(lines))
        options = (
            "--sfu",
            janus.url,
            "--sfu-ca",
            str(certificate),
            "--output",
            "null",
            "--input",
            "tone:440",
        )
        alice, bob = await together(*(machine.serve(name, *options) for name in secrets))
        await alice.ask("offer", "bob", "--via", "sfu")
        await bob.ask("accept", "--wait", "10")
        for session in (alice, bob):
            await session.until("status", is_through_a_room(janus.url))
            await voice_comes(session)
        doctor = await alice.blink("doctor", "sfu")
        assert [(row["name"], row["ok"]) for row in doctor.json["checks"]] == [(f"sfu:{janus.url}", True)]
        status = await alice.blink("status")
        with zipfile.ZipFile((await alice.ask("bugreport", str(tmp_path / "report.zip")))["path"]) as report:
            told = [report.read(name).decode(errors="replace") for name in report.namelist()]
        log = await alice.blink("log")
        for text in (status.stdout, doctor.stdout, log.stdout, *told):
            assert not any(one in text for one in ("secret-of-all", "makes-rooms"))
        assert status.json["network"]["sfu"] == {
            "urls": [janus.url],
            "takes_any": False,
            "ca": str(certificate),
        }


def is_through_a_room(url: str) -> Callable[[Any], bool]:
    """Both in the room, and heard there."""

    def holds(status: Any) -> bool:
        call = status["call"]
        others = [] if call is None else [one for one in call["participants"] if not one["self"]]
        return bool(others) and all(
            (
                call["topology"] == "sfu",
                call["sfu"] == url,
                [one["link"] for one in others] == ["connected"],
                [(one["path"] or {}).get("type") for one in others] == ["sfu"],
            )
        )

    return holds


def goes_directly(status: Any) -> bool:
    """By a connection between the two."""
    others = [one for one in status["call"]["participants"] if not one["self"]]
    return status["call"]["topology"] == "mesh" and [(o["path"] or {}).get("type") for o in others] == [
        "host"
    ]


async def voice_comes(session: Session) -> None:
    """A second of it."""
    before = packets(await session.ask("rtp-stats"))
    await session.until("rtp-stats", lambda now: packets(now) > before + 50)


def packets(statistics: Any) -> int:
    heard = [peer["inbound"] for peer in statistics["peers"] if peer["inbound"] is not None]
    return int(sum(one["packetsReceived"] for one in heard))

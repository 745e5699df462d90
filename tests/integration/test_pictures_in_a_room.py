"""Pictures of a call through a room on a real Janus: seen by all who hear each other, in time, and sealed."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from blink_cli.lab.janus_server import JanusServer
from blink_cli.lab.session_calls import together
from blink_cli.lab.sessions import Machine, Session

pytestmark = pytest.mark.real_time(within_s=40)

CAMERA = "testsrc?size=320x240&fps=15"


@pytest.fixture
def janus() -> Iterator[JanusServer]:
    with JanusServer() as server:
        yield server


@pytest_asyncio.fixture
async def machine() -> AsyncIterator[Machine]:
    """On all its interfaces: Janus does not answer from loopback."""
    async with Machine(interface=None) as here:
        yield here


def came_from(status: dict[str, Any], did: str) -> dict[str, Any]:
    """The figures of somebody's pictures; empty while there are none."""
    peers = (status["video"] or {"peers": []})["peers"]
    return next((one["received"] for one in peers if one["did"] == did), {})


async def sees(session: Session, did: str, frames: int) -> dict[str, Any]:
    """Wait until a session has decoded so many pictures of somebody; returns its figures."""
    status = await session.until(
        "status", lambda status: came_from(status, did).get("frames_decoded", 0) >= frames, what="pictures"
    )
    return came_from(status, did)


async def test_a_camera_is_seen_through_a_room_and_off_again(
    machine: Machine, janus: JanusServer, tmp_path: Path
) -> None:
    profile = machine.data_directory("carol") / "profiles" / "carol"
    profile.mkdir(parents=True, mode=0o700)
    (profile / "settings.toml").write_text("[sfu]\nheard_at_once = 1\n")
    options = ("--sfu", janus.url, "--output", "null", "--input", "silence", "--camera", CAMERA)
    alice, bob, carol = await together(*(machine.serve(name, *options) for name in ("alice", "bob", "carol")))
    await alice.ask("offer", "bob", "carol", "--via", "sfu")
    await together(*(one.ask("accept", "--wait", "10") for one in (bob, carol)))
    for session in (alice, bob, carol):
        await session.until(
            "status", lambda status: (status["call"] or {}).get("topology") == "sfu", what="a room"
        )
    log = str(tmp_path / "call.csv")
    await alice.ask("rtp-log", "start", log)
    await alice.ask("video", "on")
    came = await sees(bob, alice.did, 30)
    assert (came["frame_width"], came["frame_height"]) == (320, 240)
    assert came["packets_lost"] == 0
    assert came["freeze_count"] <= 1
    await bob.ask("video", "on")
    await sees(alice, bob.did, 15)
    # One of them is heard by carol, and she looks at both.
    for name in ("alice", "bob"):
        saved = await carol.ask("view", name, "--snapshot", str(tmp_path / f"{name}.png"))
        assert (saved["width"], saved["height"]) == (320, 240)
    status = await carol.ask("status")
    assert status["call"]["heard_at_once"] == 1
    # Somebody leaves, and the call has a new key.
    await carol.ask("leave")
    before = came_from(await bob.ask("status"), alice.did)["frames_decoded"]
    await sees(bob, alice.did, before + 45)
    status = await alice.ask("status")
    assert status["video"]["room"]["frames_sent"] > 60
    assert (await alice.ask("rtp-stats"))["shown_in_room"]["frames_sent"] > 60
    told = await machine.run("alice", "rtp-stats")
    assert "shown   to the room, for all in it:" in told.stdout
    await alice.ask("rtp-log", "stop")
    streams = (await alice.ask("rtp-analyze", log))["video_streams"]
    (upload,) = (one for one in streams if one["peer"] == alice.did)
    assert upload["direction"] == "sent"
    assert upload["outbound"]["frames_sent"] > 60
    assert upload["outbound"]["key_frames_sent"] >= 1
    assert status["call"]["refused_in_room"]["forged"] == 0
    await alice.ask("video", "off")
    await bob.until(
        "participants",
        lambda reply: not any(one["video"] for one in reply["participants"] if one["nickname"] == "alice"),
        what="no camera",
    )
    await alice.ask("leave")

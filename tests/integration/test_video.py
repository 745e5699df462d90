"""Pictures in real calls: what comes is what was seen, in time with the clock in it; and a call without them knows nothing of it."""

from pathlib import Path
from typing import Any

import av
import pytest

from blink_cli.lab.session_calls import call_of, together
from blink_cli.lab.sessions import Machine

pytestmark = [pytest.mark.real_time, pytest.mark.in_pairs]

LOADED = """
import atexit, pathlib, sys
def tell():
    names = sorted(name for name in sys.modules if name.startswith("blink_cli.") and "video" in name)
    with pathlib.Path({place!r}).open("a") as file:
        file.write(" ".join(names) + " ")
atexit.register(tell)
"""
"""Run by each process of the machine; what it had loaded is told at its end."""


def received(status: dict[str, Any]) -> list[dict[str, Any]]:
    """The figures of what comes, of everybody."""
    return [one["received"] for one in (status["video"] or {"peers": []})["peers"]]


async def test_a_camera_is_seen_by_the_other_and_off_again(tmp_path: Path) -> None:
    async with Machine() as machine:
        alice, bob = await together(
            machine.serve(
                "alice", "--input", "silence", "--output", "null", "--camera", "testsrc?size=320x240&fps=15"
            ),
            machine.serve("bob", "--input", "silence", "--output", "null"),
        )
        refused = await machine.run("alice", "video", "on")
        assert refused.exit_code == 1
        assert "in no call" in refused.stderr
        async with call_of(alice, bob):
            await bob.blink("rtp-log", "start", str(tmp_path / "call.csv"))
            await bob.blink("record", "start", str(tmp_path))
            events = await bob.events()
            assert await alice.ask("video", "on") == {
                "schema": 1,
                "on": True,
                "camera": "testsrc?size=320x240&fps=15",
            }
            seen = await bob.until(
                "status",
                lambda status: any(came["frames_decoded"] > 30 for came in received(status)),
                what="pictures",
            )
            (came,) = received(seen)
            assert (came["frame_width"], came["frame_height"]) == (320, 240)
            assert came["freeze_count"] == 0
            assert came["packets_lost"] == 0
            async with events:
                told = await events.next("pictures_not_recorded")
            assert told["did"] == alice.did
            assert told["path"].endswith(".part.mp4")
            await bob.blink("record", "stop")
            (peer,) = (await bob.ask("rtp-stats"))["peers"]
            assert peer["video"]["received"]["frames_decoded"] >= came["frames_decoded"]
            await bob.blink("rtp-log", "stop")
            log = await bob.ask("rtp-analyze", str(tmp_path / "call.csv"))
            assert [one["direction"] for one in log["video_streams"]] == ["received"]
            logged = log["video_streams"][0]["inbound"]
            assert logged["frames_received"] >= came["frames_received"]
            assert logged["key_frames_received"] >= 1
            assert logged["packets_lost"] == logged["frames_incomplete"] == 0
            assert 8 < logged["frames_per_second"] < 18
            people = {
                one["nickname"]: one["video"] for one in (await bob.ask("participants"))["participants"]
            }
            assert people == {"alice": True, "bob": False}
            await alice.blink("video", "off")
            await bob.until(
                "participants",
                lambda reply: not any(one["video"] for one in reply["participants"]),
                what="no camera",
            )
            # Another camera, of another size, and back the other way.
            await bob.blink("set-camera", "blank?size=160x120&fps=10")
            await bob.blink("video", "on")
            await alice.until(
                "status",
                lambda status: any(came["frame_width"] == 160 for came in received(status)),
                what="bob's pictures",
            )
        assert not (await bob.until("status", lambda s: not s["video"]["on"], what="the camera off"))["call"]


async def test_pictures_go_as_h264_where_it_is_asked_for_and_as_vp8_again(tmp_path: Path) -> None:
    log = str(tmp_path / "call.csv")
    async with Machine() as machine:
        alice, bob = await together(
            machine.serve(
                *("alice", "--input", "silence", "--output", "null"),
                *("--camera", "testsrc?size=320x240&fps=15&codec=h264"),
            ),
            machine.serve("bob", "--input", "silence", "--output", "null", "--camera", "testsrc?fps=10"),
        )
        async with call_of(alice, bob):
            await bob.blink("rtp-log", "start", log)
            await alice.blink("video", "on")
            await bob.blink("video", "on")

            def comes(status: dict[str, Any], mime_type: str) -> bool:
                return any(
                    came["mime_type"] == mime_type and came["frames_decoded"] > 30
                    for came in received(status)
                )

            seen = await bob.until("status", lambda status: comes(status, "video/H264"), what="H.264")
            assert seen["video"]["mime_type"] == "video/VP8", "each sends what it was told to"
            await bob.blink("record", "start", str(tmp_path))
            status = await alice.until("status", lambda status: comes(status, "video/VP8"), what="VP8")
            assert status["video"]["mime_type"] == "video/H264"
            await alice.blink("set-camera", "testsrc?size=320x240&fps=15")
            seen = await bob.until("status", lambda status: comes(status, "video/VP8"), what="VP8")
            (came,) = received(seen)
            assert came["freeze_count"] == came["packets_lost"] == came["frames_dropped"] == 0
            recorded = (await bob.ask("record", "stop"))["files"]
            await bob.blink("rtp-log", "stop")
            (inbound,) = (
                one["inbound"]
                for one in (await bob.ask("rtp-analyze", log))["video_streams"]
                if one["direction"] == "received"
            )
            assert inbound["frames_incomplete"] == 0
            assert inbound["key_frames_received"] >= 2, "H.264's and VP8's"
            assert inbound["frames_received"] >= 30
        with av.open(recorded[0]["path"]) as file:
            assert sum(frame.width == 320 for frame in file.decode(video=0)) > 0


async def test_a_call_of_voices_alone_loads_nothing_of_pictures(tmp_path: Path) -> None:
    place = tmp_path / "loaded"
    (tmp_path / "sitecustomize.py").write_text(LOADED.format(place=str(place)))
    async with Machine(
        environment={"PYTHONPATH": f"{tmp_path}:{Path(__file__).parent.parent.parent}"}
    ) as machine:
        alice, bob = await together(
            machine.serve("alice", "--input", "silence", "--output", "null"),
            machine.serve("bob", "--input", "silence", "--output", "null"),
        )
        async with call_of(alice, bob):
            status = await alice.ask("status")
            assert status["video"] is None
    names = set(place.read_text().split())
    light = {
        "blink_cli.app.call.video_requests",
        "blink_cli.app.media.video",
        "blink_cli.app.media.video.video_media",
        "blink_cli.app.media.video.video_views",
        "blink_cli.commands.video_commands",
        "blink_cli.core.api.replies.video",
        "blink_cli.core.media.video_codec",
        "blink_cli.core.media.video_feedback",
        "blink_cli.net.link.video_doors",
    }
    assert "blink_cli.net.link.video_doors" in names, "a link was made"
    assert names <= light, f"too much was loaded: {sorted(names - light)}"

"""Pictures of a real call, recorded and seen: what is seen and heard at one moment stands at one place."""

import asyncio
import time
from pathlib import Path

import av
import pytest

from blink_cli.lab.session_calls import call_of, connected, together
from blink_cli.lab.sessions import Machine
from blink_cli.video.coded_clock import read_clock
from blink_cli.video.frames import Fitter
from tests.integration.test_recordings import clicking, clicks, document, lateness_s
from tests.support.decoded_track import decoded

pytestmark = [pytest.mark.real_time(within_s=60), pytest.mark.in_pairs]

SYNC_S = 0.04


def seen_at(path: Path, track: int) -> list[tuple[float, float]]:
    """Of each picture of a track that shows the clock: where it stands first, and the monotonic moment that it shows."""
    seen: dict[float, float] = {}
    with av.open(str(path)) as container:
        for frame in container.decode(video=track):
            shown_s = read_clock(Fitter(None).fit(frame, 0, None))
            if shown_s is not None and frame.time is not None:
                seen.setdefault(shown_s, frame.time)
    return [(at_s, shown_s) for shown_s, at_s in seen.items()]


async def test_a_click_and_a_picture_of_one_moment_stand_at_one_place(
    machine: Machine, tmp_path: Path
) -> None:
    sound = f"file:{clicking(tmp_path / 'clicks.wav')}?loop=1"
    alice, bob = await together(
        machine.serve(
            "alice", "--input", sound, "--output", "null", "--camera", "testsrc?size=320x180&fps=15"
        ),
        machine.serve("bob", "--input", sound, "--output", "null", "--camera", "testsrc?size=320x180&fps=15"),
    )
    async with call_of(alice, bob):
        await connected(alice, 1)
        await alice.ask("video", "on")
        png = tmp_path / "alice.png"
        saved = await bob.ask("view", "alice", "--snapshot", str(png))
        assert (saved["width"], saved["height"]) == (320, 180)
        jpeg = await bob.ask("view", "alice", "--snapshot", str(tmp_path / "alice.jpg"))
        refused = await bob.blink("view", "alice", "--snapshot", str(tmp_path / "alice.gif"), expect=2)
        assert "PNG, a JPEG or a WebP" in refused.json["error"]["message"]
        begun = await bob.ask("record", "start", str(tmp_path / "recordings"))
        await bob.ask("video", "on")
        begun_s = time.monotonic()
        await asyncio.sleep(4.0)
        await alice.ask("video", "off")
        await asyncio.sleep(2.5)
        await alice.ask("video", "on")
        await asyncio.sleep(2.5)
        lasted_s = time.monotonic() - begun_s
        sidecar = document(Path(begun["sidecar"]))
        (done, *_) = (await bob.ask("record", "stop"))["files"]
        said = await clicks(alice, sidecar, 1.0, lasted_s - 1.0)
    assert (await asyncio.to_thread(Path(jpeg["path"]).read_bytes))[:3] == b"\xff\xd8\xff"
    path = Path(done["path"])
    sidecar = document(path.with_suffix(".json"))
    assert {one["nickname"] for one in sidecar["participants"] if one["pictures"]} == {"alice", "bob"}
    found = {one["nickname"]: one for one in sidecar["participants"]}
    start_s = sidecar["started_monotonic_s"]
    worst = {}
    for name in ("alice", "bob"):
        off_s = [
            abs(at_s + start_s - shown_s) for at_s, shown_s in seen_at(path, found[name]["pictures"]["track"])
        ]
        assert len(off_s) > 40
        worst[name] = max(off_s)
    assert max(worst.values()) < SYNC_S, worst
    heard_s = lateness_s(await decoded(path, found["alice"]["track"]), said)
    assert len(heard_s) >= 3
    assert max(map(abs, heard_s)) < SYNC_S
    # The signs while alice's camera was off, and her pictures on the same track behind them.
    alices = seen_at(path, found["alice"]["pictures"]["track"])
    assert any(at_s > 7.5 and abs(at_s + start_s - shown_s) < SYNC_S for at_s, shown_s in alices)


async def test_a_call_without_pictures_is_recorded_as_ever(machine: Machine, tmp_path: Path) -> None:
    alice, bob = await together(
        machine.serve("alice", "--input", "tone:440", "--output", "null"),
        machine.serve("bob", "--input", "tone:440", "--output", "null"),
    )
    async with call_of(alice, bob):
        await connected(alice, 1)
        await bob.blink("record", "start", str(tmp_path), "--pictures", expect=1)
        await bob.ask("record", "start", str(tmp_path))
        await asyncio.sleep(1.0)
        # Its tracks are fixed: who turns a camera on now is told that it is not in there.
        assert (await bob.ask("record", "status"))["pictures"] is False
        await bob.ask("set-camera", "testsrc?size=160x90&fps=5")
        switched = await bob.blink("video", "on")
        assert "began with voices alone" in switched.stderr
        (file, *_) = (await bob.ask("record", "stop"))["files"]
    with av.open(file["path"]) as container:
        assert [stream.type for stream in container.streams] == ["audio", "audio"]
    assert [one["pictures"] for one in document(Path(file["path"]).with_suffix(".json"))["participants"]] == [
        None
    ] * 2

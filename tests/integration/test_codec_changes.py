"""How voice is encoded changes in the middle of a call: nothing is lost, and the recording goes on without a gap."""

import asyncio
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from blink_cli.commands import running
from blink_cli.commands.codec_words import read_changes
from blink_cli.commands.global_options import GlobalOptions
from blink_cli.core.api.requests import SetCodec
from blink_cli.lab.continuity import clicks, gaps
from blink_cli.lab.session_calls import call_of, together
from blink_cli.lab.sessions import Machine
from tests.support.capture import capturing
from tests.support.decoded_track import decoded
from tests.support.header_capture import header_streams

pytestmark = [pytest.mark.timeout(240), pytest.mark.real_time(within_s=60)]

TONE_HZ = 440
EACH_S = 1.0
CHANGES = (
    ("bitrate=96k",),
    ("frame-ms=10",),
    ("frame-ms=2.5",),
    ("frame-ms=5", "dtx=on"),
    ("application=lowdelay",),
    ("frame-ms=20", "application=voip", "redundancy=1"),
    ("stereo=on", "bitrate=128000"),
    ("stereo=off", "fec=on", "bitrate=32000"),
)
FRAMES = {20: 960, 10: 480, 5: 240, 2.5: 120}


async def test_no_change_loses_anything_or_leaves_a_gap(machine: Machine, tmp_path: Path) -> None:
    alice, bob = await together(
        machine.serve("alice", "--input", f"tone:{TONE_HZ}", "--output", "null"),
        machine.serve("bob", "--input", "silence", "--output", "null"),
    )
    log, capture = tmp_path / "call.csv", tmp_path / "call.pcapng"
    async with capturing("lo", capture), call_of(alice, bob):
        await bob.ask("rtp-log", "start", str(log))
        await bob.ask("record", "start", str(tmp_path / "recording"))
        await asyncio.sleep(EACH_S)
        told: list[Any] = []
        told.append((await alice.ask("codec", "set", *CHANGES[0]))["codec"])
        # The others as a program would ask: a process for each would take longer than what is measured.
        at_alice = GlobalOptions(profile="alice", data_dir=machine.data_directory("alice"))
        async with await running.connect(at_alice) as session:
            for change in CHANGES[1:]:
                await asyncio.sleep(EACH_S)
                changes, _ = read_changes(change)
                reply = await session.ask(SetCodec(changes=changes))
                told.append(msgspec.to_builtins(reply)["codec"])
            await asyncio.sleep(EACH_S)
        now = (await alice.ask("status"))["codec"]["now"]
        (written,) = [
            Path(file["path"]) for file in (await bob.ask("record", "stop"))["files"] if file["kind"] == "mp4"
        ]
        figures = await bob.ask("rtp-analyze", str(log))
        await bob.ask("rtp-log", "stop")

    # What was asked for is told, and comes out.
    assert [codec["chosen"]["frame_ms"] for codec in told] == [20, 10, 2.5, 5, 5, 20, 20, 20]
    assert [codec["chosen"]["stereo"] for codec in told] == [False] * 6 + [True, False]
    assert (now["frame_ms"], now["channels"], now["fec_loss_percent"]) == (20, 1, 10)
    assert told[2]["remarks"], "of what short frames cannot do"

    # Nothing was lost, and one stream went on: its timestamps follow each other frame by frame.
    (stream,) = [s for s in figures["streams"] if s["peer"] == alice.did and s["direction"] == "received"]
    assert (stream["inbound"]["packets_lost"], stream["inbound"]["restarts"]) == (0, 0)
    (seen,) = [s for s in await header_streams(capture, "127.0.0.1") if s.ssrc == stream["inbound"]["ssrc"]]
    assert seen.lost == 0
    steps = [(later - earlier) % 2**32 for earlier, later in pairwise(seen.timestamps)]
    assert set(steps) == set(FRAMES.values())
    lengths = [step for step, before in pairwise([*steps, 0]) if step != before]
    assert lengths == [960, 480, 120, 240, 960]
    # At each length packets come as often as they should: the witness's clock is not ours.
    for frame_ms, ticks in FRAMES.items():
        times = [at for at, step in zip(seen.arrivals_s[1:], steps, strict=True) if step == ticks]
        if ticks != FRAMES[20]:  # those of 20 ms are in two stretches
            rate = (len(times) - 1) / (times[-1] - times[0])
            assert rate == pytest.approx(1000 / frame_ms, rel=0.05)

    # The recorded track is whole.
    sidecar = json.loads(written.with_suffix(".json").read_text())
    (entry,) = [one for one in sidecar["participants"] if one["did"] == alice.did]
    assert [gap for gap in entry["gaps"] if gap["to_s"] > 0.5] == []
    assert (entry["frames_late"], entry["clock_corrections"]) == (0, 0)
    sound = await decoded(written, entry["track"])
    whole = sound[24_000 : len(sound) - 12_000]
    assert len(whole) > EACH_S * len(CHANGES) * 48_000
    assert gaps(whole) == []
    assert clicks(whole, TONE_HZ, factor=10) == []

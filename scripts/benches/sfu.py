"""What a call through Janus costs, and what is heard in it: real sessions, light participants, a real server.

    cost     a call of 24: three sessions and light participants; beside it a mesh of five sessions
    voice    one voice, by a direct connection and through a room: PESQ-WB, and from microphone to speaker
    onsets   a listener with two slots, a speaker with pauses, two who take its slot in them: what is missing of its first sounds
    tracks   one of the 24 records, while the light participants say the same at the same moment: how far apart their tracks are
    freezes  it stands still in a call of three, for long and for moments: how long nobody was heard, and what the moments changed
    kills    the server is killed again and again in a call of three: how long nobody was heard, and until the room was there again

All runs on this machine: processor time is what the call costs, and one clock tells delays. `--only NAME` makes one of them.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from blink_cli.audio.samples import Samples
from blink_cli.codec.options import Source
from blink_cli.codec.pair_score import score
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.exit_codes import ExitCode
from blink_cli.lab.alignment import fit
from blink_cli.lab.janus_server import JanusServer
from blink_cli.lab.sessions import Machine, Session
from blink_cli.lab.spoken_phrases import with_pauses
from blink_cli.lab.voices import read_mono, turn, voice, write_mono
from blink_cli.runtime.tasks import TaskOwner

CONNECT_S: Final = 60.0
SETTLE_S: Final = 4.0
LOOK_S: Final = 0.1
LIGHT: Final = 21
KILLS: Final = 5
TRACK_S: Final = 3.0
"""Of each track is compared."""


def cpu_s(pid: int) -> float:
    """Processor seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def serve(machine: Machine, name: str, said: str, heard: str, *options: str) -> Session:
    """Start a session that answers everybody."""
    return await machine.serve(name, "--input", said, "--output", heard, "--auto-accept", *options)


async def until(holds: Callable[[], Awaitable[Any]], what: str) -> float:
    """Wait until something holds; returns the seconds that it took."""
    began_s = time.monotonic()
    while not await holds():
        if time.monotonic() - began_s > CONNECT_S:
            raise TimeoutError(f"{what}: not in {CONNECT_S:g} s")
        await asyncio.sleep(LOOK_S)
    return time.monotonic() - began_s


async def call_of(session: Session) -> Any:
    """The call as `status` has it; None: there is none."""
    return (await session.ask("status"))["call"]


async def linked(session: Session, others: int, kinds: Sequence[str] = ("sfu", "host")) -> bool:
    """Whether so many are connected, by ways of these kinds."""
    call = await call_of(session)
    people = [] if call is None else call["participants"]
    paths = [one["path"]["type"] for one in people if one["link"] == "connected" and one["path"] is not None]
    return len(paths) == others and set(paths) <= set(kinds)


async def used(sessions: Sequence[Session], janus: JanusServer | None, seconds: float) -> dict[str, Any]:
    """Per cent of a core."""
    before = [cpu_s(one.pid) for one in sessions]
    server_s = 0.0 if janus is None else janus.processor_s
    began_s = time.monotonic()
    await asyncio.sleep(seconds)
    elapsed_s = time.monotonic() - began_s
    found: dict[str, Any] = {
        "sessions_percent": [
            round(100 * (cpu_s(one.pid) - was_s) / elapsed_s, 1)
            for one, was_s in zip(sessions, before, strict=True)
        ]
    }
    if janus is not None:
        found["janus_percent"] = round(100 * (janus.processor_s - server_s) / elapsed_s, 1)
    return found


async def cost(janus: JanusServer, seconds: float) -> dict[str, Any]:
    """A mesh of five, then a call of 24 through the server. In both the three hear two who take turns, and two who speak all the time as light participants do."""
    async with Machine(interface=janus.media_address) as machine:
        sessions = [
            await serve(machine, f"m{n}", f"file:{said(machine, n)}?loop=1", "null")
            for n, said in enumerate((_turns, _turns, _turns, _steadily, _steadily))
        ]
        await sessions[0].ask("offer", *(f"m{n}" for n in range(1, 5)), "--wait", "10")
        await until(lambda: linked(sessions[0], 4), "the mesh")
        await asyncio.sleep(SETTLE_S)
        mesh = await used(sessions[:3], None, seconds)
        for session in sessions:
            await session.quit()
    async with Machine(interface=janus.media_address) as machine, TaskOwner("bench") as tasks:
        sessions = [
            await serve(machine, f"p{n}", f"file:{_turns(machine, n)}?loop=1", "null", "--sfu", janus.url)
            for n in range(3)
        ]
        load = tasks.start(_load(machine, janus, seconds + 2 * SETTLE_S), name="load")
        await until(lambda: linked(sessions[0], LIGHT + 2, ("sfu",)), "the call of 24")
        await asyncio.sleep(SETTLE_S)
        room = await used(sessions, janus, seconds)
        report = await load
        for session in sessions:
            await session.quit()
    mean = [sum(one["sessions_percent"]) / len(one["sessions_percent"]) for one in (mesh, room)]
    return {
        "mesh_of_5": mesh,
        "room_of_24": room,
        "session_against_mesh": round(mean[1] / mean[0], 2),
        "light_lost": report["total"]["received"]["packets_lost"],
    }


async def voices(janus: JanusServer, seconds: float) -> dict[str, Any]:
    """One voice both ways."""
    return {
        "direct": await _voice(janus, seconds, "mesh"),
        "room": await _voice(janus, seconds, "sfu"),
    }


async def _voice(janus: JanusServer, seconds: float, via: str) -> dict[str, Any]:
    async with Machine(interface=janus.media_address) as machine:
        # Whoever joins misses how somebody began before it came: the voice waits until both are there.
        quiet = np.zeros(round(SETTLE_S * SAMPLE_RATE_HZ), np.float32)
        said = write_mono(machine.directory / "said.wav", np.concatenate((quiet, voice(0, seconds))))
        heard = machine.directory / "heard.wav"
        ann = await serve(machine, "ann", f"file:{said}", "null", "--sfu", janus.url)
        bob = await serve(machine, "bob", "silence", f"wav:{heard}", "--sfu", janus.url)
        await ann.ask("offer", "bob", "--via", via, "--wait", "10")
        kind = {"mesh": "host", "sfu": "sfu"}[via]
        await until(lambda: linked(ann, 1, (kind,)), f"a link by {kind}")
        await asyncio.sleep(1.0)
        clocks = [(await one.ask("status"))["clocks"] for one in (ann, bob)]
        await asyncio.sleep(SETTLE_S + seconds)
        inbound = (await bob.ask("rtp-stats"))["peers"][0]["inbound"]
        for session in (ann, bob):
            await session.quit()
        found = score(Source(heard), Source(said), _no_progress)
    assert found.delay is not None, "the voice is found"
    begins = [
        one["monotonic_s"] - one[place]
        for one, place in zip(clocks, ("input_position_s", "output_position_s"), strict=True)
    ]
    return {
        "pesq_wb": found.pesq_wb,
        "mouth_to_ear_ms": round(found.delay.median_ms + 1000 * (begins[1] - begins[0]), 1),
        "gaps": len(found.gaps),
        "target_ms": round(
            1000 * inbound["jitterBufferTargetDelay"] / inbound["jitterBufferEmittedCount"], 1
        ),
        "jitter_ms": round(1000 * inbound["jitter"], 1),
    }


async def onsets(janus: JanusServer, seconds: float) -> dict[str, Any]:
    """What is missing of first sounds when slots are taken in the pauses."""
    del seconds  # as long as the phrases last
    async with Machine(interface=janus.media_address) as machine:
        spoken = with_pauses(0, pause_s=1.6, level_dbfs=-26, noise_dbfs=-70)
        said = write_mono(machine.directory / "said.wav", spoken.sound)
        heard = machine.directory / "heard.wav"
        settings = machine.data_directory("bob") / "profiles" / "bob" / "settings.toml"
        settings.parent.mkdir(parents=True, mode=0o700)
        settings.write_text("[sfu]\nheard_at_once = 2\n")
        bob = await serve(machine, "bob", "silence", f"wav:{heard}", "--sfu", janus.url)
        others = [
            await serve(
                machine, name, f"file:{_bursts(machine, name, every_s)}?loop=1", "null", "--sfu", janus.url
            )
            for name, every_s in (("cat", 1.9), ("dan", 2.3))
        ]
        ann = await serve(machine, "ann", f"file:{said}", "null", "--sfu", janus.url)
        await ann.ask("offer", "bob", "cat", "dan", "--via", "sfu", "--wait", "10")
        await until(lambda: linked(bob, 3, ("sfu",)), "the room")
        await asyncio.sleep(len(spoken.sound) / SAMPLE_RATE_HZ)
        peers = {one["nickname"]: one["inbound"] for one in (await bob.ask("rtp-stats"))["peers"]}
        for session in (ann, bob, *others):
            await session.quit()
        found = score(Source(heard), Source(said), _no_progress)
    return {
        "starts": found.starts,
        "clipped_ms": [one.duration_ms for one in found.clipped_starts],
        "of_ann_heard_share": round(
            peers["ann"]["packetsReceived"] * 0.02 / (len(spoken.sound) / SAMPLE_RATE_HZ), 2
        ),
        "packets_lost": peers["ann"]["packetsLost"],
    }


async def tracks(janus: JanusServer, seconds: float) -> dict[str, Any]:
    """How far apart the tracks of who says the same at the same moment are."""
    async with Machine(interface=janus.media_address) as machine, TaskOwner("bench") as tasks:
        sessions = [
            await serve(machine, f"p{n}", f"file:{_turns(machine, n)}?loop=1", "null", "--sfu", janus.url)
            for n in range(3)
        ]
        load = tasks.start(
            _load(machine, janus, seconds + 2 * SETTLE_S, "--input", "middle", "--burst"), name="load"
        )
        await until(lambda: linked(sessions[0], LIGHT + 2, ("sfu",)), "the call of 24")
        folder = machine.directory / "recorded"
        await sessions[0].ask("record", "start", str(folder), "--format", "wav")
        costs = await used(sessions[:1], janus, seconds)
        files = (await sessions[0].ask("record", "stop"))["files"]
        await load
        for session in sessions:
            await session.quit()
        sounds = {
            Path(one["path"]).name: read_mono(Path(one["path"]))
            for one in files
            if one["path"].endswith(".wav") and any("load" in who["nickname"] for who in one["participants"])
        }
    offsets_ms = _offsets_ms(list(sounds.values()))
    return {
        "files": len([one for one in files if one["path"].endswith(".wav")]),
        "compared": len(offsets_ms),
        "spread_ms": round(max(offsets_ms) - min(offsets_ms), 2) if offsets_ms else None,
        **costs,
    }


async def kills(janus: JanusServer, seconds: float) -> dict[str, Any]:
    """Kill the server in a call of three."""
    del seconds
    silent_s, back_s = [], []
    async with Machine(interface=janus.media_address) as machine:
        sessions = [await serve(machine, f"k{n}", "tone:440", "null", "--sfu", janus.url) for n in range(3)]
        await sessions[0].ask("offer", "k1", "k2", "--via", "sfu", "--wait", "10")
        for _ in range(KILLS):
            for session in sessions:
                await until(lambda one=session: linked(one, 2, ("sfu",)), "the room")  # type: ignore[misc]
            await asyncio.sleep(2.0)
            janus.kill()
            began_s = time.monotonic()
            before = await _received(sessions[1])
            await until(lambda was=before: _more(sessions[1], was), "voices without the room")  # type: ignore[misc]
            silent_s.append(round(time.monotonic() - began_s, 2))
            janus.start()
            began_s = time.monotonic()
            await until(lambda: linked(sessions[1], 2, ("sfu",)), "the room again")
            back_s.append(round(time.monotonic() - began_s, 2))
        for session in sessions:
            await session.quit()
    return {"silent_s": silent_s, "room_again_s": back_s}


async def freezes(janus: JanusServer, seconds: float) -> dict[str, Any]:
    """Have the server stand still in a call of three, for long and for moments."""
    del seconds
    silent_s, back_s = [], []
    async with Machine(interface=janus.media_address) as machine:
        sessions = [await serve(machine, f"k{n}", "tone:440", "null", "--sfu", janus.url) for n in range(3)]
        await sessions[0].ask("offer", "k1", "k2", "--via", "sfu", "--wait", "10")
        for _ in range(KILLS):
            for session in sessions:
                await until(lambda one=session: linked(one, 2, ("sfu",)), "the room")  # type: ignore[misc]
            await asyncio.sleep(7.0)  # direct connections of the last time are gone
            janus.freeze()
            began_s = time.monotonic()
            before = await _received(sessions[1])
            await until(lambda was=before: _more(sessions[1], was), "voices without the room")  # type: ignore[misc]
            silent_s.append(round(time.monotonic() - began_s, 2))
            await asyncio.sleep(3.0)
            janus.thaw()
            began_s = time.monotonic()
            await until(lambda: linked(sessions[1], 2, ("sfu",)), "the room again")
            back_s.append(round(time.monotonic() - began_s, 2))
        await asyncio.sleep(7.0)
        async with await sessions[1].events() as told:
            for stalled_s in (0.3, 0.6, 0.9, 1.2, 1.5):
                janus.freeze()
                await asyncio.sleep(stalled_s)
                janus.thaw()
                await asyncio.sleep(2.0)
            await sessions[0].ask("leave")
            await told.next("participant_left")
            moved = [one["event"] for one in told.seen if one["event"] in ("topology_changed", "sfu_lost")]
        for session in sessions:
            await session.quit()
    return {"silent_s": silent_s, "room_again_s": back_s, "moved_by_moments": moved}


async def _received(session: Session) -> dict[str, int]:
    peers = (await session.ask("rtp-stats"))["peers"]
    return {one["did"]: one["inbound"]["packetsReceived"] for one in peers if one["inbound"] is not None}


async def _more(session: Session, before: dict[str, int]) -> bool:
    """Whether ten more packets of everybody have come."""
    now = await _received(session)
    return len(now) == len(before) and all(now[did] >= came + 10 for did, came in before.items())


async def _load(machine: Machine, janus: JanusServer, seconds: float, *options: str) -> Any:
    words = ("--participants", str(LIGHT), "--seconds", str(seconds), "--wait", "20", "--sfu", janus.url)
    where = ("--group", machine.group, "--interface", janus.media_address)
    finished = await machine.run(
        "load",
        "--json",
        "load",
        "p0",
        "p1",
        "p2",
        *words,
        *where,
        *options,
        timeout_s=seconds + 3 * CONNECT_S,
    )
    return finished.json


def _turns(machine: Machine, number: int) -> Path:
    """A voice that talks a third of the time."""
    return write_mono(machine.directory / f"turns-{number}.wav", turn(number % 3, 3, 4.0))


def _steadily(machine: Machine, number: int) -> Path:
    """A voice that always talks."""
    return write_mono(machine.directory / f"steadily-{number}.wav", voice(number % 3, 20.0))


def _bursts(machine: Machine, name: str, every_s: float) -> Path:
    """Half a second of voice, again and again."""
    whole = np.zeros(round(every_s * SAMPLE_RATE_HZ), np.float32)
    said = voice(1, 0.5)
    whole[-len(said) :] = said
    return write_mono(machine.directory / f"{name}.wav", whole)


def _offsets_ms(sounds: Sequence[Samples]) -> list[float]:
    """By how much later each says the same as the first."""
    if not sounds:
        return []
    size, room = round(TRACK_S * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ // 5
    begin = min(len(one) for one in sounds) // 2
    first = sounds[0][begin : begin + size]
    found = [fit(first, one[begin - room : begin + size + room], longest_delay=2 * room) for one in sounds]
    return [1000 * (one.delay_samples - room) / SAMPLE_RATE_HZ for one in found if one is not None]


def _no_progress(_: float) -> None:
    pass


PARTS: Final = {
    "cost": cost,
    "voice": voices,
    "onsets": onsets,
    "tracks": tracks,
    "kills": kills,
    "freezes": freezes,
}


async def measured(only: str | None, seconds: float) -> dict[str, Any]:
    """Make all parts, or one."""
    found = {}
    for name, part in PARTS.items():
        if only in (None, name):
            with JanusServer() as janus:
                found[name] = await part(janus, seconds)
            sys.stderr.write(f"{name}: {json.dumps(found[name])}\n")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Print what was measured."""
    parser = argparse.ArgumentParser(prog="scripts/bench sfu", description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=tuple(PARTS), help="this part alone")
    parser.add_argument("--seconds", type=float, default=12.0, help="how long each part listens")
    parser.add_argument("--json", action="store_true", help="one document")
    chosen = parser.parse_args(argv)
    found = asyncio.run(measured(chosen.only, chosen.seconds))
    if chosen.json:
        sys.stdout.write(json.dumps(found) + "\n")
    else:
        for name, figures in found.items():
            sys.stdout.write(f"{name}\n")
            for key, value in figures.items():
                sys.stdout.write(f"  {key:<22}{json.dumps(value)}\n")
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())

"""The RTP log of real sessions: what it holds equals what tshark saw, live and offline figures agree, and no disk stops a call."""

import asyncio
import csv
import itertools
import json
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
import soundfile

from blink_cli.core.impairment.conditions import Conditions
from blink_cli.lab.network.laboratory import Laboratory
from blink_cli.lab.requirements import require_program
from blink_cli.lab.session_calls import call_of, together
from blink_cli.lab.sessions import Machine, Session, free_group
from tests.support.capture import capturing
from tests.support.header_capture import HeaderStream, header_streams
from tests.support.wall_clock import WallClock

pytestmark = [pytest.mark.real_time(within_s=60), pytest.mark.in_pairs]

BAD_LINE = Conditions(loss=0.05, delay_ms=40, jitter_ms=12, reordering=0.02, duplication=0.03)
BAD_S = 12.0
JITTER_TOLERANCE_MS = 0.2
STOPPED_S = 3.0
FRAME_S = 0.02


async def peers(machine_a: Machine, machine_b: Machine) -> tuple[Session, Session]:
    alice, bob = await together(
        machine_a.serve("alice", "--input", "tone:440", "--output", "null"),
        machine_b.serve("bob", "--input", "tone:300", "--output", "null"),
    )
    return alice, bob


def received(figures: Any, peer: Session) -> Any:
    (stream,) = [s for s in figures["streams"] if s["peer"] == peer.did and s["direction"] == "received"]
    return stream["inbound"]


@pytest.mark.netns
async def test_figures_equal_tsharks_of_the_same_call(lab: Laboratory, tmp_path: Path) -> None:
    hosts = await lab.hosts("alice", "bob")
    alice, bob = await peers(hosts[0].machine, hosts[1].machine)
    log, capture, plot = tmp_path / "call.csv", tmp_path / "call.pcapng", tmp_path / "call.png"
    assert (await bob.ask("rtp-log", "start", str(log)))["state"] == "waiting"
    async with capturing("eth0", capture, prefix=hosts[1].prefix), call_of(alice, bob):
        await lab.set_conditions(BAD_LINE, source=[hosts[0]], target=[hosts[1]])
        await asyncio.sleep(BAD_S)
        # With her cable pulled alice sends nothing more; what is under way has come when bob is asked.
        await lab.unplug(hosts[0])
        await asyncio.sleep(0.5)
        (live,) = (await bob.ask("rtp-stats"))["peers"]
        stopped = await bob.ask("rtp-log", "stop")
        offline = received(await bob.ask("rtp-analyze", str(log), "--plot", str(plot)), alice)
        # Before the cable is back: then she sends on.
        (seen,) = [s for s in await header_streams(capture, hosts[0].address) if s.ssrc == offline["ssrc"]]
        await lab.plug_in(hosts[0])
    (written,) = stopped["files"]
    assert (written["rows_lost"], stopped["state"]) == (0, "off")
    judged = seen.judged_by_tshark(tmp_path / "rewritten.pcap")

    # Live and offline are the same code and saw the same packets.
    inbound, analysis = live["inbound"], live["inbound"]["analysis"]
    for name in ("packets_received", "packets_lost", "packets_duplicated", "packets_reordered", "loss"):
        assert offline[name] == analysis[name], name
    for name in ("jitter_ms", "mean_jitter_ms", "max_jitter_ms", "max_delta_ms", "mean_delta_ms"):
        assert offline[name] == pytest.approx(analysis[name], abs=0.002), name
    assert offline["repair"]["recovered"] == analysis["repair"]["recovered"] > 0
    assert offline["repair"]["missing"] == analysis["repair"]["missing"]
    assert offline["buffer_delay_ms"] == pytest.approx(analysis["buffer_delay_ms"], abs=0.5)
    assert offline["quality"]["mos"] == pytest.approx(analysis["quality"]["mos"], abs=0.05)

    # Loss, copies and reordering are tshark's, exactly.
    assert offline["packets_received"] == inbound["packetsReceived"] == len(set(seen.extended))
    assert offline["packets_lost"] == inbound["packetsLost"] == seen.lost > 10
    assert offline["packets_duplicated"] == inbound["packetsDuplicated"] == seen.duplicated > 5
    assert offline["packets_reordered"] == inbound["packetsReordered"] == seen.reordered > 5
    assert judged.packets == len(seen.sequences)
    if seen.extended[-1] == max(seen.extended):  # else tshark ends at the last packet, below the highest
        assert judged.lost == offline["packets_lost"] - offline["packets_duplicated"]

    # Times are tshark's: by the formula of RFC 3550 over its fields, and by its own table.
    assert offline["mean_jitter_ms"] == pytest.approx(mean_jitter_ms(seen), abs=0.01)
    assert offline["max_delta_ms"] == pytest.approx(judged.max_delta_ms, abs=JITTER_TOLERANCE_MS)
    assert offline["mean_jitter_ms"] == pytest.approx(judged.mean_jitter_ms, abs=JITTER_TOLERANCE_MS)
    assert inbound["jitter"] * 1000 == pytest.approx(offline["jitter_ms"], abs=0.002)
    print(  # noqa: T201 - shown on failure, and with -s
        {name: offline[name] for name in ("packets_lost", "packets_duplicated", "packets_reordered")},
        f"max delta {offline['max_delta_ms']:.4f} / {judged.max_delta_ms:.4f} ms,",
        f"mean jitter {offline['mean_jitter_ms']:.4f} / {judged.mean_jitter_ms:.4f} ms,",
        f"max jitter {offline['max_jitter_ms']:.4f} / {judged.max_jitter_ms:.4f} ms",
    )

    # The exported capture holds the same streams, headers and times.
    exported = await bob.ask("rtp-log", "export", str(log))
    tshark = await tshark_streams(Path(exported["path"]))
    assert tshark[offline["ssrc"]] == (judged.packets, judged.lost)
    assert plot.read_bytes().startswith(b"\x89PNG")


@pytest.mark.netns
async def test_a_session_that_stood_still_knows_when_its_packets_came(
    lab: Laboratory, tmp_path: Path
) -> None:
    """SIGSTOP for 3 s: the kernel stamps what waits in the socket, as it does for the capture beside it."""
    hosts = await lab.hosts("alice", "bob", "carol")
    alice, bob, carol = await together(
        *(host.machine.serve(host.name, "--input", "tone:440", "--output", "null") for host in hosts)
    )
    log, capture = tmp_path / "call.csv", tmp_path / "call.pcapng"
    await bob.ask("rtp-log", "start", str(log))
    async with capturing("eth0", capture, prefix=hosts[1].prefix), call_of(alice, bob, carol):
        await asyncio.sleep(1.0)
        bob.signal(signal.SIGSTOP)
        await asyncio.sleep(STOPPED_S)
        bob.signal(signal.SIGCONT)
        await asyncio.sleep(1.0)
        await bob.ask("rtp-log", "stop")
    rows = list(csv.DictReader((await asyncio.to_thread(log.read_text)).splitlines()))
    for host, peer in ((hosts[0], alice), (hosts[2], carol)):
        found = await times_are_those_of(capture, host.address, rows, peer)
        assert found >= (STOPPED_S + 1.5) / FRAME_S
    await export_runs_forward(bob, log)


async def test_a_wall_clock_that_is_set_in_a_call_moves_no_packet(tmp_path: Path) -> None:
    clock = WallClock(tmp_path)
    log, capture = tmp_path / "call.csv", tmp_path / "call.pcapng"
    group = free_group()
    async with Machine(group=group) as here, Machine(group=group, environment=clock.environment) as there:
        alice, bob = await peers(here, there)
        await bob.ask("rtp-log", "start", str(log))
        async with capturing("lo", capture), call_of(alice, bob):
            for ahead_s in (3600.0, -0.5, 0.3, -86_400.0, 0.0):
                await asyncio.sleep(0.5)
                clock.set(ahead_s=ahead_s)
            await asyncio.sleep(0.5)
            await bob.ask("rtp-log", "stop")
        rows = list(csv.DictReader((await asyncio.to_thread(log.read_text)).splitlines()))
        assert await times_are_those_of(capture, "127.0.0.1", rows, alice) > 100
        await export_runs_forward(bob, log)


async def times_are_those_of(capture: Path, address: str, rows: list[dict[str, str]], peer: Session) -> int:
    """Rows run forward, and this peer's packets came when the capture says, to a millisecond. Returns their number."""
    times_s = [float(row["time_s"]) for row in rows]
    assert all(later >= earlier for earlier, later in itertools.pairwise(times_s)), "rows run back"
    logged = [
        row
        for row in rows
        if (row["event"], row["direction"], row["peer"]) == ("packet", "received", peer.did)
    ]
    seen = {stream.ssrc: stream for stream in await header_streams(capture, address)}[int(logged[0]["ssrc"])]
    captured_s = dict(zip(seen.sequences, seen.arrivals_s, strict=True))
    offsets_s = [captured_s[int(row["sequence"]) & 0xFFFF] - float(row["time_s"]) for row in logged]
    assert max(offsets_s) - min(offsets_s) < 0.001
    return len(logged)


async def export_runs_forward(session: Session, log: Path) -> None:
    """No packet of the exported capture comes before the one before it, says tshark."""
    exported = await session.ask("rtp-log", "export", str(log))
    deltas = await tshark_fields(Path(exported["path"]), "frame.time_delta")
    assert len(deltas) > 100
    assert min(float(delta) for delta in deltas) >= 0.0


def mean_jitter_ms(stream: HeaderStream) -> float:
    """RFC 3550, section 6.4.1 and appendix A.8, over what tshark captured, in the order of arrival."""
    jitter_s, values = 0.0, []
    arrivals = list(zip(stream.arrivals_s, stream.timestamps, strict=True))
    for (before_s, earlier), (arrival_s, timestamp) in itertools.pairwise(arrivals):
        ticks = (timestamp - earlier + 2**31) % 2**32 - 2**31
        jitter_s += (abs(arrival_s - before_s - ticks / 48_000) - jitter_s) / 16
        values.append(1000 * jitter_s)
    return sum(values) / len(values)


async def tshark_fields(file: Path, field: str) -> list[str]:
    """One field of every packet."""
    process = await asyncio.create_subprocess_exec(
        *(require_program("tshark"), "-n", "-r", str(file), "-T", "fields", "-e", field),
        stdout=asyncio.subprocess.PIPE,
    )
    stdout, _ = await process.communicate()
    assert process.returncode == 0
    return stdout.decode().split()


async def tshark_streams(file: Path) -> dict[int, tuple[int, int]]:
    """Packets and lost of each SSRC, by tshark."""
    process = await asyncio.create_subprocess_exec(
        *(require_program("tshark"), "-r", str(file), "-d", "udp.port==5004,rtp", "-q", "-z", "rtp,streams"),
        stdout=asyncio.subprocess.PIPE,
    )
    stdout, _ = await process.communicate()
    assert process.returncode == 0
    rows = re.finditer(r"(0x[0-9A-Fa-f]{8})\s.*?\s(\d+)\s+(-?\d+) \(", stdout.decode())
    return {int(row[1], 16): (int(row[2]), int(row[3])) for row in rows}


async def test_every_command_on_a_real_call(machine: Machine, tmp_path: Path) -> None:
    alice, bob = await peers(machine, machine)
    folder = tmp_path / "logs"
    assert (await alice.ask("rtp-log", "status"))["state"] == "off"
    assert (await alice.blink("rtp-log", "pause", expect=1)).json["error"]["code"] == "state"
    async with call_of(alice, bob) as call, await alice.events() as events:
        state = await alice.ask("rtp-log", "start", f"{folder}/")
        assert (state["state"], state["call"]) == ("logging", call)
        started = await events.next("rtp_log_started")
        log = Path(started["path"])
        assert log.parent == folder
        again = (await alice.blink("rtp-log", "start", str(tmp_path / "other.csv"), expect=1)).json
        assert again["error"]["code"] == "state"
        await asyncio.sleep(1.5)
        assert (await alice.ask("rtp-log", "pause"))["state"] == "paused"
        await asyncio.sleep(1.0)
        assert (await alice.ask("rtp-log", "resume"))["state"] == "logging"
        await asyncio.sleep(1.5)
        assert (await alice.ask("rtp-log", "status"))["rows"] > 50
    stopped = await events_of_end(alice, folder)
    figures = received(await alice.ask("rtp-analyze", str(log)), bob)
    assert figures["packets_lost"] == 0, "a pause is no loss"
    rows = list(csv.DictReader((await asyncio.to_thread(log.read_text)).splitlines()))
    assert len(rows) == stopped["rows"]
    kinds = [row["event"] for row in rows]
    assert kinds[0] == "call_began"
    assert kinds[-1] == "call_ended"
    assert {"link_connected", "packet", "sender_report", "reception_report", "playout", "paused"} <= set(
        kinds
    )
    paused, resumed = kinds.index("paused"), kinds.index("resumed")
    assert "packet" not in kinds[paused:resumed]
    assert "packet" in kinds[resumed:]
    assert float(rows[resumed]["time_s"]) - float(rows[paused]["time_s"]) > 1.0
    heard = [row for row in rows if row["direction"] == "received" and row["event"] == "packet"]
    assert sum(row["outcome"] == "played" for row in heard) > 0.8 * len(heard)
    assert {row["peer"] for row in heard} == {bob.did}


async def events_of_end(session: Session, folder: Path) -> Any:
    """The one file that the call's end closed; the folder waits for the next call."""

    def closed(finished: Any) -> bool:
        return bool(finished["files"])

    for _ in range(50):
        state = await session.ask("rtp-log", "status")
        if closed(state):
            break
    assert state["state"] == "waiting"
    assert state["path"] == str(folder)
    (file,) = state["files"]
    assert file["reason"] == "the call ended"
    return file


async def test_a_file_is_never_overwritten_and_wrong_paths_are_told(machine: Machine, tmp_path: Path) -> None:
    alice = await machine.serve("alice", "--input", "silence", "--output", "null")
    precious = tmp_path / "precious.csv"
    precious.write_text("mine")
    refused = await alice.blink("rtp-log", "start", str(precious), expect=2)
    assert "overwrites nothing" in refused.json["error"]["message"]
    assert precious.read_text() == "mine"
    nowhere = await alice.blink("rtp-log", "start", str(tmp_path / "no" / "log.csv"), expect=2)
    assert "slash" in nowhere.json["error"]["hint"]
    assert (await alice.ask("rtp-log", "status"))["state"] == "off"
    foreign = await alice.blink("rtp-analyze", str(precious), expect=2)
    assert "no RTP log" in foreign.json["error"]["message"]
    assert (await alice.blink("rtp-analyze", str(tmp_path / "gone.csv"), expect=3)).json["error"]["hint"]


@pytest_asyncio.fixture
async def cramped() -> AsyncIterator[Machine]:
    """A machine whose processes cannot write files of more than 60 kB: the real error of a disk without room."""
    async with Machine(prefix=(require_program("prlimit"), "--fsize=60000")) as machine:
        yield machine


async def test_a_full_disk_ends_the_log_and_not_the_call(cramped: Machine, tmp_path: Path) -> None:
    alice, bob = await peers(cramped, cramped)
    async with call_of(alice, bob), await alice.events() as events:
        await alice.ask("rtp-log", "start", str(tmp_path / "call.csv"))
        stopped = await events.next("rtp_log_stopped")
        assert "too large" in stopped["reason"].lower()
        state = await alice.ask("rtp-log", "status")
        assert (state["state"], state["files"][0]["reason"]) == ("off", stopped["reason"])
        before = (await alice.ask("rtp-stats"))["peers"][0]["inbound"]["packetsReceived"]
        await alice.until(
            "rtp-stats",
            lambda figures: figures["peers"][0]["inbound"]["packetsReceived"] > before + 25,
            what="the call goes on",
        )
        # What was written stays good, but for the line that did not fit.
        figures = await alice.ask("rtp-analyze", stopped["path"])
        assert received(figures, bob)["packets_received"] > 20
        assert figures["rows_unreadable"] <= 1
        nowhere = await alice.blink("rtp-log", "start", "/proc/blink.csv", expect=1)
        assert "No RTP log can be written" in nowhere.json["error"]["message"]
        assert (await alice.ask("rtp-log", "status"))["state"] == "off"


async def test_rtp_stats_watch_prints_one_document_a_second(machine: Machine) -> None:
    alice, bob = await peers(machine, machine)
    async with call_of(alice, bob):
        process = await asyncio.create_subprocess_exec(
            *machine.command("alice", "--json", "rtp-stats", "--watch"),
            stdout=asyncio.subprocess.PIPE,
            env=machine.environment,
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(20):
                documents = [json.loads(await process.stdout.readline()) for _ in range(3)]
        finally:
            process.terminate()
            await process.communicate()
        counts = [document["peers"][0]["inbound"]["packetsReceived"] for document in documents]
        assert counts == sorted(counts)
        assert counts[2] > counts[0]
        analysis = documents[2]["peers"][0]["inbound"]["analysis"]
        assert analysis["loss"]["gmin_packets"] == 16


async def test_a_call_of_three_is_replayed_to_the_file_that_was_heard(
    machine: Machine, tmp_path: Path
) -> None:
    """With a session that stood still, a gain and a deafening in it; and all see that who logs for a replay records."""
    log, heard = tmp_path / "call.csv", tmp_path / "heard.wav"
    alice, bob, carol = await together(
        machine.serve("alice", "--input", "tone:440", "--output", "null"),
        machine.serve("bob", "--input", "silence", "--output", f"wav:{heard}"),
        machine.serve("carol", "--input", "tone:620", "--output", "null"),
    )
    await bob.ask("rtp-log", "start", str(log), "--decisions", "--replayable", "--payload")
    async with await bob.events() as events:
        async with call_of(alice, bob, carol):
            await alice.until(
                "participants",
                lambda shown: (
                    [one["nickname"] for one in shown["participants"] if one["recording"]] == ["bob"]
                ),
                what="bob is shown as recording",
            )
            await bob.blink("gain", "alice", "-6")
            bob.signal(signal.SIGSTOP)
            await asyncio.sleep(0.8)
            bob.signal(signal.SIGCONT)
            await bob.blink("deafen")
            await bob.blink("undeafen")
        await events.next("rtp_log_stopped")
    out = tmp_path / "again"
    again = await bob.ask("lab", "replay", str(log), "--out", str(out), "--set", "minimum-delay-ms=120")
    assert (again["is_same"], again["is_whole"]) == (True, True), again
    (speaker,) = again["speakers"]
    for written, replayed in (
        (heard, speaker["wav"]),
        (log.with_name("call.playout.jsonl"), again["decisions"]),
    ):
        assert await asyncio.to_thread(Path(replayed).read_bytes) == await asyncio.to_thread(
            written.read_bytes
        )
    assert {peer["peer"] for peer in again["peers"]} == {alice.did, carol.did}
    for peer in again["peers"]:
        assert peer["from_beginning"]
        assert peer["changed"]["mean_target_ms"] >= 120
    await payloads_are_heard(bob, log, tmp_path / "tracks", {440, 620})


async def payloads_are_heard(session: Session, log: Path, folder: Path, tones_hz: set[int]) -> None:
    """The capture made of a log that keeps payloads holds everybody's voice."""
    exported = await session.ask("rtp-log", "export", str(log), "--playable")
    assert exported["payloads"] == exported["packets"] > 50
    found = await session.ask("rtp-analyze", exported["path"], "--tracks", str(folder))
    heard = [stream for stream in found["streams"] if stream["target"] == "10.0.0.1:5004"]
    assert {kind["codec"] for stream in heard for kind in stream["payload_types"]} == {"opus"}
    assert {await asyncio.to_thread(loudest_hz, stream["track"]) for stream in heard} == tones_hz


def loudest_hz(track: str) -> float:
    """The strongest frequency of a second of sound, to 10 Hz: a packet that was lost breaks a tone's phase, which moves its peak by a hertz."""
    sound, rate_hz = soundfile.read(track, dtype="float32")
    second = sound[rate_hz // 4 :][:rate_hz]
    return round(float(np.argmax(np.abs(np.fft.rfft(second))) * rate_hz / len(second)), -1)

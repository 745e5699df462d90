"""`load` against a real session: what it counts is what was on the wire."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from blink_cli.lab.program_run import Finished
from blink_cli.lab.session_calls import together
from blink_cli.lab.session_events import Events
from blink_cli.lab.sessions import Machine, Session
from tests.support.capture import RtpStream, capturing, rtp_streams

pytestmark = pytest.mark.real_time

PARTICIPANTS = 6


async def test_what_a_load_counts_is_what_was_on_the_wire(machine: Machine, tmp_path: Path) -> None:
    bob = await machine.serve("bob", "--input", "silence", "--output", "null", "--auto-accept")
    file = tmp_path / "load.pcapng"
    async with capturing("lo", file):
        report = (await _load(machine, "bob", "--seconds", "2")).json
    assert report["ended"] == "time"
    total = report["total"]
    assert (total["links_wanted"], total["links_connected"]) == (PARTICIPANTS, PARTICIPANTS)
    assert len(report["participants"]) == PARTICIPANTS

    everything = await rtp_streams(file)
    streams = {stream.ssrc: stream for stream in everything}
    told = {one["ssrc"] for link in _links(report) for one in link["streams_sent"] + link["streams_received"]}
    assert len(told) == 2 * PARTICIPANTS
    sockets = {streams[one["ssrc"]].source for link in _links(report) for one in link["streams_sent"]}
    ours = {stream.ssrc for stream in everything if {stream.source, stream.target} & sockets}
    assert ours == told, "one stream each way for each participant, and none among them"
    sent = [_the_same(streams, link["streams_sent"]) for link in _links(report)]
    assert sent == [link["sent"]["packets"] for link in _links(report)]
    received = [_the_same(streams, link["streams_received"]) for link in _links(report)]
    assert received == [link["received"]["packets"] for link in _links(report)]
    assert (sum(sent), sum(received)) == (total["sent"]["packets"], total["received"]["packets"])
    for link in _links(report):
        assert link["sent"]["packets"] >= 2 * 50
        _same_times(streams[link["streams_received"][0]["ssrc"]], link["received"])
        assert link["sent"]["reported_lost"] == 0
        assert 0 < link["delays"]["round_trip_ms"]["p50"] < 50

    calls = await bob.ask("calls")
    assert calls["call"] is None, "everybody has left"


def _links(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [link for participant in report["participants"] for link in participant["links"]]


def _the_same(streams: dict[int, RtpStream], told: list[dict[str, Any]]) -> int:
    """How many packets of these streams were captured, up to the last that was counted: what came when the link had been closed is not."""
    packets = 0
    for one in told:
        captured = streams[one["ssrc"]]
        highest = one["highest_sequence"]
        last = None if highest is None else captured.sequences.index(highest % 65536)
        packets += len(set(captured.sequences[: None if last is None else last + 1]))
    return packets


def _same_times(captured: RtpStream, received: dict[str, Any]) -> None:
    arrivals = captured.arrivals_s[: received["packets"]]
    intervals_ms = [1000 * (after - before) for before, after in pairwise(arrivals)]
    told = received["interval_ms"]
    assert told["count"] == len(intervals_ms)
    assert told["max"] == pytest.approx(max(intervals_ms), abs=0.6)
    assert told["p50"] == pytest.approx(sorted(intervals_ms)[len(intervals_ms) // 2], abs=0.6)


async def test_who_rejects_or_is_not_there_is_no_answer(machine: Machine) -> None:
    bob = await machine.serve("bob", "--input", "silence", "--output", "null")
    async with await bob.events() as rings:
        refused, _ = await together(_load(machine, "bob", expect=3), _reject(bob, rings))
    assert refused.json["error"]["code"] == "not_found"
    assert "declined" in refused.json["error"]["message"]
    missing = await _load(machine, "nobody", "--wait", "0.2", expect=3)
    assert "nobody" in missing.json["error"]["message"]


async def _reject(bob: Session, rings: Events) -> None:
    await rings.next("incoming_call")
    await bob.blink("reject")


async def _load(machine: Machine, peer: str, *options: str, expect: int = 0) -> Finished:
    where = ("--group", machine.group, "--interface", "127.0.0.1")
    words = ("load", peer, "--participants", str(PARTICIPANTS), *where, *options)
    finished = await machine.run("load", "--json", *words)
    assert finished.exit_code == expect, finished.report()
    return finished

"""Two people on one LAN: what is said is heard, and the figures are true."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from blink_cli.lab.listening import Clocks, Listener, Speaker, who_is_heard
from blink_cli.lab.network.laboratory import Host, Laboratory
from blink_cli.lab.session_calls import call_of, together
from blink_cli.lab.sessions import Session
from blink_cli.lab.speech_quality import aligned, pesq_wb
from blink_cli.lab.voices import read_mono, voice, write_mono
from tests.support.capture import capturing, rtp_streams

pytestmark = [pytest.mark.netns, pytest.mark.real_time(within_s=60)]

TALK_S = 10.0
MAX_DELAY_S = 0.5

SETTLE_S = 3.0
"""While a call is set up, a loaded machine's arrivals spread; the playout delay then shrinks, and one delay fits all that follows."""


async def talker(host: Host, name: str, index: int, folder: Path) -> Session:
    said = write_mono(folder / f"{name}-says.wav", voice(index, 20.0))
    heard = folder / f"{name}-hears.wav"
    return await host.machine.serve(name, "--input", f"file:{said}?loop=1", "--output", f"wav:{heard}")


CALLS = 5
"""The figure is of the program, not of the machine: a call during which the machine kept the voice threads from running is made again."""

STARVED_TICKS = 3
"""Steps of 10 ms that ran more than 10 ms late, in a call of 13 s. Undisturbed there is none; each is a gap that PESQ hears."""


async def test_both_hear_each_other_and_every_count_agrees(lab: Laboratory, tmp_path: Path) -> None:
    hosts = await lab.hosts("alice", "bob")
    for call in range(CALLS):
        folder = tmp_path / str(call)
        folder.mkdir()
        worst_pesq, starved_ticks = await one_call(hosts, folder)
        if worst_pesq >= 4.2 or starved_ticks <= STARVED_TICKS:
            break
        print(f"call {call}: PESQ-WB {worst_pesq:.2f}, {starved_ticks} steps starved")  # noqa: T201 - shown on failure
    assert worst_pesq >= 4.2, f"{starved_ticks} steps starved"


async def one_call(hosts: list[Host], folder: Path) -> tuple[float, int]:
    """The worse PESQ-WB of the two directions, and how many steps of the voice threads ran late."""
    alice, bob = await together(*(talker(h, h.name, n, folder) for n, h in enumerate(hosts)))
    async with capturing("eth0", folder / "call.pcapng", prefix=hosts[1].prefix), call_of(alice, bob):
        from_s = time.monotonic() + SETTLE_S
        await asyncio.sleep(SETTLE_S + TALK_S)
        statuses = await together(alice.ask("status"), bob.ask("status"))
        statistics = await together(alice.ask("rtp-stats"), bob.ask("rtp-stats"))
    await together(alice.quit(), bob.quit())

    scores = []
    for listener, speaker, n in ((alice, bob, 0), (bob, alice, 1)):
        ear = Listener.of(statuses[n], folder / f"{listener.profile}-hears.wav")
        mouth = Speaker(Clocks.of(statuses[1 - n]), read_mono(folder / f"{speaker.profile}-says.wav"))
        heard = who_is_heard(ear, {speaker.profile: mouth}, from_s, TALK_S, max_delay_s=MAX_DELAY_S)[
            speaker.profile
        ]
        assert heard.correlation >= 0.9, (heard, statistics[n])
        said, played, _ = aligned(mouth.between(from_s, TALK_S), ear.between(from_s, TALK_S))
        scores.append(pesq_wb(said, played))
        (link,) = statistics[n]["peers"]
        assert link["did"] == speaker.did
        assert link["inbound"]["packetsLost"] == 0, link
        assert link["inbound"]["packetsReceived"] >= TALK_S * 50 * 0.98, link
    await counts_agree_with_the_capture(statistics, folder / "call.pcapng")
    starved = sum(figures[end]["late_ticks"] for figures in statistics for end in ("input", "output"))
    return min(scores), starved


async def counts_agree_with_the_capture(statistics: list[Any], file: Path) -> None:
    """The capture lasts longer than the figures: it may hold more, by what was sent in that time; never less."""
    captured = {stream.source.partition(":")[0]: stream for stream in await rtp_streams(file)}
    assert len(captured) == 2, captured.keys()
    assert all(stream.distinct == stream.packets for stream in captured.values()), "nothing is sent twice"
    in_order = sorted(captured.values(), key=lambda stream: stream.source)
    for n, outgoing in enumerate(in_order):
        (sent,), (received,) = statistics[n]["peers"], statistics[1 - n]["peers"]
        sequences = outgoing.sequences
        span = (sequences[-1] - sequences[0]) % 2**16 + 1
        assert span == outgoing.packets, "the sequence has no hole on the wire"
        for count in (sent["outbound"]["packetsSent"], received["inbound"]["packetsReceived"]):
            assert 0 <= outgoing.packets - count <= 250, (outgoing.packets, count)


async def test_final_counts_equal_the_capture(lab: Laboratory, tmp_path: Path) -> None:
    """A finite call, counted to the packet: the receiver's figures of a sender that was stopped first."""
    hosts = await lab.hosts("alice", "bob")
    alice, bob = await together(*(talker(h, h.name, n, tmp_path) for n, h in enumerate(hosts)))
    async with capturing("eth0", tmp_path / "call.pcapng", prefix=hosts[1].prefix), call_of(alice, bob):
        await asyncio.sleep(2.0)
        # Frozen, alice sends nothing more; bob has long received what she sent when he is asked.
        await lab.unplug(hosts[0])
        await asyncio.sleep(0.5)
        (link,) = (await bob.ask("rtp-stats"))["peers"]
        received = link["inbound"]["packetsReceived"]
        async with asyncio.timeout(10):  # tshark writes what it has seen a moment later
            while (  # noqa: ASYNC110 - a file of another process
                captured := await captured_of(hosts[0], tmp_path / "call.pcapng")
            ) < received:
                await asyncio.sleep(0.1)
        assert captured == received
        await lab.plug_in(hosts[0])


async def captured_of(host: Host, file: Path) -> int:
    """How many packets of this host's stream the capture holds by now."""
    streams = {stream.source.partition(":")[0]: stream for stream in await rtp_streams(file)}
    return streams[host.address].packets


async def test_a_call_with_no_network_but_loopback(lab: Laboratory, tmp_path: Path) -> None:
    host = await lab.lonely_host("island")
    alice, bob = await together(talker(host, "alice", 0, tmp_path), talker(host, "bob", 1, tmp_path))
    # Found by name: DNS-SD has nothing but loopback either.
    await alice.until(
        "peers", lambda peers: any(p["nickname"] == "bob" and p["alive"] for p in peers), what="bob is seen"
    )
    await together(alice.blink("offer", "bob", "--wait", "10"), bob.blink("accept", "--wait", "10"))
    from_s = time.monotonic() + SETTLE_S
    await asyncio.sleep(SETTLE_S + 5.0)
    statuses = await together(alice.ask("status"), bob.ask("status"))
    statistics = await bob.ask("rtp-stats")
    await together(alice.quit(), bob.quit())
    ear = Listener.of(statuses[1], tmp_path / "bob-hears.wav")
    mouth = Speaker(Clocks.of(statuses[0]), read_mono(tmp_path / "alice-says.wav"))
    heard = who_is_heard(ear, {"alice": mouth}, from_s, 5.0, max_delay_s=MAX_DELAY_S)["alice"]
    assert heard.correlation >= 0.9, (heard, statistics)

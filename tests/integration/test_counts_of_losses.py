"""On a line that loses: a capture beside each of two sessions agrees with what they count as lost, asked for, sent again and got."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from blink_cli.core.impairment.conditions import Conditions
from blink_cli.core.media.rtx import RTX_PAYLOAD_TYPE
from blink_cli.lab.network.laboratory import Host, Laboratory
from blink_cli.lab.session_calls import call_of, together
from blink_cli.lab.sessions import Session
from tests.support.capture import RtpStream, capturing, requests_s, rtp_streams

pytestmark = [pytest.mark.netns, pytest.mark.real_time]

LOSSY_S = 6.0
OLD_S = 0.25
"""Figures are told at beats of a tenth of a second; and a gap is no loss before a later packet shows it."""

AT_ONCE = 6
"""Packets that are under way between the two captures, or were put behind each other."""


async def test_a_capture_agrees_with_what_is_lost_asked_for_and_got(lab: Laboratory, tmp_path: Path) -> None:
    hosts = await lab.hosts("alice", "bob")
    files = [tmp_path / f"{host.name}.pcapng" for host in hosts]
    sessions = await together(*(_serve(host) for host in hosts))
    async with (
        capturing("eth0", files[0], prefix=hosts[0].prefix),
        capturing("eth0", files[1], prefix=hosts[1].prefix),
        call_of(*sessions),
    ):
        await lab.set_conditions(Conditions(loss=0.1))
        await asyncio.sleep(LOSSY_S)
        asked_s, figures = [time.time()], await together(*(one.ask("rtp-stats") for one in sessions))
        asked_s.append(time.time())
        await asyncio.sleep(2 * OLD_S)
        await lab.set_conditions(Conditions())
    await together(*(one.quit() for one in sessions))
    for here, there in ((0, 1), (1, 0)):
        await _agree(figures, files, hosts, asked_s, here, there)


async def _serve(host: Host) -> Session:
    return await host.machine.serve(host.name, "--input", "tone:440", "--output", "null")


async def _agree(
    figures: Sequence[Any],
    files: Sequence[Path],
    hosts: Sequence[Host],
    asked_s: Sequence[float],
    here: int,
    there: int,
) -> None:
    """The voice from `there` as `here` counts it, by the captures of both."""
    (heard,), (spoken,) = figures[here]["peers"], figures[there]["peers"]
    inbound, outbound = heard["inbound"], spoken["outbound"]
    speaker = hosts[there].address
    came, came_again = _voice_and_again(await rtp_streams(files[here]), speaker)
    went, went_again = _voice_and_again(await rtp_streams(files[there]), speaker)
    asked = await requests_s(files[here], hosts[here].address)
    was_asked = await requests_s(files[there], hosts[here].address)

    def between(counted: int, counts: tuple[int, int], name: str) -> None:
        least, most = counts
        assert least - AT_ONCE <= counted <= most + AT_ONCE, (name, counted, counts)

    since_s, until_s = asked_s[0] - OLD_S, asked_s[1]
    lost = came.until(since_s).missing, came.until(until_s).missing
    assert lost[0] > 0.05 * LOSSY_S * 50, "the line loses"
    between(
        inbound["packetsReceived"], (came.until(since_s).packets, came.until(until_s).packets), "received"
    )
    between(inbound["packetsLost"], lost, "lost")
    again = came_again.until(since_s).packets, came_again.until(until_s).packets
    between(inbound["retransmittedPacketsReceived"], again, "came again")
    between(inbound["nackCount"], _counts(asked, since_s, until_s), "asked")
    between(outbound["packetsSent"], (went.until(since_s).packets, went.until(until_s).packets), "sent")
    sent_again = went_again.until(since_s).packets, went_again.until(until_s).packets
    between(outbound["retransmittedPacketsSent"], sent_again, "sent again")
    between(outbound["nackCount"], _counts(was_asked, since_s, until_s), "was asked")
    assert went.missing == went_again.missing == 0, "numbers on the way out have no hole"
    # A line of no length: what is lost is heard all the same.
    assert 0.8 * lost[0] - AT_ONCE <= inbound["packetsRecovered"] <= lost[1] + AT_ONCE, (inbound, lost)


def _voice_and_again(streams: Sequence[RtpStream], speaker: str) -> tuple[RtpStream, RtpStream]:
    own = [stream for stream in streams if stream.source.partition(":")[0] == speaker]
    (again,) = (stream for stream in own if stream.payload_types == {RTX_PAYLOAD_TYPE})
    (voice,) = (stream for stream in own if RTX_PAYLOAD_TYPE not in stream.payload_types)
    return voice, again


def _counts(moments_s: Sequence[float], since_s: float, until_s: float) -> tuple[int, int]:
    return sum(at <= since_s for at in moments_s), sum(at <= until_s for at in moments_s)

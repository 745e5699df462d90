"""Two real links over real loopback sockets: set-up, media, reports, redundancy, damage on the wire, and the end."""

import asyncio
import errno
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from blink_cli.core import red
from blink_cli.core.errors import StateError, WireError
from blink_cli.core.loss_report import LossReport
from blink_cli.net.link_settings import (
    IceServer,
    LinkClosed,
    LinkConnected,
    LinkConnecting,
    LinkFailed,
    LinkSettings,
)
from blink_cli.net.rtp_sender import SendCounters
from blink_cli.net.stranger_filter import StrangerFilter
from blink_cli.net.tasks import TaskOwner
from tests.support.links import LOOPBACK, End, Wire, connect, frame


@pytest.fixture
async def tasks() -> AsyncIterator[TaskOwner]:
    async with TaskOwner("test") as owner:
        yield owner


@pytest.fixture
async def pair(tasks: TaskOwner) -> AsyncIterator[tuple[End, End]]:
    a, b = End("a", tasks), End("b", tasks)
    yield a, b
    await a.link.aclose()
    await b.link.aclose()


async def test_link_comes_up_and_says_where_it_goes(pair: tuple[End, End]) -> None:
    a, b = pair
    began_s = time.monotonic()
    await connect(a, b)

    assert [type(state) for state in a.states] == [LinkConnecting, LinkConnected]
    assert [type(state) for state in b.states] == [LinkConnecting, LinkConnected]
    assert a.link.remote_address is not None
    assert a.link.remote_address[0] == "127.0.0.1"
    assert a.link.media_format == b.link.media_format
    # About 10 ms on a quiet machine; a second would be a retransmission of DTLS.
    assert time.monotonic() - began_s < 0.9


async def test_checks_that_overtake_the_answer_meet_the_right_ice_role(pair: tuple[End, End]) -> None:
    a, b = pair
    answer = await b.link.accept_offer(await a.link.create_offer())
    # The answerer checks at once; on a network its datagrams often come before its answer.
    await asyncio.sleep(0.1)
    began_s = time.monotonic()
    await a.link.accept_answer(answer)
    await asyncio.gather(a.until_state(LinkConnected), b.until_state(LinkConnected))
    assert a.link._transport._connection.ice_controlling
    assert not b.link._transport._connection.ice_controlling
    assert time.monotonic() - began_s < 0.9


async def test_frames_go_both_ways_with_level_voice_and_marker(pair: tuple[End, End]) -> None:
    a, b = pair
    await connect(a, b)

    assert a.link.send_frame(frame(0, level_dbov=-17, voice=True))
    assert a.link.send_frame(frame(1, level_dbov=-127))
    assert b.link.send_frame(frame(7, level_dbov=0))
    await b.until(lambda: len(b.packets) == 2)
    await a.until(lambda: len(a.packets) == 1)

    first, second = b.packets
    assert (first.payload, first.timestamp, first.ssrc) == (frame(0).payload, 0, a.link.local_ssrc)
    assert (first.audio_level_dbov, first.voice, first.marker) == (-17, True, True)
    assert (second.audio_level_dbov, second.voice, second.marker) == (-127, False, False)
    assert second.sequence_number == (first.sequence_number + 1) & 0xFFFF
    assert a.packets[0].audio_level_dbov == 0
    assert 0 <= time.monotonic() - first.arrival_s < 5
    assert b.link.last_heard_s is not None
    assert a.sent[0].sequence_number == first.sequence_number
    assert a.link.send_counters == SendCounters(packets_sent=2, bytes_sent=160, header_bytes_sent=40)


async def test_reports_tell_counts_clock_and_round_trip(pair: tuple[End, End]) -> None:
    a, b = pair
    await connect(a, b)
    for index in range(10):
        a.link.send_frame(frame(index))
    await b.until(lambda: len(b.packets) == 10)
    await b.until(lambda: bool(b.sender_reports) and b.sender_reports[-1].packet_count == 10)
    await a.until(lambda: any(report.rtt_s is not None for report in a.reception_reports))

    sender_report = b.sender_reports[-1]
    assert sender_report.ssrc == a.link.local_ssrc
    assert sender_report.octet_count == 800
    assert abs(sender_report.ntp_s - 2_208_988_800 - time.time()) < 5
    # All ten frames went out at once, so the clock follows the newest: 200 ms of sound, and what has passed since.
    assert 200 <= sender_report.rtp_timestamp / 48 < 3000
    report = a.reception_reports[-1]
    assert report.ssrc == a.link.local_ssrc
    assert report.highest_sequence == a.sent[-1].sequence_number
    assert (report.packets_lost, report.fraction_lost) == (0, 0.0)
    assert report.rtt_s is None or 0 <= report.rtt_s < 1
    assert a.link.rtt_s is not None


async def test_sender_reports_advance_with_the_wall_clock(pair: tuple[End, End]) -> None:
    a, b = pair
    await connect(a, b)
    a.link.send_frame(frame(0))
    await b.until(lambda: len(b.sender_reports) >= 6)

    first, last = b.sender_reports[0], b.sender_reports[-1]
    # Nothing is sent meanwhile (DTX, mute), and the RTP clock runs on.
    elapsed_s = last.ntp_s - first.ntp_s
    assert (last.rtp_timestamp - first.rtp_timestamp) / 48_000 == pytest.approx(elapsed_s, abs=0.005)


async def test_loss_report_reaches_the_sender(pair: tuple[End, End]) -> None:
    a, b = pair
    await connect(a, b)
    b.link.send_loss_report(LossReport(fraction_lost=0.2, mean_burst_packets=2.5, longest_burst_packets=7))
    await a.until(lambda: bool(a.loss_reports))
    assert a.loss_reports[0].longest_burst_packets == 7


async def test_redundancy_carries_earlier_frames(pair: tuple[End, End]) -> None:
    a, b = pair
    await connect(a, b)
    media = a.link.media_format
    assert media is not None
    a.link.send_frame(frame(0))
    a.link.set_redundancy(2)
    for index in range(1, 4):
        a.link.send_frame(frame(index))
    a.link.set_redundancy(0)
    a.link.send_frame(frame(4))
    await b.until(lambda: len(b.packets) == 5)

    assert [packet.payload_type for packet in b.packets] == [
        media.opus,
        media.red,
        media.red,
        media.red,
        media.opus,
    ]
    frames = red.unpack(b.packets[3].payload, b.packets[3].timestamp)
    assert frames == [(960 * n, frame(n).payload, media.opus) for n in (1, 2, 3)]
    assert [sent.redundancy for sent in a.sent] == [0, 1, 2, 2, 0]
    assert a.link.send_counters.redundant_bytes_sent == 5 * 84 + 3


async def test_a_peer_without_redundancy_gets_plain_opus(tasks: TaskOwner) -> None:
    a, b = End("a", tasks), End("b", tasks, replace(LOOPBACK, redundancy=False))
    async with a.link, b.link:
        await connect(a, b)
        assert a.link.media_format is not None
        assert a.link.media_format.red is None
        a.link.set_redundancy(2)
        a.link.send_frame(frame(0))
        a.link.send_frame(frame(1))
        await b.until(lambda: len(b.packets) == 2)
        assert [packet.payload for packet in b.packets] == [frame(0).payload, frame(1).payload]


async def test_copies_are_left_out_where_the_packet_would_not_fit(pair: tuple[End, End]) -> None:
    a, b = pair
    await connect(a, b)
    a.link.set_redundancy(2)
    for index in range(3):
        a.link.send_frame(frame(index, size=500))
    a.link.send_frame(frame(3, size=1275))  # 510 kb/s, the most that Opus makes of 20 ms
    assert not a.link.send_frame(frame(4, size=1400))
    await b.until(lambda: len(b.packets) == 4)
    assert [sent.redundancy for sent in a.sent] == [0, 1, 1, 0]
    assert a.link.send_counters.packets_discarded == 1


async def test_loss_repeats_and_reordering_are_told_apart(tasks: TaskOwner) -> None:
    a, b = End("a", tasks), End("b", tasks)
    fates = {3: 0, 4: 0, 7: 2, 9: 3, 12: -1, 15: 0, 16: 2}
    async with Wire() as wire, a.link, b.link:
        await connect(a, b, wire=wire)
        a.link.send_frame(frame(0))
        first = a.sent[0].sequence_number
        wire.on_rtp = lambda sequence, _from_offerer: fates.get((sequence - first) & 0xFFFF, 1)
        for index in range(1, 20):
            a.link.send_frame(frame(index))
        await b.until(lambda: len(b.packets) == 17)
        await a.until(lambda: any(r.packets_lost == 3 for r in a.reception_reports))

        received = [int.from_bytes(packet.payload[:4], "big") for packet in b.packets]
        assert received == [0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 13, 12, 14, 16, 17, 18, 19]
        reception = b.link.reception
        assert reception is not None
        assert reception.packets_received == 17
        assert reception.packets_lost == 3
        assert reception.packets_duplicated == 1 + 2 + 1
        assert reception.packets_reordered == 1
        assert len(wire.passed) == reception.packets_received + reception.packets_duplicated
        lost = [report.fraction_lost for report in a.reception_reports if report.fraction_lost > 0]
        assert sum(lost) > 0


async def test_damaged_and_foreign_datagrams_are_counted_and_dropped(tasks: TaskOwner) -> None:
    a, b = End("a", tasks), End("b", tasks)
    async with a.link, b.link:
        await connect(a, b)
        address = a.link.remote_address
        assert address is not None
        loop = asyncio.get_running_loop()
        stranger, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=address)
        rtp = bytes([0x80, 111, 0, 1]) + bytes(80)
        rtcp = bytes([0x80, 200, 0, 6]) + bytes(60)
        garbage = [
            rtp,
            rtcp,
            b"\x80",
            b"\x01\x01",
            b"\x7f" * 40,
            bytes(20),
            b"\xff" * 1400,
            b"\x80" * 1490,
            b"\x16" * 30,
        ]
        for datagram in garbage:
            stranger.sendto(datagram)
        a.link.send_frame(frame(0))
        await b.until(lambda: len(b.packets) == 1)
        stranger.close()
        counters = b.link.transport_counters
        assert counters.datagrams_unauthenticated == 4
        assert (
            counters.datagrams_malformed == 4
        )  # what looks like DTLS goes to OpenSSL, which drops it silently
        assert len(b.packets) == 1


async def test_reports_go_on_when_a_filter_of_strangers_cannot_be_taken_off(pair: tuple[End, End]) -> None:
    class Broken(StrangerFilter):
        def look(self, now_s: float) -> None:
            raise OSError(errno.EBADF, "Bad file descriptor")

    a, b = pair
    await connect(a, b)
    a.link._transport._stranger_filters.insert(0, Broken(-1, list))
    a.link.send_frame(frame(0))
    before = len(b.sender_reports)
    await b.until(lambda: len(b.sender_reports) >= before + 3)


async def test_closing_is_seen_by_the_other_side_at_once(pair: tuple[End, End]) -> None:
    a, b = pair
    await connect(a, b)
    began_s = time.monotonic()
    await a.link.aclose()
    state = await b.until_state(LinkClosed)
    assert time.monotonic() - began_s < 0.9
    assert state.by_peer
    assert "goodbye" in state.reason
    assert a.states[-1] == LinkClosed("closed here", by_peer=False)
    await a.link.aclose()
    assert not a.link.send_frame(frame(0))


async def test_closing_during_set_up_ends_it(pair: tuple[End, End], tasks: TaskOwner) -> None:
    a, b = pair
    offer = await a.link.create_offer()
    await b.link.accept_offer(offer)
    await b.link.aclose()
    await a.link.aclose()
    assert isinstance(b.link.state, LinkClosed)
    assert tasks.running == ()


async def test_an_owner_that_went_first_takes_no_link_down_with_it(tasks: TaskOwner) -> None:
    early = TaskOwner("early")
    a, b = End("a", early), End("b", tasks)
    await connect(a, b)
    await early.aclose()
    await b.link.aclose()
    state = await a.until_state(LinkClosed)
    assert state.by_peer
    assert len([entered for entered in a.states if isinstance(entered, LinkClosed)]) == 1
    await a.link.aclose()
    await a.link._transport.aclose()


async def test_closing_before_anything_began(pair: tuple[End, End], tasks: TaskOwner) -> None:
    a, _ = pair
    await a.link.aclose()
    await a.link.aclose()
    assert isinstance(a.link.state, LinkClosed)
    with pytest.raises(StateError):
        await a.link.create_offer()
    assert tasks.running == ()


async def test_a_peer_that_never_answers_fails_after_the_deadline(tasks: TaskOwner) -> None:
    hasty = replace(LOOPBACK, connect_timeout_s=0.3)
    a, b = End("a", tasks, hasty), End("b", tasks, hasty)
    async with a.link, b.link:
        offer = await a.link.create_offer()
        answer = await b.link.accept_offer(offer)
        await b.link.aclose()
        await a.link.accept_answer(answer)
        state = await a.until_state(LinkFailed)
        assert "0.3 s" in state.reason


async def test_another_ones_certificate_is_refused(tasks: TaskOwner) -> None:
    a, b = End("a", tasks), End("b", tasks)
    async with a.link, b.link:
        offer = await a.link.create_offer()
        line = next(line for line in offer.splitlines() if line.startswith("a=fingerprint:"))
        head, _, digest = line.rpartition(" ")
        forged = "00" if digest[:2] != "00" else "01"
        await a.link.accept_answer(
            await b.link.accept_offer(offer.replace(line, f"{head} {forged}{digest[2:]}"))
        )
        state = await b.until_state(LinkFailed)
        assert "DTLS" in state.reason
        assert not b.packets


async def test_a_dead_server_delays_no_offer(tasks: TaskOwner) -> None:
    loop = asyncio.get_running_loop()
    silent, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
    port = silent.get_extra_info("sockname")[1]
    settings = replace(
        LOOPBACK,
        ice_servers=(IceServer(f"turn:127.0.0.1:{port}", "user", "secret"),),
        gathering_timeout_s=0.2,
    )
    a = End("a", tasks, settings)
    async with a.link:
        began_s = time.monotonic()
        offer = await a.link.create_offer()
        assert time.monotonic() - began_s < 1.0  # aioice alone waits 5 s
        assert "typ host" in offer
    silent.close()


async def test_closing_never_waits_for_a_dead_relay(tasks: TaskOwner) -> None:
    """A TURN server that stopped answering makes aioice's close() take a minute: the caller does not see it."""
    a, b = End("a", tasks), End("b", tasks)
    await connect(a, b)
    release = asyncio.Event()
    close = a.link._transport.aclose

    async def slow_close() -> None:
        await release.wait()
        await close()

    a.link._transport.aclose = slow_close  # type: ignore[method-assign]
    began_s = time.monotonic()
    await a.link.aclose()
    assert time.monotonic() - began_s < 2.0
    assert tasks.running == ("test/close a",)
    release.set()
    await b.until_state(LinkClosed)
    await b.link.aclose()
    await asyncio.wait_for(a.link._closing, 5)  # type: ignore[arg-type]


async def test_every_address_or_loopback_when_there_is_no_other(tasks: TaskOwner) -> None:
    a, b = End("a", tasks, LinkSettings()), End("b", tasks, LinkSettings())
    async with a.link, b.link:
        await connect(a, b)
        a.link.send_frame(frame(0))
        await b.until(lambda: len(b.packets) == 1)


async def test_a_candidate_that_comes_later_connects(tasks: TaskOwner) -> None:
    a, b = End("a", tasks), End("b", tasks)
    async with a.link, b.link:
        offer = await a.link.create_offer()
        lines = offer.splitlines()
        late = next(line for line in lines if line.startswith("a=candidate:"))
        bare = [line for line in lines if line not in (late, "a=end-of-candidates")]
        answer = await b.link.accept_offer("\r\n".join(bare) + "\r\n")
        await b.link.add_remote_candidate(late.removeprefix("a="))
        await b.link.add_remote_candidate(None)
        with pytest.raises(WireError):
            await b.link.add_remote_candidate("candidate:nonsense")
        await a.link.accept_answer(answer)
        await a.until_state(LinkConnected)
        await b.until_state(LinkConnected)


async def test_a_link_is_used_once(pair: tuple[End, End]) -> None:
    a, b = pair
    offer = await a.link.create_offer()
    with pytest.raises(StateError):
        await a.link.create_offer()
    with pytest.raises(StateError):
        await b.link.accept_answer(offer)
    with pytest.raises(WireError):
        await a.link.accept_answer(offer)  # its own offer does not choose a DTLS role
    assert not a.link.send_frame(frame(0))


async def test_an_answer_with_other_numbers_is_refused(pair: tuple[End, End]) -> None:
    a, b = pair
    answer = await b.link.accept_offer(await a.link.create_offer())
    with pytest.raises(WireError, match="not offered"):
        await a.link.accept_answer(answer.replace("111", "112"))
    await a.link.accept_answer(answer)
    await a.until_state(LinkConnected)

"""Two real links over real loopback sockets: set-up, media, reports, redundancy, damage on the wire, and the end."""

import asyncio
import errno
import itertools
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import pylibsrtp
import pytest
from aioice import stun
from aioice.stun import Class, Message, Method
from typing_extensions import override

from blink_cli.app.files.capture_files import analyse_capture
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES
from blink_cli.core.errors import StateError, WireError
from blink_cli.core.media import red
from blink_cli.core.media.extended_report import StatisticsSummary, VoipMetrics
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.rtcp import (
    RTCP_HEADER_BYTES,
    SenderInfo,
    write_report,
    write_retransmission_request,
)
from blink_cli.core.media.rtp_header import clear_ssrc
from blink_cli.core.media.rtp_sender import SendCounters
from blink_cli.core.media.sent_packets import BURST_BYTES, MAX_TIMES, SHARE_OF_STREAM
from blink_cli.lab.flood import media_kinds
from blink_cli.lab.links import LOOPBACK, NOTHING_AGAIN, End, Wire, connect, frame
from blink_cli.net.ice.ice_connection import MAX_QUEUED_DTLS
from blink_cli.net.ice.stranger_filter import FLOOD_DATAGRAMS, SourceFilter
from blink_cli.net.ice.stun_socket import COPIES_AFTER_S
from blink_cli.net.link import link_socket
from blink_cli.net.link.media_round import MediaRound
from blink_cli.net.link_settings import (
    IceServer,
    LinkClosed,
    LinkConnected,
    LinkConnecting,
    LinkFailed,
    LinkSettings,
)
from blink_cli.net.transport_counters import TransportCounters
from blink_cli.runtime.tasks import TaskOwner
from tests.net.gossip_parts import eventually
from tests.record.capture.parts import START_NS, Captured, pcap, udp

pytestmark = pytest.mark.real_time


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
    # Before any report: by the checks. The one who is nominated may not have been answered yet.
    known = [rtt_s for end in pair if (rtt_s := end.link.checked_rtt_s) is not None]
    assert known
    assert all(0 < rtt_s < COPIES_AFTER_S[0] for rtt_s in known)
    assert a.link.rtt_s is b.link.rtt_s is None
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

    assert a.send(frame(0, level_dbov=-17, voice=True))
    assert a.send(frame(1, level_dbov=-127))
    assert b.send(frame(7, level_dbov=0))
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
        a.send(frame(index))
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
    a.send(frame(0))
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


async def test_how_a_voice_is_heard_reaches_its_sender(pair: tuple[End, End]) -> None:
    a, b = pair
    await connect(a, b)
    for index in range(10):
        a.send(frame(index))
    await b.until(lambda: len(b.packets) == 10)
    heard = VoipMetrics(
        ssrc=a.link.local_ssrc,
        loss_rate=0.25,
        discard_rate=0.0,
        burst_density=0.0,
        gap_density=0.25,
        burst_duration_ms=0,
        gap_duration_ms=200,
        gmin_packets=16,
    )
    b.link.tell_heard(heard)
    await a.until(lambda: len(a.extended_reports) == 2)
    summary, metrics = a.extended_reports
    assert metrics == heard
    assert isinstance(summary, StatisticsSummary)
    assert (summary.end_sequence - summary.begin_sequence, summary.packets_lost) == (10, 0)


async def test_redundancy_carries_earlier_frames(pair: tuple[End, End]) -> None:
    a, b = pair
    await connect(a, b)
    media = a.link.media_format
    assert media is not None
    a.send(frame(0))
    a.link.set_redundancy(2)
    for index in range(1, 4):
        a.send(frame(index))
    a.link.set_redundancy(0)
    a.send(frame(4))
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
    a, b = End("a", tasks), End("b", tasks, msgspec.structs.replace(LOOPBACK, redundancy=False))
    async with a.link, b.link:
        await connect(a, b)
        assert a.link.media_format is not None
        assert a.link.media_format.red is None
        a.link.set_redundancy(2)
        a.send(frame(0))
        a.send(frame(1))
        await b.until(lambda: len(b.packets) == 2)
        assert [packet.payload for packet in b.packets] == [frame(0).payload, frame(1).payload]


@pytest.mark.parametrize(("theirs", "agreed"), [(12, 12), (13, None), (None, None)])
@pytest.mark.parametrize("offers", [True, False])
async def test_dred_is_sent_to_who_reads_the_same_version(
    tasks: TaskOwner, theirs: int | None, agreed: int | None, *, offers: bool
) -> None:
    a, b = (
        End("a", tasks, msgspec.structs.replace(LOOPBACK, dred=12)),
        End("b", tasks, msgspec.structs.replace(LOOPBACK, dred=theirs)),
    )
    sent = msgspec.structs.replace(frame(0), payload_with_dred=frame(0).payload + b"told")
    async with a.link, b.link:
        await (connect(a, b) if offers else connect(b, a))
        assert a.link.media_format is not None
        assert b.link.media_format is not None
        assert (a.link.media_format.dred, b.link.media_format.dred) == (agreed, agreed)
        a.link.set_dred(enabled=True)
        a.send(sent)
        await b.until(lambda: len(b.packets) == 1)
        assert b.packets[0].payload == (sent.payload if agreed is None else sent.payload_with_dred)


async def test_copies_are_left_out_where_the_packet_would_not_fit(pair: tuple[End, End]) -> None:
    a, b = pair
    await connect(a, b)
    a.link.set_redundancy(2)
    for index in range(3):
        a.send(frame(index, size=500))
    a.send(frame(3, size=1275))  # 510 kb/s, the most that Opus makes of 20 ms
    assert not a.send(frame(4, size=1400))
    await b.until(lambda: len(b.packets) == 4)
    assert [sent.redundancy for sent in a.sent] == [0, 1, 1, 0]
    assert a.link.send_counters.packets_discarded == 1


async def test_loss_repeats_and_reordering_are_told_apart(tasks: TaskOwner) -> None:
    a, b = End("a", tasks, NOTHING_AGAIN), End("b", tasks, NOTHING_AGAIN)
    fates = {3: 0, 4: 0, 7: 2, 9: 3, 12: -1, 15: 0, 16: 2}
    async with Wire() as wire, a.link, b.link:
        await connect(a, b, wire=wire)
        a.send(frame(0))
        first = a.sent[0].sequence_number
        wire.on_rtp = lambda sequence, _from_offerer: fates.get((sequence - first) & 0xFFFF, 1)
        for index in range(1, 20):
            a.send(frame(index))
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


async def test_what_is_lost_is_asked_for_and_comes_again(tasks: TaskOwner) -> None:
    a, b = End("a", tasks), End("b", tasks)
    lost = {3, 4, 9}
    async with Wire() as wire, a.link, b.link:
        await connect(a, b, wire=wire)
        a.send(frame(0))
        first = a.sent[0].sequence_number
        wire.on_rtp = lambda sequence, _from_offerer: (
            0
            if (sequence - first) & 0xFFFF in lost and a.link.send_counters.retransmitted_packets_sent == 0
            else 1
        )
        for index in range(1, 12):
            a.send(frame(index))
        await b.until(lambda: len(b.packets) == 12)
        again = [packet for packet in b.packets if packet.retransmitted]
        assert {int.from_bytes(packet.payload[:4]) for packet in again} == lost
        for packet in again:
            as_sent = a.sent[int.from_bytes(packet.payload[:4])]
            assert (packet.ssrc, packet.sequence_number, packet.timestamp, packet.audio_level_dbov) == (
                as_sent.ssrc,
                as_sent.sequence_number,
                as_sent.timestamp,
                as_sent.audio_level_dbov,
            )
        reception, sent, asked = b.link.reception, a.link.send_counters, b.link.receive_counters
        assert reception is not None
        assert (reception.packets_received, reception.packets_lost) == (
            9,
            3,
        )  # the line lost them all the same
        assert sent.packets_sent == 12
        assert sent.retransmitted_packets_sent == asked.retransmitted_packets_received == 3
        assert sent.nack_count == asked.nack_count >= 1
        assert asked.packets_requested >= 3


async def test_a_capture_beside_two_links_agrees_with_what_they_count(
    tasks: TaskOwner, tmp_path: Path
) -> None:
    a, b = End("a", tasks), End("b", tasks)
    lost = {3, 4, 9, 17, 30, 31, 32}
    arrived: list[Captured] = []
    async with Wire() as wire, a.link, b.link:
        await connect(a, b, wire=wire)
        a.send(frame(0))
        first = a.sent[0].sequence_number
        went = 40
        unheard = {(first + number) & 0xFFFF for number in lost}
        wire.on_rtp = lambda sequence, _from_offerer: 0 if sequence in unheard else 1
        for index in range(1, went):
            a.send(frame(index))
            await asyncio.sleep(0)
        await b.until(lambda: len(b.packets) == went)
        for at, (_, datagram) in enumerate(wire.passed):
            arrived.append((START_NS + at * 1_000_000, udp(datagram)))
        found = analyse_capture(pcap(tmp_path / "call.pcap", arrived), {})
        voice, again = sorted(found.streams, key=lambda one: one.retransmits is not None)
        reception, sent, counted = b.link.reception, a.link.send_counters, b.link.receive_counters
        assert reception is not None
        assert again.retransmits == voice.ssrc == a.link.local_ssrc
        assert voice.inbound.packets_lost == reception.packets_lost == len(lost)
        assert voice.inbound.packets_received == reception.packets_received == went - len(lost)
        assert again.tshark_4_0.packets == sent.retransmitted_packets_sent
        assert again.inbound.packets_received == counted.retransmitted_packets_received
        recovered = sum(packet.retransmitted for packet in b.packets)
        assert recovered == len(lost)
        assert counted.packets_requested >= recovered
        assert sent.nack_count == counted.nack_count


async def test_a_peer_that_asks_for_everything_all_the_time_gets_a_share_of_the_stream(
    pair: tuple[End, End],
) -> None:
    a, b = pair
    await connect(a, b)
    for index in range(25):
        a.send(frame(index))
    await b.until(lambda: len(b.packets) == 25)
    first = a.sent[0].sequence_number
    names = [(first + behind) & 0xFFFF for behind in range(25)]
    # A datagram full of requests, each for all of them.
    one = write_retransmission_request(b.link.local_ssrc, a.link.local_ssrc, names)
    flood = one + 50 * one[RTCP_HEADER_BYTES:]
    for _ in range(200):
        transport: Any = b.link._transport
        transport.send_rtcp(flood)
        await asyncio.sleep(0)
    a.send(frame(25))
    await b.until(lambda: any(packet.sequence_number == names[0] + 25 & 0xFFFF for packet in b.packets))
    sent = a.link.send_counters
    assert sent.nack_count > 100
    assert 0 < sent.retransmitted_bytes_sent <= SHARE_OF_STREAM * sent.bytes_sent + BURST_BYTES
    assert sent.retransmitted_packets_sent <= 25 * MAX_TIMES


class NotingRound(MediaRound):
    """A round that notes which reports wait for the event loop, and which wake it."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    @override
    def tell(self, callback: Callable[..., object], *arguments: Any) -> None:
        if callback.__name__ == "_reported":
            self.told.append("later")
        super().tell(callback, *arguments)

    @override
    def tell_soon(self, callback: Callable[..., object], *arguments: Any) -> None:
        if callback.__name__ == "_reported":
            self.told.append("soon")
        super().tell_soon(callback, *arguments)


async def test_a_request_behind_a_report_is_read_at_once_where_voice_is_read_in_rounds(
    tasks: TaskOwner,
) -> None:
    media_round = NotingRound()
    a, b = End("a", tasks, media_round=media_round), End("b", tasks)

    async def go_round(until: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not until():
                media_round.before_tick()
                media_round.before_wait()
                await asyncio.sleep(TICK_SAMPLES / SAMPLE_RATE_HZ)

    async with a.link, b.link:
        await connect(a, b)
        a.send(frame(0))
        indexes = itertools.count()
        # A socket is left to the round with the first voice that comes by it.
        await go_round(lambda: b.send(frame(next(indexes))) and bool(media_round._members))
        transport: Any = b.link._transport
        report = write_report(b.link.local_ssrc, SenderInfo(0, 77 << 32, 1, 1, 1), (), "b")
        request = write_retransmission_request(
            b.link.local_ssrc, a.link.local_ssrc, [a.sent[0].sequence_number]
        )
        transport.send_rtcp(report)
        transport.send_rtcp(report + request[RTCP_HEADER_BYTES:])
        await go_round(lambda: a.link.send_counters.nack_count == 1)
        assert media_round.told.count("soon") == 1
        assert "later" in media_round.told  # b's own reports are among these
        assert [one.ntp_s for one in a.sender_reports].count(77.0) == 2
    media_round.close()


async def test_what_a_round_has_read_is_told_before_the_link_ends(tasks: TaskOwner) -> None:
    media_round = MediaRound()
    a, b = End("a", tasks, media_round=media_round), End("b", tasks)
    async with a.link, b.link:
        await connect(a, b)
        indexes = itertools.count()
        async with asyncio.timeout(10):
            while not media_round._members:
                b.send(frame(next(indexes)))
                media_round.before_tick()
                await asyncio.sleep(TICK_SAMPLES / SAMPLE_RATE_HZ)
        for _ in range(5):
            b.send(frame(next(indexes)))
        # As much as b has sent is read, and none of the five is told: nobody woke the event loop.
        while len(a.link.receiving._read) < 5:
            media_round.before_tick()
    assert [packet.sequence_number for packet in a.packets[-5:]] == [
        packet.sequence_number for packet in b.sent[-5:]
    ]
    media_round.close()


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
        a.send(frame(0))
        await b.until(lambda: len(b.packets) == 1)
        stranger.close()
        counters = b.link.transport_counters
        assert counters.datagrams_unauthenticated == 1, "the RTCP, whose sender may be anybody"
        assert counters.srtp_refused == 2, "of sources that were not announced"
        assert counters.datagrams_malformed == 3
        assert counters.stun_refused == 2
        assert counters.dtls_refused == 1
        assert len(b.packets) == 1


@pytest.mark.parametrize("moment", ["before the answer", "in a call"])
async def test_strangers_are_not_answered_and_get_nothing_to_aioice(
    tasks: TaskOwner, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    a, b = End("a", tasks), End("b", tasks)
    async with a.link, b.link:
        if moment == "in a call":
            await connect(a, b)
        else:
            await a.link.create_offer()
        transport: Any = a.link._transport
        connection = transport._connection
        (protocol,) = connection._protocols
        read: list[bytes] = []
        parse = stun.parse_message

        def parse_message(data: bytes) -> Message:
            read.append(data)
            return parse(data)

        monkeypatch.setattr(stun, "parse_message", parse_message)
        overheard = Message(
            Method.BINDING,
            Class.REQUEST,
            attributes={
                "USERNAME": f"{connection.local_username}:{connection.remote_username}",
                "PRIORITY": 1,
            },
        )
        overheard.add_message_integrity(b"a password that is not ours")
        kinds = {**media_kinds(1, 10), "stun: our name, another signature": [bytes(overheard)] * 10}
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.settimeout(0)
            stranger.connect(("127.0.0.1", protocol.local_candidate.port))
            for datagrams in kinds.values():
                for datagram in datagrams:
                    await loop.sock_sendall(stranger, datagram)
            counters, many = a.link.transport_counters, 10 * len(kinds)
            await eventually(lambda: sum(astuple(counters)) == many)
            with pytest.raises(BlockingIOError):
                stranger.recv(2_000)
        assert not set(read) & {datagram for datagrams in kinds.values() for datagram in datagrams}, (
            "aioice would have read it whole, and answered"
        )
        assert (counters.stun_refused, counters.dtls_refused) == (50, 20)


async def test_who_asks_while_addresses_are_gathered_is_not_answered(tasks: TaskOwner) -> None:
    loop = asyncio.get_running_loop()
    silent, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
    server = IceServer(f"stun:127.0.0.1:{silent.get_extra_info('sockname')[1]}")
    a = End("a", tasks, msgspec.structs.replace(LOOPBACK, ice_servers=(server,), gathering_timeout_s=1.0))
    async with a.link:
        offering = tasks.start(a.link.create_offer(), name="offer")
        connection = a.link._transport._connection
        await eventually(lambda: connection._protocols)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.settimeout(0)
            stranger.connect(connection._protocols[0].transport.get_extra_info("sockname"))
            stranger.send(bytes(Message(Method.BINDING, Class.REQUEST)))
            await eventually(lambda: a.link.transport_counters.stun_refused == 1)
            with pytest.raises(BlockingIOError):
                stranger.recv(2_000)
        await offering
    silent.close()


async def test_what_waits_for_dtls_is_bounded(tasks: TaskOwner) -> None:
    a = End("a", tasks)
    async with a.link:
        await a.link.create_offer()
        for _ in range(2 * MAX_QUEUED_DTLS):
            a.link._transport._connection.data_received(b"\x16\xfe\xfd", 1)
        assert a.link.transport_counters.datagrams_overflowed == MAX_QUEUED_DTLS


async def test_the_kernels_filter_hears_of_strangers_of_the_peer_and_of_time(
    tasks: TaskOwner, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: set[str] = set()

    class Witness(SourceFilter):
        @override
        def refused(self, now_s: float) -> None:
            told.add("a stranger")

        @override
        def heard(self, source: tuple[str, int]) -> None:
            told.add("a check of the peer's")

        @override
        def look(self, now_s: float) -> None:
            told.add("time passes")

        @override
        def look_at_known(self) -> None:
            told.add("the peer named addresses")

    monkeypatch.setattr(link_socket, "SourceFilter", Witness)
    monkeypatch.setattr(link_socket, "is_available", lambda: True)
    a, b = End("a", tasks), End("b", tasks)
    async with a.link, b.link:
        await connect(a, b)
        (protocol,) = a.link._transport._connection._protocols
        for kind in (b"\x00", b"\x16", b"\x80", b"\xff"):
            told.discard("a stranger")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                stranger.sendto(kind + bytes(40), ("127.0.0.1", protocol.local_candidate.port))
            await eventually(lambda: len(told) == 4)


class TwiceWire(Wire):
    """A network that brings everything twice."""

    @override
    def received(self, side: int, data: bytes) -> None:
        super().received(side, data)
        super().received(side, data)


async def test_what_the_network_brings_twice_is_not_refused(pair: tuple[End, End]) -> None:
    a, b = pair
    async with TwiceWire() as wire:
        await connect(a, b, wire=wire)
        for end, other in ((a, b), (b, a)):
            end.send(frame(0))
            await other.until(lambda other=other: len(other.packets) == 1)  # type: ignore[misc]
        for end in (a, b):
            counters = end.link.transport_counters
            assert replace(counters, datagrams_unauthenticated=0) == TransportCounters(), (
                "but for repeated RTCP"
            )


async def test_a_recording_of_the_call_played_from_elsewhere_is_no_copy_by_the_network(
    tasks: TaskOwner,
) -> None:
    a, b = End("a", tasks), End("b", tasks)
    async with a.link, b.link, Wire() as wire:
        await connect(a, b, wire=wire)
        for index in range(5):
            a.send(frame(index))
        await b.until(lambda: len(b.packets) == 5)
        (protocol,) = b.link._transport._connection._protocols
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for _, datagram in wire.passed:
                stranger.sendto(datagram, ("127.0.0.1", protocol.local_candidate.port))
            await eventually(lambda: b.link.transport_counters.srtp_refused == 5)
        assert b.link.reception is not None
        assert b.link.reception.packets_duplicated == 0


async def test_an_invited_peer_cannot_make_srtp_keep_state_for_each_number_it_draws(
    pair: tuple[End, End],
) -> None:
    a, b = pair
    await connect(a, b)
    shown: list[int] = []
    srtp: Any = b.link._transport._srtp
    unprotect = srtp._unprotect

    def opened(data: bytes) -> bytes:
        shown.append(clear_ssrc(data))
        return bytes(unprotect(data))

    srtp._unprotect = opened
    for ssrc in range(1, 200):
        a.link._transport.send_rtp(struct.pack("!BBHII", 0x80, 111, 1, 1, ssrc) + bytes(20))
    a.send(frame(0))
    await b.until(lambda: len(b.packets) == 1)
    assert set(shown) == {a.link._ssrc}
    assert b.link.transport_counters.srtp_refused == 199


@pytest.mark.parametrize("fault", [ValueError, pylibsrtp.Error, KeyError])
async def test_a_fault_behind_the_transport_is_not_blamed_on_the_datagram(
    pair: tuple[End, End], monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
) -> None:
    a, b = pair
    await connect(a, b)
    faults = _faults_of_this_loop()
    failing = fault("a receiver that fails")

    def fail(*_: object) -> NoReturn:
        raise failing

    with monkeypatch.context() as broken:
        for socket in b.link._transport._connection._protocols:
            for handler in ("_on_rtp", "_on_rtcp"):
                broken.setattr(socket, handler, fail)
        for index in range(FLOOD_DATAGRAMS + 1):
            a.send(frame(index))
        assert {await faults() for _ in range(FLOOD_DATAGRAMS + 1)} == {failing}
    assert b.link.transport_counters == TransportCounters()
    assert not any(strangers.closings for strangers in b.link._transport._stranger_filters)
    a.send(frame(FLOOD_DATAGRAMS + 1))
    await b.until(lambda: len(b.packets) == 1)


async def test_a_fault_of_ours_inside_ice_is_not_blamed_on_the_datagram(
    tasks: TaskOwner, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = _faults_of_this_loop()

    def fail(*_: object) -> NoReturn:
        raise KeyError("ours")

    a, b = End("a", tasks), End("b", tasks)
    monkeypatch.setattr(b.link._transport._copies, "heard", fail)
    monkeypatch.setattr(b.link._transport._connection.checks, "repeat", fail)
    async with a.link, b.link:
        offer = await a.link.create_offer()
        await a.link.accept_answer(await b.link.accept_offer(offer))
        assert {repr(await faults()) for _ in range(2)} == {"KeyError('ours')"}
        assert b.link.transport_counters == TransportCounters()


async def test_voice_that_overtakes_the_handshake_comes_after_the_news_of_the_link(
    pair: tuple[End, End], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = pair
    heard_in: list[str] = []
    receive = b.link._transport._on_rtp

    def note(data: bytes, arrival_s: float) -> None:
        heard_in.append(type(b.link.state).__name__)
        receive(data, arrival_s)

    monkeypatch.setattr(b.link._transport, "_on_rtp", note)
    begin = b.link._transport._dtls.start

    async def slow(remote: object) -> None:
        await begin(remote)  # type: ignore[arg-type]
        # The peer is connected by now, and what it says waits here for the end of our own handshake.
        async with asyncio.timeout(10):
            while len(b.link._transport._srtp._early) < 3:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.005)

    monkeypatch.setattr(b.link._transport._dtls, "start", slow)
    await a.link.accept_answer(await b.link.accept_offer(await a.link.create_offer()))
    await a.until_state(LinkConnected)
    for index in range(3):
        a.send(frame(index))
    await b.until(lambda: len(b.packets) == 3)
    assert heard_in == ["LinkConnected"] * 3


def _faults_of_this_loop() -> Callable[[], Awaitable[BaseException]]:
    """What is reported to the loop's exception handler from now on, one after the other."""
    faults: asyncio.Queue[BaseException] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: faults.put_nowait(context["exception"]))
    return lambda: asyncio.wait_for(faults.get(), 10)


async def test_reports_go_on_when_a_filter_of_strangers_cannot_be_taken_off(pair: tuple[End, End]) -> None:
    class Broken(SourceFilter):
        @override
        def look(self, now_s: float) -> None:
            raise OSError(errno.EBADF, "Bad file descriptor")

    a, b = pair
    await connect(a, b)
    a.link._transport._stranger_filters.insert(0, Broken(-1, known=list, trusted=list, named_us=b"us:"))
    a.send(frame(0))
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
    assert not a.send(frame(0))


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
    hasty = msgspec.structs.replace(LOOPBACK, connect_timeout_s=0.3)
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
    settings = msgspec.structs.replace(
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
        a.send(frame(0))
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
    assert not a.send(frame(0))


async def test_an_answer_with_other_numbers_is_refused(pair: tuple[End, End]) -> None:
    a, b = pair
    answer = await b.link.accept_offer(await a.link.create_offer())
    with pytest.raises(WireError, match="not offered"):
        await a.link.accept_answer(answer.replace("111", "112"))
    await a.link.accept_answer(answer)
    await a.until_state(LinkConnected)

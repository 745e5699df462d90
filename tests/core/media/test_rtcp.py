"""RTCP compound packets: ours back and forth, aiortc's as a second opinion, and bytes that are none."""

import pytest
from aiortc.rtp import (
    RtcpByePacket,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
)
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.errors import WireError
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.reception_statistics import ReportBlock
from blink_cli.core.media.rtcp import (
    BlockOnWire,
    SenderInfo,
    block_on_wire,
    middle_bits,
    ntp_seconds,
    ntp_timestamp,
    parse_rtcp,
    wants_answer,
    write_goodbye,
    write_loss_report,
    write_report,
    write_retransmission_request,
)

u8, u32 = st.integers(0, 255), st.integers(0, 2**32 - 1)
blocks = st.builds(BlockOnWire, u32, u8, st.integers(-(2**23), 2**23 - 1), u32, u32, u32, u32)
senders = st.builds(SenderInfo, st.just(99), st.integers(0, 2**64 - 1), u32, u32, u32)


@given(st.one_of(st.none(), senders), st.lists(blocks, max_size=4))
def test_reports_are_read_as_written_also_by_aiortc(
    sender: SenderInfo | None, given_blocks: list[BlockOnWire]
) -> None:
    data = write_report(99, sender, tuple(given_blocks), "3f9a01bc")
    contents = parse_rtcp(data)
    assert contents.senders == ([] if sender is None else [sender])
    assert contents.blocks == given_blocks

    stock, names = RtcpPacket.parse(data)
    assert isinstance(stock, RtcpRrPacket if sender is None else RtcpSrPacket)
    assert [info.packets_lost for info in stock.reports] == [block.packets_lost for block in given_blocks]
    assert isinstance(names, RtcpSdesPacket)
    assert names.chunks[0].items == [(1, b"3f9a01bc")]
    assert names.chunks[0].ssrc == 99


def test_aiortcs_reports_are_read() -> None:
    data = bytes(
        RtcpSrPacket(
            ssrc=5,
            sender_info=RtcpSenderInfo(ntp_timestamp=1 << 40, rtp_timestamp=7, packet_count=8, octet_count=9),
            reports=[RtcpReceiverInfo(6, 128, -3, 70_000, 11, 12, 13)],
        )
    ) + bytes(RtcpByePacket(sources=[5, 6]))
    contents = parse_rtcp(data)
    assert contents.senders == [SenderInfo(5, 1 << 40, 7, 8, 9)]
    assert contents.blocks == [BlockOnWire(6, 128, -3, 70_000, 11, 12, 13)]
    assert contents.goodbyes == [5, 6]


def test_goodbye_and_loss_report() -> None:
    assert parse_rtcp(write_goodbye(77)).goodbyes == [77]
    report = LossReport(fraction_lost=1.0, mean_burst_packets=3.0, longest_burst_packets=200)
    assert parse_rtcp(write_loss_report(77, report)).loss_reports == [report]
    assert RtcpPacket.parse(write_goodbye(77))[1].sources == [77]  # type: ignore[union-attr]


def test_who_asks_behind_a_report_waits_for_an_answer_and_who_only_reports_does_not() -> None:
    report = ReportBlock(fraction_lost=0.1, packets_lost=3, highest_sequence=1, jitter_ticks=2)
    block = block_on_wire(6, report, 0, 0.0)
    sender = SenderInfo(5, 1 << 40, 7, 8, 9)
    request = write_retransmission_request(5, 6, [1])
    nothing, names = 8, write_report(5, None, (), "a")
    loss = LossReport(fraction_lost=1.0, mean_burst_packets=3.0, longest_burst_packets=200)
    for usual in (write_report(5, sender, (), "a"), write_report(5, None, (block,), "a")):
        assert not wants_answer(usual)
        assert wants_answer(usual + request[nothing:])
        assert wants_answer(usual + bytes(RtcpPsfbPacket(fmt=1, ssrc=5, media_ssrc=6)))
        assert wants_answer(usual + bytes(RtcpByePacket(sources=[5])))
    assert wants_answer(request)
    assert wants_answer(request[nothing:])  # of reduced size, RFC 5506
    assert wants_answer(write_loss_report(5, loss))
    assert wants_answer(names)


def test_what_is_too_large_for_a_block_is_brought_to_the_end() -> None:
    report = ReportBlock(fraction_lost=1.0, packets_lost=10**9, highest_sequence=1, jitter_ticks=2)
    block = block_on_wire(1, report, 0, 5.0)
    assert (block.fraction_lost, block.packets_lost, block.delay_since_last_sr) == (255, 2**23 - 1, 0)
    assert block_on_wire(1, report, 1, 1e9).delay_since_last_sr == 2**32 - 1


def test_wall_clock_on_the_wire() -> None:
    timestamp = ntp_timestamp(1_700_000_000.25)
    assert ntp_seconds(timestamp) == pytest.approx(1_700_000_000.25 + 2_208_988_800, abs=1e-6)
    assert middle_bits(0x1122_3344_5566_7788) == 0x3344_5566


@given(st.binary(max_size=120), st.sampled_from([200, 201, 202, 203, 204, 205, 206, 0]), st.integers(0, 31))
def test_any_bytes_are_rtcp_or_a_wire_error(body: bytes, kind: int, count: int) -> None:
    for data in (body, bytes([0x80 | count, kind, 0, len(body) // 4]) + body):
        try:
            parse_rtcp(data)
        except WireError:
            continue

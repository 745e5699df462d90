"""What passes from one peer's authenticated packets, and what is counted instead."""

import pytest

from blink_cli.core.media.media_format import MediaFormat
from blink_cli.core.media.rtp_header import RtpHeaderWriter
from blink_cli.core.media.rtp_receiver import PassingReceiver, RtpReceiver
from blink_cli.core.media.source_cap import MAX_SOURCES

pytestmark = pytest.mark.no_clock

MEDIA = MediaFormat(opus=111, red=63, audio_level_id=1)


def packet(sequence: int, *, ssrc: int = 7, payload_type: int = 111, size: int = 50) -> bytes:
    header = RtpHeaderWriter(ssrc, 1).header(
        payload_type=payload_type,
        sequence_number=sequence & 0xFFFF,
        timestamp=sequence * 960 & 0xFFFFFFFF,
        marker=False,
        audio_level_dbov=-20,
        voice=False,
    )
    return header + bytes(size)


def receiver(*announced: int) -> RtpReceiver:
    return RtpReceiver(MEDIA, announced)


def test_opus_and_red_pass_and_nothing_else() -> None:
    under_test = receiver(7)
    packets = [under_test.received(packet(kind, payload_type=kind), 0.0) for kind in (111, 63, 0, 96)]
    assert under_test.received(b"\x80\x6f", 0.0) is None
    assert [p and p.payload_type for p in packets] == [111, 63, None, None]
    assert under_test.counters.packets_of_unknown_type == 2
    assert under_test.counters.packets_malformed == 1


def test_only_announced_sources_pass_when_some_were_announced() -> None:
    under_test = receiver(7)
    assert under_test.received(packet(1, ssrc=8), 0.0) is None
    assert under_test.replayed(packet(1, ssrc=8) + bytes(10), 10, 0.0) is None
    assert under_test.received(packet(1, ssrc=7), 0.0) is not None
    assert under_test.counters.packets_of_unknown_source == 2


def test_unannounced_sources_are_learned_up_to_a_cap() -> None:
    under_test = receiver()
    packets = [under_test.received(packet(1, ssrc=ssrc), float(ssrc)) for ssrc in range(MAX_SOURCES + 3)]
    assert len(under_test.streams) == sum(one is not None for one in packets) == MAX_SOURCES
    assert under_test.counters.packets_of_unknown_source == 3
    assert under_test.current is under_test.streams[MAX_SOURCES - 1]


def test_a_duplicate_reaches_nobody() -> None:
    under_test = receiver(7)
    assert under_test.received(packet(1), 0.0) is not None
    assert under_test.received(packet(1), 0.001) is None
    copy = under_test.replayed(packet(1, size=50) + bytes(10), 10, 0.002)
    assert copy is not None
    assert (copy.sequence_number, copy.timestamp, copy.payload_bytes) == (1, 960, 50)
    assert (copy.audio_level_dbov, copy.arrival_s) == (-20, 0.002)
    assert under_test.streams[7].packets_duplicated == 2


def test_report_blocks_name_the_last_sender_report() -> None:
    under_test = receiver(7)
    under_test.received(packet(5), 1.0)
    under_test.received(packet(8), 1.06)
    under_test.sender_reported(7, 0x1234_5678_9ABC_DEF0, 1.5)
    (block,) = under_test.report_blocks(2.0)
    assert (block.ssrc, block.packets_lost, block.highest_sequence) == (7, 2, 8)
    assert block.fraction_lost == 128
    assert block.last_sr == 0x5678_9ABC
    assert block.delay_since_last_sr == 32768
    (later,) = under_test.report_blocks(3.0)
    assert (later.fraction_lost, later.packets_lost) == (0, 2)


def test_what_brings_streams_within_its_own_counts_and_reports_nothing() -> None:
    under_test = PassingReceiver(MEDIA, ())
    passed = [under_test.received(packet(sequence), 0.02 * sequence) for sequence in range(50)]
    assert all(passed)
    assert under_test.received(packet(50, payload_type=0), 1.0) is None
    assert under_test.streams == {}
    assert under_test.report_blocks(1.0) == ()
    assert under_test.summary() is None

"""Packets for logs."""

from pathlib import Path

from blink_cli.core.ids import Did
from blink_cli.core.media.media_tap import PlayoutOutcome
from blink_cli.core.media.rtp import ReceptionReport, RepeatedPacket, RtpPacket, SenderReport, SentPacket
from blink_cli.record.rtp_log.format import HEADER, LogEvent
from blink_cli.record.rtp_log.rows import FramePlayed, LinkBegan, LogRows, PlayoutCounted, Remark

BOB = Did("did:key:z6MkbobBobBob")
OWN_SSRC, BOBS_SSRC = 0xAAAA0001, 0xBBBB0002
FIRST_SEQUENCE = 65_530
WALL_OFFSET_S = 1_700_000_000.25


def heard(index: int, *, arrival_s: float | None = None, payload: bytes = bytes(80)) -> RtpPacket:
    """Packet `index` of bob's stream, which wraps after six."""
    return RtpPacket(
        ssrc=BOBS_SSRC,
        sequence_number=(FIRST_SEQUENCE + index) & 0xFFFF,
        timestamp=index * 960,
        payload_type=63 if payload[:1] >= b"\x80" else 111,
        marker=index == 0,
        payload=payload,
        arrival_s=10 + index * 0.02 if arrival_s is None else arrival_s,
        audio_level_dbov=-31,
        voice=True,
    )


def copy(index: int) -> RepeatedPacket:
    """A copy of it."""
    packet = heard(index)
    return RepeatedPacket(
        ssrc=packet.ssrc,
        sequence_number=packet.sequence_number,
        timestamp=packet.timestamp,
        payload_type=111,
        marker=False,
        payload_bytes=80,
        arrival_s=10.5 + index * 0.02,
        audio_level_dbov=-31,
        voice=True,
    )


def sent(index: int) -> SentPacket:
    """Packet `index` of our stream."""
    return SentPacket(
        ssrc=OWN_SSRC,
        sequence_number=(FIRST_SEQUENCE + index) & 0xFFFF,
        timestamp=index * 960,
        payload_type=111,
        marker=False,
        payload_bytes=70,
        audio_level_dbov=-25,
        voice=False,
        redundancy=1,
        sent_s=10 + index * 0.02,
    )


def played(index: int, outcome: PlayoutOutcome = PlayoutOutcome.PLAYED, delay_s: float = 0.06) -> FramePlayed:
    """What became of packet `index`."""
    return FramePlayed(BOBS_SSRC, index * 960, outcome, 10 + index * 0.02 + delay_s)


def example_rows() -> list[str]:
    """A log with everything in it: 3 of 20 packets lost, one of them recovered, one late, one copied."""
    rows = LogRows(WALL_OFFSET_S)
    rows.take(None, Remark(LogEvent.CALL_BEGAN, 9.9, "c0ffee00c0ffee00"))
    rows.take(BOB, LinkBegan(111, 63, 9.95))
    for index in range(20):
        rows.take(BOB, sent(index))
        if index not in {5, 6, 12}:
            rows.take(BOB, heard(index))
            rows.take(BOB, played(index, PlayoutOutcome.LATE if index == 15 else PlayoutOutcome.PLAYED))
        if index == 7:
            rows.take(BOB, played(6, PlayoutOutcome.RECOVERED))
            rows.take(BOB, copy(3))
    rows.take(BOB, SenderReport(BOBS_SSRC, 3.9e9, 12_345, 20, 1600, 10.4))
    rows.take(BOB, ReceptionReport(OWN_SSRC, 0.125, 3, 70_000, 0.004, 10.41, 0.0206))
    rows.take(BOB, PlayoutCounted(0, 480, 10.1))
    rows.take(BOB, PlayoutCounted(96, 10_080, 10.42))
    rows.take(None, Remark(LogEvent.CALL_ENDED, 10.5))
    return rows.finished(float("inf"))


def example_log(path: Path) -> Path:
    """Write it."""
    path.write_bytes("\r\n".join([HEADER, *example_rows(), ""]).encode())
    return path

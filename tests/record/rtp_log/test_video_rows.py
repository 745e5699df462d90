"""Pictures in an RTP log: their rows, what is made of them, and what tshark says of the same packets."""

import subprocess
from pathlib import Path

import msgspec
import pytest

from blink_cli.app.files.rtp_log_files import analyse_log
from blink_cli.commands.analysis_text import analysis_lines
from blink_cli.core.analysis.video_figures import InboundVideoFigures, OutboundVideoFigures
from blink_cli.core.media.rtp import ReceptionReport, RtpPacket, SenderReport, SentPacket
from blink_cli.core.media.video import vp8_payload
from blink_cli.core.media.video_feedback import FeedbackKind, VideoFeedback
from blink_cli.lab.requirements import require_program
from blink_cli.record.rtp_log.format import HEADER, LogEvent
from blink_cli.record.rtp_log.pcap import write_capture
from blink_cli.record.rtp_log.reader import RtpLogReader
from blink_cli.record.rtp_log.rows import LogRows, Remark, VideoEntry
from tests.record.rtp_log_parts import BOB, WALL_OFFSET_S, heard, sent

pytestmark = pytest.mark.no_clock

BOBS, OWN = 0xBBBB_0096, 0xAAAA_0096
FIRST, FRAMES, PACKETS = 65_500, 60, 3
"""The numbers wrap in the twelfth frame; a frame has three packets, 15 of them a second."""

TICKS = 6_000
LOST_FOR_GOOD, LOST_AND_REPAIRED = {31}, {40, 41}
LATE_FRAME, LATE_S = 20, 0.08


def payloads(frame: int) -> list[bytes]:
    """Of one frame of VP8, of which the first and every thirtieth needs no other."""
    found = vp8_payload.cut(bytes([frame % 30 != 0]) + bytes(3_000), frame)
    assert len(found) == PACKETS
    return found


def received(number: int, payload: bytes, *, again: bool = False) -> RtpPacket:
    frame, place = divmod(number, PACKETS)
    late_s = LATE_S if frame == LATE_FRAME else 0.15 if again else 0.0
    return RtpPacket(
        BOBS,
        (FIRST + number) & 0xFFFF,
        0xFFFF_0000 + frame * TICKS & 0xFFFF_FFFF,
        96,
        place == PACKETS - 1,
        payload,
        10.0 + frame / 15 + 0.004 * place + late_s,
        retransmitted=again,
    )


def went(number: int, payload: bytes, *, again: bool = False) -> SentPacket:
    frame, place = divmod(number, PACKETS)
    return SentPacket(
        OWN, number, frame * TICKS, 96, place == PACKETS - 1, len(payload), 0, voice=False, redundancy=0,
        sent_s=10.0 + frame / 15 + 0.004 * place, payload=payload, retransmitted=again,
    )  # fmt: skip


def log_with_pictures(path: Path) -> Path:
    """A call with both directions of pictures, and a little voice beside."""
    rows = LogRows(WALL_OFFSET_S)
    rows.take(None, Remark(LogEvent.CALL_BEGAN, 9.9, "c0ffee00c0ffee00"))
    for index in range(5):
        rows.take(BOB, heard(index))
        rows.take(BOB, sent(index))
    for number in range(FRAMES * PACKETS):
        frame, place = divmod(number, PACKETS)
        payload = payloads(frame)[place]
        rows.take(BOB, VideoEntry(went(number, payload)))
        if number in LOST_AND_REPAIRED:
            rows.take(BOB, VideoEntry(received(number, payload, again=True)))
        elif number not in LOST_FOR_GOOD:
            rows.take(BOB, VideoEntry(received(number, payload)))
    rows.take(BOB, VideoEntry(received(50, payloads(16)[2], again=True)))
    for told in (
        VideoFeedback(FeedbackKind.NACK, BOBS, is_ours=True, at_s=11.0, packets=1),
        VideoFeedback(FeedbackKind.NACK, BOBS, is_ours=True, at_s=11.1, packets=2),
        VideoFeedback(FeedbackKind.PLI, BOBS, is_ours=True, at_s=11.3),
        VideoFeedback(FeedbackKind.NACK, OWN, is_ours=False, at_s=11.4, packets=3),
        VideoFeedback(FeedbackKind.FIR, OWN, is_ours=False, at_s=11.5),
        SenderReport(BOBS, 3.9e9, 12_345, 60, 60_000, 11.6),
        ReceptionReport(OWN, 0.25, 7, 100, 0.0031, 11.7, 0.042),
    ):
        rows.take(BOB, VideoEntry(told))
    rows.take(BOB, VideoEntry(went(8, payloads(2)[2], again=True)))
    path.write_bytes("\r\n".join([HEADER, *rows.finished(float("inf")), ""]).encode("ascii"))
    return path


def test_the_figures_of_both_directions(tmp_path: Path) -> None:
    found = analyse_log(log_with_pictures(tmp_path / "log.csv"))
    assert found.rows_unreadable == 0
    # Pictures are no part of what is said of voices.
    assert [(one.inbound or one.outbound).duration_s for one in found.streams] == pytest.approx([0.08] * 2)  # type: ignore[union-attr]
    came, left = found.video_streams
    assert (came.peer, came.direction, left.direction) == (BOB, "received", "sent")
    inbound, outbound = came.inbound, left.outbound
    assert isinstance(inbound, InboundVideoFigures)
    assert isinstance(outbound, OutboundVideoFigures)
    assert inbound.ssrc == BOBS
    assert inbound.packets_expected == FRAMES * PACKETS
    assert inbound.packets_lost == 3
    assert inbound.packets_received == FRAMES * PACKETS - 3
    assert (inbound.packets_repaired, inbound.retransmitted_packets_received) == (2, 3)
    assert (inbound.frames_received, inbound.frames_incomplete) == (FRAMES - 1, 1)
    assert inbound.key_frames_received == 2
    assert inbound.frames_per_second == pytest.approx(15, rel=0.02)
    sizes = [len(one) for frame in range(FRAMES) for one in payloads(frame)]
    assert outbound.payload_bytes == sum(sizes)
    assert inbound.payload_bytes == sum(
        size for n, size in enumerate(sizes) if n not in LOST_FOR_GOOD | LOST_AND_REPAIRED
    )
    assert outbound.bitrate_bps == pytest.approx(8 * sum(sizes) / (59 / 15 + 0.008), rel=0.001)
    assert inbound.max_frame_interval_ms == pytest.approx(2000 / 15, abs=0.1)
    assert msgspec.to_builtins(inbound.feedback) == {
        "nack_count": 2, "packets_requested": 3, "pli_count": 1, "fir_count": 0,
    }  # fmt: skip
    assert (outbound.frames_sent, outbound.key_frames_sent, outbound.packets_sent) == (
        FRAMES,
        2,
        FRAMES * PACKETS,
    )
    assert outbound.retransmitted_packets_sent == 1
    assert (outbound.feedback.packets_requested, outbound.feedback.fir_count) == (3, 1)
    assert outbound.reported is not None
    assert outbound.reported.jitter_ms == pytest.approx(3.1)
    assert outbound.round_trip is not None
    assert outbound.round_trip.mean_ms == pytest.approx(42)
    text = "\n".join(analysis_lines(found))
    assert "lost 3 (1.67%), of these came again 2" in text
    assert "59 complete" in text
    assert "3 packets in 2 NACK; key frames by 1 PLI, 0 FIR" in text


def test_tshark_says_the_same_of_the_same_packets(tmp_path: Path) -> None:
    log = log_with_pictures(tmp_path / "log.csv")
    (inbound,) = (one.inbound for one in analyse_log(log).video_streams if one.inbound is not None)
    write_capture(RtpLogReader(log), tmp_path / "log.pcap")
    ran = subprocess.run(
        [require_program("tshark"), "-r", str(tmp_path / "log.pcap"), "-q", "-z", "rtp,streams"],
        capture_output=True,
        text=True,
        check=True,
    )
    (row,) = (line.split() for line in ran.stdout.splitlines() if f"0x{BOBS:X}" in line)
    # Its clock is known, and so its jitter; of what has a marker bit Wireshark takes no mean.
    codec, packets, lost, share, *figures = row[row.index("VP8") :][:10]
    assert (codec, int(packets), int(lost)) == ("VP8", inbound.packets_received, inbound.packets_lost)
    assert share == f"({inbound.packets_lost / inbound.packets_expected:.1%})"
    assert float(figures[-1]) == pytest.approx(inbound.max_jitter_ms, abs=0.001)


def test_a_pause_is_no_loss_of_pictures(tmp_path: Path) -> None:
    rows = LogRows(WALL_OFFSET_S)
    rows.take(None, Remark(LogEvent.CALL_BEGAN, 9.9, "c0ffee00c0ffee00"))
    for number in range(FRAMES * PACKETS):
        if 30 <= number < 90:
            continue
        if number == 90:
            rows.take(None, Remark(LogEvent.PAUSED, 10.0 + 10 / 15))
            rows.take(None, Remark(LogEvent.RESUMED, 10.0 + 30 / 15 - 0.001))
        frame, place = divmod(number, PACKETS)
        rows.take(BOB, VideoEntry(received(number, payloads(frame)[place])))
    path = tmp_path / "log.csv"
    path.write_bytes("\r\n".join([HEADER, *rows.finished(float("inf")), ""]).encode("ascii"))
    (stream,) = analyse_log(path).video_streams
    assert stream.inbound is not None
    assert (stream.inbound.packets_lost, stream.inbound.frames_received) == (0, 40)
    assert stream.inbound.frames_incomplete == 0
    assert stream.inbound.duration_s == pytest.approx(9 / 15 + 29 / 15 + 0.016, abs=0.01)

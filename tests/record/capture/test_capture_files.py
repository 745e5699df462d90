"""What is found in a capture, and what is said where nothing is."""

import random
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from blink_cli.app.files.capture_files import analyse_capture
from blink_cli.core.analysis.capture_figures import RtpCaptureFigures
from blink_cli.core.errors import UsageError
from blink_cli.core.media import red
from blink_cli.core.media.reception_statistics import ReportBlock
from blink_cli.core.media.rtcp import SenderInfo, block_on_wire, middle_bits, ntp_timestamp, write_report
from blink_cli.lab.requirements import require_program
from blink_cli.record.capture import survey
from tests.record.capture.parts import (
    FAR,
    OWN,
    START_NS,
    Captured,
    Sending,
    announcement,
    mu_law,
    pcap,
    rtp,
    stream,
    udp,
)
from tests.record.simulated_call import spoken

pytestmark = pytest.mark.no_clock


def analysed(
    tmp_path: Path, captured: list[Captured], link: int = 101, **told: tuple[str, int]
) -> RtpCaptureFigures:
    return analyse_capture(
        pcap(tmp_path / "call.pcap", sorted(captured, key=lambda one: one[0]), link=link),
        {int(number.removeprefix("pt")): kind for number, kind in told.items()},
    )


def by_lot(number: int) -> bytes:
    return random.Random(number).randbytes(90)


def redundant(number: int) -> bytes:
    timestamp = number * 960
    copies = [(timestamp - 960 * age, spoken()[(number - age) % 150]) for age in (2, 1) if number >= age]
    return red.pack(spoken()[number % 150], timestamp, copies, 111)


@pytest.mark.parametrize(
    ("sending", "codec", "rate_hz", "known_by", "encrypted"),
    [
        (Sending(payload_type=97), "opus", 48_000, "payload", False),
        (Sending(payload_type=63, payload=redundant), "red", 48_000, "payload", False),
        (Sending(payload_type=0, step=160, rate_hz=8_000, payload=mu_law), "PCMU", 8_000, "number", False),
        (Sending(payload_type=111, payload=by_lot), None, 48_000, "clock", True),
        (Sending(payload_type=0, step=160, rate_hz=8_000, payload=by_lot), "PCMU", 8_000, "number", True),
        (Sending(payload_type=99, step=3_000, rate_hz=90_000, payload=lambda _: b"\x41"), None, 90_000, "clock", False),
        (Sending(payload_type=99, step=700, rate_hz=35_000, payload=lambda _: b"\x41"), None, None, None, False),
    ],
)  # fmt: skip
def test_what_a_payload_type_is(
    sending: Sending,
    codec: str | None,
    rate_hz: int | None,
    known_by: str | None,
    *,
    encrypted: bool,
    tmp_path: Path,
) -> None:
    (found,) = analysed(tmp_path, stream(1, sending)).streams
    (kind,) = found.payload_types
    assert (kind.codec, kind.clock_rate_hz, kind.known_by) == (codec, rate_hz, known_by)
    assert (kind.packets, found.encrypted) == (300, encrypted)
    assert (found.inbound.jitter_ms is None) == (rate_hz is None)
    if rate_hz is not None:
        assert found.inbound.max_jitter_ms == pytest.approx(0.0, abs=0.001)


def test_who_asks_and_descriptions_come_before_guesses(tmp_path: Path) -> None:
    encrypted = stream(1, Sending(payload=by_lot))
    (told,) = analysed(tmp_path, encrypted, pt111=("opus", 48_000)).streams
    assert (told.payload_types[0].known_by, told.encrypted) == ("option", True)
    assert told.tshark_4_0.max_jitter_ms is not None
    described = [(START_NS - 1, announcement(types="111 L16/16000")), *encrypted]
    (found,) = analysed(tmp_path, described).streams
    assert (found.payload_types[0].codec, found.payload_types[0].known_by) == ("L16", "sdp")


def test_strays_are_no_streams(tmp_path: Path) -> None:
    source = random.Random(5)
    noise = [
        (
            START_NS + number * 7_000_000,
            udp(b"\x80" + source.randbytes(60), ports=(source.randrange(1024, 65_536), 99)),
        )
        for number in range(500)
    ]
    found = analysed(tmp_path, stream(1) + noise)
    assert len(found.streams) == 1
    assert found.left_out.unproved + found.left_out.rtcp == 500


def test_a_packet_of_another_ssrc_between_the_same_sockets_counts(tmp_path: Path) -> None:
    lone = (START_NS + 10**9, udp(rtp(7, 7, 111, 0xBEEF, spoken()[0])))
    found = analysed(tmp_path, [*stream(1), lone])
    assert [one.tshark_4_0.packets for one in found.streams] == [300, 1]
    assert found.streams[1].payload_types[0].codec == "opus"


def test_a_flood_of_streams_is_told_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "MOST_STREAMS", 8)
    monkeypatch.setattr(survey, "MOST_CANDIDATES", 16)
    flood = [
        (START_NS + 9 * ssrc + number, udp(rtp(number, 0, 111, ssrc, b"\xfc"), ports=(ssrc + 1, 5)))
        for ssrc in range(40)
        for number in range(3)
    ]
    found = analysed(tmp_path, flood)
    assert (len(found.streams), found.streams_omitted, found.left_out.unproved) == (8, 32, 96)


def test_fragments_are_said(tmp_path: Path) -> None:
    first = bytearray(stream(1)[0][1])
    first[6] = 0x20
    found = analysed(tmp_path, [*stream(1), (START_NS + 5, bytes(first))])
    assert found.left_out.fragments == 1


@pytest.mark.parametrize(
    ("frames", "link", "words"),
    [
        ([], 101, "without a single frame"),
        ([bytes(60)] * 3, 105, r"link of type 105 \(IEEE 802.11\)"),
        ([udp(b"\x16\xfe\xfd" + bytes(50))] * 4, 101, r"4 UDP datagrams \(4 of DTLS\)"),
        ([udp(b"\x80\xc8\x00\x06" + bytes(24))] * 2, 101, r"2 of RTCP"),
        ([udp(b"hello")], 101, "holds no RTP stream"),
    ],
)
def test_a_capture_without_rtp_says_what_was_seen(
    frames: list[bytes], link: int, words: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        analysed(tmp_path, [(START_NS + number, frame) for number, frame in enumerate(frames)], link)
    assert refused.value.hint


def test_reports_give_round_trip_and_the_senders_clock(tmp_path: Path) -> None:
    """The same round trip as tshark computes; and streams of one sender lie on each other by its clock."""
    captured = stream(1)
    began_s = 1_700_000_000.25
    for number in range(1, 5):
        at_s = began_s + number
        info = SenderInfo(0x1234, ntp_timestamp(at_s), number * 48_000, 1, 1)
        sent_ns = START_NS + number * 10**9
        captured.append((sent_ns, udp(write_report(0x1234, info, (), "x"), ports=(4001, 5005))))
        block = block_on_wire(
            0x1234, ReportBlock(0.25, 5, 1000, 480), middle_bits(info.ntp_timestamp), delay_s=0.030
        )
        answer = write_report(0x99, None, (block,), "y")
        captured.append((sent_ns + 70_000_000, udp(answer, source=OWN, target=FAR, ports=(5005, 4001))))
    found = analysed(tmp_path, captured)
    (one,) = found.streams
    trip = one.inbound.round_trip
    assert trip is not None
    assert trip.measurements == 4
    assert trip.mean_ms == pytest.approx(40.0, abs=0.05)
    assert one.reported is not None
    assert (one.reported.packets_lost, one.reported.fraction_lost, one.reported.jitter_ms) == (5, 0.25, 10.0)
    assert one.sender_clock is not None
    assert (one.sender_clock.reports, one.sender_clock.began_at[:23]) == (4, "2023-11-14T22:13:20.250")
    ran = subprocess.run(
        [
            *(require_program("tshark"), "-r", str(tmp_path / "call.pcap"), "-d", "udp.port==5005,rtcp"),
            *("-o", "rtcp.show_roundtrip_calculation:TRUE", "-T", "fields", "-e", "rtcp.roundtrip-delay"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    delays_ms = [int(word) for word in ran.stdout.split()]
    assert len(delays_ms) == 4
    assert delays_ms == pytest.approx(
        [trip.mean_ms] * 4, abs=1.5
    )  # it leaves off parts of a millisecond, twice


@pytest.mark.parametrize("change", ["header", "payload", "reports"])
def test_any_packets_are_told_or_refused(change: str, tmp_path: Path) -> None:
    """Packets changed at random, in their headers, in what they carry, in reports: figures or a sentence."""
    source = random.Random(change)
    clean = stream(1)[:60]
    report = udp(write_report(0x1234, SenderInfo(0x1234, 1 << 40, 5, 1, 1), (), "x"), ports=(4001, 5005))
    where: dict[str, Callable[[], int]] = {
        "header": lambda: source.randrange(28),
        "payload": lambda: source.randrange(28, 50),
        "reports": lambda: source.randrange(28, len(report)),
    }
    for _ in range(150):
        captured = []
        for at_ns, packet in clean:
            data = bytearray(report if change == "reports" and source.random() < 0.3 else packet)
            for _ in range(source.randrange(3)):
                data[where[change]() % len(data)] = source.randrange(256)
            if source.random() < 0.1:
                data = data[: source.randrange(len(data))]
            captured.append((source.choice((at_ns, at_ns, source.randrange(2**32 * 10**9))), bytes(data)))
        try:
            figures = analysed(tmp_path, captured)
        except UsageError:
            continue
        for found in figures.streams:
            assert (
                found.inbound.packets_received + found.inbound.packets_duplicated == found.tshark_4_0.packets
            )


def test_lengths_of_a_header_that_reach_behind_what_was_captured(tmp_path: Path) -> None:
    odd = [
        (START_NS + number, udp(struct.pack("!BBHIIHH", 0x9F, 111, number, 0, 1, 0, 0xFFFF)))
        for number in range(4)
    ]
    assert len(analysed(tmp_path, stream(1) + odd).streams) == 1

"""The exported capture, as tshark reads it."""

import stat
import subprocess
from pathlib import Path
from weakref import WeakSet

import msgspec
import numpy as np
import pytest
import soundfile

from blink_cli.audio.opus.decoder import OpusDecoder
from blink_cli.core.audio_format import PRE_SKIP_SAMPLES
from blink_cli.core.ids import Did
from blink_cli.core.media import red
from blink_cli.core.media.rtp_header import RtpHeaderWriter
from blink_cli.lab.requirements import require_program
from blink_cli.record.capture.frames import CaptureReader
from blink_cli.record.finished.ogg_opus import OggOpusWriter
from blink_cli.record.rtp_log import pcap
from blink_cli.record.rtp_log.format import HEADER, LogEvent, LogRow
from blink_cli.record.rtp_log.pcap import RedPackets, write_capture
from blink_cli.record.rtp_log.reader import RtpLogReader
from blink_cli.record.rtp_log.rows import LinkBegan, LogRows
from tests.record.rtp_log_parts import BOB, BOBS_SSRC, OWN_SSRC, WALL_OFFSET_S, copy, example_log, heard
from tests.record.simulated_call import spoken

pytestmark = pytest.mark.no_clock

FIELDS = (
    "frame.time_epoch",
    "ip.src",
    "ip.dst",
    "rtp.ssrc",
    "rtp.seq",
    "rtp.timestamp",
    "rtp.p_type",
    "rtp.marker",
    "rtp.ext.rfc5285.data",
    "frame.len",
    "ip.checksum.status",
)


def test_tshark_reads_every_header(tmp_path: Path) -> None:
    log = example_log(tmp_path / "log.csv")
    packets = write_capture(RtpLogReader(log), tmp_path / "log.pcap").packets
    assert packets == 20 + 17 + 1
    ran = subprocess.run(
        [
            *(require_program("tshark"), "-r", str(tmp_path / "log.pcap"), "-d", "udp.port==5004,rtp"),
            *("-o", "ip.check_checksum:TRUE", "-T", "fields"),
            *(word for name in FIELDS for word in ("-e", name)),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.split("\t") for line in ran.stdout.splitlines()]
    assert len(lines) == packets
    sent = [line for line in lines if int(line[3], 16) == OWN_SSRC]
    heard = [line for line in lines if int(line[3], 16) == BOBS_SSRC]
    assert {(line[1], line[2]) for line in sent} == {("10.0.0.1", "10.0.0.2")}
    assert {(line[1], line[2]) for line in heard} == {("10.0.0.2", "10.0.0.1")}
    assert [int(line[4]) for line in sent] == [(65_530 + n) & 0xFFFF for n in range(20)]
    assert [int(line[5]) for line in sent] == [n * 960 for n in range(20)]
    first = heard[0]
    assert float(first[0]) == pytest.approx(WALL_OFFSET_S + 10.0, abs=1e-5)
    assert (first[6], first[7]) == ("111", "1")
    assert int(first[8][:2], 16) == 0x80 | 31  # voice, -31 dBov
    assert int(first[9]) == 20 + 8 + 20 + 80
    assert {line[10] for line in lines} == {"1"}  # good


def test_packets_are_whole_and_their_payloads_zeros(tmp_path: Path) -> None:
    write_capture(RtpLogReader(example_log(tmp_path / "log.csv")), tmp_path / "log.pcap")
    assert stat.S_IMODE((tmp_path / "log.pcap").stat().st_mode) == 0o600
    frames = list(CaptureReader(tmp_path / "log.pcap"))
    assert {(len(frame.data), frame.original_bytes) for frame in frames} == {(48 + 70,) * 2, (48 + 80,) * 2}
    assert not any(any(frame.data[48:]) for frame in frames)


def with_payloads(folder: Path) -> tuple[Path, list[bytes]]:
    """A log that keeps what packets carry, of which every other one is RED; and the Opus packets in them."""
    rows = LogRows(WALL_OFFSET_S, payload_bytes=1_000_000)
    rows.take(BOB, LinkBegan(111, 63, 9.95))
    opus = spoken()[40:100]  # with the click
    for index, payload in enumerate(opus):
        copies = [((index - 1) * 960, opus[index - 1])] if index % 2 else []
        carried = red.pack(payload, index * 960, copies, 111) if copies else payload
        rows.take(BOB, heard(index, payload=carried))
    rows.take(
        BOB,
        msgspec.structs.replace(
            copy(3), payload_type=63, payload_bytes=len(red.pack(opus[3], 2880, [(1920, opus[2])], 111))
        ),
    )
    log = folder / "log.csv"
    log.write_bytes("\r\n".join([HEADER, *rows.finished(float("inf")), ""]).encode())
    return log, list(opus)


def test_tshark_knows_opus_unasked_and_finds_every_payload(tmp_path: Path) -> None:
    log, opus = with_payloads(tmp_path)
    totals = write_capture(RtpLogReader(log), tmp_path / "log.pcap")
    assert (totals.packets, totals.payloads) == (61, 61)  # a copy has what the packet had
    found = fields_of(tmp_path / "log.pcap", "rtp.p_type", "rtp.timestamp", "rtp.payload")
    assert len(found) == 61
    for kind, timestamp, payload in found:
        packet, index = bytes.fromhex(payload), int(timestamp) // 960
        frames = red.unpack(packet, index * 960) if kind == "63" else [(index * 960, packet, 111)]
        assert kind == ("63" if index % 2 else "111")
        assert frames[-1] == (index * 960, opus[index], 111)
        assert [frame for _, frame, _ in frames[:-1]] == ([opus[index - 1]] if index % 2 else [])


def test_the_playable_capture_is_one_stream_of_opus_that_sounds_the_same(tmp_path: Path) -> None:
    log, opus = with_payloads(tmp_path)
    write_capture(RtpLogReader(log), tmp_path / "log.pcap", RedPackets.PRIMARY_ALONE)
    table = subprocess.run(
        [require_program("tshark"), "-r", str(tmp_path / "log.pcap"), "-q", "-z", "rtp,streams"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    (row,) = [line for line in table.splitlines() if "0xBBBB0002" in line]
    assert " opus " in row
    assert " -1.000 " not in row  # it knows the clock, so there is jitter
    fields = fields_of(tmp_path / "log.pcap", "rtp.timestamp", "rtp.payload")
    payloads = {one[0]: one[1] for one in fields}
    assert [bytes.fromhex(payloads[str(index * 960)]) for index in range(60)] == opus
    with (tmp_path / "bob.opus").open("wb") as file:
        writer = OggOpusWriter(file, "bob", "")
        for index in range(60):
            writer.write(bytes.fromhex(payloads[str(index * 960)]), index * 960, 960)
        writer.close()
    subprocess.run(
        [
            require_program("opusdec"),
            "--quiet",
            "--rate",
            "48000",
            "--float",
            str(tmp_path / "bob.opus"),
            str(tmp_path / "bob.wav"),
        ],
        check=True,
    )
    heard_there, _ = soundfile.read(tmp_path / "bob.wav", dtype="float32")
    decoder = OpusDecoder()
    ours = np.concatenate([decoder.decode(payload).reshape(-1) for payload in opus])[PRE_SKIP_SAMPLES:]
    assert len(heard_there) == pytest.approx(len(ours), abs=960)
    both = min(len(heard_there), len(ours))
    assert np.abs(heard_there[:both] - ours[:both]).max() < 0.005
    assert np.abs(ours).max() > 0.1


def fields_of(capture: Path, *names: str) -> list[tuple[str, ...]]:
    """Fields of every RTP packet, by tshark that was told nothing."""
    ran = subprocess.run(
        [
            *(require_program("tshark"), "-r", str(capture), "-Y", "rtp", "-T", "fields"),
            *(word for name in names for word in ("-e", name)),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return [tuple(line.split("\t")) for line in ran.stdout.splitlines()]


def test_a_capture_overwrites_nothing(tmp_path: Path) -> None:
    out = tmp_path / "log.pcap"
    out.write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        write_capture(RtpLogReader(example_log(tmp_path / "log.csv")), out)
    assert out.read_bytes() == b"mine"


def test_a_log_of_endless_peers_and_streams_becomes_a_capture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive: WeakSet[RtpHeaderWriter] = WeakSet()
    most = 0

    class Counted(RtpHeaderWriter):
        def __init__(self, ssrc: int, audio_level_id: int | None) -> None:
            nonlocal most
            super().__init__(ssrc, audio_level_id)
            alive.add(self)
            most = max(most, len(alive))

    monkeypatch.setattr(pcap, "RtpHeaderWriter", Counted)
    rows = (
        LogRow(
            LogEvent.PACKET,
            1.0,
            "2026-01-01T00:00:00+00:00",
            peer=Did(f"did:{number}"),
            direction="received",
            ssrc=number,
            sequence=1,
        )
        for number in range(70_000)
    )
    assert write_capture(rows, tmp_path / "log.pcap").packets == 70_000
    assert most <= pcap._MOST_WRITERS + 1

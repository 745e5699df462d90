"""The exported capture, as tshark reads it."""

import stat
import struct
import subprocess
from pathlib import Path
from weakref import WeakSet

import pytest

from blink_cli.core.ids import Did
from blink_cli.core.media.rtp_header import RtpHeaderWriter
from blink_cli.lab.requirements import require_program
from blink_cli.record.rtp_log import pcap
from blink_cli.record.rtp_log.format import LogEvent, LogRow
from blink_cli.record.rtp_log.pcap import PORT, write_capture
from blink_cli.record.rtp_log.reader import RtpLogReader
from tests.record.rtp_log_parts import BOBS_SSRC, OWN_SSRC, WALL_OFFSET_S, example_log

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
            *(require_program("tshark"), "-r", str(tmp_path / "log.pcap"), "-d", f"udp.port=={PORT},rtp"),
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
    data = (tmp_path / "log.pcap").read_bytes()
    _, _, captured, original = struct.unpack_from("<IIII", data, 24)
    assert (captured, original) == (48 + 70, 48 + 70)
    assert data[40 + 48 : 40 + 48 + 70] == bytes(70)


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

"""RTCP XR on the wire: what is written is read again, tshark reads it too, nonsense is an error of the wire and no other."""

import json
import random
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from blink_cli.core.errors import WireError
from blink_cli.core.media.extended_report import (
    StatisticsSummary,
    VoipMetrics,
    read_extended_report,
    write_extended_report,
)
from blink_cli.core.media.rtcp import parse_rtcp, write_report

pytestmark = pytest.mark.no_clock

SUMMARY = StatisticsSummary(7, 65_530, 20, 3, 1, 0, 960, 48, 100)
METRICS = VoipMetrics(
    ssrc=7,
    loss_rate=0.25,
    discard_rate=0.125,
    burst_density=0.5,
    gap_density=0.0,
    burst_duration_ms=180,
    gap_duration_ms=2_400,
    gmin_packets=16,
    round_trip_ms=40,
    end_system_delay_ms=93,
    signal_dbm0=-21,
    r_factor=82,
    mos_listening=4.1,
    mos_conversational=4.0,
    buffer_nominal_ms=66,
    buffer_maximum_ms=1_066,
    buffer_absolute_maximum_ms=1_400,
)
BARE = VoipMetrics(
    ssrc=9,
    loss_rate=0.0,
    discard_rate=0.0,
    burst_density=0.0,
    gap_density=0.0,
    burst_duration_ms=0,
    gap_duration_ms=0,
    gmin_packets=16,
    adaptive_buffer=None,
    concealment="unspecified",
)


def _body(blocks: list[StatisticsSummary | VoipMetrics]) -> bytes:
    return write_extended_report(1, blocks)[4:]


def test_what_is_written_is_read_again() -> None:
    assert read_extended_report(_body([SUMMARY, METRICS, BARE])) == [SUMMARY, METRICS, BARE]


def test_what_is_not_known_goes_out_as_the_rfc_says() -> None:
    content = _body([BARE])[8:]
    assert content[12:16] == bytes(4)  # round trip and end system delay
    assert content[16:20] == bytes((127, 127, 127, 16))  # signal, noise, RERL; Gmin
    assert content[20:25] == bytes(
        (127, 127, 127, 127, 0)
    )  # R, external R, MOS-LQ, MOS-CQ; nothing of the receiver
    no_jitter = StatisticsSummary(7, 0, 1, 0, 0, None, None, None, None)
    assert _body([no_jitter])[5] == 0b1100_0000
    assert read_extended_report(_body([no_jitter])) == [no_jitter]


def test_what_does_not_fit_is_brought_to_the_nearer_end() -> None:
    too_much = VoipMetrics(
        ssrc=7, loss_rate=1.0, discard_rate=0.0, burst_density=1.0, gap_density=0.0, burst_duration_ms=10**6,
        gap_duration_ms=-5, gmin_packets=16, signal_dbm0=-400, r_factor=129, mos_listening=9.0,
    )  # fmt: skip
    (read,) = read_extended_report(_body([too_much]))
    assert isinstance(read, VoipMetrics)
    assert (read.loss_rate, read.burst_duration_ms, read.gap_duration_ms) == (255 / 256, 65_535, 0)
    assert (read.signal_dbm0, read.r_factor, read.mos_listening) == (-128, 100, 5.0)


def test_other_blocks_and_lengths_are_passed_over() -> None:
    references = struct.pack("!BBHQ", 4, 0, 2, 1) + struct.pack("!BBHIII", 5, 0, 3, 7, 1, 2)
    short_voip = struct.pack("!BBHI", 7, 0, 1, 7)
    body = _body([METRICS])
    assert read_extended_report(body[:4] + references + short_voip + body[4:]) == [METRICS]
    compound = write_report(1, None, (), "name") + write_extended_report(1, [SUMMARY])
    assert parse_rtcp(compound).extended_reports == [SUMMARY]


def test_nonsense_is_an_error_of_the_wire() -> None:
    generator = random.Random(3611)
    whole = _body([SUMMARY, METRICS])
    for length in range(len(whole)):
        if length not in (4, 4 + 40):
            with pytest.raises(WireError):
                read_extended_report(whole[:length])
    for _ in range(2_000):
        try:
            read_extended_report(generator.randbytes(generator.randrange(120)))
        except WireError:
            continue


@pytest.mark.no_clock(sockets=True)
def test_tshark_reads_both_blocks(tmp_path: Path) -> None:
    """The very bytes of a compound packet, as plain RTCP in a capture."""
    if shutil.which("tshark") is None:
        pytest.skip("needs tshark")
    rtcp = write_report(1, None, (), "name") + write_extended_report(1, [SUMMARY, METRICS])
    udp = struct.pack("!HHHH", 5001, 5001, 8 + len(rtcp), 0) + rtcp
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), bytes(4)) + udp
    capture = tmp_path / "xr.pcap"
    capture.write_bytes(
        struct.pack("!IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101)
        + struct.pack("!IIII", 0, 0, len(ip), len(ip))
        + ip
    )
    command = ("tshark", "-r", str(capture), "-d", "udp.port==5001,rtcp", "-T", "json")
    found = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.decode()
    assert "malformed" not in found.lower()
    flat = _flat(json.loads(found))
    expected = {
        "rtcp.xr.stats.lost": "3", "rtcp.xr.stats.dups": "1", "rtcp.xr.stats.maxjitter": "960",
        "rtcp.xr.voipmetrics.burstdensity": "128", "rtcp.xr.voipmetrics.gmin": "16", "rtcp.xr.voipmetrics.rtdelay": "40",
        "rtcp.xr.voipmetrics.esdelay": "93", "rtcp.xr.voipmetrics.rfactor": "82", "rtcp.xr.voipmetrics.noiselevel": "127",
        "rtcp.xr.voipmetrics.jbabsmax": "1400", "rtcp.xr.voipmetrics.moslq": "4.1",
    }  # fmt: skip
    assert {name: flat.get(name) for name in expected} == expected


def _flat(node: object) -> dict[str, str]:
    if isinstance(node, list):
        return {name: value for one in node for name, value in _flat(one).items()}
    found: dict[str, str] = {}
    if isinstance(node, dict):
        for name, value in node.items():
            found.update({name: value} if isinstance(value, str) else _flat(value))
    return found

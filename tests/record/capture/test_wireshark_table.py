"""Every figure of tshark's table of RTP streams, digit by digit, whatever happens to the streams."""

import dataclasses
import functools
import random
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from blink_cli.app.files.capture_files import analyse_capture
from blink_cli.core.analysis.capture_figures import CaptureStream
from blink_cli.core.analysis.wireshark_table import WiresharkFigures
from blink_cli.lab.requirements import require_program
from tests.record.capture.parts import (
    START_NS,
    Captured,
    Sending,
    announcement,
    as_ipv6,
    cooked,
    cooked_2,
    ethernet,
    loopback,
    mu_law,
    pcap,
    pcapng,
    pcapng_of_links,
    rtp,
    stream,
    udp,
)

pytestmark = pytest.mark.no_clock

ROW = re.compile(
    r"\s*[\d.]+\s+[\d.]+\s+(\S+)\s+(\d+)\s+(\S+)\s+(\d+)\s+0x([0-9A-F]+)\s+.*?\s(\d+)\s+(-?\d+) \((\S+)%\)\s+(.*)$"
)


def _restart(by: int) -> "Sending":
    def change(number: int, fields: dict[str, int]) -> None:
        if number >= 150:
            fields["sequence"] += by
            fields["timestamp"] += 123_456_789

    return Sending(first_sequence=30_000, change=change)


def _ticks_from(number_from: int, ticks: int) -> "Sending":
    def change(number: int, fields: dict[str, int]) -> None:
        fields["timestamp"] += ticks if number >= number_from else 0

    return Sending(first_timestamp=10_000_000, change=change)


def _another_ssrc(number: int, fields: dict[str, int]) -> None:
    fields["ssrc"] += 0x9000 if number >= 150 else 0


def _another_type(number: int, fields: dict[str, int]) -> None:
    fields["payload_type"] = 111 if number % 100 < 70 else 0


def _noise(number: int, fields: dict[str, int]) -> None:
    fields["payload_type"] = 13 if number % 50 == 49 else 0


PCMU = Sending(
    payload_type=0, step=160, rate_hz=8_000, payload=mu_law, loss=0.03, jitter_s=0.006, copies=0.03
)

STREAMS = {
    "clean": Sending(),
    "loss": Sending(loss=0.05, jitter_s=0.005),
    "bursts": Sending(loss=0.03, burst=8, jitter_s=0.01),
    "copies": Sending(copies=0.1, jitter_s=0.004),
    "overtaken": Sending(late=0.1, jitter_s=0.003),
    "everything": Sending(packets=1500, loss=0.05, burst=3, copies=0.05, late=0.08, jitter_s=0.012),
    "wrap": Sending(
        first_sequence=65_400, first_timestamp=2**32 - 100 * 960, loss=0.05, late=0.05, jitter_s=0.005
    ),
    "first number 0": Sending(first_sequence=0, loss=0.02),
    "first number 65535": Sending(first_sequence=65_535),
    "another SSRC": Sending(change=_another_ssrc),
    "another payload type": Sending(change=_another_type),
    "comfort noise": Sending(payload_type=0, step=160, rate_hz=8_000, payload=mu_law, change=_noise),
    "time jumps on": _ticks_from(150, 5_000_000),
    "time jumps back": _ticks_from(150, -10_200_000),
    "restart further on": _restart(20_000),
    "restart further back": _restart(-20_000),
    "PCMU": PCMU,
    "G.722": Sending(payload_type=9, step=160, rate_hz=8_000, payload=mu_law, loss=0.03, jitter_s=0.006),
    "L16": Sending(payload_type=11, step=882, rate_hz=44_100, payload=lambda _: bytes(200), jitter_s=0.006),
}


def everything_that_happens(folder: Path) -> Path:
    packets = [
        one
        for number, sending in enumerate(STREAMS.values())
        for one in stream(number, dataclasses.replace(sending, port=4000 + number, ssrc=0x1000 + number))
    ]
    packets.sort(key=lambda one: one[0])
    return pcap(folder / "call.pcap", [(packets[0][0], announcement()), *packets])


def test_whatever_happens_to_streams(tmp_path: Path) -> None:
    assert len(agree(everything_that_happens(tmp_path))) == len(STREAMS) + 1  # one has two SSRCs


def test_what_tshark_4_4_says_of_them(tmp_path: Path) -> None:
    """`tshark_4_4.txt` is what 4.4.19 printed of this very capture, with the command that the analysis names."""
    found = analyse_capture(everything_that_happens(tmp_path), {})
    theirs = _rows((Path(__file__).parent / "tshark_4_4.txt").read_text())
    assert {_key(one): _printed(one.tshark_4_4) for one in found.streams} == theirs


def test_numbers_that_go_round_twice(tmp_path: Path) -> None:
    packets = stream(
        8, Sending(packets=70_000, first_sequence=60_000, loss=0.01, late=0.01, payload=lambda _: b"\xfc")
    )
    (found,) = agree(pcap(tmp_path / "call.pcap", [(packets[0][0], announcement()), *packets]))
    assert found.inbound.packets_expected == pytest.approx(70_000, abs=2)


@pytest.mark.parametrize("kind", ["big-endian pcap", "pcapng", "big-endian pcapng"])
def test_whatever_the_file(kind: str, tmp_path: Path) -> None:
    packets = everything()
    order = ">" if kind.startswith("big") else "<"
    make = pcapng if kind.endswith("ng") else pcap
    agree(make(tmp_path / "call", packets, order=order))


LINKS: tuple[tuple[int, Callable[[bytes], bytes]], ...] = (
    (1, ethernet),
    (1, lambda packet: ethernet(packet, 0x88A8, 0x8100)),
    (113, cooked),
    (276, cooked_2),
    (0, loopback),
    (101, lambda packet: packet),
    (228, lambda packet: packet),
    (1, lambda packet: ethernet(as_ipv6(packet))),
    (276, lambda packet: cooked_2(as_ipv6(packet))),
    (229, as_ipv6),
)


def test_whatever_the_link(tmp_path: Path) -> None:
    links = [
        (
            link,
            [
                (at_ns, wrap(packet))
                for at_ns, packet in stream(number, dataclasses.replace(PCMU, port=4000 + number))
            ],
        )
        for number, (link, wrap) in enumerate(LINKS)
    ]
    assert len(agree(pcapng_of_links(tmp_path / "call.pcapng", links))) == len(LINKS)


@pytest.mark.parametrize("snap_bytes", [40, 46])
def test_frames_that_were_cut_off(snap_bytes: int, tmp_path: Path) -> None:
    (found,) = agree(pcap(tmp_path / "call.pcap", stream(10, PCMU), snap_bytes=snap_bytes))
    assert found.packets_cut_off == found.tshark_4_0.packets
    assert found.inbound.payload_bytes == 160 * found.inbound.packets_received


def test_what_was_sent_again_is_counted_apart_and_its_row_is_tsharks(tmp_path: Path) -> None:
    """Of three streams with the same sockets one sends again what another lost; all of it encrypted."""

    def sealed(number: int) -> bytes:
        return random.Random(number).randbytes(90)

    voice = stream(4, Sending(first_timestamp=0xFFFF_0000, loss=0.1, payload=sealed))
    came = {int.from_bytes(packet[30:32], "big") for _, packet in voice}
    lost = [number for number in range(1000, 1300) if number not in came]
    again = [
        (
            START_NS + (number - 1000) * 20_000_000 + 25_000_000,
            udp(rtp(7 + at, 0xFFFF_0000 + (number - 1000) * 960, 62, 0x4321, sealed(number))),
        )
        for at, number in enumerate(lost)
    ]
    other = stream(5, Sending(ssrc=0x777, first_timestamp=123_456, packets=100, payload=sealed))
    found = agree(pcap(tmp_path / "call.pcap", sorted([*voice, *again, *other])))
    by_ssrc = {one.ssrc: one for one in found}
    assert {one.ssrc: one.retransmits for one in found} == {0x1234: None, 0x4321: 0x1234, 0x777: None}
    assert by_ssrc[0x1234].inbound.packets_retransmitted == len(lost) == by_ssrc[0x4321].tshark_4_0.packets
    assert by_ssrc[0x1234].inbound.packets_lost == len([number for number in lost if number < max(came)])
    assert by_ssrc[0x777].inbound.packets_retransmitted == 0


def everything() -> list[Captured]:
    """Three streams at once, described."""
    opus = stream(1, STREAMS["everything"])
    other = stream(2, Sending(ssrc=0x777, loss=0.1))
    mu = stream(3, Sending(payload_type=0, step=160, rate_hz=8_000, payload=mu_law, ssrc=0x888))
    return [(START_NS - 5_000_000, announcement()), *sorted(opus + other + mu)]


def agree(capture: Path) -> tuple[CaptureStream, ...]:
    """Ours and tshark's tables are the same, as printed."""
    found = analyse_capture(capture, {})
    assert found.tshark is not None
    words = shlex.split(found.tshark)
    ran = subprocess.run(
        [require_program("tshark"), "-n", *words[1:]], capture_output=True, text=True, check=True
    )
    theirs = _rows(ran.stdout)
    assert {
        _key(one): _printed(one.tshark_4_4 if tshark_version() >= (4, 4) else one.tshark_4_0)
        for one in found.streams
    } == theirs
    assert theirs
    return found.streams


def _rows(table: str) -> dict[tuple[str, ...], tuple[str, ...]]:
    """What identifies each stream, and the rest of its row."""
    rows = {
        match.groups()[:5]: match.groups()[5:] for line in table.splitlines() if (match := ROW.match(line))
    }
    return {key: (*values[:3], *values[3].split()) for key, values in rows.items()}


@functools.cache
def tshark_version() -> tuple[int, ...]:
    """Which of the two tables this one prints."""
    said = subprocess.run(
        [require_program("tshark"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"(\d+)\.(\d+)\.\d+", said)
    assert found is not None, said
    return int(found[1]), int(found[2])


def _key(found: CaptureStream) -> tuple[str, ...]:
    (source, source_port), (target, target_port) = (
        text.rsplit(":", 1) for text in (found.source, found.target)
    )
    return source.strip("[]"), source_port, target.strip("[]"), target_port, f"{found.ssrc:08X}"


def _printed(w: WiresharkFigures) -> tuple[str, ...]:
    times = (
        (w.min_delta_ms, -1.0), (w.mean_delta_ms, 0.0), (w.max_delta_ms, 0.0),
        (w.min_jitter_ms, -1.0), (w.mean_jitter_ms, 0.0), (w.max_jitter_ms, 0.0),
    )  # fmt: skip
    return (
        str(w.packets),
        str(w.lost),
        f"{w.lost_percent:.1f}",
        *(f"{unknown if value is None else value:.3f}" for value, unknown in times),
        *(["X"] if w.problems else []),
    )

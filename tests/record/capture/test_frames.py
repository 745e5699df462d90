"""The container: what is no capture is said to be what it is, and damage ends the reading and costs nothing."""

import random
import struct
import tracemalloc
from pathlib import Path

import pytest

from blink_cli.core.errors import NotFoundError, UsageError
from blink_cli.record.capture.frames import LONGEST_FRAME_BYTES, CaptureReader, is_capture
from tests.record.capture.parts import START_NS, block, pcap, pcapng, stream

pytestmark = pytest.mark.no_clock


@pytest.mark.parametrize("order", ["<", ">"])
def test_times_and_lengths(order: str, tmp_path: Path) -> None:
    captured = stream(1)
    plain = list(CaptureReader(pcap(tmp_path / "a", captured, order=order, snap_bytes=50)))
    assert [(f.at_ns, f.original_bytes, f.data) for f in plain] == [
        (at_ns, len(packet), packet[:50]) for at_ns, packet in captured
    ]
    blocks = list(CaptureReader(pcapng(tmp_path / "b", captured, order=order)))
    assert [f.data for f in blocks] == [packet for _, packet in captured]
    assert [f.at_ns for f in blocks[1::2]] == [at_ns for at_ns, _ in captured[1::2]]
    assert all(0 <= at_ns - f.at_ns <= 1000 for f, (at_ns, _) in zip(blocks, captured, strict=True))
    assert [f.number for f in blocks] == list(range(1, len(captured) + 1))


@pytest.mark.parametrize(
    ("begin", "what"),
    [
        (b"\x1f\x8b\x08" + bytes(40), "compressed by gzip"),
        (b"\x28\xb5\x2f\xfd" + bytes(40), "compressed by zstd"),
        (b"snoop\0\0\0" + bytes(40), "a capture of snoop"),
        (b"hello, I am a text of some length", "no capture"),
        (b"", "no capture"),
    ],
)
def test_what_is_no_capture(begin: bytes, what: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(begin)
    with pytest.raises(UsageError, match=what):
        list(CaptureReader(tmp_path / "file"))
    assert is_capture(tmp_path / "file") == (what != "no capture")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        list(CaptureReader(tmp_path / "file"))


def test_an_end_within_a_frame_costs_that_frame(tmp_path: Path) -> None:
    for make in (pcap, pcapng):
        whole = make(tmp_path / "whole", stream(2)).read_bytes()
        (tmp_path / "cut").write_bytes(whole[:-20])
        reader = CaptureReader(tmp_path / "cut")
        assert len(list(reader)) == 299
        assert reader.damage is not None
        assert "ends within" in reader.damage


HEAD = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
SECTION = block("<", 0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
INTERFACE = block("<", 1, struct.pack("<HHI", 101, 0, 0))


@pytest.mark.parametrize(
    "data",
    [
        HEAD + struct.pack("<IIII", 0, 0, 0xFFFFFFFF, 0xFFFFFFFF) + bytes(100),
        HEAD + struct.pack("<IIII", 0, 0, LONGEST_FRAME_BYTES + 1, 1) + bytes(100),
        SECTION + struct.pack("<II", 6, 0xFFFFFFF0) + bytes(100),
        SECTION + INTERFACE + struct.pack("<II", 6, 1 << 25) + bytes(100),
        SECTION + struct.pack("<II", 99, 0) + bytes(100),
        SECTION + block("<", 6, bytes(20)),  # of no interface
        SECTION + INTERFACE + block("<", 6, struct.pack("<IIIII", 0, 0, 0, 500, 500)),
        SECTION + INTERFACE + block("<", 6, b"short"),
        SECTION + block("<", 1, b"x"),
        SECTION + INTERFACE * 5000,
        b"\x0a\x0d\x0d\x0a" + bytes(30),
    ],
)
def test_damage_is_told_and_costs_no_memory(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(data)
    tracemalloc.start()
    try:
        reader = CaptureReader(tmp_path / "file")
        assert list(reader) == []
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert reader.damage
    assert peak < 3_000_000


def test_odd_resolutions_and_simple_packets(tmp_path: Path) -> None:
    odd = block("<", 1, struct.pack("<HHI", 101, 0, 8) + struct.pack("<HHB3x", 9, 1, 0xFF))
    simple = block("<", 3, struct.pack("<I", 40) + bytes(40))
    old = block("<", 2, struct.pack("<HHIIII", 0, 0, 0, 1 << 20, 4, 4) + b"abcd")
    (tmp_path / "file").write_bytes(SECTION + odd + simple + old)
    first, second = CaptureReader(tmp_path / "file")
    assert (first.at_ns, first.original_bytes, len(first.data)) == (0, 40, 8)
    assert (second.at_ns, second.data) == (0, b"abcd")


def test_any_bytes_are_read_or_refused(tmp_path: Path) -> None:
    source = random.Random(START_NS)
    whole = [make(tmp_path / "w", stream(3)[:40]).read_bytes() for make in (pcap, pcapng)]
    for number in range(600):
        data = bytearray(whole[number % 2])
        for _ in range(source.randint(1, 6)):
            data[source.randrange(len(data) if number % 3 else 200)] = source.randrange(256)
        (tmp_path / "file").write_bytes(data)
        try:
            frames = list(CaptureReader(tmp_path / "file"))
        except UsageError:
            continue
        assert all(len(frame.data) <= frame.original_bytes for frame in frames)

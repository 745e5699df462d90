"""Damaged recordings: what is damaged costs no more time, memory and sound than the bytes that are there."""

import os
import random
import stat
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import BlinkError
from blink_cli.record.finished.export import export
from blink_cli.record.finished.leftovers import leftovers
from blink_cli.record.finished.repair import Repaired, repair
from blink_cli.record.finished.track_decoder import RecordingDecoder, _TrackSound
from blink_cli.record.mp4.believable_places import SLACK_S, longest_samples
from blink_cli.record.recording.recording import Recording
from tests.record.recording.test_recording import plan_for
from tests.record.simulated_call import ALICE, BOB, Link, Sender, record

pytestmark = pytest.mark.no_clock

LASTS_S = 2.0
SEED = 9


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A recording of two that nobody finishes: four fragments."""
    senders = [Sender(ALICE, 0, [Link(-9, 99, 1, 5)], own=True), Sender(BOB, 0, [Link(-9, 99, 2, 5)])]
    return record(plan_for(tmp_path_factory.mktemp("live"), *senders), senders, duration_s=LASTS_S)


def place(content: bytes, folder: Path, left: Recording) -> Path:
    """A damaged leftover with its sidecar."""
    folder.mkdir()
    (folder / left.paths.sidecar.name).write_bytes(left.paths.sidecar.read_bytes())
    part = folder / left.paths.part.name
    part.write_bytes(content)
    return part


def tried(content: bytes, folder: Path, left: Recording) -> Repaired | None:
    """Repair and decode a damaged leftover; None where a sentence says that it cannot be."""
    part = place(content, folder, left)
    try:
        decoder = RecordingDecoder(part, LASTS_S)
    except (OSError, ValueError, MemoryError):
        pass
    else:
        samples = sum(block.shape[1] for block in decoder.blocks())
        decoder.close()
        assert samples <= (LASTS_S + SLACK_S) * SAMPLE_RATE_HZ
    try:
        repaired = repair(part, lambda _: None, "token")
    except BlinkError:
        assert part.read_bytes() == content
        return None
    assert repaired.duration_s <= LASTS_S + SLACK_S
    return repaired


@pytest.mark.parametrize(
    ("box", "byte"), [(b"mdhd", 0), (b"mdhd", 12), (b"stsd", 4), (b"stts", 4), (b"elst", 9), (b"trun", 4)]
)
def test_the_bits_of_a_number_that_counts_or_times(
    box: bytes, byte: int, left: Recording, tmp_path: Path
) -> None:
    """FFmpeg calls some of these the end of a file, and some a feature that nobody has written yet."""
    content = left.paths.part.read_bytes()
    at = content.index(box) + 4 + byte
    for bit in range(0, 32, 4):
        changed = bytearray(content)
        changed[at + bit // 8] ^= 1 << (5 * bit) % 8
        tried(bytes(changed), tmp_path / f"{bit}", left)


def flipped(content: bytes, source: random.Random) -> bytes:
    changed = bytearray(content)
    # In boxes that are not sound: there are few bits of them in a long recording, and each means much.
    front = content.index(b"mdat")
    changed[source.randrange(28, front)] ^= 1 << source.randrange(8)
    return bytes(changed)


def cut(content: bytes, source: random.Random) -> bytes:
    return content[: source.randrange(len(content))]


def zeroed(content: bytes, source: random.Random) -> bytes:
    start = source.randrange(len(content))
    size = min(source.choice((1, 4, 64, 512)), len(content) - start)
    return content[:start] + bytes(size) + content[start + size :]


def swapped(content: bytes, source: random.Random) -> bytes:
    kinds = [
        kind
        for kind in (b"trak", b"moof", b"mdat", b"traf", b"trun", b"tfhd", b"tfdt", b"stsz", b"stts", b"mdhd")
        if kind in content
    ]
    one, other = source.sample(kinds, 2)
    return content.replace(one, b"????").replace(other, one, source.randrange(1, 4)).replace(b"????", other)


def huge(content: bytes, source: random.Random) -> bytes:
    kind = source.choice((b"moov", b"trak", b"stsz", b"stts", b"moof", b"trun", b"tfdt", b"mdat", b"udta"))
    at = content.index(kind)
    size = source.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", bytes(4), b"\0\0\0\1"))
    number = source.choice((at - 4, at + 8, at + 12))
    return content[:number] + size + content[number + 4 :]


@pytest.mark.parametrize("damage", [flipped, cut, zeroed, swapped, huge], ids=lambda one: one.__name__)
def test_whatever_is_damaged_ends_with_a_file_or_a_sentence(
    damage: Callable[[bytes, random.Random], bytes], left: Recording, tmp_path: Path
) -> None:
    source = random.Random(f"{damage.__name__} {SEED}")
    content = left.paths.part.read_bytes()
    for number in range(60):
        tried(damage(content, source), tmp_path / str(number), left)


@pytest.mark.parametrize("bit", [23, 31, 39, 47, 55, 62])
def test_a_place_in_time_is_believed_as_far_as_the_file_can_reach(
    bit: int, left: Recording, tmp_path: Path
) -> None:
    content = bytearray(left.paths.part.read_bytes())
    starts = [at for at in range(len(content)) if content[at : at + 4] == b"tfdt"]
    assert content[starts[2] + 4] == 1, "64 bits of time"
    content[starts[2] + 15 - bit // 8] ^= 1 << bit % 8  # the second fragment of the first track
    repaired = tried(bytes(content), tmp_path / "late", left)
    assert repaired is not None
    assert repaired.duration_s <= LASTS_S, "of a jump that nothing bears out nothing is left"
    assert repaired.damaged is None, "all packets are there"


def test_the_least_of_what_bears_out_a_length_holds(tmp_path: Path) -> None:
    path = tmp_path / "x.part.mp4"
    path.write_bytes(bytes(6_000_000))
    os.utime(path, (1_000_000_000, 1_000_000_000))

    def bound_s(created: str, told_s: float | None) -> float:
        return longest_samples(path, created, told_s) / SAMPLE_RATE_HZ

    began = "2001-09-09T01:40:00Z"  # 400 s before
    assert bound_s(began, None) == 400 + SLACK_S
    assert bound_s(began, 100.0) == 100 + SLACK_S
    for absurd in ("2036-02-07T06:28:15Z", "9999-12-31T23:59:59Z", "no date", ""):
        assert bound_s(absurd, None) == 20_000, "a packet of 20 ms for each six bytes"
    for absurd_s in (-1.0, 1e300, float("inf"), float("nan")):
        assert bound_s("", absurd_s) == 20_000


def test_silence_costs_no_memory_until_it_is_taken() -> None:
    track = _TrackSound()
    tracemalloc.start()
    try:
        track.decode(b"\xf8\xff\xfe", 3600 * SAMPLE_RATE_HZ, 960)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20
    assert track.ready == 3600 * SAMPLE_RATE_HZ + 960 - 312
    assert track.held == 960


def test_sound_that_comes_behind_its_place_moves_nothing() -> None:
    """A track that stood still while the others went on is in time again afterwards."""
    track = _TrackSound()
    track.take(48_000)
    for number in range(100):
        track.decode(b"\xf8\xff\xfe", number * 960, 960)
    assert track.ready == 100 * 960 - 312 - 48_000


def test_what_could_not_be_read_is_kept_under_another_name(left: Recording, tmp_path: Path) -> None:
    content = left.paths.part.read_bytes()
    second = [at for at in range(len(content)) if content[at : at + 4] == b"moof"][1]
    unknown = content[:second] + b"mo?f" + content[second + 4 :]
    repaired = tried(unknown, tmp_path / "unknown", left)
    assert repaired is not None
    assert repaired.damaged is not None
    assert repaired.damaged.read_bytes() == unknown
    assert not leftovers([tmp_path / "unknown"])
    endless = content[: second - 4] + b"\x7f\xff\xff\xff" + content[second:]
    repaired = tried(endless, tmp_path / "endless", left)
    assert repaired is not None
    assert repaired.damaged is not None, "two whole fragments stand behind that size"
    assert tried(content[:-3], tmp_path / "torn", left).damaged is None  # type: ignore[union-attr]


def test_repaired_and_exported_files_are_their_owners_whatever_the_umask(
    left: Recording, tmp_path: Path
) -> None:
    before = os.umask(0)
    try:
        part = place(left.paths.part.read_bytes(), tmp_path / "x", left)
        repaired = repair(part, lambda _: None, "token")
        made = export(repaired.path, ("wav", "mix"), tmp_path / "out", lambda _: None, "token")
    finally:
        os.umask(before)
    files = [repaired.path, repaired.path.with_suffix(".json"), *(one.path for one in made)]
    assert [stat.S_IMODE(path.stat().st_mode) for path in files] == [0o600] * 5


@pytest.mark.parametrize(
    "rest",
    [
        b'"reason":' + b"[" * 30_000_000,
        b'"duration_s":' + b"9" * 30_000_000 + b"}",
        b'"missing_s":{' + b'"a":1,' * 5_000_000 + b"}}",
    ],
    ids=["deep", "number", "entries"],
)
def test_a_session_reads_the_front_of_a_sidecar_only(rest: bytes, left: Recording, tmp_path: Path) -> None:
    part = place(left.paths.part.read_bytes(), tmp_path / "x", left)
    sidecar = part.with_name(left.paths.sidecar.name)
    sidecar.write_bytes(b'{"schema":1,"finished":false,"call":"c0","started":"2026-01-14T10:15:00Z",' + rest)
    tracemalloc.start()
    try:
        (found,) = leftovers([tmp_path / "x"])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.started == "2026-01-14T10:15:00Z"
    assert peak < 1 << 20
    assert repair(part, lambda _: None, "token").duration_s < LASTS_S


def test_a_file_of_many_tracks_is_none(tmp_path: Path, left: Recording) -> None:
    content = left.paths.part.read_bytes()
    moov = content.index(b"moov") - 4
    size = int.from_bytes(content[moov : moov + 4], "big")
    trak = content.index(b"trak") - 4
    length = int.from_bytes(content[trak : trak + 4], "big")
    copies = content[trak : trak + length] * 300
    crowd = (
        content[:moov]
        + (size + len(copies)).to_bytes(4, "big")
        + content[moov + 4 : trak]
        + copies
        + content[trak : moov + size]
        + content[moov + size :]
    )
    part = place(crowd, tmp_path / "x", left)
    with pytest.raises(BlinkError, match="claims to have 302 tracks"):
        repair(part, lambda _: None, "token")


def test_tracks_of_something_else_are_no_sound(tmp_path: Path, left: Recording) -> None:
    content = left.paths.part.read_bytes().replace(b"soun", b"text").replace(b"Opus", b"tx3g")
    part = place(content, tmp_path / "x", left)
    with pytest.raises(BlinkError, match="claims to have 0 tracks"):
        repair(part, lambda _: None, "token")
    with pytest.raises(BlinkError, match="claims to have 0 tracks"):
        export(part, ("wav",), None, lambda _: None, "token")

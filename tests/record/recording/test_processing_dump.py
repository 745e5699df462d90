"""Microphone, reference and processed sound in three files that lie on each other, whatever the disk and the microphone do."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from blink_cli.record.recording import processing_dump
from blink_cli.record.recording.processing_dump import KINDS, ProcessingDump, Samples
from tests.record.recording.test_recording_thread import tiny_disk

START_S = 1000.0
TICK_S = 0.01
PATIENCE_S = 20.0


def voice(blocks: int, seed: int = 1) -> Samples:
    """Sound that goes beyond full scale, as a microphone's may not, and a filter's may."""
    return np.random.default_rng(seed).uniform(-1.5, 1.5, blocks * 480).astype(np.float32)


def filtered(block: Samples) -> tuple[Samples, Samples]:
    """A reference and what was processed, for a block of the microphone."""
    return (block / 2).astype(np.float32), (block / 4).astype(np.float32)


def put(dump: ProcessingDump, near: Samples, begin_s: float, *, step_s: float = TICK_S) -> None:
    """Hand it over block by block: the reference is the half of it, what was processed a quarter."""
    for number, start in enumerate(range(0, len(near), 480)):
        block = near[start : start + 480]
        dump.put(block, *filtered(block), begin_s + (number + 1) * step_s)


def read(folder: Path) -> tuple[Samples, Samples, Samples]:
    near, far, processed = (soundfile.read(folder / f"x-{kind}.wav", dtype="float32")[0] for kind in KINDS)
    return near, far, processed


def written(dump: ProcessingDump, folder: Path) -> tuple[Samples, Samples, Samples]:
    dump.start(folder, "x")
    dump.end()
    assert dump.join(PATIENCE_S)
    assert dump.totals.failure is None
    return read(folder)


def test_three_files_lie_on_each_other_bit_by_bit(tmp_path: Path) -> None:
    dump = ProcessingDump(START_S)
    said = voice(300)
    put(dump, said, START_S + 0.5)
    near, far, processed = written(dump, tmp_path)
    lead = round(0.5 * 48_000)
    assert not near[:lead].any()
    np.testing.assert_array_equal(near[lead:], said)
    np.testing.assert_array_equal(far, near / 2)
    np.testing.assert_array_equal(processed, near / 4)
    assert dump.totals.duration_s == pytest.approx(3.5)
    assert [path.stat().st_mode & 0o777 for path in dump.totals.paths] == [0o600] * 3
    information = soundfile.info(tmp_path / "x-processed.wav")
    assert (information.samplerate, information.channels, information.subtype) == (48_000, 1, "FLOAT")


def test_a_gap_of_the_microphone_is_silence_as_long_as_it_was(tmp_path: Path) -> None:
    dump = ProcessingDump(START_S)
    said = voice(20)
    put(dump, said[:4800], START_S)
    put(dump, said[4800:], START_S + 0.1 + 0.2345)
    near, far, processed = written(dump, tmp_path)
    gap = round(0.2345 * 48_000)
    np.testing.assert_array_equal(near[:4800], said[:4800])
    assert not near[4800 : 4800 + gap].any()
    np.testing.assert_array_equal(near[4800 + gap :], said[4800:])
    assert len(near) == len(far) == len(processed)


def test_a_night_of_sleep_needs_neither_memory_nor_disk(tmp_path: Path) -> None:
    dump = ProcessingDump(START_S)
    put(dump, voice(1), START_S)
    put(dump, voice(1), START_S + 4 * 3600)
    dump.start(tmp_path, "x")
    dump.end()
    assert dump.join(PATIENCE_S)
    assert soundfile.info(tmp_path / "x-microphone.wav").frames == 4 * 3600 * 48_000 + 480
    assert (tmp_path / "x-microphone.wav").stat().st_blocks * 512 < 1 << 20


def test_a_clock_that_drifts_leaves_no_holes(tmp_path: Path) -> None:
    dump = ProcessingDump(START_S)
    said = voice(800)
    put(dump, said, START_S, step_s=TICK_S * 1.0002)
    np.testing.assert_array_equal(written(dump, tmp_path)[0], said)


def test_what_was_said_before_the_recording_is_left_out(tmp_path: Path) -> None:
    dump = ProcessingDump(START_S)
    said = voice(10)
    put(dump, said, START_S - 0.05)
    np.testing.assert_array_equal(written(dump, tmp_path)[0], said[5 * 480 :])


def test_what_the_disk_is_too_slow_for_is_silence_in_all_three_and_counted(tmp_path: Path) -> None:
    dump = ProcessingDump(START_S, queue_blocks=10)
    said = voice(30)
    put(dump, said[: 25 * 480], START_S)  # nobody writes yet: ten fit
    dump.start(tmp_path, "x")
    until_s = time.monotonic() + PATIENCE_S
    while dump.totals.duration_s == 0 and time.monotonic() < until_s:
        time.sleep(0.01)
    last = said[25 * 480 :]
    for number, start in enumerate(range(0, len(last), 480)):
        block = last[start : start + 480]
        dump.put(block, *filtered(block), START_S + (26 + number) * TICK_S)
    dump.end()
    assert dump.join(PATIENCE_S)
    near, far, processed = read(tmp_path)
    np.testing.assert_array_equal(near[: 10 * 480], said[: 10 * 480])
    assert not near[10 * 480 : 25 * 480].any()
    np.testing.assert_array_equal(near[25 * 480 :], last)
    np.testing.assert_array_equal(far, near / 2)
    np.testing.assert_array_equal(processed, near / 4)
    assert dump.totals.lost_s == pytest.approx(0.15)


def test_a_full_disk_is_told_and_costs_nobody_else_anything(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", 36) as folder:
        dump = ProcessingDump(START_S)
        put(dump, voice(100), START_S)
        dump.start(folder, "x")
        assert dump.join(PATIENCE_S)
        assert dump.totals.failure == os.strerror(errno.ENOSPC).lower()
        put(dump, voice(5000), START_S + 1)
        assert dump.totals.lost_s == 0.0
        assert read(folder)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "x-reference.wav").write_text("precious")
    dump = ProcessingDump(START_S)
    dump.start(tmp_path, "x")
    assert dump.join(PATIENCE_S)
    assert dump.totals.failure == "file exists"
    assert (tmp_path / "x-reference.wav").read_text() == "precious"


def test_it_ends_without_ever_having_begun() -> None:
    dump = ProcessingDump(START_S)
    put(dump, voice(1), START_S)
    dump.end()
    assert dump.join(0)
    assert "blink-processing-dump" not in {thread.name for thread in threading.enumerate()}


TALKER = """
import sys, time
import numpy as np
from pathlib import Path
from blink_cli.record.recording.processing_dump import ProcessingDump
dump = ProcessingDump(0.0)
dump.start(Path(sys.argv[1]), "x")
for number in range(100_000):
    block = np.full(480, 1 + number % 1000, dtype=np.float32)
    dump.put(block, block / 2, block / 4, (number + 1) / 100)
    if number == 150:
        print("talks", flush=True)
    time.sleep(0.01)
"""


def test_a_killed_session_leaves_three_files_that_lie_on_each_other(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", TALKER, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline()
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    near, far, processed = read(tmp_path)
    length = min(len(near), len(far), len(processed))
    assert length >= 48_000  # of 1.5 s
    np.testing.assert_array_equal(near[:length:480], 1 + np.arange(length // 480) % 1000)
    np.testing.assert_array_equal(far[:length], near[:length] / 2)
    np.testing.assert_array_equal(processed[:length], near[:length] / 4)


def test_it_waits_in_memory_no_longer_than_it_says() -> None:
    assert processing_dump.QUEUE_BLOCKS * 3 * 480 * 4 < 6 << 20

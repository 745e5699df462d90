"""The thread that records: killed, out of room, too slow, told to stop."""

import asyncio
import errno
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from blink_cli.core.media.rtp import RtpPacket
from blink_cli.lab.requirements import unavailable
from blink_cli.lab.session_calls import together
from blink_cli.record.finished.leftovers import leftovers
from blink_cli.record.finished.repair import repair
from blink_cli.record.mp4.file import FRAGMENT_MS
from blink_cli.record.recording import recording_thread
from blink_cli.record.recording.recording import Recording, RecordingPlan
from blink_cli.record.recording.recording_thread import RecordingOutcome, RecordingThread
from blink_cli.record.recording.sidecar import read_sidecar
from tests.record.readers import PRE_SKIP_S, packet_seconds
from tests.record.simulated_call import ALICE, BOB, CALL, CAROL, FRAME, OPUS, RED, Sender, invited

pytestmark = pytest.mark.real_time

KILLS = 20
AT_ONCE = 5
"""Processes that record beside each other: what they cost must not be what is measured."""


class Watched:
    """A recording thread and what it told."""

    def __init__(self, folder: Path) -> None:
        people = invited(Sender(ALICE, own=True), Sender(BOB), Sender(CAROL))
        self.plan = RecordingPlan(folder, CALL, people, ("mp4",), None, time.monotonic(), time.time())
        self.begun = threading.Event()
        self.ended = threading.Event()
        self.recording: Recording | None = None
        self.outcome: RecordingOutcome | None = None
        self.thread = RecordingThread(self.plan, on_begun=self._begun, on_ended=self._ended)

    def _begun(self, recording: Recording) -> None:
        self.recording = recording
        self.begun.set()

    def _ended(self, outcome: RecordingOutcome) -> None:
        assert self.outcome is None, "it ends once"
        self.outcome = outcome
        self.ended.set()

    def stop(self) -> RecordingOutcome:
        self.thread.stop("stopped", time.monotonic())
        return self.end()

    def end(self) -> RecordingOutcome:
        assert self.ended.wait(20)
        assert self.thread.join(5)
        assert self.outcome is not None
        return self.outcome


def packet(number: int) -> RtpPacket:
    return RtpPacket(
        7,
        number & 0xFFFF,
        number * FRAME,
        OPUS,
        marker=False,
        payload=b"\x48" + bytes(1200),
        arrival_s=time.monotonic(),
    )


async def killed_recorder(drivers: "Recorders", folder: Path, patience_s: float) -> None:
    """Start a recorder, kill it after a while, and read what it left."""
    begun = await drivers.begin(folder)
    await asyncio.sleep(patience_s)  # a random moment is the point
    os.kill(begun["pid"], signal.SIGKILL)
    killed_s = time.monotonic()
    async with asyncio.timeout(10):
        while await asyncio.to_thread(Path(f"/proc/{begun['pid']}").exists):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    part = Path(begun["path"])
    lasted_s = killed_s - begun["start_s"]
    found_s = packet_seconds(part)
    assert len(found_s) == 3
    assert lasted_s - 1.5 <= min(found_s) <= max(found_s) <= lasted_s + 0.1, (lasted_s, found_s)
    sidecar = read_sidecar(part.with_name(part.name.replace(".part.mp4", ".json")))
    assert not sidecar.finished
    (left,) = leftovers([folder])
    assert left.path == part
    repaired = repair(part, lambda _: None, "token")
    assert packet_seconds(repaired.path) == pytest.approx([repaired.duration_s + PRE_SKIP_S] * 3)
    assert abs(repaired.duration_s - max(found_s)) < 0.021
    assert not leftovers([folder])


class Recorders:
    """The process from which recorders are forked."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._begun: dict[str, asyncio.Future[Any]] = {}

    async def begin(self, folder: Path) -> Any:
        """Start one, and return what it says once its file is on the disk."""
        said = self._begun[str(folder)] = asyncio.get_running_loop().create_future()
        assert self._process.stdin is not None
        self._process.stdin.write(f"{folder}\n".encode())
        async with asyncio.timeout(30):
            begun = await said
        assert "path" in begun, begun
        return begun

    async def listen(self) -> None:
        """Read what all of them say."""
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            begun = json.loads(line)
            self._begun[begun["folder"]].set_result(begun)


async def test_twenty_kills_leave_twenty_readable_files(tmp_path: Path) -> None:
    seed = secrets.randbits(32)
    source = random.Random(seed)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.record.recording_driver"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    recorders = Recorders(process)
    listening = asyncio.get_running_loop().create_task(recorders.listen(), name="listen")
    try:
        for batch in range(KILLS // AT_ONCE):
            folders = [tmp_path / f"{batch}-{number}" for number in range(AT_ONCE)]
            await together(
                *(killed_recorder(recorders, folder, source.uniform(0.0, 2.0)) for folder in folders)
            )
    except BaseException as failure:
        failure.add_note(f"seed {seed}")
        raise
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        await listening


def test_it_records_and_stops_and_its_file_has_another_name(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.thread.put(Recording.link_connected, BOB, OPUS, RED, watched.plan.start_s)
    watched.thread.start()
    number = 0
    while not watched.begun.wait(0.02):
        watched.thread.put(Recording.received, BOB, packet(number))
        number += 1
    assert watched.recording is not None
    assert min(packet_seconds(watched.recording.paths.part)) >= FRAGMENT_MS / 1000
    assert not leftovers([tmp_path]), "what is being written is no leftover"
    outcome = watched.stop()
    assert outcome.reason == "stopped"
    assert outcome.sidecar is not None
    assert outcome.sidecar.participants[1].frames > 0
    final = watched.recording.paths.final
    assert packet_seconds(final) == pytest.approx([outcome.sidecar.duration_s + PRE_SKIP_S] * 3)


def test_stopped_before_it_really_began_it_is_a_short_file(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.thread.start()
    outcome = watched.stop()
    assert outcome.sidecar is not None
    assert len(list(tmp_path.glob("*.mp4"))) == 1


def test_a_folder_that_cannot_be_written_ends_it_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    watched = Watched(tmp_path / "file")
    watched.thread.start()
    assert watched.end() == RecordingOutcome("it is a file, and no folder", None, failed=True)
    assert not watched.begun.is_set()


def test_a_folder_that_vanishes_ends_it_and_nobody_waits(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    watched = Watched(folder)
    watched.thread.start()
    assert watched.begun.wait(10)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    assert watched.end() == RecordingOutcome("no such file or directory", None, failed=True)


@contextmanager
def tiny_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A file system with room for so much."""
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    if os.geteuid() != 0:
        unavailable("a file system of one's own needs root")
    mounted = subprocess.run(mounting, capture_output=True, text=True, check=False)
    if mounted.returncode:
        unavailable(f"mounting was refused: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_ends_it_and_what_was_written_is_good(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", 256) as folder:
        watched = Watched(folder)
        watched.thread.put(Recording.link_connected, BOB, OPUS, RED, watched.plan.start_s)
        watched.thread.start()
        number = 0
        while not watched.ended.wait(0.02):
            watched.thread.put(Recording.received, BOB, packet(number))
            number += 1
            assert number < 1000, "60 kB a second do not fit"
        outcome = watched.end()
        assert outcome.reason == os.strerror(errno.ENOSPC).lower()
        assert watched.recording is not None
        found_s = packet_seconds(watched.recording.paths.part)
        assert min(found_s) >= 1.0
        (left,) = leftovers([folder])
        assert left.path == watched.recording.paths.part
        # Room elsewhere: moved there, it is finished.
        elsewhere = tmp_path / left.path.name
        elsewhere.write_bytes(left.path.read_bytes())
        os.utime(elsewhere, (0, 0))
        assert repair(elsewhere, lambda _: None, "token").duration_s == pytest.approx(max(found_s), abs=0.021)


def test_a_disk_that_takes_nothing_readable_is_left_as_it_was(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", 8) as folder:
        watched = Watched(folder)
        watched.thread.start()
        outcome = watched.end()
        assert (outcome.reason, outcome.failed) == (os.strerror(errno.ENOSPC).lower(), True)
        assert not watched.begun.is_set()
        assert list(folder.iterdir()) == []


def test_a_disk_without_room_for_the_index_keeps_the_fragments(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", 512) as folder:
        watched = Watched(folder)
        watched.thread.start()
        assert watched.begun.wait(10)
        with suppress(OSError), (folder / "other").open("wb") as other:
            while True:
                other.write(bytes(512))
                other.flush()
        outcome = watched.stop()
        assert outcome == RecordingOutcome(os.strerror(errno.ENOSPC).lower(), None, failed=True)
        (left,) = leftovers([folder])
        found_s = packet_seconds(left.path)
        assert min(found_s) > 0.3
        (folder / "other").unlink()
        assert repair(left.path, lambda _: None, "token").duration_s == pytest.approx(max(found_s), abs=0.021)


def test_what_a_slow_disk_has_no_time_for_is_dropped_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_thread, "MOST_QUEUED", 40)
    watched = Watched(tmp_path)
    stuck, release = threading.Event(), threading.Event()

    def stand_still(_: Recording) -> None:
        stuck.set()
        release.wait(20)

    watched.thread.put(Recording.link_connected, BOB, OPUS, RED, watched.plan.start_s)
    for number in range(20):
        watched.thread.put(Recording.received, BOB, packet(number))
        time.sleep(0.02)
    watched.thread.start()
    assert watched.begun.wait(10)
    watched.thread.put(stand_still)
    assert stuck.wait(5)
    first = 20 + round((time.monotonic() - watched.plan.start_s) / 0.02) - 20
    for number in range(first, first + 80):
        began_s = time.monotonic()
        watched.thread.put(Recording.received, BOB, packet(number))
        assert time.monotonic() - began_s < 0.1, "the call never waits"
        time.sleep(0.01)
    assert watched.thread.dropped >= 35
    assert watched.thread.stalled_s(time.monotonic()) > 0.5
    release.set()
    deadline_s = time.monotonic() + 5
    while watched.thread.stalled_s(time.monotonic()) > 0.4 and time.monotonic() < deadline_s:
        time.sleep(0.05)
    watched.thread.put(Recording.received, BOB, packet(first + 81))
    time.sleep(0.7)  # past the hold-back, in real time
    outcome = watched.stop()
    assert outcome.sidecar is not None
    assert outcome.sidecar.packets_dropped == watched.thread.dropped
    assert outcome.sidecar.participants[1].missing_s.get("overload", 0) > 0.1

"""Every file that the program reads or writes: who may read it, and what happens when something else has its name."""

import asyncio
import contextlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from blink_cli.app.control.control_socket import UnixDoor
from blink_cli.app.control.loopback_door import LoopbackDoor
from blink_cli.app.files.rtp_log_files import analyse_log, export_capture
from blink_cli.app.profile.contacts import Contacts
from blink_cli.app.profile.device_memory import DeviceMemory
from blink_cli.app.profile.key_file import create_key_file, load_identity
from blink_cli.app.profile.profile import Profile
from blink_cli.app.profile.profile_lock import ProfileLock
from blink_cli.app.profile.recording_memory import RecordingMemory
from blink_cli.app.profile.replay_file import ReplayFile
from blink_cli.app.profile.settings import load_settings
from blink_cli.audio.devices.sounds import FileSound
from blink_cli.audio.devices.wav_recorder import WavRecorder
from blink_cli.commands.line_history import LineHistory
from blink_cli.core.errors import BlinkError, DeviceError
from blink_cli.core.identity.identity import Identity
from blink_cli.core.signaling.replay_memory import ReplayMemory
from blink_cli.record.finished.export import export
from blink_cli.record.finished.leftovers import leftovers, sidecar_of
from blink_cli.record.finished.repair import repair
from blink_cli.record.recording.recording import Recording
from blink_cli.record.rtp_log.writer import RtpLogWriter
from tests.app.files.test_rtp_log_files import long_log
from tests.files.traps import TRAPS, lay
from tests.record.recording.test_recording import plan_for
from tests.record.simulated_call import ALICE, BOB, START_S, Link, Sender, record

LASTS_S: Final = 3.0


def recording_in(folder: Path) -> Recording:
    senders = [Sender(ALICE, 0, [Link(-9, 99, 1, 5)], own=True), Sender(BOB, 0, [Link(-9, 99, 2, 5)])]
    return record(plan_for(folder, *senders), senders, duration_s=LASTS_S)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a finished recording, and one that was left, are made of."""
    recording = recording_in(tmp_path_factory.mktemp("recorded"))
    paths = recording.paths
    left = {"left.part.mp4": paths.part.read_bytes(), "left.json": paths.sidecar.read_bytes()}
    recording.finish(START_S + LASTS_S, "stopped")
    return {**left, "whole.mp4": paths.final.read_bytes(), "whole.json": paths.sidecar.read_bytes()}


def quiet(_: float) -> None:
    """Nobody wants to know how far it is."""


def profile_in(folder: Path) -> Profile:
    return Profile("ann", folder, folder)


def key(folder: Path) -> Path:
    create_key_file(folder / "identity.pem", bytes(32), None, secrets.token_bytes)
    return folder / "identity.pem"


# ---- written


class Written:
    """Makes each file, and gives its path back. In a folder of its own, and so by its own name."""

    def __init__(self, folder: Path, recorded: dict[str, bytes]) -> None:
        self.folder = folder
        self.recorded = recorded

    def put(self, *names: str) -> None:
        for name in names:
            (self.folder / name).write_bytes(self.recorded[name])

    def key(self) -> Path:
        return key(self.folder)

    def contacts(self) -> Path:
        Contacts(self.folder / "contacts.json").add("bob", Identity(bytes(32)).did)
        return self.folder / "contacts.json"

    def devices(self) -> Path:
        DeviceMemory(profile_in(self.folder)).remember("input", "silence")
        return self.folder / "devices.json"

    def recordings(self) -> Path:
        RecordingMemory(profile_in(self.folder)).remember(self.folder)
        return self.folder / "recordings.json"

    def seen(self) -> Path:
        ReplayFile(self.folder / "seen.msgpack").leave(ReplayMemory())
        return self.folder / "seen.msgpack"

    def history(self) -> Path:
        LineHistory(self.folder / "history").store_string("offer bob")
        return self.folder / "history"

    def lock(self) -> Path:
        self.held = ProfileLock.take(self.folder / "session.lock", profile="ann")
        return self.folder / "session.lock"

    def loopback_door(self) -> Path:
        asyncio.run(self._listen(LoopbackDoor(self.folder)))
        return self.folder / "control.json"

    def socket(self) -> Path:
        asyncio.run(self._listen(UnixDoor(self.folder)))
        return self.folder / "control.sock"

    async def _listen(self, door: LoopbackDoor | UnixDoor) -> None:
        server = await door.listen(lambda _reader, _writer: None)
        server.close()

    def part(self) -> Path:
        return recording_in(self.folder).paths.part

    def sidecar(self) -> Path:
        return recording_in(self.folder).paths.sidecar

    def finished_recording(self) -> Path:
        recording = recording_in(self.folder)
        recording.finish(START_S + LASTS_S, "stopped")
        return recording.paths.final

    def repaired(self) -> Path:
        self.put("left.part.mp4", "left.json")
        return repair(self.folder / "left.part.mp4", quiet, "token").path

    def sidecar_of_repaired(self) -> Path:
        self.repaired()
        return self.folder / "left.json"

    def wav_export(self) -> Path:
        self.put("whole.mp4")
        return export(self.folder / "whole.mp4", ("wav",), None, quiet, "token")[0].path

    def mix_export(self) -> Path:
        self.put("whole.mp4")
        return export(self.folder / "whole.mp4", ("mix",), None, quiet, "token")[0].path

    def log(self) -> Path:
        writer = RtpLogWriter(self.folder / "log.csv", lambda _: None)
        try:
            writer.opened.result(10)
        finally:
            writer.finish()
            writer.join()
        return writer.path

    def capture(self) -> Path:
        export_capture(long_log(self.folder / "log.csv"), self.folder / "log.pcap")
        return self.folder / "log.pcap"

    def plot(self) -> Path:
        analyse_log(long_log(self.folder / "log.csv"), self.folder / "call.png")
        return self.folder / "call.png"

    def wav(self) -> Path:
        recorder = WavRecorder(self.folder / "heard.wav")
        recorder.begin()
        recorder.hear(np.zeros(480, dtype=np.float32))
        recorder.end()
        return recorder.path


WRITERS: Final = tuple(
    name for name, made in vars(Written).items() if callable(made) and name[0] != "_" and name != "put"
)

MODES: Final = dict.fromkeys(WRITERS, 0o600)
"""The table of docs/security.md: every one is its owner's alone."""


@pytest.fixture
def written(tmp_path: Path, recorded: dict[str, bytes]) -> Iterator[Written]:
    folder = tmp_path / "of-all"
    folder.mkdir()
    before = os.umask(0)
    made = Written(folder, recorded)
    yield made
    os.umask(before)
    if hasattr(made, "held"):
        made.held.release()


@pytest.mark.parametrize("kind", WRITERS)
def test_what_is_written_is_its_owners_alone_whatever_the_umask(kind: str, written: Written) -> None:
    path = getattr(written, kind)()
    assert oct(stat.S_IMODE(path.lstat().st_mode)) == oct(MODES[kind])
    assert [left.name for left in written.folder.iterdir() if left.name.startswith(".blink-")] == []


@pytest.mark.parametrize("kind", ["wav", "plot", "wav_export", "mix_export"])
def test_what_replaces_a_file_that_all_could_read_is_not_heard_by_who_has_it_open(
    kind: str, written: Written
) -> None:
    path: Path = getattr(written, kind)()
    path.chmod(0o666)
    before = path.stat()
    with path.open("rb") as neighbour:
        assert getattr(written, kind)() == path
        assert not os.path.samestat(path.stat(), os.fstat(neighbour.fileno()))
    assert not os.path.samestat(path.stat(), before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


KEPT: Final = ("lock", "history")
"""Opened and changed in place."""

REFUSING: Final = ("wav", "plot", "wav_export", "mix_export", "capture", "log", "repaired", "key", *KEPT)
"""Those in whose way something can be; the others take the name away from it, as `replacing` does, or choose another name."""


def link_to_treasure(place: Path) -> None:
    """A link to a file that is worth something to its owner."""
    treasure = place.with_name("treasure")
    treasure.write_bytes(b"gold")
    place.symlink_to(treasure)


def dangling_link(place: Path) -> None:
    """A link to nothing: who follows it makes a file where somebody else wants one."""
    place.symlink_to(place.with_name("made-through-a-link"))


@pytest.mark.parametrize("trap", [*TRAPS, link_to_treasure, dangling_link])
@pytest.mark.parametrize("kind", REFUSING)
@pytest.mark.timeout(20)
def test_what_is_in_the_way_is_told_and_left_alone(
    kind: str, trap: Callable[[Path], None], tmp_path: Path, written: Written, recorded: dict[str, bytes]
) -> None:
    (tmp_path / "elsewhere").mkdir()
    model = Written(tmp_path / "elsewhere", recorded)
    place = written.folder / getattr(model, kind)().name
    if hasattr(model, "held"):
        model.held.release()
    lay(trap, place)
    there = place.lstat()
    with pytest.raises((BlinkError, OSError)):
        getattr(written, kind)()
    assert os.path.samestat(place.lstat(), there)
    assert not (written.folder / "made-through-a-link").exists()
    with contextlib.suppress(FileNotFoundError):
        assert (written.folder / "treasure").read_bytes() == b"gold"


@pytest.mark.parametrize("trap", [*TRAPS, link_to_treasure, dangling_link])
def test_a_wav_device_looks_when_it_is_named_and_again_when_it_begins(
    trap: Callable[[Path], None], tmp_path: Path
) -> None:
    recorder = WavRecorder(tmp_path / "heard.wav")
    lay(trap, tmp_path / "heard.wav")
    with pytest.raises(DeviceError, match=r"ordinary file|directory"):
        WavRecorder(tmp_path / "heard.wav")
    there = (tmp_path / "heard.wav").lstat()
    with pytest.raises(DeviceError, match=r"ordinary file|directory"):
        recorder.begin()
    assert os.path.samestat((tmp_path / "heard.wav").lstat(), there)


@pytest.mark.parametrize("trap", [*TRAPS, link_to_treasure, dangling_link])
def test_a_wav_device_continues_its_own_file_only(trap: Callable[[Path], None], tmp_path: Path) -> None:
    recorder = WavRecorder(tmp_path / "heard.wav")
    recorder.begin()
    recorder.end()
    (tmp_path / "heard.wav").rename(tmp_path / "mine.wav")
    lay(trap, tmp_path / "heard.wav")
    with pytest.raises(DeviceError, match=r"ordinary file|directory"):
        recorder.begin()
    (tmp_path / "other.wav").write_bytes(b"somebody else's")
    with contextlib.suppress(IsADirectoryError, PermissionError):
        (tmp_path / "other.wav").replace(tmp_path / "heard.wav")
        with pytest.raises(DeviceError, match="another file"):
            recorder.begin()
        assert (tmp_path / "heard.wav").read_bytes() == b"somebody else's"


@pytest.mark.parametrize("kind", ["contacts", "devices", "recordings", "seen", "sidecar"])
def test_what_is_brought_up_to_date_is_not_written_through_a_link(
    kind: str, tmp_path: Path, written: Written, recorded: dict[str, bytes]
) -> None:
    (tmp_path / "elsewhere").mkdir()
    place = written.folder / getattr(Written(tmp_path / "elsewhere", recorded), kind)().name
    dangling_link(place)
    made: Path = getattr(written, kind)()
    assert not made.is_symlink()
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert not (written.folder / "made-through-a-link").exists()


# ---- read

READERS: Final[dict[str, tuple[str, Callable[[Path], object]]]] = {
    "repair": ("x.part.mp4", lambda path: repair(path, quiet, "token")),
    "export": ("x.mp4", lambda path: export(path, ("wav",), None, quiet, "token")),
    "sidecar": ("x.json", sidecar_of),
    "log": ("x.csv", analyse_log),
    "log for a capture": ("x.csv", lambda path: export_capture(path, path.with_name("new.pcap"))),
    "file:": ("x.wav", FileSound),
    "settings": ("settings.toml", load_settings),
    "contacts": ("contacts.json", lambda path: Contacts(path).list()),
    "devices": ("devices.json", lambda path: DeviceMemory(profile_in(path.parent)).chosen("input")),
    "recordings": ("recordings.json", lambda path: RecordingMemory(profile_in(path.parent)).folders()),
    "key": ("identity.pem", lambda path: load_identity(path, None)),
    "seen": ("seen.msgpack", lambda path: ReplayFile(path).take()),
}

TELLING_NOTHING: Final[dict[str, object]] = {"sidecar": None, "devices": None, "recordings": [], "seen": None}
"""What goes on without the file."""


@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.parametrize("kind", READERS)
@pytest.mark.timeout(10)
def test_nothing_waits_for_what_has_the_name_of_a_file(
    kind: str, trap: Callable[[Path], None], tmp_path: Path
) -> None:
    name, read = READERS[kind]
    lay(trap, tmp_path / name)
    if kind in TELLING_NOTHING:
        assert read(tmp_path / name) == TELLING_NOTHING[kind]
    else:
        with pytest.raises(BlinkError) as told:
            read(tmp_path / name)
        assert name in told.value.message
    assert not (tmp_path / "new.pcap").exists()


@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.timeout(10)
def test_a_folder_for_all_does_not_hold_up_the_list_of_leftovers(
    trap: Callable[[Path], None], tmp_path: Path, recorded: dict[str, bytes]
) -> None:
    lay(trap, tmp_path / "a.part.mp4")
    (tmp_path / "left.part.mp4").write_bytes(recorded["left.part.mp4"])
    os.utime(tmp_path / "left.part.mp4", (0, 0))
    (tmp_path / "behind").mkdir()
    lay(trap, tmp_path / "behind" / "left.json")
    (tmp_path / "left.json").symlink_to(tmp_path / "behind" / "left.json")
    (found,) = leftovers([tmp_path])
    assert (found.path.name, found.started) == ("left.part.mp4", None)

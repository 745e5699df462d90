"""Nothing in the program opens a file but by way of the room `files`."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import blink_cli

pytestmark = pytest.mark.no_clock

PACKAGE: Final = Path(blink_cli.__file__).parent

OPENING: Final = frozenset(
    {
        "read_bytes",
        "read_text",
        "write_bytes",
        "write_text",
        "touch",
        "mkfifo",
        "memmap",
        "fromfile",
        "tofile",
    }
)
"""Methods that open what they are called with."""

ELSEWHERE: Final = frozenset(
    {
        ("app/media/processor_times.py", "path.open"),  # /proc/stat
        ("app/files/recording_worker.py", "Path('/proc/self/statm').read_text"),
        ("app/log/log_files.py", "io.FileIO"),  # of `create`
        ("commands/main.py", "os.open"),  # /dev/null
        ("commands/detaching.py", "os.open"),  # /dev/null
        ("commands/standard_streams.py", "os.open"),  # /dev/null
        ("commands/show/terminal_writer.py", "os.open"),  # the terminal
        ("app/profile/profile_lock.py", "Path('/proc/locks').read_text"),
        ("doctor/firewall.py", "Path('/etc/ufw/ufw.conf').read_text"),
        ("doctor/sound_server.py", "Path('/proc/self/maps').open"),
        ("doctor/udp_port.py", "Path(f'/proc/net/{table}').read_text"),
        ("doctor/udp_port.py", "(process / 'comm').read_text"),  # in /proc
        ("doctor/profile_folder.py", "Path('/proc/thread-self/mountinfo').read_bytes"),
        ("doctor/profile_folder.py", "os.open"),  # a new file in the folder that is tried
        (
            "commands/completion_scripts.py",
            "path.write_text",
        ),  # what a shell reads when it starts: its user's own, and often a link
        ("commands/completion_scripts.py", "start.read_bytes"),
        ("commands/completion_scripts.py", "start.open"),
        ("net/host/machine_clock.py", "_BOOT_ID.read_bytes"),  # in /proc
        ("commands/help_formatter.py", "super().write_text"),  # lines of help, into no file
        ("record/mp4/file.py", "av.open"),  # of an open file, or of `name_for_library`
        ("record/finished/ogg_opus.py", "av.open"),  # of an open file
        ("record/finished/picture_copy.py", "av.open"),  # of an open file
        ("record/finished/picture_reader.py", "av.open"),  # of an open file
        ("record/finished/grid_file.py", "av.open"),  # of `name_for_library`
        ("video/cameras/file_scenes.py", "av.open"),  # of an open file
        ("video/cameras/system_camera.py", "av.open"),  # a camera
        ("codec/sound_reader.py", "av.open"),  # of an open file
        ("codec/packet_reader.py", "av.open"),  # of an open file
        ("record/mp4/movie.py", "io.FileIO"),  # of an open file
        ("record/rtp_log/writer.py", "io.FileIO"),  # of `create`
        ("record/rtp_log/line_file.py", "io.FileIO"),  # of `create`
        ("record/recording/processing_dump.py", "io.FileIO"),  # of `create`
    }
)


def openings(tree: ast.Module) -> Iterator[str]:
    """Calls that open a file by its name, as they are written."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        name = called.rpartition(".")[2]
        opens = name == "open" and (
            called in {"open", "io.open", "os.open", "av.open", "codecs.open"} or _of_path(called)
        )
        if (
            opens
            or name in OPENING
            or called in {"io.FileIO", "FileIO", "os.mkfifo", "soundfile.read", "soundfile.write"}
        ):
            yield called


def _of_path(called: str) -> bool:
    return any(part in called.lower() for part in ("path", "file", "out", "start", "place", "folder"))


def test_files_are_opened_in_one_room() -> None:
    found = {
        (path.relative_to(PACKAGE).as_posix(), call)
        for path in PACKAGE.rglob("*.py")
        if path.parent != PACKAGE / "files"
        # The laboratory opens what it has made itself, and /proc: nobody else's files.
        and not path.is_relative_to(PACKAGE / "lab")
        and not path.is_relative_to(PACKAGE / "testing")
        for call in openings(ast.parse(path.read_text("utf-8")))
    }
    assert found == ELSEWHERE


@pytest.mark.parametrize(
    "text", ["open(p)", "path.open('rb')", "os.open(p, 0)", "self._path.read_bytes()", "io.FileIO(p)"]
)
def test_what_opens_a_file_is_seen(text: str) -> None:
    assert list(openings(ast.parse(text)))

"""The profile: its folders can be written and have room, its key is private, its settings make sense."""

import errno
import os
import re
import secrets
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from blink_cli.core.errors import BlinkError
from blink_cli.core.text.path_text import as_word, shown
from blink_cli.doctor.finding import Finding, failed, fine, unknown, warning
from blink_cli.doctor.situation import Situation
from blink_cli.files.reading import NotPrivateError, read_private

PROFILE: Final = "profile"
SPACE: Final = "disk-space"
KEY: Final = "key"
SETTINGS: Final = "settings"

TRIED_BYTES: Final = 65_536
LEAST_BYTES: Final = 5_000_000
FEW_BYTES: Final = 200_000_000
"""An hour of a call of four, recorded as MP4, takes some 60 MB; as WAV 1.4 GB."""

_KEY_BYTES: Final = 16_384
_ELSEWHERE: Final = "Or name another folder: --data-dir, or BLINK_DATA_DIR."


def look(situation: Situation) -> Iterator[Finding]:
    """Write, read and measure."""
    profile = situation.profile
    folders = {"data": profile.data_dir, "runtime": profile.runtime_dir}
    troubles = [trouble for folder in folders.values() if (trouble := _trouble(folder)) is not None]
    if troubles:
        yield troubles[0]
    elif not profile.data_dir.exists():
        yield fine(PROFILE, f"{profile.name} is not made yet; it will be in {shown(profile.data_dir)}")
    else:
        yield fine(PROFILE, f"{shown(profile.data_dir)} can be read and written, by you alone")
    yield _space(profile.data_dir)
    if profile.key_path.exists():
        yield _key(profile.key_path)
    yield _settings(situation)


def _trouble(folder: Path) -> Finding | None:
    """What is wrong with a folder, or with the one in which it would be made."""
    place = _nearest(folder)
    if place == folder and sys.platform != "win32":
        found = place.lstat()
        if stat.S_ISLNK(found.st_mode) or not stat.S_ISDIR(found.st_mode):
            return failed(PROFILE, f"{shown(folder)} is not a folder", f"Move it away. {_ELSEWHERE}")
        if found.st_uid != os.geteuid():
            return failed(
                PROFILE,
                f"{shown(folder)} belongs to another user",
                f"Take it: `sudo chown -R {os.geteuid()} {as_word(folder)}`. {_ELSEWHERE}",
            )
        if stat.S_IMODE(found.st_mode) & 0o077:
            return warning(
                PROFILE,
                f"others may enter {shown(folder)} (mode {stat.S_IMODE(found.st_mode):o})",
                f"`chmod 700 {as_word(folder)}`; the next session does it.",
            )
    try:
        _write_into(place)
    except OSError as reason:
        if reason.errno in (errno.ENOSPC, errno.EDQUOT):
            return failed(
                PROFILE,
                f"nothing can be written into {shown(place)}: {reason.strerror}",
                f"Make room on that disk (`df -h {as_word(place)}`). {_ELSEWHERE}",
            )
        readonly = (
            f"It is mounted read-only: `mount -o remount,rw {as_word(_mount_point(place))}`, and look at `dmesg` for the reason."
            if reason.errno == errno.EROFS
            else f"Check who owns it: `ls -ld {as_word(place)}`."
        )
        return failed(
            PROFILE,
            f"nothing can be written into {shown(place)}: {reason.strerror or reason}",
            f"{readonly} {_ELSEWHERE}",
        )
    return None


def _write_into(folder: Path) -> None:
    """Write a file and remove it.

    Raises:
        OSError: It cannot be made, written or removed.

    """
    path = folder / f".blink-doctor-{secrets.token_hex(4)}"
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        left = memoryview(bytes(TRIED_BYTES))
        while left:
            left = left[os.write(file, left) :]
        os.fsync(file)
    finally:
        os.close(file)
        path.unlink()


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    return folder


def _mount_point(folder: Path) -> Path:
    """What is mounted that holds a folder: a folder itself that is mounted over itself counts."""
    for one in (folder, *folder.parents):
        if os.path.ismount(one) or one in _mounted():
            return one
    return folder


def _mounted() -> frozenset[Path]:
    """Where something is mounted, by the kernel: `ismount` does not see a folder that is bound onto itself."""
    try:
        lines = Path("/proc/thread-self/mountinfo").read_bytes().splitlines()
    except OSError:
        return frozenset()
    # Spaces and such stand there as octal numbers (proc(5)).
    escaped = (line.split(b" ")[4] for line in lines)
    return frozenset(
        Path(os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), one)))
        for one in escaped
    )


def _space(folder: Path) -> Finding:
    place = _nearest(folder)
    if sys.platform == "win32":
        return unknown(SPACE, "not looked at on Windows")
    room = os.statvfs(place)
    free = room.f_bavail * room.f_frsize
    text = f"{_size(free)} free at {shown(place)}"
    remedy = f"Make room (`df -h {as_word(place)}`). {_ELSEWHERE}"
    if room.f_files and room.f_favail == 0:
        return failed(SPACE, f"no more files can be made at {shown(place)}: its inodes are used up", remedy)
    if free < LEAST_BYTES:
        return failed(SPACE, f"{text}: too little for logs and recordings", remedy)
    if free < FEW_BYTES:
        return warning(SPACE, f"{text}: an hour of recordings may need more", remedy)
    return fine(SPACE, text)


def _size(count: int) -> str:
    for unit, factor in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} bytes"


def _key(path: Path) -> Finding:
    try:
        content = read_private(path, _KEY_BYTES)
    except NotPrivateError as reason:
        return failed(KEY, f"{shown(path)} {reason}", f"Make it yours alone: `chmod 600 {as_word(path)}`.")
    except OSError as reason:
        return failed(KEY, f"{shown(path)} cannot be read: {reason.strerror}", "Restore it from a backup.")
    if b"PRIVATE KEY-----" not in content:
        return failed(
            KEY,
            f"{shown(path)} holds no key",
            "Restore it from a backup, or move it away: a new one is made.",
        )
    locked = b"ENCRYPTED" in content
    return fine(KEY, f"private, {'locked with a passphrase' if locked else 'without a passphrase'}")


def _settings(situation: Situation) -> Finding:
    settings = situation.settings
    if isinstance(settings, BlinkError):
        return failed(SETTINGS, settings.message.removesuffix("."), settings.hint or "Correct the file.")
    path = situation.profile.settings_path
    return fine(
        SETTINGS,
        f"{shown(path)} is right" if path.exists() else "there is no settings.toml: the defaults hold",
    )

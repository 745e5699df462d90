"""Where a profile keeps its things.

    DATA/profiles/NAME/            mode 0700
        identity.pem               the key (app/profile/key_file.py)
        contacts.json              petnames (app/profile/contacts.py)
        settings.toml              what the user chose (app/profile/settings.py)
        logs/                      what its sessions logged (app/log)
        seen.msgpack               what the last session has seen (app/profile/replay_file.py); not there while one runs
    RUNTIME/NAME/                  mode 0700: lock and control socket, gone after a reboot

DATA is `--data-dir`, else `BLINK_DATA_DIR`, else the user's data folder of this system. RUNTIME is the user's runtime folder;
where there is none, or with a data folder of one's own, it is `DATA/run`: two data folders never meet.
"""

import os
import re
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
import platformdirs

from blink_cli.core.errors import UsageError
from blink_cli.core.identity.nickname import MAX_NICKNAME_CHARS, harmless_nickname
from blink_cli.files.private_folder import make_private

DEFAULT_PROFILE: Final = "default"

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_WINDOWS_DEVICES: Final = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


class Profile(msgspec.Struct, frozen=True):
    """Paths of one identity and its settings. Making it touches nothing on disk."""

    name: str
    data_dir: Path
    runtime_dir: Path

    @property
    def key_path(self) -> Path:
        """The identity's key file."""
        return self.data_dir / "identity.pem"

    @property
    def contacts_path(self) -> Path:
        """The petnames."""
        return self.data_dir / "contacts.json"

    @property
    def settings_path(self) -> Path:
        """What the user chose."""
        return self.data_dir / "settings.toml"

    @property
    def replay_path(self) -> Path:
        """What the last session has seen."""
        return self.data_dir / "seen.msgpack"

    @property
    def logs_dir(self) -> Path:
        """What its sessions logged."""
        return self.data_dir / "logs"

    def make(self) -> None:
        """Make both folders, private to this user.

        Raises:
            BlinkError: One cannot be made, or belongs to somebody else.

        """
        for folder in (self.data_dir, self.runtime_dir):
            make_private(folder)


def find_profile(name: str, data_dir: Path | None, environ: Mapping[str, str] = os.environ) -> Profile:
    """Where the profile of this name keeps its things.

    Args:
        name: Of the profile.
        data_dir: Where the user wants all profiles to be; None: where the system keeps its users' data.
        environ: The environment, for where sockets belong.

    Raises:
        UsageError: The name cannot be one.

    """
    if not _NAME.fullmatch(name) or name.endswith(".") or _WINDOWS_DEVICES.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of a profile.",
            hint="Use up to 32 letters, digits, '-', '_' and '.', and begin with a letter or digit.",
        )
    if data_dir is not None:
        base = Path(os.path.expanduser(data_dir)).absolute()  # noqa: PTH111 - pathlib fails for a name that begins with `~`
        return Profile(name, base / "profiles" / name, base / "run" / name)
    data = Path(platformdirs.user_data_dir("blink", appauthor=False))
    return Profile(name, data / "profiles" / name, _runtime_base(data, environ) / name)


def _runtime_base(data: Path, environ: Mapping[str, str]) -> Path:
    if sys.platform in ("win32", "darwin"):
        return Path(platformdirs.user_runtime_dir("blink", appauthor=False))
    # Where no login manager made one (containers, cron), platformdirs warns on stderr and falls back to a folder in /tmp
    # whose name anybody can take first. Ours is then among our data.
    for folder in (environ.get("XDG_RUNTIME_DIR"), f"/run/user/{os.geteuid()}"):
        if folder and _is_own_folder(Path(folder)):
            return Path(folder) / "blink"
    return data / "run"


def _is_own_folder(folder: Path) -> bool:
    try:
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()


def session_nickname(wished: str | None, profile: Profile, environ: Mapping[str, str] = os.environ) -> str:
    """What a session calls itself: as wished, else the profile's name, and for the default profile the login name.

    Raises:
        UsageError: The wished one cannot be a nickname.

    """
    if wished is not None:
        if not wished or harmless_nickname(wished) != wished:
            raise UsageError(
                f"{wished!r} cannot be a nickname.",
                hint=f"Use up to {MAX_NICKNAME_CHARS} visible characters that are not a DID.",
            )
        return wished
    if profile.name != DEFAULT_PROFILE:
        return profile.name
    login = next((environ[name] for name in ("USER", "USERNAME", "LOGNAME") if environ.get(name)), "")
    return harmless_nickname(login) or "somebody"

"""The profile's identity, opened: with the passphrase of the environment, or the one that the user types."""

import getpass
import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from blink_cli.app.profile.key_file import load_or_create_identity, needs_passphrase
from blink_cli.app.profile.profile import DEFAULT_PROFILE, Profile
from blink_cli.core.identity.identity import Identity


def unlocked_identity(profile: Profile, tell: Callable[[str], None]) -> Identity:
    """Return who the profile is; a new identity at its first use. Asks for the passphrase where one is needed and a terminal is there.

    Args:
        profile: Whose key is opened, or made.
        tell: Told of an identity that was made for a profile that somebody named, and may have mistyped.

    Raises:
        IdentityError: The key file is unsafe, locked or damaged.
        KeyboardInterrupt: The user did not want to answer.

    """
    profile.make()
    passphrase = os.environ.get("BLINK_PASSPHRASE") or None
    if passphrase is None and needs_passphrase(profile.key_path) and sys.stdin.isatty():
        with _interruptible():
            passphrase = getpass.getpass(f"Passphrase of profile {profile.name}: ", stream=sys.stderr)
    is_new = not profile.key_path.exists()
    identity = load_or_create_identity(profile.key_path, passphrase, secrets.token_bytes)
    if is_new and profile.name != DEFAULT_PROFILE:
        tell(f"made a new identity for profile {profile.name!r}: {identity.did}{_others(profile)}")
    return identity


def _others(profile: Profile) -> str:
    folders = profile.data_dir.parent.iterdir()
    names = sorted(
        folder.name
        for folder in folders
        if folder.name != profile.name and (folder / profile.key_path.name).exists()
    )
    return f" (other profiles: {', '.join(names)})" if names else ""


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end a blocking question; an event loop's own handlers would wait until the answer has come."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

"""The profile's identity, opened: with the passphrase of the environment, or the one that the user types."""

import getpass
import os
import secrets
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from blink_cli.app.key_file import load_or_create_identity, needs_passphrase
from blink_cli.app.profile import Profile
from blink_cli.core.identity import Identity


def unlocked_identity(profile: Profile) -> Identity:
    """Return who the profile is; a new identity at its first use. Asks for the passphrase where one is needed and a terminal is there.

    Raises:
        IdentityError: The key file is unsafe, locked or damaged.
        KeyboardInterrupt: The user did not want to answer.

    """
    profile.make()
    passphrase = os.environ.get("BLINK_PASSPHRASE") or None
    if passphrase is None and needs_passphrase(profile.key_path) and sys.stdin.isatty():
        with _interruptible():
            passphrase = getpass.getpass(f"Passphrase of profile {profile.name}: ", stream=sys.stderr)
    return load_or_create_identity(profile.key_path, passphrase, secrets.token_bytes)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end a blocking question; an event loop's own handlers would wait until the answer has come."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

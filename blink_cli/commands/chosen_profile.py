"""The profile that a command line chooses."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from blink_cli.commands.global_options import DEFAULT_PROFILE, GlobalOptions
from blink_cli.core.errors import NoSessionError
from blink_cli.core.text.path_text import as_word

if TYPE_CHECKING:
    from blink_cli.app.profile.profile import Profile


def profile_of(options: GlobalOptions) -> "Profile":
    """Return where the chosen profile keeps its things. Touches nothing on disk.

    Raises:
        UsageError: Its name cannot be one.

    """
    from blink_cli.app.profile.profile import find_profile  # noqa: PLC0415 - `--help` needs no folders

    return find_profile(options.profile, options.data_dir)


@contextlib.contextmanager
def telling_where_none_runs(options: GlobalOptions) -> Iterator[None]:
    """Say of which profile no session runs, and how one is started."""
    try:
        yield
    except NoSessionError as error:
        blink = _program_text(options)
        raise NoSessionError(
            f"No session of profile {options.profile!r} is running.",
            hint=f"Start one with `{blink} serve`, or `{blink}` for a prompt.",
        ) from error


def _program_text(options: GlobalOptions) -> str:
    """Return `blink` with the options that name the same profile again; the folder of profiles only if the environment names another."""
    words = ["blink"]
    if options.profile != DEFAULT_PROFILE:
        words += ["--profile", options.profile]
    if options.data_dir not in {None, GlobalOptions.from_environment().data_dir}:
        words += ["--data-dir", as_word(options.data_dir)]
    return " ".join(words)

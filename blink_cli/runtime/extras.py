"""What a plain install leaves out: extras, which are named after what one gets (`pip install 'blink-cli[plot]'`)."""

import contextlib
from collections.abc import Iterator
from typing import Final

from blink_cli.core.errors import NotInstalledError

PROGRAM: Final = "blink-cli"

_OURS: Final = "blink_cli"


@contextlib.contextmanager
def needs_extra(extra: str, what: str) -> Iterator[None]:
    """Import inside what the extra `extra` brings; `what` begins the sentence for those who do not have it.

    Raises:
        NotInstalledError: A module of the extra, or one that it needs itself, is not there.

    """
    try:
        yield
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        if package in ("", _OURS):
            raise
        raise NotInstalledError(
            f"{what} needs {package}, which a plain install leaves out.",
            hint=f"Install it with `pip install '{PROGRAM}[{extra}]'`.",
        ) from missing

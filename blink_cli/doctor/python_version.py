"""The interpreter."""

import platform
import sys
from collections.abc import Iterator
from typing import Final

from blink_cli.doctor.finding import Finding, failed, fine
from blink_cli.doctor.situation import Situation

NAME: Final = "python"
LOWEST: Final = (3, 11)


def look(situation: Situation) -> Iterator[Finding]:
    """Say which Python runs the program, of which version."""
    found = (
        f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} {platform.machine()},"
        f" blink {situation.version}"
    )
    version: tuple[int, ...] = sys.version_info[:2]  # as mypy takes no lower one for possible
    if version >= LOWEST:
        yield fine(NAME, found)
    else:
        lowest = ".".join(map(str, LOWEST))
        yield failed(NAME, f"{found}: older than {lowest}", f"Install Python {lowest} or later.")

"""Which door this system's sessions have."""

import sys
from pathlib import Path

from blink_cli.app.control.control_socket import ControlDoor, UnixDoor


def control_door(directory: Path) -> ControlDoor:
    """Return this system's door in a profile's runtime folder. Touches nothing yet."""
    if sys.platform == "win32":
        from blink_cli.app.control.loopback_door import LoopbackDoor  # noqa: PLC0415 - its secret brings OpenSSL

        return LoopbackDoor(directory)
    return UnixDoor(directory)

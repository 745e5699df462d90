"""The right to use sound cards without a sound server."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from blink_cli.audio.devices.pulse_connection import server_devices
from blink_cli.core.errors import DeviceError
from blink_cli.doctor.finding import Finding, failed, fine, unknown
from blink_cli.doctor.situation import Situation

NAME: Final = "permissions"
_NODES: Final = Path("/dev/snd")


def look(_: Situation) -> Iterator[Finding]:
    """Ask the system whether its sound cards may be opened."""
    if sys.platform == "darwin":
        yield unknown(
            NAME,
            "macOS gives a program that it does not trust silence in place of the microphone",
            "System Settings, Privacy & Security, Microphone: allow your terminal.",
        )
    elif sys.platform == "win32":
        yield unknown(
            NAME,
            "Windows gives a program that it does not trust silence in place of the microphone",
            "Settings, Privacy & security, Microphone: let desktop apps access it.",
        )
    elif _served():
        yield fine(NAME, "the sound server opens the sound cards")
    else:
        yield judged(_NODES)


def _served() -> bool:
    try:
        return bool(server_devices())
    except DeviceError:
        return False


def judged(nodes: Path) -> Finding:
    """Say whether the sound cards under a folder may be opened."""
    cards = sorted(nodes.glob("pcm*"))
    if not cards:
        return fine(NAME, "this machine has no sound cards of its own")
    refused = [card.name for card in cards if not os.access(card, os.R_OK | os.W_OK)]
    if not refused:
        return fine(NAME, f"{len(cards)} devices of sound cards may be opened")
    return failed(
        NAME,
        f"{', '.join(refused)} may not be opened by this user",
        "Join the group audio and log in again: `sudo usermod -aG audio $USER`.",
    )

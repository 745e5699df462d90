"""Which copy of libopus is used: of those on this machine, the one that can do most.

BLINK_LIBOPUS    a path, or one of `pyav`, `system`, `pyogg`: that one and no other
else             deep PLC before DRED before OSCE before the newer version; what is equal, in the order of `installed`
"""

import logging
import os
from collections.abc import Iterable
from ctypes import CDLL
from typing import Final

import msgspec

from blink_cli.audio.opus.abilities import Abilities, UnusableError, abilities_of
from blink_cli.audio.opus.binding import load, path_of
from blink_cli.audio.opus.installed import ORIGINS, Installed, Origin, installed
from blink_cli.core.errors import DeviceError

ENVIRONMENT_VARIABLE: Final = "BLINK_LIBOPUS"

_log = logging.getLogger(__name__)


class Copy(msgspec.Struct, frozen=True):
    """One that works."""

    origin: Origin
    path: str
    """The file, links resolved."""

    abilities: Abilities
    library: CDLL


class PassedOver(msgspec.Struct, frozen=True):
    """One that does not."""

    origin: Origin
    path: str
    reason: str
    """Goes on from its path: `it is libopus 1.2.1, older than 1.3`."""


class Choice(msgspec.Struct, frozen=True):
    """What was found on this machine."""

    used: Copy
    others: tuple[Copy, ...]
    """They would work too, and can do no more."""

    passed_over: tuple[PassedOver, ...]


def choose() -> Choice:
    """Load every copy, try it, and choose.

    Raises:
        DeviceError: There is none that works, or not the one that `BLINK_LIBOPUS` names.

    """
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    if named:
        return _choose_named(named)
    copies, passed_over = _tried(installed())
    if not copies:
        reasons = "; ".join(f"{one.path}: {one.reason}" for one in passed_over)
        raise DeviceError(
            "No usable Opus library (libopus) was found" + (f" ({reasons})." if reasons else "."),
            hint=f"Install libopus (Debian: libopus0, macOS: brew install opus), or name the file in {ENVIRONMENT_VARIABLE}.",
        )
    used = max(copies, key=lambda one: one.abilities.rank)  # the first of equals
    return Choice(used, tuple(one for one in copies if one is not used), passed_over)


def _choose_named(named: str) -> Choice:
    wanted = (
        tuple(one for one in installed() if one.origin == named)
        if named in ORIGINS
        else (Installed("named", named),)
    )
    copies, refused = _tried(wanted)
    if not copies:
        reasons = "; ".join(f"{one.path}: {one.reason}" for one in refused) or "there is none"
        raise DeviceError(
            f"The Opus library that {ENVIRONMENT_VARIABLE} names ({named}) cannot be used: {reasons}.",
            hint=f"Correct or unset {ENVIRONMENT_VARIABLE}: it takes a path, or one of {', '.join(ORIGINS)}.",
        )
    return Choice(copies[0], tuple(copies[1:]), refused)


def _tried(candidates: Iterable[Installed]) -> tuple[list[Copy], tuple[PassedOver, ...]]:
    copies: list[Copy] = []
    passed_over: list[PassedOver] = []
    for one in candidates:
        path = one.name
        try:
            library = load(one.name)
            path = path_of(library)
            if any(copy.path == path for copy in copies):
                continue
            copies.append(Copy(one.origin, path, abilities_of(library), library))
        except (OSError, AttributeError, UnusableError) as error:
            reason = f"it cannot be loaded: {error}" if not isinstance(error, UnusableError) else str(error)
            passed_over.append(PassedOver(one.origin, path, reason))
            _log.info("the Opus library %s is passed over: %s", path, reason)
    return copies, tuple(passed_over)

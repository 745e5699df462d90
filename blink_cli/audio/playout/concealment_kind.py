"""How lost frames are guessed on this machine, which follows from its libopus."""

from typing import Final, Literal

from blink_cli.audio.opus.library import library_version, used_library

Concealment = Literal["classic", "deep", "dred"]

SLOWEST_DEEP_MS: Final = 1.5
"""A machine on which 10 ms take longer guesses the classic way."""


def concealment() -> Concealment:
    """How lost frames are guessed on this machine, by the copy of libopus that is used.

    Raises:
        DeviceError: There is none.

    """
    can = used_library().used.abilities
    if not can.deep_plc or can.deep_ms > SLOWEST_DEEP_MS:
        return "classic"
    return "deep" if can.dred_version is None else "dred"


def decoder_name() -> str:
    """Which libopus makes the sound, and how it guesses: another one makes other samples.

    Raises:
        DeviceError: There is none.

    """
    return (
        library_version()
        + {"classic": "", "deep": ", deep concealment", "dred": ", deep concealment, DRED"}[concealment()]
    )

"""Which devices the system has at this moment: those of the sound server, and those of PortAudio.

PortAudio looks once, when it starts (sounddevice issues 125 and 516), so the question is put to a process of its own. That takes
about 0.3 s, and longer when a sound server does not answer.
"""

import subprocess
import sys
from typing import Final, Literal, TypeVar

import msgspec

from blink_cli.audio.devices.pulse_connection import NoSoundServerError, server_devices
from blink_cli.audio.devices.system_device import SystemDeviceInfo
from blink_cli.core.errors import DeviceError

ASKED: Final = "blink_cli.audio.devices.portaudio_query"
"""Runs in the asked process, and answers on stdout."""

TIMEOUT_S: Final = 5.0
"""A sound system that has not answered by then hangs."""

ABILITIES_TIMEOUT_S: Final = 30.0
"""Opening each of twenty devices with each of twenty settings takes some seconds."""

A = TypeVar("A", bound=msgspec.Struct)


class Refusal(msgspec.Struct, tag="refusal", frozen=True):
    """Why the asked process found nothing."""

    message: str
    hint: str | None


class Found(msgspec.Struct, tag="found", frozen=True):
    """What it found."""

    devices: list[SystemDeviceInfo]


def system_devices() -> list[SystemDeviceInfo]:
    """Return what the system has now: the server's sinks, sources and monitors, then PortAudio's. Blocks: call it in a worker thread.

    Raises:
        DeviceError: There is neither a sound server nor PortAudio, or one does not answer. Virtual devices work all the same.

    """
    try:
        served = server_devices()
    except NoSoundServerError:
        return portaudio_devices()
    try:
        others = portaudio_devices()
    except DeviceError:
        return served
    names = {device.name for device in served}
    return served + [
        msgspec.structs.replace(other, default_input=False, default_output=False)
        for other in others
        if other.name not in names
    ]


def portaudio_devices() -> list[SystemDeviceInfo]:
    """Return what PortAudio finds now. Blocks.

    Raises:
        DeviceError: PortAudio is missing or does not answer.

    """
    return ask_portaudio("devices", Found).devices


def ask_portaudio(question: Literal["devices", "abilities"], answers: type[A]) -> A:
    """Return what a PortAudio of its own process says. Blocks.

    Raises:
        DeviceError: PortAudio is missing or does not answer.

    """
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", ASKED, question],
            capture_output=True,
            timeout=TIMEOUT_S if question == "devices" else ABILITIES_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DeviceError(
            f"The sound system did not say within {error.timeout:g} s which devices there are.",
            hint="Restart the sound server; virtual devices work without it.",
        ) from error
    except OSError as error:
        raise DeviceError(
            f"The system's devices cannot be asked for: no process can be started ({error.strerror or error}).",
            hint="Look at the limits of processes and memory (`ulimit -a`); virtual devices work without it.",
        ) from error
    try:
        answer: A | Refusal = msgspec.json.decode(done.stdout, type=answers | Refusal)
    except msgspec.DecodeError as error:
        last_line = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise DeviceError(
            f"The sound system failed when asked for its devices: {last_line.rstrip('.') or f'exit code {done.returncode}'}.",
            hint="Virtual devices work without it.",
        ) from error
    if isinstance(answer, Refusal):
        raise DeviceError(answer.message, hint=answer.hint)
    return answer

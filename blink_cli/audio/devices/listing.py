"""Which devices the system has at this moment.

PortAudio looks once, when it starts (sounddevice issues 125 and 516), so the question is put to a process of its own. That takes
about 0.3 s, and longer when a sound server does not answer.
"""

import subprocess
import sys
from typing import Final

import msgspec

from blink_cli.audio.devices.system_device import SystemDeviceInfo
from blink_cli.core.errors import DeviceError

TIMEOUT_S: Final = 10.0
"""A sound system that has not answered by then hangs."""


class _Refusal(msgspec.Struct, tag="refusal", frozen=True):
    message: str
    hint: str | None


class _Found(msgspec.Struct, tag="found", frozen=True):
    devices: list[SystemDeviceInfo]


def system_devices() -> list[SystemDeviceInfo]:
    """Return what the system has now. Blocks: call it in a worker thread.

    Raises:
        DeviceError: PortAudio is missing or does not answer. Virtual devices work all the same.

    """
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", __name__], capture_output=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise DeviceError(
            f"The sound system did not say within {TIMEOUT_S:g} s which devices there are.",
            hint="restart the sound server; virtual devices work without it",
        ) from error
    try:
        answer = msgspec.json.decode(done.stdout, type=_Found | _Refusal)
    except msgspec.DecodeError as error:
        last_line = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise DeviceError(
            f"The sound system failed when asked for its devices: {last_line or f'exit code {done.returncode}'}",
            hint="virtual devices work without it",
        ) from error
    if isinstance(answer, _Refusal):
        raise DeviceError(answer.message, hint=answer.hint)
    return answer.devices


def _answer() -> None:
    """Say what this process's PortAudio finds, as one JSON object."""
    from blink_cli.audio.devices.portaudio import list_devices  # noqa: PLC0415 - in the asked process only

    answer: _Found | _Refusal
    try:
        answer = _Found(list_devices())
    except DeviceError as error:
        answer = _Refusal(error.message, error.hint)
    sys.stdout.buffer.write(msgspec.json.encode(answer))


if __name__ == "__main__":
    _answer()

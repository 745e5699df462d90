"""Says what this process's PortAudio finds, as one JSON object: `python -m blink_cli.audio.devices.portaudio_query [abilities]`, started by listing.py."""

import sys

import msgspec

from blink_cli.audio.devices.abilities import FoundAbilities
from blink_cli.audio.devices.listing import Found, Refusal
from blink_cli.audio.devices.portaudio import list_devices
from blink_cli.audio.devices.portaudio_abilities import portaudio_abilities
from blink_cli.core.errors import DeviceError


def main() -> None:
    """Answer, whatever comes of it."""
    answer: Found | FoundAbilities | Refusal
    try:
        answer = (
            FoundAbilities(portaudio_abilities()) if sys.argv[1:] == ["abilities"] else Found(list_devices())
        )
    except DeviceError as error:
        answer = Refusal(error.message, error.hint)
    sys.stdout.buffer.write(msgspec.json.encode(answer))


if __name__ == "__main__":
    main()

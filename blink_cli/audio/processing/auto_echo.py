"""Whether a speaker can be heard by a microphone, by what is known of the two, and so whether echo is to be cancelled.

A wrong yes costs 10 ms of delay and a little of the voice in double talk; a wrong no lets everybody hear themselves. So where nothing
speaks against it, it can be heard.
"""

import re
from dataclasses import dataclass
from typing import Final

from blink_cli.audio.devices.interface import InputDevice, OutputDevice
from blink_cli.core.media.processing_settings import EchoCancel


@dataclass(frozen=True, slots=True)
class SoundDevice:
    """What is known of a device."""

    name: str
    virtual: bool
    description: str | None = None

    @property
    def shown(self) -> str:
        """What people call it."""
        return self.description or self.name


@dataclass(frozen=True, slots=True)
class EchoDecision:
    """Whether echo is to be cancelled."""

    on: bool
    reason: str | None
    """What was found, in a few words; None where the user decided."""


_AT_THE_EAR: Final = re.compile(
    r"head[\s_-]*(set|phones?)|ear[\s_-]*(buds?|phones?|pieces?)|hands?[\s_-]*free|air[\s_-]*pods|\b(hsp|hfp|handset)\b",
    re.IGNORECASE,
)


def echo_decision(wish: EchoCancel, microphone: SoundDevice, speaker: SoundDevice) -> EchoDecision:
    """Return what a wish means with these devices. Pure."""
    if wish is not EchoCancel.AUTO:
        return EchoDecision(wish is EchoCancel.ON, None)
    if microphone.virtual:
        return EchoDecision(on=False, reason=f"no microphone is open, but {microphone.shown}")
    if speaker.virtual:
        return EchoDecision(on=False, reason=f"no speaker plays, but {speaker.shown}")
    # A speaker at the ear is not heard by any microphone; a headset's microphone is beside its own speaker alone.
    if _at_the_ear(speaker):
        return EchoDecision(on=False, reason=f"a headset: {speaker.shown}")
    return EchoDecision(on=True, reason=f"the microphone can hear {speaker.shown}")


def sound_device(device: InputDevice | OutputDevice, now_s: float) -> SoundDevice:
    """Return what is known of where a device's sound really is now."""
    parameters = device.parameters
    place = device.reading(now_s).place
    if place is None:
        return SoundDevice(parameters.name, parameters.virtual, parameters.description)
    return SoundDevice(place.name, parameters.virtual, place.description)


def _at_the_ear(device: SoundDevice) -> bool:
    return any(_AT_THE_EAR.search(text) for text in (device.name, device.description) if text)

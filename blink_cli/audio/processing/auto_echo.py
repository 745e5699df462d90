"""Whether a speaker can be heard by a microphone, by what is known of the two, and so whether echo is to be cancelled.

A wrong yes costs 10 ms of delay and a little of the voice in double talk; a wrong no lets everybody hear themselves. So where nothing
speaks against it, it can be heard.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from blink_cli.audio.devices.interface import DevicePort, InputDevice, OutputDevice
from blink_cli.core.media.processing_settings import EchoCancel


class SoundDevice(msgspec.Struct, frozen=True):
    """What is known of a device."""

    name: str
    virtual: bool
    description: str | None = None
    port: DevicePort | None = None
    """What it is plugged into, where the sound server says so."""

    form_factor: str | None = None
    """PulseAudio's word for what it is."""

    @property
    def shown(self) -> str:
        """What people call it."""
        whole = self.description or self.name
        if self.port is None or self.port.description is None:
            return whole
        return f"{self.port.description} of {whole}"


class EchoDecision(msgspec.Struct, frozen=True):
    """Whether echo is to be cancelled."""

    on: bool
    reason: str | None
    """What was found, in a few words; None where the user decided."""


_EAR_PORTS: Final = frozenset({"headphones", "headset", "handset", "earpiece"})
_EAR_FORMS: Final = frozenset({"headset", "headphone", "handset"})
_ROOM_FORMS: Final = frozenset(
    {"internal", "speaker", "tv", "webcam", "car", "hifi", "computer", "portable", "hands-free"}
)
"""Source: pulse/def.h (`pa_device_port_type`) and pulse/proplist.h (`device.form_factor`). What Bluetooth calls hands-free stands on a desk or in a car."""

_AT_THE_EAR: Final = re.compile(
    r"head[\s_-]*(set|phones?)|ear[\s_-]*(buds?|phones?|pieces?)|hands?[\s_-]*free|air[\s_-]*pods|\b(hsp|hfp|handset)\b",
    re.IGNORECASE,
)


_LISTS_OUTPUTS: Final = re.compile(r"\w \+ \w")
"""ALSA's use case manager names a sink after all that it may play on: "HD Audio Controller Speaker + Headphones"."""

_PROFILES: Final = ("bluez_sink.", "bluez_output.")
"""Behind the address such a name has the profile, "headset_head_unit" or "handsfree_head_unit", which a Bluetooth loudspeaker uses as well."""


def echo_decision(wish: EchoCancel, microphone: SoundDevice, speaker: SoundDevice) -> EchoDecision:
    """Return what a wish means with these devices. Pure."""
    if wish is not EchoCancel.AUTO:
        return EchoDecision(wish is EchoCancel.ON, None)
    if microphone.virtual:
        return EchoDecision(on=False, reason=f"the input is {microphone.shown}, not a microphone")
    if speaker.virtual:
        return EchoDecision(on=False, reason=f"the output is {speaker.shown}, not a speaker")
    # A speaker at the ear is not heard by any microphone; a headset's microphone is beside its own speaker alone.
    if _at_the_ear(speaker):
        return EchoDecision(on=False, reason=f"at the ear: {speaker.shown}")
    return EchoDecision(on=True, reason=f"the microphone can hear {speaker.shown}")


def sound_device(device: InputDevice | OutputDevice, now_s: float) -> SoundDevice:
    """Return what is known of where a device's sound really is now."""
    parameters = device.parameters
    place = device.reading(now_s).place
    if place is None:
        return SoundDevice(parameters.name, parameters.virtual, parameters.description)
    return SoundDevice(place.name, parameters.virtual, place.description, place.port, place.form_factor)


def _at_the_ear(device: SoundDevice) -> bool:
    """Ask what knows best first: the port in use, then what the device says of itself, then what people call it."""
    port = device.port
    if port is not None and (port.kind in _EAR_PORTS or (port.kind is None and _says_ear(port.name))):
        return True
    if device.form_factor in _EAR_FORMS:
        return True
    if device.form_factor in _ROOM_FORMS:
        return False
    # A USB headset calls its only port a speaker as often as not: its name counts all the same.
    return _says_ear(device.description) or _says_ear(device.name)


def _says_ear(text: str | None) -> bool:
    if not text or _LISTS_OUTPUTS.search(text) or text.startswith(_PROFILES):
        return False
    return _AT_THE_EAR.search(text) is not None

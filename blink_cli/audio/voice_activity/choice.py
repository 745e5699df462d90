"""Which detector a microphone gets."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

from blink_cli.audio.devices.interface import DeviceParameters
from blink_cli.runtime.on_demand import on_demand

if TYPE_CHECKING:
    from blink_cli.audio.voice_activity import loudness, speech
    from blink_cli.audio.voice_activity.detector import VoiceDetector
else:
    loudness = on_demand("blink_cli.audio.voice_activity.loudness")
    speech = on_demand("blink_cli.audio.voice_activity.speech")

_TEST_TONE: Final = "tone:"


def detector_for(device: DeviceParameters) -> VoiceDetector:
    """Return the best that there is here for what this device hears.

    `tone:` stands for somebody who talks, in scripts and checks: it is told by its loudness. Everything else, files too, is a voice if it
    sounds like one.
    """
    if is_test_tone(device):
        return loudness.LoudnessDetector()
    try:
        return speech.SpeechDetector()
    except ImportError:
        return loudness.LoudnessDetector()


def is_test_tone(device: DeviceParameters) -> bool:
    """Return whether what it hears is a tone by definition."""
    return device.virtual and device.name.startswith(_TEST_TONE)


def why_no_speech() -> str | None:
    """Return in sentences why speech is told by its loudness here, and what to do; None if it is told by its sound. Loads the library."""
    try:
        importlib.import_module("earshot")
    except ImportError as error:
        return (
            f"The library earshot cannot be loaded here ({error}): whoever talks is told by loudness alone. "
            "`pip install earshot` where there is a build for this platform."
        )
    return None

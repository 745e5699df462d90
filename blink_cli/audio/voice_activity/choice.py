"""Which detector a microphone gets."""

from typing import Final

from blink_cli.audio.devices.interface import DeviceParameters
from blink_cli.audio.voice_activity.detector import VoiceDetector
from blink_cli.audio.voice_activity.loudness import LoudnessDetector
from blink_cli.audio.voice_activity.speech import SpeechDetector

_TEST_TONE: Final = "tone:"


def detector_for(device: DeviceParameters) -> VoiceDetector:
    """Return the best that there is here for what this device hears.

    `tone:` stands for somebody who talks, in scripts and checks: it is told by its loudness. Everything else, files too, is a voice if it
    sounds like one.
    """
    if is_test_tone(device):
        return LoudnessDetector()
    try:
        return SpeechDetector()
    except ImportError:
        return LoudnessDetector()


def is_test_tone(device: DeviceParameters) -> bool:
    """Return whether what it hears is a tone by definition."""
    return device.virtual and device.name.startswith(_TEST_TONE)


def why_no_speech() -> str | None:
    """Return in sentences why speech is told by its loudness here, and what to do; None if it is told by its sound. Loads the library."""
    try:
        SpeechDetector()
    except ImportError as error:
        return (
            f"The library earshot cannot be loaded here ({error}): whoever talks is told by loudness alone. "
            "`pip install earshot` where there is a build for this platform."
        )
    return None

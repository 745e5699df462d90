"""`echo-cancel auto` runs where a speaker can be heard by a microphone, and only there."""

import pytest

from blink_cli.audio.processing.auto_echo import SoundDevice, echo_decision
from blink_cli.core.media.processing_settings import EchoCancel

pytestmark = pytest.mark.no_clock


def real(name: str, description: str | None = None) -> SoundDevice:
    return SoundDevice(name, virtual=False, description=description)


def virtual(name: str) -> SoundDevice:
    return SoundDevice(name, virtual=True)


LAPTOP = real("default", "Built-in Audio Analog Stereo")


@pytest.mark.parametrize(
    ("microphone", "speaker", "on"),
    [
        (LAPTOP, LAPTOP, True),
        (real("default"), real("default"), True),
        (real("null.monitor", "Monitor of Null Output"), real("null", "Null Output"), True),
        (real("Jabra SPEAK 410 USB"), real("Jabra SPEAK 410 USB"), True),
        (real("Headset Microphone (Jabra Evolve 20)"), LAPTOP, True),
        (LAPTOP, real("alsa_output.usb-Logitech_USB_Headset-00.analog-stereo"), False),
        (LAPTOP, real("default", "USB Headset Mono"), False),
        (LAPTOP, real("Headphones (Realtek(R) Audio)"), False),
        (LAPTOP, real("Anna's AirPods Pro"), False),
        (LAPTOP, real("Hands-Free AG Audio"), False),
        (virtual("file:/tmp/voice.wav?loop=1"), LAPTOP, False),
        (virtual("tone:440"), LAPTOP, False),
        (virtual("silence"), LAPTOP, False),
        (LAPTOP, virtual("wav:/tmp/heard.wav"), False),
        (LAPTOP, virtual("null"), False),
    ],
)
def test_auto_looks_at_both_devices(microphone: SoundDevice, speaker: SoundDevice, *, on: bool) -> None:
    decision = echo_decision(EchoCancel.AUTO, microphone, speaker)
    assert decision.on is on
    assert decision.reason


def test_the_reason_names_the_device_as_people_call_it() -> None:
    headset = real("alsa_output.usb-7", "USB Headset")
    assert echo_decision(EchoCancel.AUTO, LAPTOP, headset).reason == "a headset: USB Headset"


@pytest.mark.parametrize("chosen", [EchoCancel.ON, EchoCancel.OFF])
def test_the_users_word_counts_whatever_the_devices_are(chosen: EchoCancel) -> None:
    decision = echo_decision(chosen, virtual("file:voice.wav"), virtual("null"))
    assert decision.on is (chosen == "on")
    assert decision.reason is None

"""`echo-cancel auto` runs where a speaker can be heard by a microphone, and only there."""

import pytest

from blink_cli.audio.devices.interface import DevicePort
from blink_cli.audio.processing.auto_echo import SoundDevice, echo_decision
from blink_cli.core.media.processing_settings import EchoCancel

pytestmark = pytest.mark.no_clock


def real(
    name: str,
    description: str | None = None,
    port: DevicePort | None = None,
    form_factor: str | None = None,
) -> SoundDevice:
    return SoundDevice(name, virtual=False, description=description, port=port, form_factor=form_factor)


def virtual(name: str) -> SoundDevice:
    return SoundDevice(name, virtual=True)


def port(name: str, description: str, kind: str | None) -> DevicePort:
    return DevicePort(name, description, kind)


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


BUILT_IN = "alsa_output.pci-0000_00_1f.3.analog-stereo"
CASES = "alsa_output.pci-0000_06_00.6.HiFi__hw_Generic__sink"
"""As ALSA's use case manager names the sound of a laptop."""


@pytest.mark.parametrize(
    ("speaker", "on"),
    [
        # One sink of a laptop, two ports.
        (real(BUILT_IN, "Built-in Audio Analog Stereo", port("analog-output-speaker", "Speakers", "speaker"), "internal"), True),
        (real(BUILT_IN, "Built-in Audio Analog Stereo", port("analog-output-headphones", "Headphones", "headphones"), "internal"), False),
        (real(BUILT_IN, "Built-in Audio Analog Stereo", port("analog-output-lineout", "Line Out", "line"), "internal"), True),
        (real(CASES, "HD Audio Controller Speaker + Headphones", port("[Out] Speaker", "Speaker", "speaker")), True),
        (real(CASES, "HD Audio Controller Speaker + Headphones", port("[Out] Headphones", "Headphones", "headphones")), False),
        # Servers before PulseAudio 14 tell no kind.
        (real(BUILT_IN, "Built-in Audio Analog Stereo", port("analog-output-headphones", "Kopfhörer", None)), False),
        (real(CASES, "HD Audio Controller Speaker + Headphones", port("[Out] Headphones", "Headphones", None)), False),
        (real(CASES, "HD Audio Controller Speaker + Headphones", port("[Out] Speaker", "Speaker", None)), True),
        (real(CASES, "HD Audio Controller Speaker + Headphones"), True),
        # Bluetooth: the profile in the name is what a loudspeaker uses, too.
        (real("bluez_output.74_D7_13_E4_27_D8.1", "WH-1000XM3", port("headset-output", "Headset", "headset"), "headset"), False),
        (real("bluez_output.88_C9_E8_00_00_01.1", "REAL BLUE PRO", port("headphone-output", "Headphone", "headphones"), "headphone"), False),
        (real("bluez_sink.10_28_74_00_00_01.handsfree_head_unit", "Flip 5", port("speaker-output", "Speaker", "speaker"), "speaker"), True),
        (real("bluez_sink.10_28_74_00_00_01.headset_head_unit", "Flip 5"), True),
        (real("bluez_sink.00_1D_DF_00_00_01.handsfree_head_unit", "Golf", port("handsfree-output", "Handsfree", "handsfree"), "hands-free"), True),
        # USB headsets seldom say what they are; their port is called a speaker, or nothing.
        (real("alsa_output.usb-Logitech_USB_Headset-00.analog-stereo", "USB Headset", port("analog-output-speaker", "Speakers", "speaker")), False),
        (real("alsa_output.usb-0d8c-00.analog-stereo", "C-Media", port("analog-output", "Analog Output", "analog"), "headset"), False),
        (real("alsa_output.usb-0d8c-00.analog-stereo", "C-Media", port("analog-output", "Analog Output", "analog")), True),
        (real("alsa_output.pci-0000_01_00.1.hdmi-stereo", "HDMI", port("hdmi-output-0", "HDMI / DisplayPort", "hdmi")), True),
    ],
)  # fmt: skip
def test_auto_asks_the_port_and_the_form_factor_before_the_name(speaker: SoundDevice, *, on: bool) -> None:
    assert echo_decision(EchoCancel.AUTO, LAPTOP, speaker).on is on


def test_the_reason_names_the_port_in_use() -> None:
    device = real(BUILT_IN, "Built-in Audio", port("analog-output-headphones", "Headphones", "headphones"))
    assert echo_decision(EchoCancel.AUTO, LAPTOP, device).reason == "at the ear: Headphones of Built-in Audio"


def test_the_reason_names_the_device_as_people_call_it() -> None:
    headset = real("alsa_output.usb-7", "USB Headset")
    assert echo_decision(EchoCancel.AUTO, LAPTOP, headset).reason == "at the ear: USB Headset"


@pytest.mark.parametrize("chosen", [EchoCancel.ON, EchoCancel.OFF])
def test_the_users_word_counts_whatever_the_devices_are(chosen: EchoCancel) -> None:
    decision = echo_decision(chosen, virtual("file:voice.wav"), virtual("null"))
    assert decision.on is (chosen == "on")
    assert decision.reason is None

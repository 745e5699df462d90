"""What is wrong with a device, in words, each with what to do about it. Pure.

A fault makes the test fail (exit code 6); advice does not: a soft voice in a noisy room is heard all the same.
"""

import sys
from typing import Final

import msgspec

from blink_cli.audio.device_test.microphone import InputRecording
from blink_cli.audio.device_test.rate_meter import MeasuredRate
from blink_cli.audio.device_test.speaker import OutputTried

NOTHING_DBOV: Final = -60.0
"""Softer than this even in its loud windows, a microphone hears nobody."""

SOFT_DBOV: Final = -42.0
"""A voice that a call has to be turned up for; -20 to -30 is usual."""

NOISY_DBOV: Final = -45.0
VOICE_ABOVE_NOISE_DB: Final = 12.0
CLIPPED_SHARE: Final = 0.01
"""Of the windows of 20 ms: from here on one hears it."""

OFFSET: Final = 0.03
WRONG_RATE_PPM: Final = 5_000.0
"""Sound cards stay within a few hundred; this is another rate than the one that was said, or one that cannot be kept."""

STOOD_STILL_S: Final = 0.04
"""Two frames of the codec: less is within what sound servers make up for."""

MISSING_S: Final = 0.02
"""A frame of the codec: less than that in a test is not heard."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that was found."""

    code: str
    """For scripts."""

    fault: bool
    sentence: str
    remedy: str


def input_findings(recording: InputRecording, platform: str = sys.platform) -> tuple[Finding, ...]:
    """Return what is wrong with a microphone, the worst first; nothing if it is right."""
    name = recording.device.name
    voice = recording.voice_levels
    channels = recording.channels
    if all(channel.zero_share == 1.0 for channel in channels):
        return (_only_zeros(recording, platform),)
    found: list[Finding] = []
    loudest = max(channel.loud_dbov for channel in channels)
    if loudest < NOTHING_DBOV:
        found.append(
            Finding(
                "nothing_heard",
                fault=True,
                sentence=f"{name} runs, but hears nothing: nothing louder than {loudest:.0f} dBov came.",
                remedy=recording.switched_off
                or f"Speak while the test runs. If you did: {_unmute(platform)}, or choose another microphone (`blink list-devices`).",
            )
        )
    found += _gaps(recording)
    found += rate_findings(name, recording.rate, recording.device.sample_rate_hz)
    windows = max(1.0, recording.seconds / 0.02)
    clipped = max(channel.clipped_windows for channel in channels) / windows
    if clipped >= CLIPPED_SHARE:
        found.append(
            Finding(
                "clipped",
                fault=True,
                sentence=f"{name} is too loud: {clipped:.0%} of the sound is cut off at full scale.",
                remedy="Turn its gain down until the loudest words stay below -3 dBFS.",
            )
        )
    longest = max(channel.longest_zeros_s for channel in channels)
    if (
        not found
        and not recording.device.virtual
        and not _hears_a_speaker(recording)
        and longest >= 0.5
        and min(c.zero_share for c in channels) > 0.2
    ):
        found.append(
            Finding(
                "zeros",
                fault=True,
                sentence=f"{name} delivers exact zeros for up to {longest:.1f} s: something switches it off.",
                remedy="Look for a mute key, a gate or noise suppression in the system's sound settings, or a loose plug.",
            )
        )
    if found:
        return tuple(found)
    return tuple(_advice(name, recording, voice.loud_dbov, voice.floor_dbov))


def _hears_a_speaker(recording: InputRecording) -> bool:
    """Whether it is a monitor of the sound server, which has zeros while nothing is played."""
    place = recording.device.name if recording.place is None else recording.place.name
    return place.endswith(".monitor")


def _only_zeros(recording: InputRecording, platform: str) -> Finding:
    name = recording.device.name
    if recording.device.virtual:
        return Finding(
            "only_zeros",
            fault=True,
            sentence=f"{name} delivered exact zeros only.",
            remedy="It is no microphone. Name one: `blink list-devices` lists them.",
        )
    if _hears_a_speaker(recording):
        return Finding(
            "only_zeros",
            fault=True,
            sentence=f"{name} delivered exact zeros only: it is the monitor of a speaker, on which nothing was played.",
            remedy="Name a microphone: `blink list-devices` lists them.",
        )
    if platform == "darwin":
        remedy = "macOS gives zeros, and no error, to a program without permission: System Settings, Privacy & Security, Microphone, allow your terminal, and start it again."
    elif platform == "win32":
        remedy = (
            "Allow desktop programs the microphone (Settings, Privacy, Microphone), and look for a mute key."
        )
    else:
        remedy = (
            recording.switched_off
            or f"It is switched off somewhere: {_unmute(platform)}, or look for a mute key on the device."
        )
    return Finding(
        "only_zeros",
        fault=True,
        sentence=f"{name} delivered exact zeros only: no microphone is as quiet as that.",
        remedy=remedy,
    )


def _unmute(platform: str) -> str:
    if platform == "darwin":
        return "raise its input level (System Settings, Sound, Input)"
    if platform == "win32":
        return "raise its input level (Settings, Sound, Input)"
    return "unmute it and raise its level (`pavucontrol`, `pactl set-source-mute NAME 0`, or `alsamixer`)"


def _gaps(recording: InputRecording) -> list[Finding]:
    missing_s = max(recording.missing_s, recording.lost_s)
    if missing_s < MISSING_S:
        return []
    return [
        Finding(
            "gaps",
            fault=True,
            sentence=f"{recording.device.name} misses sound: {1000 * missing_s:.0f} ms in {recording.gaps} {'gap' if recording.gaps == 1 else 'gaps'}.",
            remedy="Close what keeps the processor busy; a USB device goes into a socket of its own, not into a hub.",
        )
    ]


def rate_findings(name: str, rate: MeasuredRate | None, nominal_hz: int) -> list[Finding]:
    """Return what is to be said of a device's clock."""
    if rate is None:
        return []
    off_ppm = rate.off_ppm(nominal_hz)
    if abs(off_ppm) - rate.uncertain_ppm(nominal_hz) < WRONG_RATE_PPM:
        return []
    return [
        Finding(
            "wrong_rate",
            fault=True,
            sentence=f"{name} says {nominal_hz} Hz and runs at {rate.rate_hz:.0f}: {abs(off_ppm):.0f} ppm too {'fast' if off_ppm > 0 else 'slow'}.",
            remedy="Set its rate in the system's sound settings to 48000 Hz; on a virtual machine, give it another sound card.",
        )
    ]


def _advice(
    name: str, recording: InputRecording, loud_dbov: float, floor_dbov: float | None
) -> list[Finding]:
    found: list[Finding] = []
    if floor_dbov is not None and floor_dbov > NOISY_DBOV:
        found.append(
            Finding(
                "noisy",
                fault=False,
                sentence=f"{name} works, in much noise: {floor_dbov:.0f} dBov between words.",
                remedy="Come nearer to the microphone, turn fans off, or suppress the noise (`blink noise-suppress high`).",
            )
        )
    if floor_dbov is not None and loud_dbov - floor_dbov < VOICE_ABOVE_NOISE_DB:
        found.append(
            Finding(
                "no_voice",
                fault=False,
                sentence=f"{name} works, but no voice stood out: {loud_dbov:.0f} dBov at its loudest, {floor_dbov:.0f} at its softest.",
                remedy="Speak while the test runs.",
            )
        )
    elif loud_dbov < SOFT_DBOV:
        found.append(
            Finding(
                "soft",
                fault=False,
                sentence=f"{name} works, and is soft: {loud_dbov:.0f} dBov.",
                remedy=f"Raise its level by some {-25 - loud_dbov:.0f} dB, come nearer, or let the program do it (`blink auto-gain on`).",
            )
        )
    mix = recording.mix
    if mix is not None and mix.soft:
        found.append(
            Finding(
                "soft_channels",
                fault=False,
                sentence=f"Of {name}'s {mix.channels} channels the sum is {mix.below_db:.0f} dB softer than channel {mix.loudest}.",
                remedy=f"Take that one alone: `blink set-input '{name}?channel={mix.loudest}'`.",
            )
        )
    worst = max((channel.offset for channel in recording.channels), key=abs)
    if abs(worst) > OFFSET:
        found.append(
            Finding(
                "offset",
                fault=False,
                sentence=f"{name} adds a constant of {worst:+.0%} of full scale.",
                remedy="It takes headroom and is otherwise not heard; a defective input or cable does this.",
            )
        )
    return found


def output_findings(tried: OutputTried) -> tuple[Finding, ...]:
    """Return what is wrong with a speaker as far as the program can know; nothing if all is right."""
    name = tried.device.name
    found: list[Finding] = []
    lost_s = tried.lost_s + tried.unheard_s
    if lost_s >= MISSING_S:
        found.append(
            Finding(
                "underruns",
                fault=True,
                sentence=f"{name} ran dry: {1000 * lost_s:.0f} ms of the sound were not there when they were due.",
                remedy="Close what keeps the processor busy; on a virtual machine, give it another processor.",
            )
        )
    still_s = 0.0 if tried.rate is None else tried.rate.stood_still_s
    if still_s >= STOOD_STILL_S:
        found.append(
            Finding(
                "stood_still",
                fault=True,
                sentence=f"{name} stood still for {1000 * still_s:.0f} ms in all, and what was heard was late by as much.",
                remedy="The sound server did not get its time: close what keeps the processor busy.",
            )
        )
    else:  # whatever stood still now and then is slow, and has no wrong rate
        found += rate_findings(name, tried.rate, tried.device.sample_rate_hz)
    return tuple(found)

"""Asks this process's PortAudio what each device lets be opened: `check_input_settings`, `check_output_settings`. Some ms for each combination."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from blink_cli.audio.devices.abilities import RATES_HZ, SAMPLE_TYPES, DeviceAbilities
from blink_cli.audio.devices.portaudio import library

T = TypeVar("T")


def portaudio_abilities() -> list[DeviceAbilities]:
    """Return what every device can do, each direction of its own.

    Raises:
        DeviceError: PortAudio is missing, or does not start.

    """
    sd = library()
    found = []
    for device in sd.query_devices():
        for direction, default in zip(("input", "output"), sd.default.device, strict=True):
            if device[f"max_{direction}_channels"] > 0:
                found.append(_abilities(sd, device, direction, default=device["index"] == default))
    return found


def _abilities(sd: Any, device: Any, direction: str, *, default: bool) -> DeviceAbilities:
    check = sd.check_input_settings if direction == "input" else sd.check_output_settings
    most = int(device[f"max_{direction}_channels"])
    own_rate = int(device["default_samplerate"])
    settings: dict[str, Any] = {"channels": min(2, most), "dtype": "float32", "samplerate": own_rate}

    def taken(of: Iterable[T], key: str) -> tuple[T, ...]:
        return tuple(one for one in of if _passes(sd, check, device["index"], settings | {key: one}))

    counts = sorted({1, 2, most} if most > 1 else {1})
    return DeviceAbilities(
        name=device["name"],
        host_api=sd.query_hostapis()[device["hostapi"]]["name"],
        direction=direction,
        default=default,
        rates=taken(RATES_HZ, "samplerate"),
        channels=taken(counts, "channels"),
        sample_types=taken(SAMPLE_TYPES, "dtype"),
        preferred_rate=own_rate,
        preferred_channels=most,
        preferred_type=None,
        converts=False,
        latency_low_ms=round(1000 * device[f"default_low_{direction}_latency"], 1),
        latency_high_ms=round(1000 * device[f"default_high_{direction}_latency"], 1),
        latency_now_ms=None,
    )


def _passes(sd: Any, check: Callable[..., None], index: int, settings: dict[str, Any]) -> bool:
    try:
        check(device=index, **settings)
    except (sd.PortAudioError, ValueError):
        return False
    return True

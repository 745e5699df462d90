"""When in each 20 ms the devices of a participant begin: chance, and the same in both engines.

A frame that comes out of a line just behind a tick of the listener's speaker waits 10 ms longer than one that comes just before. So two runs agree to the
millisecond only where their devices stand to each other as they did.
"""

import random
from dataclasses import dataclass
from typing import Final

from blink_cli.audio.devices.virtual import next_moment
from blink_cli.core.api.device_name import PHASE_PERIOD_MS

LINK_UP_S: Final = 0.1
"""From the joining of the second of two until their link stands in virtual time (docs/performance.md has what sessions take)."""


@dataclass(frozen=True, slots=True)
class DevicePhases:
    """Each as `phase=` in a device's name: ms behind a multiple of 20 ms of the clock that all devices share, to a microsecond."""

    microphone_ms: float
    """When its first sample is captured."""

    speaker_ms: float
    """When its first sample is played."""


def device_phases(seed: int, name: str) -> DevicePhases:
    """Return those of a participant of a case with this seed: in all its sessions."""
    chance = random.Random(f"{seed}/{name}/phases")
    return DevicePhases(*(chance.randrange(round(1000 * PHASE_PERIOD_MS)) / 1000 for _ in range(2)))


def first_sound_at(seed: int, name: str) -> float:
    """Return at which second of the scenario the microphone of somebody begins who is there at the beginning.

    In virtual time it does. Of real sessions second 0 is placed so, whatever their opening took: what is said at a moment is the same in both.
    """
    return next_moment(LINK_UP_S, device_phases(seed, name).microphone_ms)

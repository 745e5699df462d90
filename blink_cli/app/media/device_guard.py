"""Watches the two devices of this session: what was chosen is used whenever it can be, and what goes wrong is told.

readings, ten times a second --> DeviceWatch per direction --> DeviceLost + another device | StreamFailed, StreamRestored
a device that did not start  -------------------------------> DeviceLost + another device
the sound server moved a stream ----------------------------> DeviceLost, DeviceChanged
the chosen device is there again, looked for once a second --> DeviceChanged
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from blink_cli.app.media.channel_teller import ChannelTeller
from blink_cli.app.media.gap_teller import GapTeller
from blink_cli.audio.devices.health import DeviceRecovered, DeviceTrouble, DeviceWatch, Trouble
from blink_cli.core.api.device_name import names_microphone, names_speaker
from blink_cli.core.api.events import (
    DeviceChanged,
    DeviceLatencyRaised,
    DeviceLost,
    Event,
    StreamFailed,
    StreamProblem,
    StreamRestored,
)
from blink_cli.core.errors import BlinkError
from blink_cli.core.repeated_trouble import RepeatedTrouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from blink_cli.app.media.voice_path import VoicePath
    from blink_cli.audio.devices.interface import DevicePlace, DeviceReading, InputDevice, OutputDevice
    from blink_cli.audio.sink_mixer import MixerStatistics
    from blink_cli.audio.source_track import SourceStatistics
    from blink_cli.core.ids import Did
    from blink_cli.runtime.tasks import TaskOwner

Direction = Literal["input", "output"]

FALLBACKS: Final[dict[Direction, tuple[str, ...]]] = {
    "input": ("default", "silence"),
    "output": ("default", "null"),
}
"""What takes over from a device of the system, in this order: the system's choice, else nothing that can fail."""

NOTHING: Final[dict[Direction, tuple[str, ...]]] = {"input": ("silence",), "output": ("null",)}
"""What takes over from a file or a tone: who did not choose a microphone gets none."""

WORDS: Final[dict[Direction, str]] = {"input": "microphone", "output": "speaker"}

PROBLEMS: Final = {
    Trouble.STALLED: StreamProblem.DEVICE_STALLED,
    Trouble.ONLY_ZEROS: StreamProblem.DIGITAL_SILENCE,
}

RECENT_S: Final = 10.0
MOST_RECENT_TRIES: Final = 2
"""How often one fallback is taken within `RECENT_S`. `default` may well be another device the second time. What is lost more often than that
suffers from something that no device mends."""

GIVE_UP_S: Final = 4.0
"""How long a device may stand still. A sound server that is busy is back by then."""

LOOK_FOR_CHOSEN_S: Final = 1.0
"""How often the sound server is asked for a chosen device that is not there: it takes some 3 ms."""

ASK_PORTAUDIO_S: Final = 5.0
"""As `LOOK_FOR_CHOSEN_S`, where PortAudio has to be asked in a process of its own: half a second of work."""

LONGEST_WAIT_S: Final = 60.0
"""A device that is lost again and again is tried more and more rarely."""

_log = logging.getLogger(__name__)


class _Taken(msgspec.Struct, frozen=True):
    """A fallback that was taken into use."""

    name: str
    at_s: float


@dataclass(slots=True)
class _Side:
    """What is known of one direction."""

    direction: Direction
    wanted: str
    """The user's choice, whatever is in use."""

    device: InputDevice | OutputDevice | None = None
    """The one that is watched."""

    watch: DeviceWatch | None = None
    place: DevicePlace | None = None
    raised_latency_s: float | None = None
    stalled_at: float | None = None
    moving_since: float = 0.0
    """Since when it has not stood still: silence that took its place is not its own."""

    replacing: InputDevice | OutputDevice | None = None
    returning: bool = False
    """Whether the chosen device is being looked for, or the present one opened again."""

    served: bool = False
    """Whether the chosen device was seen on the sound server: PortAudio is not asked for it then."""

    ask_s: float = ASK_PORTAUDIO_S
    """How long until PortAudio is asked again."""

    try_at: float = 0.0
    """When the chosen device is looked for again."""

    wait_s: float = LOOK_FOR_CHOSEN_S
    told: DeviceChanged | None = None
    """What was said last."""

    returned_at: float = -LONGEST_WAIT_S
    taken: list[_Taken] = field(default_factory=list)
    repeated: dict[Trouble, RepeatedTrouble] = field(default_factory=dict)

    def recently_taken(self, name: str, now_s: float) -> int:
        """How often this fallback was taken lately."""
        self.taken = [taken for taken in self.taken if taken.at_s >= now_s - RECENT_S]
        return sum(taken.name == name for taken in self.taken)


class DeviceGuard:
    """Belongs to the event loop."""

    def __init__(
        self,
        own: Did,
        voice: VoicePath,
        publish: Callable[[Event], None],
        tasks: TaskOwner,
        *,
        wanted: tuple[str, str] | None = None,
    ) -> None:
        """Watch a voice path.

        Args:
            own: This session.
            voice: Whose devices.
            publish: Told what happens.
            tasks: Owns what takes time.
            wanted: Input and output as they were chosen, where that is not what the voice path began with.

        """
        self._own = own
        self._voice = voice
        self._publish = publish
        self._tasks = tasks
        wanted_input, wanted_output = wanted or (voice.input_name, voice.output_name)
        self._sides = {
            "input": _Side("input", wanted_input),
            "output": _Side("output", wanted_output),
        }
        for side in self._sides.values():
            side.served = voice.uses(side.direction, side.wanted) and voice.place(side.direction) is not None
        self._ending = asyncio.Event()
        self._gaps = GapTeller(publish)
        self._channels = ChannelTeller(own, publish)

    def start(self) -> None:
        """Look for chosen devices that are not there, from now on until `end`."""
        self._tasks.start(self._look_for_chosen(), name="look for chosen devices")

    def end(self) -> None:
        """Look for nothing any more."""
        self._ending.set()

    async def choose(self, direction: Direction, text: str) -> str:
        """Use another device because the user says so, and keep to it. Return its name.

        Raises:
            BlinkError: It cannot be used; the old one goes on.

        """
        name = await self._change(direction, text)
        side = self._sides[direction]
        side.wanted, side.wait_s, side.ask_s = name, LOOK_FOR_CHOSEN_S, ASK_PORTAUDIO_S
        side.served = self._voice.place(direction) is not None
        side.told = self._changed(direction, name)
        self._publish(side.told)
        return name

    def missed(self, direction: Direction) -> str | None:
        """Return the device that was chosen, while another one is used in its place; None if it is used."""
        wanted = self._sides[direction].wanted
        return None if self._voice.uses(direction, wanted) else wanted

    @property
    def microphone_wanted(self) -> bool:
        """Whether the input is a device of the system, or will be as soon as that is there."""
        in_use = self._voice.name_in_use("input")
        return names_microphone(in_use) or names_microphone(self._sides["input"].wanted)

    def forget(self) -> None:
        """The media have stopped."""
        self._gaps = GapTeller(self._publish)
        self._channels = ChannelTeller(self._own, self._publish)
        for side in self._sides.values():
            side.device = side.watch = side.place = side.stalled_at = None
            side.taken = []
            side.repeated = {}

    def look(self, source: SourceStatistics | None, mixer: MixerStatistics | None, now_s: float) -> None:
        """Take the figures of both devices; to be called a few times a second."""
        if source is not None:
            self._gaps.look(source.recent_gaps, now_s)
            self._channels.look(source.device, source.channels, now_s)
            self._observe(self._sides["input"], source.reading, now_s, silent_s=source.silent_s)
        if mixer is not None:
            self._observe(self._sides["output"], mixer.reading, now_s, silent_s=0.0)

    def replace(self, direction: str, reason: str) -> None:
        """Let another device take over from the one in use, and tell why."""
        side = self._sides["input" if direction == "input" else "output"]
        lost = self._device(side.direction)
        if side.replacing is lost:
            return
        side.replacing = lost
        self._tasks.start(self._replace(side, lost, reason), name=f"replace {direction}")

    # what is seen

    def _device(self, direction: Direction) -> InputDevice | OutputDevice:
        return self._voice.input_device if direction == "input" else self._voice.output_device

    def _observe(self, side: _Side, reading: DeviceReading, now_s: float, *, silent_s: float) -> None:
        device = self._device(side.direction)
        if side.replacing is device:
            return  # it is being let go
        if side.watch is None or side.device is not device:
            if side.watch is not None and side.watch.trouble is not None:
                self._restored(side, side.watch.trouble.kind)
            side.device, side.watch = device, DeviceWatch(device.parameters, now_s)
            side.place, side.stalled_at, side.moving_since = reading.place, None, now_s
            side.raised_latency_s = None
        if side.stalled_at is not None:
            side.moving_since = now_s
        silent_s = min(silent_s, now_s - side.moving_since)
        for change in side.watch.observe(reading, now_s, silent_s=silent_s):
            if isinstance(change, DeviceRecovered):
                side.stalled_at = None
                self._restored(side, change.kind)
            elif change.kind is Trouble.GONE:
                self.replace(side.direction, change.reason)
            else:
                side.stalled_at = now_s if change.kind is Trouble.STALLED else None
                repeated = side.repeated.setdefault(change.kind, RepeatedTrouble())
                self._tell(side, change, repeated.begins(now_s))
        trouble = side.watch.trouble
        if trouble is not None and trouble.kind in side.repeated:
            self._tell(side, trouble, side.repeated[trouble.kind].lasts(now_s))
        if reading.place is not None and side.place is not None and reading.place.name != side.place.name:
            before, side.place = side.place, reading.place
            self._tasks.start(self._moved(side, before, reading.place), name=f"{side.direction} moved")
        if reading.raised_latency_s is not None and reading.raised_latency_s != side.raised_latency_s:
            side.raised_latency_s = reading.raised_latency_s
            self._publish(
                DeviceLatencyRaised(
                    direction=side.direction,
                    device=device.parameters.name,
                    latency_ms=reading.raised_latency_s * 1000,
                )
            )
        if side.stalled_at is not None and now_s - side.stalled_at > GIVE_UP_S - 1.0:
            self._give_up(side, reading, now_s)

    def _tell(self, side: _Side, trouble: DeviceTrouble, untold: int | None) -> None:
        if untold is None:
            return
        more = f" It happened {untold} more times in the last minute." if untold else ""
        self._publish(
            StreamFailed(
                did=self._own,
                reason=f"the {WORDS[side.direction]} {trouble.reason}{more}",
                problem=PROBLEMS[trouble.kind],
                direction=side.direction,
            )
        )

    def _restored(self, side: _Side, trouble: Trouble) -> None:
        if trouble in PROBLEMS and side.repeated[trouble].ends():
            self._publish(StreamRestored(did=self._own, problem=PROBLEMS[trouble], direction=side.direction))

    # a device that stands still

    def _give_up(self, side: _Side, reading: DeviceReading, now_s: float) -> None:
        if reading.place is None:
            self.replace(side.direction, f"It has stood still for {GIVE_UP_S:g} s.")
        elif now_s >= side.try_at and not side.returning:
            # On a sound server nothing is gained by another device if it answers nobody, and nothing has to be told if it is only
            # this stream.
            side.returning = True
            self._tasks.start(self._open_again(side), name=f"open {side.direction} again")

    async def _open_again(self, side: _Side) -> None:
        name = self._voice.name_in_use(side.direction)
        try:
            if await asyncio.to_thread(self._voice.opener.served, side.direction, name):
                with contextlib.suppress(BlinkError):
                    await self._change(side.direction, name)
        finally:
            side.returning = False
            self._try_later(side)

    # a device that is gone

    async def _replace(self, side: _Side, lost: InputDevice | OutputDevice, reason: str) -> None:
        name = self._voice.name_in_use(side.direction)
        try:
            replacement = await self._fall_back(side)
        finally:
            if side.replacing is lost:
                side.replacing = None
        if time.monotonic() - side.returned_at < RECENT_S:
            self._try_later(side)
        self._publish(
            DeviceLost(direction=side.direction, device=name, reason=reason, replacement=replacement)
        )
        if replacement is not None:
            self._tell_device(side, replacement)

    async def _fall_back(self, side: _Side) -> str | None:
        """Return the device that was taken; None if none is left."""
        of_system = (names_microphone if side.direction == "input" else names_speaker)(side.wanted)
        fallbacks = FALLBACKS if of_system else NOTHING
        for candidate in fallbacks[side.direction]:
            if side.recently_taken(candidate, time.monotonic()) >= MOST_RECENT_TRIES:
                continue
            try:
                replacement = await self._change(side.direction, candidate)
            except BlinkError:
                continue
            except Exception:  # noqa: BLE001 - whatever it is, the next one may work
                _log.exception("%s could not take over as %s", candidate, side.direction)
                continue
            side.taken.append(_Taken(candidate, time.monotonic()))
            return replacement
        return None

    # a device that the sound server replaced

    async def _moved(self, side: _Side, before: DevicePlace, now: DevicePlace) -> None:
        """Tell where the sound is now. A chosen device that is gone stays chosen; one that the user's mixer left is not any more."""
        there = await asyncio.to_thread(self._voice.opener.served, side.direction, before.name)
        in_use = self._voice.name_in_use(side.direction)
        if not there:
            reason = "It was unplugged; the sound server moved the sound."
            self._publish(
                DeviceLost(direction=side.direction, device=before.name, reason=reason, replacement=now.name)
            )
        elif not _is_default(in_use):
            side.wanted = now.name
        self._tell_device(side, in_use)

    # a chosen device that comes back

    async def _look_for_chosen(self) -> None:
        while not self._ending.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), LOOK_FOR_CHOSEN_S)
            now_s = time.monotonic()
            for side in self._sides.values():
                if self._misses_chosen(side) and now_s >= side.try_at:
                    side.returning = True
                    self._tasks.start(self._return(side), name=f"return to {side.direction}")

    def _misses_chosen(self, side: _Side) -> bool:
        return (
            not side.returning
            and side.replacing is None
            and not self._ending.is_set()
            and not self._voice.uses(side.direction, side.wanted)
            and self._voice.opener.may_return(side.direction, side.wanted)
        )

    async def _return(self, side: _Side) -> None:
        opener = self._voice.opener
        wanted = side.wanted
        try:
            if await asyncio.to_thread(opener.served, side.direction, wanted):
                side.served = True
            elif side.served:
                return
            else:
                side.try_at = time.monotonic() + side.ask_s
                side.ask_s = min(2 * side.ask_s, LONGEST_WAIT_S)
            if self._voice.uses(side.direction, wanted) or side.wanted != wanted:
                return  # the server has brought the sound back by itself, or the user has chosen another one meanwhile
            name = await self._change(side.direction, wanted)
            if side.wanted == wanted:
                side.wanted = name
            now_s = time.monotonic()
            if now_s - side.returned_at > RECENT_S + side.wait_s:
                side.wait_s = LOOK_FOR_CHOSEN_S
            side.returned_at = now_s
            self._tell_device(side, name)
        except BlinkError as error:
            _log.debug("%s cannot be used yet: %s", wanted, error.message)
        finally:
            side.returning = False

    def _try_later(self, side: _Side) -> None:
        side.try_at = time.monotonic() + side.wait_s
        side.wait_s = min(2 * side.wait_s, LONGEST_WAIT_S)

    # inside

    async def _change(self, direction: Direction, text: str) -> str:
        return await (self._voice.set_input(text) if direction == "input" else self._voice.set_output(text))

    def _tell_device(self, side: _Side, name: str) -> None:
        """Say which device is in use, once: the server and this session may both have brought the sound to it."""
        changed = self._changed(side.direction, name)
        if changed != side.told:
            side.told = changed
            self._publish(changed)

    def _changed(self, direction: Direction, name: str) -> DeviceChanged:
        place = self._voice.place(direction)
        return DeviceChanged(
            direction=direction, device=name, description=None if place is None else place.description
        )


def _is_default(name: str) -> bool:
    return name.partition("?")[0] == "default"

"""The sink mixer: everything that is heard, played by a voice thread on the output device's clock.

    sink tracks ──> [playout thread: a session's voice thread] every 10 ms: Mixer ──> device's rate and channels ──> device

The device says when it wants the next block; the thread sleeps until then, asks every track for its 10 ms, mixes and writes. It takes no
lock and never waits for the event loop: packets come through each track's inbox, figures leave as immutable snapshots, tracks are
held in a tuple that is replaced as a whole. Late ticks are run at once, one after the other. When the device stands still, ticks go on
in real time without it, so that streams are drained and nothing old is heard when it comes back.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from blink_cli.audio.device_thread import DeviceThread
from blink_cli.audio.devices.interface import DeviceReading, OutputDevice
from blink_cli.audio.devices.virtual import OUTPUT_LEAD_S
from blink_cli.audio.fade import faded
from blink_cli.audio.lateness import Lateness, LatenessSummary
from blink_cli.audio.mixer import Mixer
from blink_cli.audio.playout.concealment import DeepBudget
from blink_cli.audio.processing.far_reference import FarReference
from blink_cli.audio.resampling import DeviceFromVoice
from blink_cli.audio.samples import Samples
from blink_cli.audio.silent_block import SILENT_BLOCK
from blink_cli.audio.sink_track import SinkTrack
from blink_cli.audio.sound_listener import SoundListener
from blink_cli.audio.thread_priority import Urgency
from blink_cli.audio.tick_clock import TickClock
from blink_cli.audio.tick_notes import TickNotes
from blink_cli.audio.voice_thread import VoiceThread
from blink_cli.core.audio_format import TICK_MS, TICK_SAMPLES
from blink_cli.core.media.mix_tick import Speaker, TickListener
from blink_cli.runtime.clock import Clock, MonotonicClock

BEHIND_S: Final = 0.03
"""When the speaker stood still for longer, and does not take at once what it missed, that much of the streams is played to nobody: what waits
in them would be delay. Less is made up for by the playout buffers."""

FROZEN_S: Final = 0.5

SLOWER_S: Final = 2e-5
"""How much farther behind a tick may be than the one before it and still be usual: a sound card 2,000 ppm slow."""

STALLED_AFTER_S: Final = 0.1
"""How long a device may want nothing before ticks go on without it."""

LONGEST_WAIT_S: Final = 0.05
PUBLISH_TICKS: Final = 10
"""Statistics are renewed every 0.1 s."""

LEAVING_TRACKS: Final = 64
"""More than leave within 10 ms; without a running thread nobody takes them out."""

MOST_SILENT_BLOCKS: Final = 64
"""More than any device is behind when it is taken into use (`virtual.BACKLOG_S`), or holds."""

_TICK_S: Final = TICK_MS / 1000


class MixerStatistics(msgspec.Struct, frozen=True):
    """What the playout thread did since it was made."""

    device: str
    urgency: Urgency
    """How the system schedules the thread."""

    lateness: LatenessSummary
    limited_blocks: int
    """Ticks in which the voices together were too loud and turned down."""

    limited_now_db: float
    """By how much they are turned down now; 0: not."""

    deep_samples: int
    """Lost sound, at 48 kHz, that was guessed by the networks of libopus, of all voices."""

    deep_refused_samples: int
    """Guessed the classic way because the tick had no time for more."""

    unheard_samples: int
    """Mixed and not played, at 48 kHz: the device stood still or its queue was full."""

    reading: DeviceReading


class SinkMixer:
    """Owns the playout thread between `start` and `stop`. Its methods may be called from any thread but the playout thread."""

    def __init__(
        self,
        device: OutputDevice,
        *,
        reference: FarReference | None = None,
        clock: Clock | None = None,
        listener: TickListener | None = None,
        sound: SoundListener | None = None,
        before_tick: Callable[[], None] | None = None,
        thread: VoiceThread | None = None,
    ) -> None:
        """Prepare; nothing is played yet.

        Args:
            device: Not started. The mixer starts it, and stops it in the end.
            reference: Learns all that is played, and when it is heard.
            clock: Time for the thread.
            listener: Told of every tick while it wants that.
            sound: Told of the sound of every tick that was played, while it wants that.
            before_tick: Called on the playout thread before each tick takes what is in the inboxes; must not wait.
            thread: That of the session; None for one of its own.

        """
        self._clock: Clock = clock or MonotonicClock()
        self._mixer = Mixer()
        self._reference = reference
        self._converter = DeviceFromVoice(device.parameters.sample_rate_hz, device.parameters.channels)
        self._ticks = TickClock()
        self._lateness = Lateness()
        self._tracks: tuple[SinkTrack, ...] = ()
        self._tracks_changing = threading.Lock()
        """Between those who add and remove. The playout thread does not take it: it reads one tuple, once a tick."""

        self._leaving: deque[SinkTrack] = deque(maxlen=LEAVING_TRACKS)
        self._thread: DeviceThread[OutputDevice] = DeviceThread(
            "blink-playout", device, self._clock, step=self._step, adopt=self._adopt, thread=thread
        )
        self._last_tick_s = 0.0
        self._taken_s = 0.0
        """Until when the streams' sound was taken, on the monotonic clock, as far as it is taken in real time."""

        self._usual_behind_s: float | None = None
        """How far what is played lags behind that clock; None until a device has taken something."""

        self._batch = False
        """Whether ticks were run since the thread last waited."""

        self._listener = listener
        self._before_tick = before_tick
        self._sound = sound
        self._mixed_tracks: tuple[SinkTrack, ...] = ()
        """Those of the present tick."""

        self._notes: TickNotes | None = None
        """Of the present tick, while somebody wants to know."""

        self._speakers = 0
        self._speaker = Speaker(0, device.parameters.name, 0, 0, 0.0, 0)
        self._unheard_samples = 0
        self._until_publish = PUBLISH_TICKS
        self._fading_in = False

    def start(self) -> None:
        """Start the device and the thread. Does nothing if they run; may be tried again after an error.

        Raises:
            BlinkError: The device does not start. Nothing runs then, until `start` or `set_device` succeeds.

        """
        self._thread.start()

    def stop(self) -> None:
        """End the thread, then the device. Safe to call twice and without a start; blocks for a few ms, a sound server's stop aside."""
        self._thread.stop()

    def add(self, track: SinkTrack) -> None:
        """Play `track` from the next tick on."""
        with self._tracks_changing:
            self._tracks = (*self._tracks, track)

    def remove(self, track: SinkTrack) -> None:
        """Play `track` no more: the next tick fades it out. No harm if it is not there."""
        with self._tracks_changing:
            left = tuple(other for other in self._tracks if other is not track)
            if len(left) < len(self._tracks):
                self._tracks = left
                self._leaving.append(track)

    def pause(self) -> None:
        """Deafen: silence is played; streams are drained."""
        self._mixer.deafened = True

    def play(self) -> None:
        """Hear again."""
        self._mixer.deafened = False

    @property
    def deep_budget(self) -> DeepBudget:
        """Of all tracks: what their decoders may spend on guessing."""
        return self._mixer.deep_budget

    @property
    def paused(self) -> bool:
        """Whether it is deafened."""
        return self._mixer.deafened

    @property
    def device(self) -> OutputDevice:
        """The device in use."""
        return self._thread.device

    def set_device(self, device: OutputDevice) -> None:
        """Play on another device from now on. Blocks until it is so; the old device is stopped.

        If `start` failed, or the thread has ended, it is started with the new device.

        Raises:
            BlinkError: The new device does not start; the old one goes on.

        """
        self._thread.set_device(device)

    def position_s(self, now_s: float) -> float | None:
        """Return which second of the output is being played at `now_s`; None while it does not run."""
        return self.device.position_s(now_s)

    def statistics(self, now_s: float) -> MixerStatistics:
        """Return the figures so far."""
        return MixerStatistics(
            device=self.device.parameters.name,
            urgency=self._thread.urgency,
            lateness=self._lateness.summary(),
            limited_blocks=self._mixer.limiter.limited_blocks,
            limited_now_db=self._mixer.limiter.reduction_db,
            deep_samples=self.deep_budget.deep_samples,
            deep_refused_samples=self.deep_budget.refused_samples,
            unheard_samples=self._unheard_samples,
            reading=self._thread.reading(now_s),
        )

    # The playout thread.

    def _step(self) -> float | None:
        now_s = self._clock.now_s()
        due_s = self._thread.device.ready_s(now_s)
        if due_s <= now_s:
            self._lateness.add(now_s - due_s)
            self._last_tick_s = now_s
            self._batch = True
            if self._usual_behind_s is not None and self._behind_s(now_s) < self._usual_behind_s - BEHIND_S:
                self._play_silence(now_s)
            else:
                self._taken_s += _TICK_S
                self._tick(due_s, now_s)
            due_s = self._thread.device.ready_s(now_s)
            if due_s <= now_s:
                return None
        elif now_s - self._last_tick_s > STALLED_AFTER_S:
            if self._thread.swap_wanted:
                self._swap(now_s)
                return None
            self._last_tick_s += _TICK_S
            self._tick_unheard(self._last_tick_s)
            return None
        if self._batch:
            self._batch = False
            self._make_up(now_s)
        return min(due_s, now_s + LONGEST_WAIT_S)

    def _tick(self, due_s: float, now_s: float) -> None:
        block = self._mixed(self._ticks.tick(due_s), late_s=now_s - due_s)
        swapping = self._thread.swap_wanted
        if self._notes is not None:
            self._notes.fades_in, self._notes.fades_out = self._fading_in, swapping
        if self._fading_in or swapping:
            block = faded(block, fades_in=self._fading_in, fades_out=swapping)
            self._fading_in = False
        written, frames = self._play(block)
        if self._notes is not None:
            self._tell(block, written, frames)
        if self._sound is not None and self._sound.wants_sound:
            voices = [told for track in self._mixed_tracks if (told := track.last_block()) is not None]
            self._sound.played(due_s, voices, block)
        if written < frames:
            self._unheard_samples += TICK_SAMPLES * (frames - written) // frames
        self._publish()
        if swapping:
            self._swap(self._clock.now_s())

    def _play(self, block: Samples) -> tuple[int, int]:
        """Give a block to the device. Return how many frames it took, of how many."""
        device, converter = self._thread.device, self._converter
        reference = self._reference if self._reference is not None and self._reference.is_read else None
        told = reference is not None or self._notes is not None
        heard_at = device.heard_at() + converter.behind_s if told else 0.0
        if self._notes is not None:
            self._notes.heard_at = heard_at
        frames = converter.convert(block)
        written = device.write(frames)
        if reference is not None and len(frames):
            reference.write(block[: len(block) * written // len(frames)], heard_at)
        return written, len(frames)

    def _make_up(self, now_s: float) -> None:
        """Play what the speaker left waiting to nobody, once it takes ticks again at its pace."""
        behind_s, usual_s = self._behind_s(now_s), self._usual_behind_s
        if usual_s is None or behind_s - usual_s <= BEHIND_S:
            self._usual_behind_s = behind_s if usual_s is None else min(behind_s, usual_s + SLOWER_S)
            return
        if behind_s - usual_s > FROZEN_S:
            # This thread stood still, and the streams with it: they know by the time at which they are asked next.
            self._taken_s += behind_s - usual_s
            return
        for _ in range(round((behind_s - usual_s) / _TICK_S)):
            self._tick_unheard(now_s)

    def _behind_s(self, now_s: float) -> float:
        """Return how far what leaves the device's queue lags behind real time."""
        device = self._thread.device
        return now_s - self._taken_s + device.queued_frames(now_s) / device.parameters.sample_rate_hz

    def _play_silence(self, now_s: float) -> None:
        """Give a device that stood still the silence of that time: the streams were played to nobody then."""
        if self._is_told:
            self._notes = TickNotes((), self._mixer.applied_gain, self._speaker, now_s, is_silence=True)
        self._tell(SILENT_BLOCK, *self._play(SILENT_BLOCK))
        self._fading_in = True

    def _tick_unheard(self, now_s: float) -> None:
        self._taken_s += _TICK_S
        block = self._mixed(self._ticks.tick(now_s))
        self._tell(block, 0, 0)
        self._unheard_samples += TICK_SAMPLES
        self._fading_in = True
        self._publish()

    @property
    def _is_told(self) -> bool:
        return self._listener is not None and self._listener.wants_ticks

    def _mixed(self, at_s: float, *, late_s: float = 0.0) -> Samples:
        if self._before_tick is not None:
            self._before_tick()
        tracks = self._mixed_tracks = self._present_and_leaving() if self._leaving else self._tracks
        if self._is_told:
            self._notes = TickNotes(tracks, self._mixer.applied_gain, self._speaker, at_s, late_s=late_s)
        return self._mixer.mix(tracks, at_s)

    def _tell(self, block: Samples, written: int, frames: int) -> None:
        """Tell the listener what this tick did, if it was noted."""
        notes, self._notes = self._notes, None
        if notes is not None and self._listener is not None:
            self._listener.played(notes.tick(block, self._mixer.applied_gain, written, frames))

    def _present_and_leaving(self) -> tuple[SinkTrack, ...]:
        leaving: list[SinkTrack] = []
        while self._leaving:
            track = self._leaving.popleft()
            track.muted = True
            leaving.append(track)
        return (*self._tracks, *leaving)

    def _publish(self) -> None:
        self._until_publish -= 1
        if self._until_publish == 0:
            self._until_publish = PUBLISH_TICKS
            for track in self._tracks:
                track.publish()

    def _swap(self, now_s: float) -> None:
        self._fading_in = True  # on the old device too, if it stays: its last block was faded out
        self._thread.swap(now_s)

    def _adopt(self, device: OutputDevice, now_s: float) -> None:
        converter = DeviceFromVoice(device.parameters.sample_rate_hz, device.parameters.channels)
        # What it wanted before now is silence. The streams were heard on the old device then, and must not be asked ahead of their time.
        silence = converter.convert(SILENT_BLOCK)
        silent_frames = 0
        for _ in range(MOST_SILENT_BLOCKS):
            if device.ready_s(now_s) >= now_s - OUTPUT_LEAD_S:
                break
            written = device.write(silence)
            silent_frames += written
            if written < len(silence):
                break
        self._converter = converter
        self._speakers += 1
        parameters = device.parameters
        self._speaker = Speaker(
            self._speakers,
            parameters.name,
            parameters.sample_rate_hz,
            parameters.channels,
            now_s,
            silent_frames,
        )
        if self._reference is not None:
            self._reference.speaker = device
        self._last_tick_s = self._taken_s = now_s
        self._usual_behind_s = None
        self._batch = False
        self._fading_in = True

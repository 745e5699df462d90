"""The sound of a session: two devices for its life, and, while a call's media run, a source track and the sink mixer.

    capture thread --> VoiceEvents.frame_encoded, on that thread
    [event loop] packet -> the peer's SinkTrack (of `play`) -> playout thread

Devices are started and stopped in worker threads, in each direction one operation after the other in the order asked for, since a sound
server may take its time.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import secrets
import time
from typing import TYPE_CHECKING, Any, Literal, Protocol

from blink_cli.app.media.sound_taps import SoundTap, SoundTaps
from blink_cli.audio.processing.figures import PASSED_BY, ProcessingFigures
from blink_cli.audio.voice_thread import VoiceThread
from blink_cli.core.errors import BlinkError
from blink_cli.core.media.mix_tick import PlayedTrack, TickListener
from blink_cli.core.media.peer_volume import AS_IT_COMES, PeerVolume
from blink_cli.core.media.processing_settings import ProcessingSettings
from blink_cli.runtime.clock import MonotonicClock
from blink_cli.runtime.loop_bridge import LoopBridge
from blink_cli.runtime.on_demand import on_demand

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from blink_cli.app.media import call_sound
    from blink_cli.audio.devices.interface import DevicePlace, InputDevice, OutputDevice
    from blink_cli.audio.devices.opener import DeviceOpener
    from blink_cli.audio.loudness.live_loudness import LiveLoudness, LoudnessReading
    from blink_cli.audio.loudness.loudness_feed import LoudnessFeed
    from blink_cli.audio.loudness.loudness_thread import LoudnessThread
    from blink_cli.audio.opus.adjustable_encoder import AdjustableEncoder, EncoderFigures
    from blink_cli.audio.playout.statistics import PlayoutObserver
    from blink_cli.audio.processing.chain import ChainObserver
    from blink_cli.audio.sink_mixer import MixerStatistics, SinkMixer
    from blink_cli.audio.sink_track import SinkTrack
    from blink_cli.audio.source_track import SourceStatistics, SourceTrack
    from blink_cli.core.ids import Did
    from blink_cli.core.media.codec_settings import CodecSettings
    from blink_cli.core.media.level_meter import LevelReading
    from blink_cli.core.media.media_format import MediaFormat
    from blink_cli.core.media.rtp import EncodedFrame
    from blink_cli.core.media.talking import TalkingChange
    from blink_cli.core.media.tap_point import TapPoint
    from blink_cli.runtime.tasks import TaskOwner
else:
    call_sound = on_demand("blink_cli.app.media.call_sound")

Direction = Literal["input", "output"]


class VoiceRound(Protocol):
    """Who brings voice, on the voice thread; must not wait."""

    def before_tick(self) -> None:
        """Put into the inboxes what has come: they are emptied next."""

    def before_wait(self) -> None:
        """Everything that was due is done, and the thread sleeps next."""

    def tell_soon(self, callback: Callable[..., object], *arguments: Any) -> None:
        """Have this called on the event loop, once everything that is due is done."""


_log = logging.getLogger(__name__)


class VoiceEvents(Protocol):
    """What the voice path tells. Called on the event loop, but for `frame_encoded`."""

    def frame_encoded(self, frame: EncodedFrame) -> None:
        """Send what the microphone brought: on the capture thread, which must not wait."""

    def talking_changed(self, change: TalkingChange, at_s: float) -> None:
        """The microphone's owner started or stopped talking, muted or not; `at_s` is until when was heard then."""

    def device_failed(self, direction: str, reason: str) -> None:
        """The device in use could not be started. It is tried again with the next peer; another one would be started at once."""


class VoicePath:
    """Belongs to the event loop."""

    def __init__(
        self,
        *,
        opener: DeviceOpener,
        input_device: InputDevice,
        output_device: OutputDevice,
        codec: CodecSettings,
        tasks: TaskOwner,
        events: VoiceEvents,
        ticks: TickListener | None = None,
        voice_round: VoiceRound | None = None,
    ) -> None:
        """Hold two devices, not started."""
        self._opener = opener
        self._input = input_device
        self._output = output_device
        self._codec = codec
        self._tasks = tasks
        self._events = events
        self._ticks = ticks
        self._round = voice_round
        self._sound = SoundTaps(self._watch_captured)
        self._take_captured: ChainObserver = self._sound.captured  # one object: it is taken away by identity
        self._tracks_begun = 0
        self._bridge = LoopBridge()
        self._thread = VoiceThread(
            "blink-voice",
            MonotonicClock(),
            before_wait=None if voice_round is None else voice_round.before_wait,
        )
        self._one_at_a_time: dict[str, asyncio.Lock] = {"input": asyncio.Lock(), "output": asyncio.Lock()}
        """One operation at a time in each direction. A microphone that takes its time must not hold up the speaker."""

        self._encoder: AdjustableEncoder | None = None
        self._source: SourceTrack[AdjustableEncoder] | None = None
        self._input_asked = False
        """Whether this call's microphone runs or is being started."""

        self._output_asked = False
        self._mixer: SinkMixer | None = None
        self._loudness: LoudnessThread | None = None
        """Of the media that run, or ran last."""

        self._own_loudness: LiveLoudness | None = None
        self._muted = False
        self._automuted = False
        self._deafened = False
        self._processing = ProcessingSettings()
        self._fec_loss_percent: int | None = None
        self._dred = False
        self._short_copy_bps: int | None = None
        self._stopping: list[asyncio.Task[None]] = []

    # what is known

    @property
    def input_device(self) -> InputDevice:
        """The microphone in use."""
        return self._input

    @property
    def output_device(self) -> OutputDevice:
        """The speaker in use."""
        return self._output

    @property
    def input_name(self) -> str:
        """Where sound comes from."""
        return self.name_in_use("input")

    @property
    def output_name(self) -> str:
        """Where sound goes to."""
        return self.name_in_use("output")

    @property
    def opener(self) -> DeviceOpener:
        """What finds devices."""
        return self._opener

    def place(self, direction: Direction) -> DevicePlace | None:
        """Where the sound server has this session's sound; None of devices that are not the server's."""
        device = self._input if direction == "input" else self._output
        return device.reading(time.monotonic()).place

    def name_in_use(self, direction: Direction) -> str:
        """The device that is really used, whatever was chosen; `default` for whichever device that is."""
        parameters = (self._input if direction == "input" else self._output).parameters
        chosen = parameters.name.removesuffix(f"?channel={parameters.channel}")
        place = self.place(direction)
        return parameters.name if place is None or chosen in ("default", place.name) else place.name

    def uses(self, direction: Direction, name: str) -> bool:
        """Whether this is the device in use, and it has not failed."""
        device = self._input if direction == "input" else self._output
        return self.name_in_use(direction) == name and device.reading(time.monotonic()).failure is None

    def positions_s(self, now_s: float) -> tuple[float | None, float | None]:
        """Which second of the input is being captured, and which of the output played, at `now_s`."""
        return self._input.position_s(now_s), self._output.position_s(now_s)

    @property
    def codec(self) -> CodecSettings:
        """How voice is encoded, now and in later calls."""
        return self._codec

    @property
    def is_running(self) -> bool:
        """Whether a call's media run."""
        return self._source is not None

    def encoder_figures(self) -> EncoderFigures | None:
        """What the encoder makes; None while no media run."""
        return None if self._encoder is None else self._encoder.figures()

    @property
    def muted(self) -> bool:
        """Whether the source track is paused, now and in later calls."""
        return self._muted

    def mixer_statistics(self, now_s: float) -> MixerStatistics | None:
        """Figures of the playout thread; None while no media run."""
        return None if self._mixer is None else self._mixer.statistics(now_s)

    def source_statistics(self, now_s: float) -> SourceStatistics | None:
        """Figures of the capture thread; None while no media run."""
        return None if self._source is None else self._source.statistics(now_s)

    def own_level(self, now_s: float) -> tuple[LevelReading | None, bool]:
        """How loud the microphone is, and whether somebody talks into it, muted or not; None and False while no media run."""
        return (
            (None, False) if self._source is None else (self._source.level(now_s), self._source.hears_voice)
        )

    def processing_figures(self) -> ProcessingFigures | None:
        """What is done to the microphone's sound now; None while no media run."""
        if self._source is None:
            return None
        return PASSED_BY if self._source.sends_stereo else self._source.chain.figures()

    # a call's media

    def begin(self) -> None:
        """Build source and sinks, and start the speaker. The microphone follows with the first link, or now if it takes time to start."""
        assert self._source is None, "media run once at a time"
        reference = call_sound.FarReference()
        self._mixer = call_sound.SinkMixer(
            self._output,
            reference=reference,
            listener=self._ticks,
            sound=self._sound,
            before_tick=None if self._round is None else self._round.before_tick,
            thread=self._thread,
        )
        loudness = self._loudness = call_sound.LoudnessThread()
        self._own_loudness = loudness.add()
        encoder = self._encoder = call_sound.AdjustableEncoder(self._codec)
        self._fec_loss_percent = None
        self._dred = False
        self._short_copy_bps = None
        self._source = call_sound.SourceTrack(
            self._input,
            encoder,
            self._events.frame_encoded,
            first_timestamp=secrets.randbits(32),
            on_talking=self._talking_changed,
            chain=call_sound.CaptureChain(reference, self._processing),
            loudness=self._own_loudness.feed,
            thread=self._thread,
        )
        self._watch_captured()
        loudness.start()
        self._input_asked = self._output_asked = False
        if self._muted or self._automuted:
            self._source.pause()
        if self._deafened:
            self._mixer.pause()
        self._start_output()
        if not self._input.parameters.virtual:
            self._start_input()

    def play(
        self,
        media: MediaFormat,
        observer: PlayoutObserver | None = None,
        *,
        volume: PeerVolume = AS_IT_COMES,
        loudness: LoudnessFeed | None = None,
        peer: Did | None = None,
    ) -> SinkTrack | None:
        """Play one more stream from now on; give its packets to what is returned. None when no media run.

        Args:
            media: Its payload types.
            observer: Learns on the playout thread what became of its packets.
            volume: How loud it is played.
            loudness: Told on the playout thread what was decoded; of `measure`.
            peer: Whose it is, for who listens to ticks; None: nobody is told.

        """
        if self._mixer is None:
            return None
        stream = call_sound.PlayoutBuffer(
            call_sound.voice_decoder(self._mixer.deep_budget), (media.opus, media.red), observer=observer
        )
        self._tracks_begun += 1
        played = None if peer is None else PlayedTrack(self._tracks_begun, peer, media.opus, media.red)
        sink = call_sound.SinkTrack(
            stream, gain_db=volume.gain_db, muted=volume.muted, loudness=loudness, played=played
        )
        self._mixer.add(sink)
        return sink

    def play_no_more(self, sink: SinkTrack) -> None:
        """Fade a stream out and forget it."""
        if self._mixer is not None:
            self._mixer.remove(sink)

    def measure(self) -> LiveLoudness:
        """Measure the loudness of one more voice until this call's media end."""
        if self._loudness is None:
            self._loudness = call_sound.LoudnessThread()
        return self._loudness.add()

    @property
    def own_loudness(self) -> LoudnessReading | None:
        """How loud this session's own voice is sent, in this call; None while no media run."""
        return None if self._own_loudness is None else self._own_loudness.now()

    def start_devices(self) -> None:
        """Start those that do not run: somebody is there to hear, and to be heard."""
        # A sound file is heard from its beginning: nobody listened before.
        self._start_input()
        self._start_output()

    def end(self) -> None:
        """Stop source and sinks. The devices can be started again."""
        source, mixer = self._source, self._mixer
        self._source = self._mixer = self._encoder = self._own_loudness = None
        if source is None or mixer is None or self._loudness is None:
            return

        self._stopping = [
            self._tasks.start(self._work("input", source.stop), name="stop input"),
            self._tasks.start(self._work("output", mixer.stop), name="stop output"),
            self._tasks.start(asyncio.to_thread(self._loudness.stop), name="stop loudness"),
        ]

    # what the user sets

    def set_muted(self, *, muted: bool) -> None:
        """Pause or play the source track, now and in later calls."""
        self._muted = muted
        if self._source is not None:
            (self._source.pause if muted or self._automuted else self._source.play)()

    def set_automuted(self, automuted: bool) -> None:  # noqa: FBT001 - the state, as it comes
        """Pause the source track too while others talk. `muted` is what the user chose."""
        self._automuted = automuted
        self.set_muted(muted=self._muted)

    def set_deafened(self, *, deafened: bool) -> None:
        """Pause or play all sink tracks, now and in later calls."""
        self._deafened = deafened
        if self._mixer is not None:
            (self._mixer.pause if deafened else self._mixer.play)()

    @property
    def processing(self) -> ProcessingSettings:
        """What is done to the microphone's sound, now and in later calls."""
        return self._processing

    def set_processing(self, settings: ProcessingSettings) -> None:
        """Do this to the microphone's sound from the next block on, now and in later calls."""
        self._processing = settings
        if self._source is not None:
            self._source.chain.set_settings(settings)

    def set_codec(self, settings: CodecSettings) -> None:
        """Encode so from the next frame on, and in later calls."""
        self._codec = settings
        if self._source is not None:
            self._source.adjust_encoder(lambda encoder: encoder.adjust(settings))

    def observe_processing(self, observer: ChainObserver) -> None:
        """Have it called, on the capture thread, with every block that leaves this call's capture chain from now on; nothing while no media run."""
        if self._source is not None:
            self._source.chain.observe(observer)

    def observe_processing_no_more(self, observer: ChainObserver) -> None:
        """Leave it alone from now on. A call's end does that too."""
        if self._source is not None:
            self._source.chain.observe_no_more(observer)

    def tap(self, points: Iterable[TapPoint]) -> SoundTap:
        """Hand out the sound at some points from now on, in this call and later ones."""
        return self._sound.add(points)

    def set_fec_loss(self, loss_percent: int | None) -> None:
        """Have the encoder prepare for this loss from the next frame on; None: no FEC."""
        if self._source is None or loss_percent == self._fec_loss_percent:
            return
        self._fec_loss_percent = loss_percent
        self._source.adjust_encoder(lambda encoder: encoder.set_fec_loss(loss_percent))

    def set_dred(self, *, enabled: bool) -> None:
        """Have the encoder tell in each packet what was said before it, from the next frame on."""
        if self._source is not None and enabled != self._dred:
            self._dred = enabled
            self._source.adjust_encoder(lambda encoder: encoder.set_dred(enabled=enabled))

    def make_short_copies(self, bitrate_bps: int | None) -> None:
        """Have the encoder make each frame at this lower bit rate too from the next frame on; None: no more."""
        if self._source is None or bitrate_bps == self._short_copy_bps:
            return
        self._short_copy_bps = bitrate_bps
        self._source.adjust_encoder(lambda encoder: encoder.make_short_copies(bitrate_bps))

    async def set_input(self, text: str) -> str:
        """Use another microphone, in the middle of a call too. If the old one did not start, this one does.

        It is carried through even if whoever asked goes away: half a change would leave the wrong name.

        Returns:
            The device's name.

        Raises:
            BlinkError: It cannot be used; the old one goes on.

        """
        return await self._carry_through(functools.partial(self._change_input, text), "input")

    async def set_output(self, text: str) -> str:
        """Use another speaker, in the middle of a call too. As `set_input`."""
        return await self._carry_through(functools.partial(self._change_output, text), "output")

    async def aclose(self) -> None:
        """Stop everything and wait until the threads are gone."""
        self.end()
        self._sound.close()
        if self._stopping:
            await asyncio.wait(self._stopping)
        for direction in ("input", "output"):
            async with self._devices(direction):
                pass

    # inside

    def _watch_captured(self) -> None:
        """Have the chain tell what leaves it while somebody wants that: otherwise blocks may pass it by."""
        if self._source is not None:
            self._source.chain.observe_no_more(self._take_captured)
            if self._sound.wants_captured:
                self._source.chain.observe(self._take_captured)

    async def _carry_through(self, change: Callable[[], Awaitable[str]], direction: str) -> str:
        async def attempt() -> str | BlinkError:
            # An expected error is an answer here: a task that fails is a bug to its owner.
            try:
                return await change()
            except BlinkError as error:
                return error

        outcome = await asyncio.shield(self._tasks.start(attempt(), name=f"change {direction}"))
        if isinstance(outcome, BlinkError):
            raise outcome
        return outcome

    async def _change_input(self, text: str) -> str:
        async with self._devices("input"):
            device = await asyncio.to_thread(self._opener.open_input, text)
            if self._source is not None:
                await asyncio.to_thread(self._source.set_device, device)
            self._input = device
        return device.parameters.name

    async def _change_output(self, text: str) -> str:
        async with self._devices("output"):
            device = await asyncio.to_thread(
                self._opener.open_output, text, beside=self._input.parameters.name
            )
            if self._mixer is not None:
                await asyncio.to_thread(self._mixer.set_device, device)
            self._output = device
        return device.parameters.name

    def _start_input(self) -> None:
        if self._source is not None and not self._input_asked:
            self._input_asked = True
            self._tasks.start(self._start_source(self._source), name="start input")

    def _start_output(self) -> None:
        if self._mixer is not None and not self._output_asked:
            self._output_asked = True
            self._tasks.start(self._start_mixer(self._mixer), name="start output")

    async def _start_source(self, source: SourceTrack[AdjustableEncoder]) -> None:
        failure = await self._failure_of("input", source.start)
        if failure is not None and source is self._source:
            self._input_asked = False
            self._events.device_failed("input", failure)

    async def _start_mixer(self, mixer: SinkMixer) -> None:
        failure = await self._failure_of("output", mixer.start)
        if failure is not None and mixer is self._mixer:
            self._output_asked = False
            self._events.device_failed("output", failure)

    async def _failure_of(self, direction: Direction, start: Callable[[], None]) -> str | None:
        """Return why it did not start; None if it runs."""
        try:
            await self._work(direction, start)
        except BlinkError as failure:
            return failure.message
        except Exception as failure:  # noqa: BLE001 - whatever it is, the call must not stay without sound
            _log.exception("a device did not start")
            return f"It did not start: {failure!r}."
        return None

    async def _work(self, direction: Direction, work: Callable[[], None]) -> None:
        async with self._devices(direction):
            await asyncio.to_thread(work)

    @contextlib.asynccontextmanager
    async def _devices(self, direction: str) -> AsyncIterator[None]:
        async with self._one_at_a_time[direction]:
            yield

    def _talking_changed(self, change: TalkingChange, at_s: float) -> None:
        """Capture thread."""
        tell = self._bridge.call if self._round is None else self._round.tell_soon
        tell(self._events.talking_changed, change, at_s)

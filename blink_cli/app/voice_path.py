"""The sound of a session: two devices for its life, and, while a call's media run, a source track and the sink mixer.

    capture thread --on_frame--> outbox (bounded) --call_soon_threadsafe--> [event loop] send_frame
    [event loop] packet -> the peer's SinkTrack -> playout thread

Devices are started and stopped in a worker thread, one operation after the other in the order asked for, since a sound server may
take its time.
"""

import asyncio
import contextlib
import functools
import logging
import secrets
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from blink_cli.app.media_taps import MediaTaps
from blink_cli.audio.devices.interface import InputDevice, OutputDevice
from blink_cli.audio.devices.opener import DeviceOpener
from blink_cli.audio.opus import OpusDecoder, OpusEncoder
from blink_cli.audio.playout import PlayoutBuffer, PlayoutObserver, PlayoutStatistics
from blink_cli.audio.samples import Samples
from blink_cli.audio.sink_mixer import MixerStatistics, SinkMixer
from blink_cli.audio.sink_track import SinkTrack
from blink_cli.audio.source_track import SourceStatistics, SourceTrack
from blink_cli.core.codec_settings import CodecSettings
from blink_cli.core.errors import BlinkError
from blink_cli.core.loss_report import LossReport
from blink_cli.core.names import Did
from blink_cli.core.rtp import EncodedFrame, RtpPacket
from blink_cli.core.talking import TalkingChange
from blink_cli.net.sdp import MediaFormat
from blink_cli.net.tasks import TaskOwner

OUTBOX_FRAMES: Final = 50
"""A second of voice that the event loop has not come to send. Older frames go first: nobody wants to hear them."""


_log = logging.getLogger(__name__)


class VoiceObserver(Protocol):
    """Who hears of the source. Called on the event loop."""

    def frame_encoded(self, frame: EncodedFrame) -> None:
        """The next frame for everybody."""

    def own_voice(self, change: TalkingChange) -> None:
        """The microphone's owner started or stopped talking, muted or not."""

    def device_failed(self, direction: str, reason: str) -> None:
        """The device in use could not be started. It is tried again with the next peer; another one would be started at once."""


@dataclass(frozen=True, slots=True)
class StreamFigures:
    """One peer's stream, as of a moment at most 0.1 s ago."""

    playout: PlayoutStatistics
    loss: LossReport
    """What to tell the sender."""


class _PeerStream:
    """A playout buffer with its decoder, whose figures include the report to the sender."""

    def __init__(self, payload_types: tuple[int, int | None], observer: PlayoutObserver) -> None:
        self._buffer = PlayoutBuffer(OpusDecoder(), payload_types, observer=observer)

    def put(self, packet: RtpPacket) -> None:
        self._buffer.put(packet)

    def get(self, now_s: float) -> Samples:
        return self._buffer.get(now_s)

    def statistics(self) -> StreamFigures:
        return StreamFigures(self._buffer.statistics(), self._buffer.loss_report())


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
        observer: VoiceObserver,
        taps: MediaTaps,
    ) -> None:
        """Hold two devices, not started."""
        self._opener = opener
        self._input = input_device
        self._output = output_device
        self._codec = codec
        self._tasks = tasks
        self._observer = observer
        self._taps = taps
        self._loop = asyncio.get_running_loop()
        self._one_at_a_time = asyncio.Lock()
        self._source: SourceTrack[OpusEncoder] | None = None
        self._input_asked = False
        """Whether this call's microphone runs or is being started."""

        self._output_asked = False
        self._mixer: SinkMixer | None = None
        self._sinks: dict[Did, tuple[MediaFormat, SinkTrack[StreamFigures]]] = {}
        self._gains_db: dict[Did, float] = {}
        self._muted = False
        self._deafened = False
        self._fec_loss_percent: int | None = None
        self._outbox: deque[EncodedFrame] = deque(maxlen=OUTBOX_FRAMES)
        self._stopping: asyncio.Task[None] | None = None

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
        """The input device's name."""
        return self._input.parameters.name

    @property
    def output_name(self) -> str:
        """The output device's name."""
        return self._output.parameters.name

    def positions_s(self, now_s: float) -> tuple[float | None, float | None]:
        """Which second of the input is being captured, and which of the output played, at `now_s`."""
        return self._input.position_s(now_s), self._output.position_s(now_s)

    def gain_db(self, peer: Did) -> float:
        """How much louder this peer is played."""
        return self._gains_db.get(peer, 0.0)

    def stream_figures(self, peer: Did) -> StreamFigures | None:
        """The latest figures of a peer's stream; None before its first link."""
        sink = self._sinks.get(peer)
        return None if sink is None else sink[1].statistics.stream

    def mixer_statistics(self, now_s: float) -> MixerStatistics | None:
        """Figures of the playout thread; None while no media run."""
        return None if self._mixer is None else self._mixer.statistics(now_s)

    def source_statistics(self, now_s: float) -> SourceStatistics | None:
        """Figures of the capture thread; None while no media run."""
        return None if self._source is None else self._source.statistics(now_s)

    # a call's media

    def begin(self) -> None:
        """Build source and sinks, and start the speaker. The microphone follows with the first link, or now if it takes time to start."""
        assert self._source is None, "media run once at a time"
        self._mixer = SinkMixer(self._output)
        encoder = OpusEncoder(self._codec)
        encoder.set_fec(0, enabled=False)
        self._fec_loss_percent = None
        self._source = SourceTrack(
            self._input,
            encoder,
            self._frame_ready,
            first_timestamp=secrets.randbits(32),
            on_talking=self._talking_changed,
        )
        self._input_asked = self._output_asked = False
        if self._muted:
            self._source.pause()
        if self._deafened:
            self._mixer.pause()
        self._start_output()
        if not self._input.parameters.virtual:
            self._start_input()

    def peer_connected(self, peer: Did, media: MediaFormat) -> None:
        """Play this peer from now on, and let the microphone be heard if it is the first one."""
        if self._mixer is None:
            return
        known = self._sinks.get(peer)
        if known is not None and known[0] != media:
            self._mixer.remove(known[1])
            known = None
        if known is None:
            stream = _PeerStream((media.opus, media.red), functools.partial(self._taps.frame_played, peer))
            sink = SinkTrack(stream, gain_db=self.gain_db(peer))
            self._sinks[peer] = (media, sink)
            self._mixer.add(sink)
        # A sound file is heard from its beginning: nobody listened before.
        self._start_input()
        self._start_output()

    def receive(self, peer: Did, packet: RtpPacket) -> None:
        """Give a packet to its peer's stream."""
        sink = self._sinks.get(peer)
        if sink is not None:
            sink[1].receive(packet)

    def end(self) -> None:
        """Stop source and sinks. The devices can be started again."""
        source, mixer = self._source, self._mixer
        self._source = self._mixer = None
        self._sinks = {}
        if source is None or mixer is None:
            return

        def stop() -> None:
            source.stop()
            mixer.stop()

        self._stopping = self._tasks.start(self._work(stop), name="stop devices")

    # what the user sets

    def set_muted(self, *, muted: bool) -> None:
        """Pause or play the source track, now and in later calls."""
        self._muted = muted
        if self._source is not None:
            (self._source.pause if muted else self._source.play)()

    def set_deafened(self, *, deafened: bool) -> None:
        """Pause or play all sink tracks, now and in later calls."""
        self._deafened = deafened
        if self._mixer is not None:
            (self._mixer.pause if deafened else self._mixer.play)()

    def set_gain(self, peer: Did, gain_db: float) -> None:
        """Play a peer louder or softer, now and in later calls."""
        self._gains_db[peer] = gain_db
        sink = self._sinks.get(peer)
        if sink is not None:
            sink[1].gain_db = gain_db

    def set_fec_loss(self, loss_percent: int | None) -> None:
        """Have the encoder prepare for this loss from the next frame on; None: no FEC."""
        if self._source is None or loss_percent == self._fec_loss_percent:
            return
        self._fec_loss_percent = loss_percent
        enabled = loss_percent is not None
        self._source.adjust_encoder(lambda encoder: encoder.set_fec(loss_percent or 0, enabled=enabled))

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
        if self._stopping is not None:
            await asyncio.wait((self._stopping,))
        async with self._devices():
            pass

    # inside

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
        async with self._devices():
            device = await asyncio.to_thread(self._opener.open_input, text)
            if self._source is not None:
                await asyncio.to_thread(self._source.set_device, device)
            self._input = device
        return device.parameters.name

    async def _change_output(self, text: str) -> str:
        async with self._devices():
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

    async def _start_source(self, source: SourceTrack[OpusEncoder]) -> None:
        failure = await self._failure_of(source.start)
        if failure is not None and source is self._source:
            self._input_asked = False
            self._observer.device_failed("input", failure)

    async def _start_mixer(self, mixer: SinkMixer) -> None:
        failure = await self._failure_of(mixer.start)
        if failure is not None and mixer is self._mixer:
            self._output_asked = False
            self._observer.device_failed("output", failure)

    async def _failure_of(self, start: Callable[[], None]) -> str | None:
        """Return why it did not start; None if it runs."""
        try:
            await self._work(start)
        except BlinkError as failure:
            return failure.message
        except Exception as failure:  # noqa: BLE001 - whatever it is, the call must not stay without sound
            _log.exception("a device did not start")
            return f"It did not start: {failure!r}."
        return None

    async def _work(self, work: Callable[[], None]) -> None:
        async with self._devices():
            await asyncio.to_thread(work)

    @contextlib.asynccontextmanager
    async def _devices(self) -> AsyncIterator[None]:
        async with self._one_at_a_time:
            yield

    def _frame_ready(self, frame: EncodedFrame) -> None:
        """Capture thread: hand a frame over without waiting."""
        self._outbox.append(frame)
        with contextlib.suppress(RuntimeError):  # the loop has closed: the process ends
            self._loop.call_soon_threadsafe(self._send_outbox)

    def _send_outbox(self) -> None:
        while self._outbox:
            self._observer.frame_encoded(self._outbox.popleft())

    def _talking_changed(self, change: TalkingChange) -> None:
        """Capture thread."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._observer.own_voice, change)

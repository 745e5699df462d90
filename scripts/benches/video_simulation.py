"""Pictures and a voice of one participant through one network to another, in virtual time, all parts but sockets and threads the program's own.

voice ------------------> packets --.                                    .--> playout ------> sound
                                    +--> one line, rate and queue shared +
PictureSource -> PictureEnd --------'    ^ feedback, requests, reports   '--> PictureEnd -> PictureScreen

The pictures' way is that of the laboratory (`blink_cli/lab/virtual`), as in `blink lab run`.
"""

import heapq
import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from benches.voice_simulation import TICK_S, AdaptiveSender, BlinkReceiver
from blink_cli.core.errors import WireError
from blink_cli.core.impairment.conditions import Conditions
from blink_cli.core.impairment.line import Line
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.rtcp import parse_rtcp
from blink_cli.core.media.rtp import RtpPacket
from blink_cli.core.media.video.video_counters import VideoReceiveCounters, VideoSendCounters
from blink_cli.core.media.video.video_format import VideoSources
from blink_cli.core.media.video_codec import VideoCodec
from blink_cli.core.media.voice_sent import VoiceSent
from blink_cli.lab.virtual.picture_end import PictureEnd
from blink_cli.lab.virtual.picture_screen import PictureScreen, likeness_of
from blink_cli.lab.virtual.picture_source import PictureSource
from blink_cli.video.cameras.virtual_camera import Scene, VirtualCamera
from blink_cli.video.picture import CLOCK_RATE_HZ

Samples = npt.NDArray[np.float32]

_OUTER_BYTES: Final = 14 + 20 + 8 + 16
"""Ethernet, IPv4, UDP, SRTP's tag."""

_VOICE_HEADER_BYTES: Final = 12 + 8
_NOISE: Final = 2000
"""Rate of an exponential: half a millisecond by which timers and networks are late in the mean."""

_TAIL_S: Final = 1.5


@dataclass
class Seen:
    """What came of the pictures."""

    frozen_s: float = 0.0
    delays_s: list[float] = field(default_factory=list)
    ssims: list[float] = field(default_factory=list)
    psnrs_db: list[float] = field(default_factory=list)
    shown: int = 0
    bytes: int = 0


@dataclass
class HeardAndSeen:
    """Of one call."""

    sound: Samples
    voice_delays_s: list[tuple[float, float]]
    """When each voice packet left, and how long it took."""

    concealed_samples: int
    playout: list[tuple[float, float]]
    """When, and how long the voice waited in its playout buffer, in seconds."""

    statistics: Any
    seen: Seen
    """From `settle_s` on, to the end of the voice."""


@dataclass(frozen=True)
class _Way:
    """What one end of the link sends by."""

    send_picture: Callable[[bytes, float], None]
    send_rtcp: Callable[[bytes, float], None]


class VideoCall:
    """Each thing at its time."""

    def __init__(
        self,
        samples: Samples,
        scene: Scene | None,
        fps: float,
        conditions: Conditions,
        *,
        seed: int,
        rtt_s: float,
        back: Conditions | None = None,
        settle_s: float = 4.0,
        codec: VideoCodec = VideoCodec.VP8,
    ) -> None:
        rng = self._rng = random.Random(f"{seed}")
        self._sender = AdaptiveSender(samples, CodecSettings(), rng, adaptive=True)
        self._receiver = BlinkReceiver(asking=True)
        self._receiver.rtt_s = rtt_s
        self._sender.line_is(rtt_s, peer_asks=True)
        self._forth = Line(conditions, random.Random(rng.random()).random)
        self._back = Line(back or Conditions(), random.Random(rng.random()).random)
        self._half_s = rtt_s / 2
        self._rtt_s = rtt_s
        self._phase_s = rng.uniform(0, TICK_S)
        self._output: list[Samples] = []
        self._ticks = int((self._sender.length_s + _TAIL_S) / TICK_S)
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._numbers = itertools.count()
        self._concealed = 0
        self._voice_delays: list[tuple[float, float]] = []
        self._voice_at, self._voice_last, self._voice_packets, self._voice_bytes = -math.inf, 0, 0, 0
        self._playout: list[tuple[float, float]] = []
        self._settle_s = settle_s
        # pictures
        self._scene, self._fps = scene, fps
        self._seen = Seen()
        if scene is None:
            return
        ours, theirs = VideoSources(10, 11), VideoSources(20, 21)
        self._out, self._in = (
            PictureEnd(
                way,
                own,
                other,
                random.Random(rng.random()),
                0.0,
                voice_sent=self._voice_sent,
                rtt_s=lambda: rtt_s,
                sent=VideoSendCounters(),
                received=VideoReceiveCounters(),
            )
            for way, own, other in (
                (_Way(self._forward_picture, self._forward_rtcp), ours, theirs),
                (_Way(self._forward_picture, self._backward_rtcp), theirs, ours),
            )
        )
        self._source, self._screen = PictureSource(), PictureScreen()
        self._codec = codec
        self._look_at = math.inf

    def run(self) -> HeardAndSeen:
        """The call, to its end."""
        self._at(self._sender.step_s + self._phase_s, self._send)
        self._at(0.0, self._tick)
        if self._scene is not None:
            self._at(0.5 + self._rng.random() / 15, self._camera_on)
        while self._events:
            now_s = self._events[0][0]
            ask_s = math.inf if self._sender.is_done else self._receiver.next_ask_at
            if ask_s < now_s:
                self._ask(ask_s + self._noise())
            else:
                heapq.heappop(self._events)[2](now_s)
        return HeardAndSeen(
            np.concatenate(self._output),
            self._voice_delays,
            self._concealed,
            self._playout,
            self._receiver.buffer.statistics(),
            self._seen,
        )

    def _noise(self) -> float:
        return self._rng.expovariate(_NOISE)

    def _at(self, when_s: float, do: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (when_s, next(self._numbers), do))

    def _forward(self, now_s: float, size: int, do: Callable[[float], None]) -> None:
        for fate in self._forth.fate(now_s, size):
            self._at(fate.due_at + self._half_s + self._noise(), do)

    def _backward(self, now_s: float, content: bytes, do: Callable[[bytes, float], None]) -> None:
        for fate in self._back.fate(now_s, len(content) + _OUTER_BYTES):
            self._at(fate.due_at + self._half_s + self._noise(), partial(do, content))

    # voice

    def _send(self, now_s: float) -> None:
        packet = self._sender.packet(now_s)
        self._voice_at, self._voice_last = now_s, len(packet.payload) + _VOICE_HEADER_BYTES
        self._travel(packet, now_s)
        if not self._sender.is_done:
            due_s = (self._sender.sent + 1) * self._sender.step_s + self._phase_s
            self._at(due_s, self._send)

    def _travel(self, packet: RtpPacket, now_s: float) -> None:
        size = len(packet.payload) + _VOICE_HEADER_BYTES + _OUTER_BYTES
        self._voice_packets += 1
        self._voice_bytes += len(packet.payload) + _VOICE_HEADER_BYTES
        self._forward(now_s, size, partial(self._voice_arrived, packet, now_s))

    def _voice_arrived(self, packet: RtpPacket, sent_s: float, now_s: float) -> None:
        if not packet.retransmitted:
            self._voice_delays.append((sent_s, now_s - sent_s - self._half_s))
        self._receiver.put(msgspec.structs.replace(packet, arrival_s=now_s))

    def _tick(self, now_s: float) -> None:
        receiver = self._receiver
        self._output.append(receiver.get(now_s + self._noise()))
        if len(self._output) % 10 == 0:
            self._playout.append((now_s, receiver.buffer.statistics().delay_ms / 1000))
        if not self._sender.is_done:
            self._concealed = receiver.buffer.statistics().concealed_samples
        report = receiver.feedback(now_s)
        if report is not None:
            self._backward(now_s, report.to_bytes(), self._reported)
        if len(self._output) < self._ticks:
            self._at(len(self._output) * TICK_S, self._tick)

    def _reported(self, content: bytes, now_s: float) -> None:
        self._sender.report(LossReport.from_bytes(content), now_s)

    def _ask(self, now_s: float) -> None:
        request = self._receiver.ask(now_s)
        if request is not None:
            self._backward(now_s, request, self._asked)

    def _asked(self, request: bytes, now_s: float) -> None:
        for asked in parse_rtcp(request).requests:
            for packet in self._sender.again(asked.sequence_numbers, now_s):
                self._travel(packet, now_s)

    # pictures

    def _voice_sent(self) -> VoiceSent | None:
        if not self._voice_packets:
            return None
        return VoiceSent(
            self._voice_at, self._voice_last, self._sender.step_s, self._voice_packets, self._voice_bytes
        )

    def _camera_on(self, now_s: float) -> None:
        scene = self._scene
        assert scene is not None, "it takes pictures"
        self._source.start(VirtualCamera("bench", scene, self._fps, None), self._codec, now_s)
        self._look(now_s)

    def _look(self, now_s: float) -> None:
        """Show what is due, and send what may leave."""
        self._show(now_s)
        for end in (self._out, self._in):
            if end.wake_at <= now_s:
                end.wake(now_s)
        if self._sender.is_done:
            self._source.stop()
        self._source.take(now_s, (self._out,))
        self._look_in_time(now_s)

    def _look_in_time(self, now_s: float) -> None:
        due_s = min(self._source.next_at(now_s), self._out.wake_at, self._in.wake_at, self._screen.next_at)
        if due_s < self._look_at or self._look_at <= now_s:
            self._look_at = max(due_s, now_s)
            if due_s < math.inf and len(self._output) < self._ticks:
                self._at(self._look_at, self._look_again)

    def _look_again(self, now_s: float) -> None:
        if self._look_at <= now_s:
            self._look(now_s)

    def _forward_picture(self, data: bytes, now_s: float) -> None:
        self._forward(now_s, len(data) + _OUTER_BYTES, partial(self._picture_arrived, data))

    def _forward_rtcp(self, data: bytes, now_s: float) -> None:
        self._forward(now_s, len(data) + _OUTER_BYTES, partial(self._reported_there, data))

    def _backward_rtcp(self, data: bytes, now_s: float) -> None:
        self._backward(now_s, data, self._reported_here)

    def _picture_arrived(self, data: bytes, now_s: float) -> None:
        self._seen.bytes += (len(data) + _OUTER_BYTES) * (now_s > self._settle_s)
        for coded in self._in.received(data, now_s):
            if self._screen.put(coded, self._receiver.buffer.statistics().delay_ms / 1000):
                self._in.lost_reference(now_s)
        self._look(now_s)

    def _reported_there(self, data: bytes, now_s: float) -> None:
        self._in.reported(data, now_s)
        for report in self._in.clock_of_peer:
            self._screen.sender_reported(report)
        self._in.clock_of_peer.clear()
        self._look(now_s)

    def _reported_here(self, data: bytes, now_s: float) -> None:
        self._out.reported(data, now_s)
        if self._out.key_frame_wanted:
            self._out.key_frame_wanted = False
            self._source.key_frames.wanted()
        self._look(now_s)

    def _show(self, now_s: float) -> None:
        seen, freezes = self._seen, self._screen.freezes
        while self._screen.next_at <= now_s:
            before_s = freezes.total_freezes_s
            try:
                shown = self._screen.show(now_s)
            except WireError:
                self._in.lost_reference(now_s)
                continue
            if shown is None or now_s < self._settle_s or self._sender.is_done:
                continue
            seen.frozen_s += freezes.total_freezes_s - before_s
            seen.shown += 1
            seen.delays_s.append(shown.at_s - shown.picture.timestamp / CLOCK_RATE_HZ)
            taken = self._source.taken(shown.picture.timestamp)
            if taken is not None:
                ssim, psnr_db = likeness_of(taken, shown.picture)
                seen.ssims.append(ssim)
                seen.psnrs_db.append(psnr_db)

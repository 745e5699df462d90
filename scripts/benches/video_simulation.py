"""Pictures and a voice of one participant through one network to another, in virtual time, all parts but sockets and threads the program's own.

voice ------> packets --.                                    .--> playout ------------------> sound
                        +--> one line, rate and queue shared +
camera -> encoder -> pace '        ^ feedback, requests      '--> frames -> schedule -> decoder -> pictures
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
from blink_cli.core.media.rtcp import parse_rtcp, write_retransmission_request
from blink_cli.core.media.rtp import RtpPacket
from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.core.media.video.frame_pace import MOST_BACKLOG_S, FramePace, wanted_fps
from blink_cli.core.media.video.freeze_meter import FreezeMeter
from blink_cli.core.media.video.key_frame_wish import KeyFrameRule
from blink_cli.core.media.video.picture_requests import write_picture_loss
from blink_cli.core.media.video.picture_schedule import PictureSchedule
from blink_cli.core.media.video.rate_controller import RateController
from blink_cli.core.media.video.sent_history import SentHistory
from blink_cli.core.media.video.video_counters import VideoReceiveCounters, VideoSendCounters
from blink_cli.core.media.video.video_format import OFFERED, VideoSources
from blink_cli.core.media.video.video_receiver import VideoReceiver
from blink_cli.core.media.video.video_sender import VideoSender
from blink_cli.core.media.video_codec import VideoCodec
from blink_cli.core.media.voice_sent import VoiceSent
from blink_cli.lab.picture_quality import psnr_db, ssim
from blink_cli.net.link.video_rtcp import read_video_rtcp
from blink_cli.video.cameras.virtual_camera import Scene
from blink_cli.video.codec.bounded_encoder import BoundedEncoder
from blink_cli.video.codec.picture_decoder import PictureDecoder
from blink_cli.video.frames import Fitter, frame_of
from blink_cli.video.picture import Picture, Plane

Samples = npt.NDArray[np.float32]

_OUTER_BYTES: Final = 14 + 20 + 8 + 16
"""Ethernet, IPv4, UDP, SRTP's tag."""

_VOICE_HEADER_BYTES: Final = 12 + 8
_NOISE: Final = 2000
"""Rate of an exponential: half a millisecond by which timers and networks are late in the mean."""

_ENCODE_S: Final = 0.004
_DECODE_S: Final = 0.002
_TAIL_S: Final = 1.5
SSIM_EVERY: Final = 5
"""Pictures, of which one is measured."""


@dataclass
class Seen:
    """What came of the pictures."""

    freezes: FreezeMeter = field(default_factory=FreezeMeter)
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
        media = OFFERED
        self._rate = RateController()
        self._video_sent, self._video_received = VideoSendCounters(), VideoReceiveCounters()
        sources = self._sources = VideoSources(10, 11)
        self._pictures = VideoSender(
            sources,
            media,
            self._video_sent,
            first_sequence_number=7,
            first_rtx_number=8,
            target_bps=self._rate.target_bps,
        )
        self._video = VideoReceiver(sources, media, self._video_received)
        self._history = SentHistory()
        self._schedule = PictureSchedule()
        self._decoder = PictureDecoder()
        self._encoder = BoundedEncoder(scene.size, fps, codec)
        self._keys = KeyFrameRule()
        self._pace = FramePace()
        self._not_before_s = 0.0
        self._sources_shown: dict[int, Plane] = {}
        self._fitter = Fitter(scene.size)
        self._frame_number = 0
        self._send_at = self._ask_at = math.inf
        self._decode_at = 0.0

    def run(self) -> HeardAndSeen:
        """The call, to its end."""
        self._at(self._sender.step_s + self._phase_s, self._send)
        self._at(0.0, self._tick)
        if self._scene is not None:
            self._at(0.5 + self._rng.random() / 15, self._camera)
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

    # pictures out

    def _camera(self, now_s: float) -> None:
        scene = self._scene
        assert scene is not None, "it takes pictures"
        if self._sender.is_done:
            return
        picture = scene.at(self._frame_number / self._fps, now_s)
        self._frame_number += 1
        self._at(now_s + 1 / self._fps, self._camera)
        target_bps = self._pictures.encoder_bps(now_s)
        fps = wanted_fps(self._fps, picture.size.width * picture.size.height, target_bps)
        if now_s < self._not_before_s or not self._pace.is_due(now_s, fps, self._fps):
            return
        coded = self._encoder.encode(picture, target_bps, fps, key=self._keys.due(now_s))
        if coded is None:
            return
        self._pace.taken(now_s, fps)
        if coded.is_key:
            self._keys.made(now_s)
        self._sources_shown[picture.timestamp] = picture.y
        if len(self._sources_shown) > 300:
            del self._sources_shown[next(iter(self._sources_shown))]
        self._at(now_s + _ENCODE_S, partial(self._encoded, coded))

    def _encoded(self, coded: CodedPicture, now_s: float) -> None:
        self._pictures.frame(coded, now_s)
        self._send_due(now_s)
        self._not_before_s = now_s + self._pictures.backlog_s - MOST_BACKLOG_S

    def _send_due(self, now_s: float) -> None:
        self._pictures.voice_sent(
            VoiceSent(
                self._voice_at, self._voice_last, self._sender.step_s, self._voice_packets, self._voice_bytes
            )
        )
        for leaving in self._pictures.leaving(now_s):
            if leaving.transport_sequence is not None:
                self._history.sent(leaving.transport_sequence, len(leaving.data) + _OUTER_BYTES, now_s)
            self._forward(
                now_s, len(leaving.data) + _OUTER_BYTES, partial(self._picture_arrived, leaving.data)
            )
        due_s = self._pictures.next_at(now_s)
        if due_s < self._send_at or self._send_at <= now_s:
            self._send_at = due_s
            if due_s < math.inf:
                self._at(max(due_s, now_s) + 0.0005 + self._noise(), self._send_again)

    def _send_again(self, now_s: float) -> None:
        if self._send_at <= now_s:
            self._send_due(now_s)

    # pictures in

    def _picture_arrived(self, data: bytes, now_s: float) -> None:
        self._seen.bytes += (len(data) + _OUTER_BYTES) * (now_s > self._settle_s)
        found = self._video.packet(data, now_s)
        if found is not None:
            for frame in found[1]:
                self._schedule.voice_wait_s = self._receiver.buffer.statistics().delay_ms / 1000
                due_s = self._schedule.due_s(frame.timestamp, frame.arrived_at)
                self._decode_at = max(due_s, now_s, self._decode_at)
                self._at(self._decode_at, partial(self._decode, frame))
        self._look(now_s)

    def _look(self, now_s: float) -> None:
        video = self._video
        video.look(now_s, self._rtt_s)
        missing = video.requests(now_s)
        if missing:
            self._backward(now_s, write_retransmission_request(20, 10, missing), self._video_rtcp)
        if video.wish.asks(now_s, self._rtt_s):
            self._backward(now_s, write_picture_loss(20, 10), self._video_rtcp)
        feedback = video.feedback(now_s, 20)
        if feedback is not None:
            self._backward(now_s, feedback, self._video_rtcp)
        due_s = video.next_at
        if due_s < self._ask_at or self._ask_at <= now_s:
            self._ask_at = due_s
            if due_s < math.inf:
                self._at(max(due_s, now_s) + 0.0005 + self._noise(), self._look_again)

    def _look_again(self, now_s: float) -> None:
        if self._ask_at <= now_s:
            self._look(now_s)

    def _decode(self, coded: CodedPicture, now_s: float) -> None:
        try:
            picture = self._decoder.decode(coded)
        except WireError:
            self._video.lost_reference(now_s)
            self._look(now_s)
            return
        if picture is not None:
            self._at(now_s + _DECODE_S, partial(self._show, picture))

    def _show(self, picture: Picture, now_s: float) -> None:
        seen = self._seen
        source = self._sources_shown.pop(picture.timestamp, None)
        if now_s < self._settle_s or self._sender.is_done:
            if now_s < self._settle_s:
                seen.freezes.shown(now_s)
                seen.freezes.total_freezes_s, seen.freezes.freeze_count = 0.0, 0
            return
        seen.freezes.shown(now_s)
        seen.shown += 1
        taken_s = picture.timestamp / 90_000
        seen.delays_s.append(now_s - taken_s)
        if source is not None and seen.shown % SSIM_EVERY == 0:
            y = picture.y
            if y.shape != source.shape:
                y = self._fitter.fit(frame_of(picture), 0, None).y
            seen.ssims.append(ssim(source, y))
            seen.psnrs_db.append(psnr_db(source, y))

    # feedback

    def _video_rtcp(self, data: bytes, now_s: float) -> None:
        found = read_video_rtcp(data, 10, 20)
        for numbers in found.missing:
            self._pictures.asked_for(numbers, now_s, self._rtt_s)
        if found.key_frames:
            self._keys.wanted()
        for feedback in found.feedbacks:
            self._rate.rtt_s = self._rtt_s
            self._rate.voice_bps = self._pictures.voice_bps
            self._rate.on_feedback(self._history.results(feedback), now_s)
            self._pictures.set_target(
                self._rate.target_bps, self._rate.capacity_bps, self._rate.capacity_at_least_bps
            )
        self._send_due(now_s)

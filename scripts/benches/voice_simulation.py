"""One voice through one network and one receiver, in virtual time."""

import dataclasses
import heapq
import itertools
import math
import random
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt
from aiortc.codecs.opus import OpusDecoder as AiortcDecoder
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtp import RtpPacket as AiortcPacket
from av import AudioFrame

from blink_cli.audio.opus.adjustable_encoder import AdjustableEncoder
from blink_cli.audio.opus.library import used_library
from blink_cli.audio.playout.concealment import DeepBudget, voice_decoder
from blink_cli.audio.playout.playout_buffer import PlayoutBuffer
from blink_cli.audio.playout.settings import PlayoutSettings
from blink_cli.audio.playout.statistics import PlayoutStatistics
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES
from blink_cli.core.impairment.conditions import Conditions
from blink_cli.core.impairment.line import Bottleneck, Line
from blink_cli.core.media import red
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.copy_brake import MOST_COPIES
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.loss_reporter import LossReporter
from blink_cli.core.media.media_format import MediaFormat
from blink_cli.core.media.opus_packet import without_padding
from blink_cli.core.media.redundancy_policy import RedundancyPolicy
from blink_cli.core.media.retransmission_asker import RetransmissionAsker
from blink_cli.core.media.rtcp import parse_rtcp
from blink_cli.core.media.rtp import RtpPacket
from blink_cli.core.media.rtp_receiver import RtpReceiver
from blink_cli.core.media.rtx import RTX_HEADER_BYTES
from blink_cli.core.media.sent_packets import SentPackets
from blink_cli.lab.network.named_conditions import NAMED_CONDITIONS

Samples = npt.NDArray[np.float32]

OPUS_PAYLOAD_TYPE = 96
RED_PAYLOAD_TYPE = 63
TICK_S = TICK_SAMPLES / SAMPLE_RATE_HZ
_TAIL_S = 1.5
_HEADERS_BYTES = 14 + 20 + 8 + 12 + 8 + 16
"""Ethernet, IPv4, UDP, RTP with the level's extension, and SRTP's tag: they take their time on a limited rate."""
_NETWORK_NOISE = 2000
"""Rate of an exponential: half a millisecond on average."""
_TICK_NOISE = 3000


class Receiver(Protocol):
    """What turns packets into sound."""

    def put(self, packet: RtpPacket) -> None:
        """Take a packet that arrived."""
        ...

    def get(self, now_s: float) -> Samples:
        """The next ten milliseconds."""
        ...

    def feedback(self, now_s: float) -> LossReport | None:
        """What to tell the sender now, if anything."""
        ...

    asks: bool
    """Whether it asks for what it misses."""

    rtt_s: float
    """The round trip of its line, as measured."""

    @property
    def next_ask_at(self) -> float:
        """When it has something to ask for next; infinite for one that never asks."""
        ...

    def ask(self, now_s: float) -> bytes | None:
        """What it asks for now, as RTCP."""
        ...


class BlinkReceiver:
    """This program's playout buffer."""

    def __init__(self, settings: PlayoutSettings | None = None, *, asking: bool = False) -> None:
        self._budget = DeepBudget()
        self.buffer = PlayoutBuffer(
            voice_decoder(self._budget), (OPUS_PAYLOAD_TYPE, RED_PAYLOAD_TYPE), settings
        )
        self._reporter = LossReporter()
        self.asks = asking
        media = MediaFormat(OPUS_PAYLOAD_TYPE, RED_PAYLOAD_TYPE, None, nack=asking)
        self._asker = RetransmissionAsker(2, RtpReceiver(media, ()), media)
        self.rtt_s = 0.0

    def put(self, packet: RtpPacket) -> None:
        """Take a packet that arrived."""
        self._asker.packet(packet)
        self.buffer.put(packet)

    @property
    def next_ask_at(self) -> float:
        """When it asks next."""
        return self._asker.next_at

    def ask(self, now_s: float) -> bytes | None:
        """What it asks for now, as RTCP."""
        return self._asker.request(now_s, self.rtt_s)

    def get(self, now_s: float) -> Samples:
        """The next ten milliseconds."""
        self._budget.begin_tick()
        return self.buffer.get(now_s)

    def feedback(self, now_s: float) -> LossReport | None:
        """What to tell the sender now, if anything."""
        report = self.buffer.loss_report()
        return report if self._reporter.due(report, now_s) else None


class AiortcReceiver:
    """aiortc's jitter buffer and decoder, its frames played in order as they come, as its own consumers do."""

    def __init__(self) -> None:
        self.asks = False
        self.rtt_s = 0.0
        self.next_ask_at = math.inf
        self._jitter_buffer = JitterBuffer(capacity=16, prefetch=4)
        self._decoder = AiortcDecoder()
        self._ready: deque[Samples] = deque()

    def put(self, packet: RtpPacket) -> None:
        """Take a packet that arrived."""
        parsed = AiortcPacket(
            payload_type=OPUS_PAYLOAD_TYPE,
            sequence_number=packet.sequence_number,
            timestamp=packet.timestamp,
            ssrc=packet.ssrc,
            payload=packet.payload,
        )
        parsed._data = packet.payload  # type: ignore[attr-defined]  # noqa: SLF001 - what its receiver sets after depayloading
        _, frame = self._jitter_buffer.add(parsed)
        if frame is not None:
            for decoded in self._decoder.decode(frame):
                assert isinstance(decoded, AudioFrame)  # an audio decoder gives nothing else
                sound = decoded.to_ndarray().reshape(-1, 2)[:, 0].astype(np.float32) / 32768
                self._ready.extend(np.split(sound, len(sound) // TICK_SAMPLES))

    def get(self, now_s: float) -> Samples:  # noqa: ARG002 - it plays what it has
        """The next ten milliseconds."""
        return self._ready.popleft() if self._ready else np.zeros(TICK_SAMPLES, np.float32)

    def feedback(self, now_s: float) -> LossReport | None:  # noqa: ARG002 - its sender does not adapt
        """What to tell the sender now, if anything."""
        return None

    def ask(self, now_s: float) -> bytes | None:  # noqa: ARG002 - it never does
        """Nothing."""
        return None


@dataclasses.dataclass(frozen=True)
class Heard:
    """What came out, and what it cost."""

    sound: Samples
    """48 kHz, from the moment the first sample was spoken."""

    payload_bytes: int
    plain_bytes: int
    concealed_samples: int
    """Until the last frame was sent; what the silence after it costs is not counted."""

    statistics: PlayoutStatistics | None


class AdaptiveSender:
    """One voice, encoded once, packed as its receiver's reports ask for."""

    def __init__(
        self, samples: Samples, settings: CodecSettings, rng: random.Random, *, adaptive: bool
    ) -> None:
        step = settings.frame_samples
        self._frames = [samples[at : at + step] for at in range(0, len(samples) - step + 1, step)]
        self._step_samples = step
        self._encoder = AdjustableEncoder(settings)
        self._policy = RedundancyPolicy(settings)
        self._adaptive = adaptive
        self._timestamp = rng.randrange(1 << 32)
        self._sequence = rng.randrange(1 << 16)
        self._history: deque[tuple[int, bytes, bytes]] = deque(maxlen=MOST_COPIES)
        self._hint = (False, -1)
        self._dred = False
        self._short_copy_bps: int | None = None
        self._kept: SentPackets[RtpPacket] = SentPackets()
        self._own_packets: deque[RtpPacket] = deque(maxlen=MOST_COPIES)
        """Of earlier frames, each alone and at the lower bit rate."""

        self.unasked: tuple[RtpPacket, ...] = ()
        """What goes once more behind the packet that was made last."""

        self.sent = 0
        self.payload_bytes = 0
        self.plain_bytes = 0

    @property
    def step_s(self) -> float:
        """Time between two packets."""
        return self._step_samples / SAMPLE_RATE_HZ

    @property
    def is_done(self) -> bool:
        """Whether everything was said."""
        return self.sent >= len(self._frames)

    @property
    def length_s(self) -> float:
        """How long the voice speaks."""
        return len(self._frames) * self.step_s

    def line_is(self, rtt_s: float, *, peer_asks: bool) -> None:
        """So long is the round trip, and so much was agreed: DRED too, where this libopus has it."""
        self._policy.round_trip(rtt_s)
        if self._adaptive and used_library().used.abilities.dred_version is not None:
            self._policy.peer_reads_dred()
        if peer_asks:
            self._policy.peer_asks()

    def report(self, report: LossReport, now_s: float) -> None:
        """A report arrived."""
        self._policy.on_loss_report(report, now_s)

    def packet(self, now_s: float) -> RtpPacket:
        """The next packet; its arrival is when it was sent."""
        plan = self._policy.plan(now_s)
        if self._adaptive and self._hint != (plan.fec, plan.fec_loss_percent):
            self._hint = (plan.fec, plan.fec_loss_percent)
            self._encoder.set_fec_loss(plan.fec_loss_percent if plan.fec else None)
        if self._dred != plan.dred:
            self._dred = plan.dred
            self._encoder.set_dred(enabled=plan.dred)
        if self._adaptive and self._short_copy_bps != plan.short_copy_bps:
            self._short_copy_bps = plan.short_copy_bps
            self._encoder.make_short_copies(self._short_copy_bps)
        with_dred = self._encoder.encode(self._frames[self.sent])
        payload = without_padding(with_dred)
        timestamp = (self._timestamp + self.sent * self._step_samples) % (1 << 32)
        earlier = list(self._history)[-plan.red_levels :] if self._adaptive and plan.red_levels else []
        short = len(earlier) - plan.full_copies
        copies = [(at, copy if number < short else whole) for number, (at, whole, copy) in enumerate(earlier)]
        body = red.pack(with_dred, timestamp, copies, OPUS_PAYLOAD_TYPE) if copies else with_dred
        self._history.append((timestamp, payload, self._encoder.short_copy or payload))
        self.payload_bytes += len(body)
        self.plain_bytes += len(payload)
        self.sent += 1
        packet = RtpPacket(
            ssrc=1,
            sequence_number=(self._sequence + self.sent) % (1 << 16),
            timestamp=timestamp,
            payload_type=RED_PAYLOAD_TYPE if copies else OPUS_PAYLOAD_TYPE,
            marker=False,
            payload=body,
            arrival_s=now_s,
        )
        alone = msgspec.structs.replace(
            packet, payload_type=OPUS_PAYLOAD_TYPE, payload=payload, retransmitted=True
        )
        self._kept.sent(packet.sequence_number, alone, len(payload), now_s)
        self.unasked = (
            tuple(self._own_packets)[-plan.sent_twice :] if self._adaptive and plan.sent_twice else ()
        )
        self.payload_bytes += sum(RTX_HEADER_BYTES + len(one.payload) for one in self.unasked)
        self._own_packets.append(msgspec.structs.replace(alone, payload=self._encoder.short_copy or payload))
        return packet

    def again(self, sequence_numbers: tuple[int, ...], now_s: float) -> list[RtpPacket]:
        """What is sent again because it was asked for."""
        answered = self._kept.asked_for(sequence_numbers, now_s)
        self.payload_bytes += sum(RTX_HEADER_BYTES + len(packet.payload) for _, packet in answered)
        return [packet for _, packet in answered]


class _Way:
    """One direction: half a round trip, and what the conditions do. What goes again has chances of its own and meets the same bad times."""

    def __init__(self, conditions: Conditions, rng: random.Random, half_s: float) -> None:
        self._half_s = half_s
        bottleneck = Bottleneck()
        self._first = Line(conditions, random.Random(rng.random()).random, bottleneck=bottleneck)
        self._again = Line(
            conditions, random.Random(rng.random()).random, bottleneck=bottleneck, beside=self._first
        )

    def arrivals(self, now_s: float, size: int, *, again: bool = False) -> list[float]:
        line = self._again if again else self._first
        return [fate.due_at + self._half_s for fate in line.fate(now_s, size + _HEADERS_BYTES)]


def simulate(
    samples: Samples,
    settings: CodecSettings,
    trace_name: str,
    seed: int,
    receiver: Receiver,
    *,
    adaptive: bool = True,
    rtt_s: float = 0.0,
) -> Heard:
    """Speak `samples` (48 kHz) through the named network into `receiver`.

    The phase between the sender's frames and the receiver's ticks is random, as between two machines; arrivals and ticks carry a
    little scheduling noise; reports and requests travel back through the same kind of network, and what is sent again comes through it once more.
    """
    rng = random.Random(f"{trace_name} {seed}")
    sender = AdaptiveSender(samples, settings, rng, adaptive=adaptive)
    call = _Call(sender, receiver, NAMED_CONDITIONS[trace_name], rng, rtt_s)
    return call.run()


class _Call:
    """What happens between one sender and one receiver, each thing at its time."""

    def __init__(
        self,
        sender: AdaptiveSender,
        receiver: Receiver,
        conditions: Conditions,
        rng: random.Random,
        rtt_s: float,
    ) -> None:
        self._sender = sender
        self._receiver = receiver
        self._rng = rng
        self._forth, self._back = (_Way(conditions, rng, rtt_s / 2) for _ in range(2))
        self._phase_s = rng.uniform(0, TICK_S)
        self._output: list[Samples] = []
        self._ticks = int((sender.length_s + _TAIL_S) / TICK_S)
        self._concealed_samples = 0
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._numbers = itertools.count()
        receiver.rtt_s = rtt_s
        sender.line_is(rtt_s, peer_asks=receiver.asks)

    def run(self) -> Heard:
        self._at(self._sender.step_s + self._phase_s, self._send)
        self._at(0.0, self._tick)
        while self._events:
            now_s = self._events[0][0]
            ask_s = math.inf if self._sender.is_done else self._receiver.next_ask_at
            if ask_s < now_s:
                self._ask(ask_s + self._rng.expovariate(_TICK_NOISE))
            else:
                heapq.heappop(self._events)[2](now_s)
        buffer = self._receiver.buffer if isinstance(self._receiver, BlinkReceiver) else None
        return Heard(
            # The first tick is at time 0, when the first sample is spoken: the phase stays in the delay.
            sound=np.concatenate(self._output),
            payload_bytes=self._sender.payload_bytes,
            plain_bytes=self._sender.plain_bytes,
            concealed_samples=self._concealed_samples,
            statistics=None if buffer is None else buffer.statistics(),
        )

    def _at(self, when_s: float, do: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (when_s, next(self._numbers), do))

    def _send(self, now_s: float) -> None:
        self._travel(self._sender.packet(now_s), now_s)
        for again in self._sender.unasked:
            self._travel(again, now_s)
        if not self._sender.is_done:
            self._at((self._sender.sent + 1) * self._sender.step_s + self._phase_s, self._send)

    def _travel(self, packet: RtpPacket, now_s: float) -> None:
        again = packet.retransmitted
        for due_s in self._forth.arrivals(now_s, len(packet.payload), again=again):
            arrival_s = due_s + self._rng.expovariate(_NETWORK_NOISE)
            self._at(arrival_s, partial(self._arrived, packet))

    def _arrived(self, packet: RtpPacket, now_s: float) -> None:
        self._receiver.put(msgspec.structs.replace(packet, arrival_s=now_s))

    def _tick(self, now_s: float) -> None:
        receiver = self._receiver
        self._output.append(receiver.get(now_s + self._rng.expovariate(_TICK_NOISE)))
        if not self._sender.is_done and isinstance(receiver, BlinkReceiver):
            self._concealed_samples = receiver.buffer.statistics().concealed_samples
        report = receiver.feedback(now_s)
        if report is not None:
            content = report.to_bytes()
            for due_s in self._back.arrivals(now_s, len(content)):
                self._at(due_s, partial(self._reported, content))
        if len(self._output) < self._ticks:
            self._at(len(self._output) * TICK_S, self._tick)

    def _reported(self, content: bytes, now_s: float) -> None:
        self._sender.report(LossReport.from_bytes(content), now_s)

    def _ask(self, now_s: float) -> None:
        request = self._receiver.ask(now_s)
        if request is not None:
            for due_s in self._back.arrivals(now_s, len(request)):
                self._at(due_s, partial(self._asked, request))

    def _asked(self, request: bytes, now_s: float) -> None:
        for asked in parse_rtcp(request).requests:
            for packet in self._sender.again(asked.sequence_numbers, now_s):
                self._travel(packet, now_s)

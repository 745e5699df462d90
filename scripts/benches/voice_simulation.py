"""One voice through one network and one receiver, in virtual time."""

import dataclasses
import heapq
import random
from collections import deque
from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt
from aiortc.codecs.opus import OpusDecoder as AiortcDecoder
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtp import RtpPacket as AiortcPacket
from av import AudioFrame

from blink_cli.audio.opus import OpusDecoder, OpusEncoder
from blink_cli.audio.playout import PlayoutBuffer, PlayoutSettings, PlayoutStatistics
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES
from blink_cli.core.impairment.line import Line
from blink_cli.core.media import red
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.loss_reporter import LossReporter
from blink_cli.core.media.redundancy_policy import RedundancyPolicy
from blink_cli.core.media.rtp import RtpPacket
from blink_cli.lab.network.named_conditions import NAMED_CONDITIONS

Samples = npt.NDArray[np.float32]

OPUS_PAYLOAD_TYPE = 96
RED_PAYLOAD_TYPE = 63
TICK_S = TICK_SAMPLES / SAMPLE_RATE_HZ
_TAIL_S = 1.5
_FEEDBACK_DELAY_S = 0.02
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


class BlinkReceiver:
    """This program's playout buffer."""

    def __init__(self, settings: PlayoutSettings | None = None) -> None:
        self.buffer = PlayoutBuffer(OpusDecoder(), (OPUS_PAYLOAD_TYPE, RED_PAYLOAD_TYPE), settings)
        self._reporter = LossReporter()

    def put(self, packet: RtpPacket) -> None:
        """Take a packet that arrived."""
        self.buffer.put(packet)

    def get(self, now_s: float) -> Samples:
        """The next ten milliseconds."""
        return self.buffer.get(now_s)

    def feedback(self, now_s: float) -> LossReport | None:
        """What to tell the sender now, if anything."""
        report = self.buffer.loss_report()
        return report if self._reporter.due(report, now_s) else None


class AiortcReceiver:
    """aiortc's jitter buffer and decoder, its frames played in order as they come, as its own consumers do."""

    def __init__(self) -> None:
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
        self._encoder = OpusEncoder(settings)
        self._policy = RedundancyPolicy(settings.redundancy, fec=settings.fec)
        self._adaptive = adaptive
        self._timestamp = rng.randrange(1 << 32)
        self._sequence = rng.randrange(1 << 16)
        self._history: deque[tuple[int, bytes]] = deque(maxlen=2)
        self._hint = (False, -1)
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

    def report(self, report: LossReport, now_s: float) -> None:
        """A report arrived."""
        self._policy.on_loss_report(report, now_s)

    def packet(self, now_s: float) -> RtpPacket:
        """The next packet; its arrival is when it was sent."""
        plan = self._policy.plan(now_s)
        if self._adaptive and self._hint != (plan.fec, plan.fec_loss_percent):
            self._hint = (plan.fec, plan.fec_loss_percent)
            self._encoder.set_fec(plan.fec_loss_percent, enabled=plan.fec)
        payload = self._encoder.encode(self._frames[self.sent])
        timestamp = (self._timestamp + self.sent * self._step_samples) % (1 << 32)
        copies = list(self._history)[-plan.red_levels :] if self._adaptive and plan.red_levels else []
        body = red.pack(payload, timestamp, copies, OPUS_PAYLOAD_TYPE) if copies else payload
        self._history.append((timestamp, payload))
        self.payload_bytes += len(body)
        self.plain_bytes += len(payload)
        self.sent += 1
        return RtpPacket(
            ssrc=1,
            sequence_number=(self._sequence + self.sent) % (1 << 16),
            timestamp=timestamp,
            payload_type=RED_PAYLOAD_TYPE if copies else OPUS_PAYLOAD_TYPE,
            marker=False,
            payload=body,
            arrival_s=now_s,
        )


def simulate(
    samples: Samples,
    settings: CodecSettings,
    trace_name: str,
    seed: int,
    receiver: Receiver,
    *,
    adaptive: bool = True,
) -> Heard:
    """Speak `samples` (48 kHz) through the named network into `receiver`.

    The phase between the sender's frames and the receiver's ticks is random, as between two machines; arrivals and ticks carry a
    little scheduling noise; reports travel back through the same kind of network and 20 ms.
    """
    rng = random.Random(f"{trace_name} {seed}")
    forth, back = (Line(NAMED_CONDITIONS[trace_name], random.Random(rng.random()).random) for _ in range(2))
    phase_s = rng.uniform(0, TICK_S)
    sender = AdaptiveSender(samples, settings, rng, adaptive=adaptive)
    network: list[tuple[float, int, RtpPacket]] = []
    reports: list[tuple[float, int, LossReport]] = []
    output: list[Samples] = []
    concealed_samples = 0
    for tick in range(int((sender.length_s + _TAIL_S) / TICK_S)):
        now_s = tick * TICK_S
        while not sender.is_done and (send_s := (sender.sent + 1) * sender.step_s + phase_s) <= now_s:
            while reports and reports[0][0] <= send_s:
                sender.report(heapq.heappop(reports)[2], send_s)
            packet = sender.packet(send_s)
            for copy in forth.fate(send_s, len(packet.payload)):
                arrival_s = copy.due_at + rng.expovariate(_NETWORK_NOISE)
                heapq.heappush(
                    network, (arrival_s, sender.sent, msgspec.structs.replace(packet, arrival_s=arrival_s))
                )
        while network and network[0][0] <= now_s:
            receiver.put(heapq.heappop(network)[2])
        output.append(receiver.get(now_s + rng.expovariate(_TICK_NOISE)))
        if not sender.is_done and isinstance(receiver, BlinkReceiver):
            concealed_samples = receiver.buffer.statistics().concealed_samples
        report = receiver.feedback(now_s)
        if report is None:
            continue
        content = report.to_bytes()
        for copy in back.fate(now_s, len(content)):
            heapq.heappush(reports, (copy.due_at + _FEEDBACK_DELAY_S, tick, LossReport.from_bytes(content)))
    return Heard(
        # The first tick is at time 0, when the first sample is spoken: the phase stays in the delay.
        sound=np.concatenate(output),
        payload_bytes=sender.payload_bytes,
        plain_bytes=sender.plain_bytes,
        concealed_samples=concealed_samples,
        statistics=receiver.buffer.statistics() if isinstance(receiver, BlinkReceiver) else None,
    )

"""One voice through one network and one receiver, in virtual time."""

import dataclasses
import heapq
import random
from collections import deque
from typing import Protocol

import numpy as np
import numpy.typing as npt

from benches.traces import TRACES
from blink_cli.audio.opus import OpusDecoder, OpusEncoder
from blink_cli.audio.playout import PlayoutBuffer, PlayoutSettings, PlayoutStatistics
from blink_cli.core import red
from blink_cli.core.codec_settings import CodecSettings
from blink_cli.core.loss_report import LossReport
from blink_cli.core.loss_reporter import LossReporter
from blink_cli.core.redundancy import RedundancyPolicy
from blink_cli.core.rtp import RtpPacket
from blink_cli.core.voice import SAMPLE_RATE_HZ, TICK_SAMPLES

Samples = npt.NDArray[np.float32]

OPUS_PAYLOAD_TYPE = 96
RED_PAYLOAD_TYPE = 63
TICK_S = TICK_SAMPLES / SAMPLE_RATE_HZ
_TAIL_S = 1.5


class Receiver(Protocol):
    """What turns packets into sound."""

    def put(self, packet: RtpPacket) -> None: ...
    def get(self, now_s: float) -> Samples: ...
    def feedback(self, now_s: float) -> LossReport | None: ...


class BlinkReceiver:
    """This program's playout buffer."""

    def __init__(self, settings: PlayoutSettings | None = None) -> None:
        self.buffer = PlayoutBuffer(OpusDecoder(), (OPUS_PAYLOAD_TYPE, RED_PAYLOAD_TYPE), settings)
        self._reporter = LossReporter()

    def put(self, packet: RtpPacket) -> None:
        self.buffer.put(packet)

    def get(self, now_s: float) -> Samples:
        return self.buffer.get(now_s)

    def feedback(self, now_s: float) -> LossReport | None:
        report = self.buffer.loss_report()
        return report if self._reporter.due(report, now_s) else None


class AiortcReceiver:
    """aiortc's jitter buffer and decoder, its frames played in order as they come, as its own consumers do."""

    def __init__(self) -> None:
        from aiortc.codecs.opus import OpusDecoder as AiortcDecoder
        from aiortc.jitterbuffer import JitterBuffer

        self._jitter_buffer = JitterBuffer(capacity=16, prefetch=4)
        self._decoder = AiortcDecoder()
        self._ready: deque[Samples] = deque()

    def put(self, packet: RtpPacket) -> None:
        from aiortc.rtp import RtpPacket as AiortcPacket

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
                sound = decoded.to_ndarray().reshape(-1, 2)[:, 0].astype(np.float32) / 32768
                self._ready.extend(np.split(sound, len(sound) // TICK_SAMPLES))

    def get(self, now_s: float) -> Samples:
        return self._ready.popleft() if self._ready else np.zeros(TICK_SAMPLES, np.float32)

    def feedback(self, now_s: float) -> LossReport | None:
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


class EncodedVoice:
    """The frames of one voice for each FEC hint, encoded when first needed: many traces share them."""

    def __init__(self, samples: Samples, settings: CodecSettings) -> None:
        self.settings = settings
        step = settings.frame_samples
        self.frames = [samples[at : at + step] for at in range(0, len(samples) - step + 1, step)]


def simulate(
    voice: EncodedVoice,
    trace_name: str,
    seed: int,
    receiver: Receiver,
    *,
    adaptive: bool = True,
    feedback_delay_s: float = 0.02,
) -> Heard:
    """Speak `voice` through the named network into `receiver`.

    The phase between the sender's frames and the receiver's ticks is random, as between two machines; arrivals carry a
    millisecond of scheduling noise; reports travel back through the same kind of network.
    """
    rng = random.Random(f"{trace_name} {seed}")
    forth = TRACES[trace_name](random.Random(rng.random()))
    back = TRACES[trace_name](random.Random(rng.random()))
    phase_s = rng.uniform(0, TICK_S)
    start_timestamp = rng.randrange(1 << 32)
    start_sequence = rng.randrange(1 << 16)
    encoder = OpusEncoder(voice.settings)
    policy = RedundancyPolicy(voice.settings.redundancy, fec=voice.settings.fec)
    step_samples = voice.settings.frame_samples
    step_s = step_samples / SAMPLE_RATE_HZ
    network: list[tuple[float, int, RtpPacket]] = []
    reports: list[tuple[float, int, LossReport]] = []
    history: deque[tuple[int, bytes]] = deque(maxlen=2)
    output: list[Samples] = []
    sent = 0
    payload_bytes = plain_bytes = 0
    concealed_samples = 0
    hint = (False, -1)
    ticks = int((len(voice.frames) * step_s + _TAIL_S) / TICK_S)
    for tick in range(ticks):
        now_s = tick * TICK_S
        while sent < len(voice.frames) and (sent + 1) * step_s + phase_s <= now_s:
            send_s = (sent + 1) * step_s + phase_s
            while reports and reports[0][0] <= send_s:
                policy.on_loss_report(heapq.heappop(reports)[2], send_s)
            plan = policy.plan(send_s)
            if adaptive and hint != (plan.fec, plan.fec_loss_percent):
                hint = (plan.fec, plan.fec_loss_percent)
                encoder.set_fec(plan.fec_loss_percent, enabled=plan.fec)
            payload = encoder.encode(voice.frames[sent])
            timestamp = (start_timestamp + sent * step_samples) % (1 << 32)
            copies = list(history)[2 - plan.red_levels :] if adaptive and plan.red_levels else []
            if len(history) < 2 and copies:
                copies = list(history)[-plan.red_levels :]
            body = red.pack(payload, timestamp, copies, OPUS_PAYLOAD_TYPE) if copies else payload
            history.append((timestamp, payload))
            payload_bytes += len(body)
            plain_bytes += len(payload)
            arrival_s = forth(send_s)
            if arrival_s is not None:
                arrival_s += rng.expovariate(2000)
                packet = RtpPacket(
                    ssrc=1,
                    sequence_number=(start_sequence + sent) % (1 << 16),
                    timestamp=timestamp,
                    payload_type=RED_PAYLOAD_TYPE if copies else OPUS_PAYLOAD_TYPE,
                    marker=False,
                    payload=body,
                    arrival_s=arrival_s,
                )
                heapq.heappush(network, (arrival_s, sent, packet))
            sent += 1
        while network and network[0][0] <= now_s:
            receiver.put(heapq.heappop(network)[2])
        output.append(receiver.get(now_s + rng.expovariate(3000)))
        if sent < len(voice.frames) and isinstance(receiver, BlinkReceiver):
            concealed_samples = receiver.buffer.statistics().concealed_samples
        report = receiver.feedback(now_s)
        if report is not None:
            back_s = back(now_s)
            if back_s is not None:
                heapq.heappush(
                    reports, (back_s + feedback_delay_s, tick, LossReport.from_bytes(report.to_bytes()))
                )
    statistics = receiver.buffer.statistics() if isinstance(receiver, BlinkReceiver) else None
    sound = np.concatenate(output)
    # The first tick is at time 0, when the first sample is spoken; the phase is the sender's, so it stays in the delay.
    return Heard(sound=sound, payload_bytes=payload_bytes, plain_bytes=plain_bytes, concealed_samples=concealed_samples, statistics=statistics)

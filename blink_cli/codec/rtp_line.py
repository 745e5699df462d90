"""The same way as in a call, in virtual time: what the playout buffer makes of a bad network can be heard.

    frame ──> RtpSender (RED, header) ──> Line ──> RtpReceiver ──> SinkTrack, PlayoutBuffer ──> 10 ms, again and again
                    ^ RedundancyPolicy <── loss reports, 20 ms later <────────────┘

Sound begins when the first sample is spoken, so what is heard is as late as in a call without devices.
"""

import heapq
import random
from collections.abc import Callable
from typing import Final

import numpy as np

from blink_cli.audio.playout.concealment import DeepBudget, voice_decoder
from blink_cli.audio.playout.playout_buffer import PlayoutBuffer
from blink_cli.audio.samples import Samples
from blink_cli.audio.sink_track import SinkTrack
from blink_cli.audio.source_pipeline import UNSENT_BYTES
from blink_cli.codec.direct_line import LineCounts
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_MS
from blink_cli.core.impairment.line import Line
from blink_cli.core.media.codec_settings import CodecSettings, Fec, Redundancy
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.loss_reporter import LossReporter
from blink_cli.core.media.media_format import MediaFormat
from blink_cli.core.media.redundancy_policy import RedundancyPolicy
from blink_cli.core.media.rtp import EncodedFrame
from blink_cli.core.media.rtp_receiver import RtpReceiver
from blink_cli.core.media.rtp_sender import RtpSender
from blink_cli.core.media.unwrapper import TIMESTAMP_MASK

TAIL_S: Final = 0.5
"""How long is listened after the last packet could have come."""

_MEDIA: Final = MediaFormat(opus=96, red=63, audio_level_id=1)
_FEEDBACK_DELAY_S: Final = 0.02
_TICK_S: Final = TICK_MS / 1000

AdjustFec = Callable[[int, bool], None]
"""Told the loss in per cent that FEC should prepare for, and whether it is wanted."""


class RtpLine:
    """From frames to sound, mono at 48 kHz."""

    def __init__(
        self, line: Line, *, redundancy: Redundancy, fec: Fec, seed: int, adjust_fec: AdjustFec
    ) -> None:
        rng = random.Random(f"{seed} phase")
        self._line = line
        self._sender = RtpSender(rng.randrange(1 << 32), rng.randrange(1 << 15), _MEDIA)
        self._receiver = RtpReceiver(_MEDIA, (self._sender.ssrc,))
        self._budget = DeepBudget()
        self._buffer = PlayoutBuffer(voice_decoder(self._budget), (_MEDIA.opus, _MEDIA.red))
        self._track = SinkTrack(self._buffer)
        self._policy = RedundancyPolicy(CodecSettings(redundancy=redundancy, fec=fec))
        self._reporter = LossReporter()
        self._adjust_fec = adjust_fec
        self._hint: tuple[int, bool] | None = None
        self._first_timestamp = rng.randrange(1 << 32)
        self._phase_s = rng.uniform(0, _TICK_S)
        """Between the sender's frames and the receiver's ticks, as of two machines."""

        self._network: list[tuple[float, int, bytes]] = []
        self._reports: list[tuple[float, int, LossReport]] = []
        self._ticks = 0
        self._packets = 0
        self._last_arrival_s = 0.0
        self.counts = LineCounts()

    def send(self, frame: EncodedFrame) -> list[Samples]:
        """Take the next frame; return the sound of the time until it is sent, blocks of shape (480, 1)."""
        now_s = (frame.timestamp + frame.duration_samples) / SAMPLE_RATE_HZ + self._phase_s
        heard = self._heard_until(now_s)
        while self._reports and self._reports[0][0] <= now_s:
            self._policy.on_loss_report(heapq.heappop(self._reports)[2], now_s)
        plan = self._policy.plan(now_s)
        self._sender.redundancy = plan.red_levels
        if self._hint != (hint := (plan.fec_loss_percent, plan.fec)):
            self._hint = hint
            self._adjust_fec(*hint)
        if len(frame.payload) <= UNSENT_BYTES:
            self.counts.unsent += 1
            return heard
        timestamp = (self._first_timestamp + frame.timestamp) & TIMESTAMP_MASK
        numbered = EncodedFrame(
            payload=frame.payload,
            timestamp=timestamp,
            duration_samples=frame.duration_samples,
            audio_level_dbov=frame.audio_level_dbov,
            voice=frame.voice,
            talk_spurt_start=frame.talk_spurt_start,
        )
        made = self._sender.packet(numbered, now_s)
        if made is None:  # too long for a datagram; counted by the sender
            return heard
        data, told = made
        self._sender.went_out(numbered, told)
        copies = self._line.fate(now_s, len(data))
        self.counts.sent += 1
        self.counts.lost += not copies
        for copy in copies:
            self._packets += 1
            heapq.heappush(self._network, (copy.due_at, self._packets, data))
            self._last_arrival_s = max(self._last_arrival_s, copy.due_at)
        return heard

    def finish(self) -> list[Samples]:
        """Return what is heard after the last frame was sent."""
        end_s = max(self._last_arrival_s, self._ticks * _TICK_S) + TAIL_S
        heard = self._heard_until(end_s)
        self._track.publish()
        playout = self._track.statistics.playout
        counters = self._sender.counters
        self.counts.recovered_by_fec = playout.packets_recovered_by_fec
        self.counts.recovered_by_redundancy = playout.packets_recovered_by_redundancy
        self.counts.bytes_with_copies = counters.bytes_sent + counters.header_bytes_sent
        return heard

    def _heard_until(self, now_s: float) -> list[Samples]:
        heard: list[Samples] = []
        while (tick_s := self._ticks * _TICK_S) < now_s:
            self._ticks += 1
            self._budget.begin_tick()
            while self._network and self._network[0][0] <= tick_s:
                arrival_s, _, data = heapq.heappop(self._network)
                packet = self._receiver.received(data, arrival_s)
                if packet is not None:
                    self._track.receive(packet)
            heard.append(np.array(self._track.next_block(tick_s)).reshape(-1, 1))
            report = self._buffer.loss_report()
            if self._reporter.due(report, tick_s):
                back = LossReport.from_bytes(report.to_bytes())
                heapq.heappush(self._reports, (tick_s + _FEEDBACK_DELAY_S, self._ticks, back))
        return heard

    def concealed_samples(self) -> int:
        """Made up so far; what the silence behind the last frame costs is not meant, so ask before `finish`."""
        return self._buffer.statistics().concealed_samples

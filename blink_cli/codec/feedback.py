"""Microphone to speaker through the codec, live: what a call would do to one's voice, heard by oneself.

    microphone ──> SourceTrack ──> encoder ──> RtpSender ──> lost? ──> RtpReceiver ──> SinkTrack ──> SinkMixer ──> speaker
                  [capture thread]                                                    [playout thread]

All parts are a call's own; only the network between them is left out. The capture thread hands a packet over; nothing waits.
"""

import random
from dataclasses import dataclass
from typing import Final

from blink_cli.audio.devices.interface import InputDevice, OutputDevice
from blink_cli.audio.opus.adjustable_encoder import AdjustableEncoder
from blink_cli.audio.opus.encoder import OpusEncoder
from blink_cli.audio.playout.concealment import voice_decoder
from blink_cli.audio.playout.playout_buffer import PlayoutBuffer
from blink_cli.audio.playout.settings import PlayoutSettings
from blink_cli.audio.sink_mixer import SinkMixer
from blink_cli.audio.sink_track import SinkTrack
from blink_cli.audio.source_track import SourceTrack
from blink_cli.codec.figures import FeedbackDelay, FeedbackDone, FeedbackPackets
from blink_cli.codec.options import CoderOptions, LineOptions
from blink_cli.codec.packet_files import coding_figures
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, SILENCE_DBOV
from blink_cli.core.errors import DeviceError
from blink_cli.core.impairment.conditions import Conditions
from blink_cli.core.impairment.line import Line
from blink_cli.core.media.media_format import MediaFormat
from blink_cli.core.media.redundancy_policy import RedundancyPolicy
from blink_cli.core.media.rtp import EncodedFrame
from blink_cli.core.media.rtp_receiver import RtpReceiver
from blink_cli.core.media.rtp_sender import RtpSender
from blink_cli.runtime.clock import Clock

_MEDIA: Final = MediaFormat(opus=96, red=63, audio_level_id=1)


@dataclass(frozen=True, slots=True)
class FeedbackNow:
    """How it goes at this moment."""

    level_dbov: int
    """At the microphone."""

    loudest_dbov: int
    """So far."""

    delay: FeedbackDelay
    bitrate_bps: float | None
    lost: int


class Feedback:
    """Owns both devices between `start` and `stop`, which may block; the rest belongs to one thread."""

    def __init__(
        self,
        input_device: InputDevice,
        output_device: OutputDevice,
        coder: CoderOptions,
        line: LineOptions,
        clock: Clock,
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            input_device: Not started.
            output_device: Not started.
            coder: How voice is encoded. Its rate is 48 kHz, as in calls.
            line: What is lost; `delay_ms` is how long the playout waits at least.
            clock: Time.

        Raises:
            DeviceError: There is no libopus.

        """
        self._coder = coder
        self._settings = coder.settings
        self._clock = clock
        rng = random.Random(line.seed)
        self._sender = RtpSender(rng.randrange(1 << 32), rng.randrange(1 << 15), _MEDIA)
        self._receiver = RtpReceiver(_MEDIA, (self._sender.ssrc,))
        self._line = Line(
            Conditions(loss=line.loss, burst_packets=line.burst_packets),
            random.Random(f"{line.seed} line").random,
        )
        self._policy = RedundancyPolicy(self._settings)
        self._mixer = SinkMixer(output_device)
        buffer = PlayoutBuffer(
            voice_decoder(self._mixer.deep_budget),
            (_MEDIA.opus, _MEDIA.red),
            PlayoutSettings(
                minimum_delay_ms=line.delay_ms,
                maximum_delay_ms=max(line.delay_ms, PlayoutSettings().maximum_delay_ms),
            ),
        )
        self._sink = SinkTrack(buffer)
        self._encoder = AdjustableEncoder(self._settings)
        self._source = SourceTrack(
            input_device, self._encoder, self._send, first_timestamp=rng.randrange(1 << 32)
        )
        self._mixer.add(self._sink)
        self._lookahead_s = OpusEncoder(self._settings).lookahead_samples / SAMPLE_RATE_HZ
        self._fec_hint: int | None = -1
        self._lost = 0
        self._payload_bytes = 0
        self._encoded_samples = 0
        self._loudest_dbov = SILENCE_DBOV
        self._started_at = clock.now_s()
        self._ended_at: float | None = None

    def start(self) -> None:
        """Start the speaker, then the microphone. Blocks as long as a sound server does.

        Raises:
            DeviceError: One of them does not start; neither runs then.

        """
        try:
            self._mixer.start()
            self._source.start()
        except BaseException:
            self.stop()
            raise
        self._started_at = self._clock.now_s()

    def stop(self) -> None:
        """End both. Safe to call twice."""
        if self._ended_at is None:
            self._ended_at = self._clock.now_s()
        self._source.stop()
        self._mixer.stop()

    def look(self) -> FeedbackNow:
        """How it goes.

        Raises:
            DeviceError: A device has ended by itself.

        """
        now_s = self._clock.now_s()
        source, mixer = self._source.statistics(now_s), self._mixer.statistics(now_s)
        for reading in (source.reading, mixer.reading):
            if reading.failure is not None:
                raise DeviceError(reading.failure, hint="`blink list-devices` lists what there is now.")
        self._loudest_dbov = max(self._loudest_dbov, source.level_dbov)
        return FeedbackNow(
            level_dbov=source.level_dbov,
            loudest_dbov=self._loudest_dbov,
            delay=self._delay(source.reading.latency_s, mixer.reading.latency_s),
            bitrate_bps=self._encoder.figures().bitrate_bps,
            lost=self._lost,
        )

    def figures(self) -> FeedbackDone:
        """All of it. To be asked while both devices run, for the sake of their latencies."""
        now = self.look()
        now_s = self._clock.now_s()
        source, mixer = self._source.statistics(now_s), self._mixer.statistics(now_s)
        playout, counters = self._sink.statistics.playout, self._sender.counters
        return FeedbackDone(
            input=source.device,
            output=mixer.device,
            seconds=round((self._ended_at or now_s) - self._started_at, 2),
            coding=coding_figures(self._coder, self._settings.channels),
            redundancy=self._settings.redundancy,
            loss=self._line.conditions.loss,
            loudest_dbov=now.loudest_dbov,
            clipped_frames=source.clipped_frames,
            capture_gaps=source.gaps,
            unheard_ms=round(1000 * mixer.unheard_samples / SAMPLE_RATE_HZ, 1),
            mean_bps=round(8 * self._payload_bytes * SAMPLE_RATE_HZ / self._encoded_samples, 1)
            if self._encoded_samples
            else None,
            packets=FeedbackPackets(
                sent=counters.packets_sent,
                lost=self._lost,
                unsent=source.frames_unsent,
                recovered_by_fec=playout.packets_recovered_by_fec,
                recovered_by_redundancy=playout.packets_recovered_by_redundancy,
                concealed_ms=round(1000 * playout.concealed_samples / SAMPLE_RATE_HZ, 1),
            ),
            delay=now.delay,
        )

    def _delay(self, input_s: float, output_s: float) -> FeedbackDelay:
        codec_ms = self._settings.frame_ms + 1000 * self._lookahead_s
        playout_ms = self._sink.statistics.playout.delay_ms
        parts = [1000 * input_s, codec_ms, playout_ms, 1000 * output_s]
        return FeedbackDelay(
            input_ms=round(parts[0], 1),
            codec_ms=round(parts[1], 1),
            playout_ms=round(parts[2], 1),
            output_ms=round(parts[3], 1),
            total_ms=round(sum(parts), 1),
        )

    # The capture thread.

    def _send(self, frame: EncodedFrame) -> None:
        now_s = self._clock.now_s()
        self._policy.on_loss_report(self._sink.statistics.loss, now_s)
        plan = self._policy.plan(now_s)
        self._sender.redundancy = plan.red_levels
        hint = plan.fec_loss_percent if plan.fec else None
        if hint != self._fec_hint:
            self._fec_hint = hint
            self._encoder.set_fec_loss(hint)
        self._payload_bytes += len(frame.payload)
        self._encoded_samples += frame.duration_samples
        made = self._sender.packet(frame, now_s)
        if made is None:
            return
        data, told = made
        self._sender.went_out(frame, told)
        if not self._line.fate(now_s, len(data)):
            self._lost += 1
            return
        packet = self._receiver.received(data, now_s)
        if packet is not None:
            self._sink.receive(packet)

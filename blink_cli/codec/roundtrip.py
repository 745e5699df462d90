"""A sound file through Opus and back, and what that did to it.

    IN ──> rate, channels ──> FrameEncoding ──> DirectLine or RtpLine ──> rate, channels ──> OUT
     │                             └──> packets, bit rate                       │
     └──────────> Excerpts (mono, 48 kHz) <─────────────────────────────────────┘  ──> judging

Nothing here grows with the length of the file.
"""

import contextlib
import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from blink_cli.audio.opus.encoder import LONGEST_PAYLOAD_BYTES
from blink_cli.audio.samples import Samples
from blink_cli.codec.conversion import Conversion
from blink_cli.codec.direct_line import DirectLine
from blink_cli.codec.encoding import FrameEncoding
from blink_cli.codec.excerpts import Excerpts
from blink_cli.codec.figures import (
    BitrateFigures,
    DelayFigures,
    PacketFigures,
    RoundTripDone,
    SoundFile,
)
from blink_cli.codec.judging import Verdict, judge
from blink_cli.codec.options import CoderOptions, HeardForm, LineOptions, Score, Source
from blink_cli.codec.packet_files import coding_figures
from blink_cli.codec.rates import BitrateMeter, LevelMeter, share_done
from blink_cli.codec.rtp_line import RtpLine
from blink_cli.codec.sound_reader import SoundForm, SoundReader, file_read, open_sound
from blink_cli.codec.sound_writer import (
    PacketSink,
    SoundSink,
    holds_packets,
    kind_of,
    packet_sink,
    require_writable,
    sound_sink,
)
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import UsageError
from blink_cli.core.impairment.conditions import Conditions
from blink_cli.core.impairment.line import Line
from blink_cli.core.media.rtp import EncodedFrame
from blink_cli.core.media.rtp_sender import MAX_PRIMARY_BYTES
from blink_cli.core.progress import Progress

_JUDGING: Final = 0.2
"""Of the progress."""

LEAST_FEC_PERCENT: Final = 10
"""For which FEC prepares at least when it is asked for: at low bit rates libopus leaves it out below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTrip:
    """What is asked for."""

    source: Source
    out: Path
    coder: CoderOptions
    line: LineOptions
    heard: HeardForm
    scores: Sequence[Score] = ("pesq", "visqol")
    scores_required: bool = False
    """Whether a judge that is not installed is an error."""


def round_trip(wanted: RoundTrip, progress: Progress) -> RoundTripDone:
    """Encode, lose, decode, write and judge. Blocks.

    Raises:
        BlinkError: A file cannot be read or written, or the options do not go together. Nothing is left behind then.

    """
    require_writable(wanted.out, wanted.source.path)
    line = wanted.line
    if holds_packets(wanted.out) and (line.through_rtp or line.loss):
        raise UsageError(
            f"A {kind_of(wanted.out)} file holds the packets as they were encoded: what the line does to them cannot be heard in it.",
            hint="Write .wav or .flac, or leave out --loss and --rtp.",
        )
    with open_sound(wanted.source) as reader:
        form = reader.form
        channels = wanted.coder.channels or (1 if line.through_rtp else min(form.channels, 2))
        encoding = FrameEncoding(
            wanted.coder,
            channels,
            most_bytes=MAX_PRIMARY_BYTES if line.through_rtp else LONGEST_PAYLOAD_BYTES,
        )
        run = _Run(wanted, form, channels, encoding)
        with run.sinks():
            run.work(reader, lambda done: progress(done * (1 - _JUDGING)))
            verdict = judge(
                run.excerpts.pieces(),
                wanted.scores,
                required=wanted.scores_required,
                stretched=line.through_rtp,
                progress=lambda done: progress(1 - _JUDGING + done * _JUDGING),
            )
        return run.figures(verdict)


class _Run:
    """The parts of one round trip, and what goes between them."""

    def __init__(self, wanted: RoundTrip, form: SoundForm, channels: int, encoding: FrameEncoding) -> None:
        self._wanted = wanted
        self._form = form
        self._channels = channels
        self._encoding = encoding
        line, heard = wanted.line, wanted.heard
        out_channels = heard.channels or channels
        conditions = Conditions(
            loss=line.loss, burst_packets=line.burst_packets, delay_ms=line.delay_ms, jitter_ms=line.jitter_ms
        )
        network_line = Line(conditions, random.Random(f"{line.seed} line").random)
        settings = wanted.coder.settings
        self._line: DirectLine | RtpLine
        if line.through_rtp:
            self._line = RtpLine(
                network_line,
                redundancy=settings.redundancy,
                fec=settings.fec,
                seed=line.seed,
                adjust_fec=lambda percent, enabled: encoding.encoder.set_fec(percent, enabled=enabled),
            )
            came = (SAMPLE_RATE_HZ, 1)
        else:
            percent = max(round(100 * line.loss), LEAST_FEC_PERCENT)
            carried = settings.fec == "on"
            encoding.encoder.set_fec(percent if carried else 0, enabled=carried)
            self._line = DirectLine(network_line, rate_hz=heard.rate_hz, channels=out_channels)
            came = (heard.rate_hz, out_channels)
        # The codec is judged by what it was given: how several channels became one or two is not its doing.
        self._to_channels = Conversion(form.rate_hz, form.channels, form.rate_hz, channels)
        self._to_coder = Conversion(form.rate_hz, channels, wanted.coder.rate_hz, channels)
        self._to_judge = Conversion(form.rate_hz, channels, SAMPLE_RATE_HZ, 1, mean=True)
        self._to_out = Conversion(*came, heard.rate_hz, out_channels)
        self._heard_to_judge = Conversion(*came, SAMPLE_RATE_HZ, 1, mean=True)
        self._out_channels = out_channels
        self._level_in, self._level_out = LevelMeter(), LevelMeter()
        self._bitrate = BitrateMeter()
        self._packets = 0
        self._concealed_samples = 0
        # What the encoder looks ahead comes out in front, and is left out as players do; what the playout does is heard.
        self._skip = 0 if line.through_rtp else encoding.lookahead_samples * heard.rate_hz // SAMPLE_RATE_HZ
        self._write_sound: SoundSink = lambda _: None
        self._write_packet: PacketSink = lambda _frame, _samples: None
        expected = None if form.frames is None else form.frames * SAMPLE_RATE_HZ // form.rate_hz
        self.excerpts = Excerpts(expected)

    @contextlib.contextmanager
    def sinks(self) -> Iterator[None]:
        """Have what is written open, until it is whole."""
        out, heard = self._wanted.out, self._wanted.heard
        if holds_packets(out):
            with packet_sink(out, self._channels, self._encoding.lookahead_samples) as self._write_packet:
                yield
        else:
            with sound_sink(out, heard.rate_hz, self._out_channels, heard.sample_format) as self._write_sound:
                yield

    def work(self, reader: SoundReader, progress: Progress) -> None:
        """Take all of the sound through."""
        expected = self._form.frames
        for block in reader.blocks():
            self._level_in.take(block)
            formed = self._to_channels.convert(block)
            self.excerpts.sent(self._to_judge.convert(formed)[:, 0])
            self._pass_on(self._encoding.encode(self._to_coder.convert(formed)), None)
            progress(share_done(self._level_in.frames, expected))
        self.excerpts.sent(self._to_judge.finish()[:, 0])
        self._pass_on(self._encoding.encode(self._to_coder.finish()), None)
        end = -(-self._level_in.frames * SAMPLE_RATE_HZ // self._form.rate_hz)
        self._pass_on(self._encoding.finish(), end + self._encoding.lookahead_samples)
        self._concealed_samples = (
            self._line.concealed_samples()
            if isinstance(self._line, RtpLine)
            else self._line.counts.concealed_samples
        )
        self._hear(self._line.finish())
        self.excerpts.heard(self._heard_to_judge.finish()[:, 0])
        self._write(self._to_out.finish())

    def _pass_on(self, frames: Iterable[EncodedFrame], end: int | None) -> None:
        for frame in frames:
            self._packets += 1
            samples = (
                frame.duration_samples if end is None else min(frame.duration_samples, end - frame.timestamp)
            )
            if samples > 0:
                self._write_packet(frame, samples)
            sent_before = self._line.counts.sent
            self._hear(self._line.send(frame))
            sent = self._line.counts.sent > sent_before
            self._bitrate.take(len(frame.payload) if sent else 0, frame.duration_samples)

    def _hear(self, blocks: list[Samples]) -> None:
        for block in blocks:
            self.excerpts.heard(self._heard_to_judge.convert(block)[:, 0])
            self._write(self._to_out.convert(block))

    def _write(self, block: Samples) -> None:
        left_out = min(self._skip, len(block))
        self._skip -= left_out
        block = block[left_out:]
        if not self._wanted.line.through_rtp:
            longest = self._longest_out() - self._level_out.frames
            block = block[: max(longest, 0)]
        if len(block):
            self._level_out.take(block)
            self._write_sound(block)

    def _longest_out(self) -> int:
        """As long as what went in so far: the decoder is always behind it, and stops at its end."""
        return math.ceil(self._level_in.frames * self._wanted.heard.rate_hz / self._form.rate_hz)

    def figures(self, verdict: Verdict) -> RoundTripDone:
        """Return what is to be told."""
        wanted, counts, bitrate = self._wanted, self._line.counts, self._bitrate
        settings = wanted.coder.settings
        lookahead_ms = 1000 * self._encoding.lookahead_samples / SAMPLE_RATE_HZ
        rtp = wanted.line.through_rtp
        delays = verdict.heard_ms
        written = _written(wanted, self._level_out, self._out_channels, self._channels, self._duration_s)
        return RoundTripDone(
            input=file_read(wanted.source.path, self._form, self._level_in),
            output=written,
            path="rtp" if rtp else "direct",
            loss=wanted.line.loss,
            burst_packets=wanted.line.burst_packets,
            seed=wanted.line.seed,
            redundancy=settings.redundancy if rtp else "0",
            coding=coding_figures(wanted.coder, self._channels),
            packets=PacketFigures(
                encoded=self._packets,
                unsent=counts.unsent,
                sent=counts.sent,
                lost=counts.lost,
                recovered_by_fec=counts.recovered_by_fec,
                recovered_by_redundancy=counts.recovered_by_redundancy,
                concealed_ms=round(1000 * self._concealed_samples / SAMPLE_RATE_HZ, 1),
                mean_bytes=round(bitrate.payload_bytes / max(counts.sent, 1), 1),
                largest_bytes=bitrate.largest_bytes,
            ),
            bitrate=BitrateFigures(
                mean_bps=round(bitrate.mean_bps, 1),
                peak_bps=round(bitrate.peak_bps, 1),
                with_copies_bps=None
                if counts.bytes_with_copies is None
                else round(bitrate.of(counts.bytes_with_copies), 1),
            ),
            delay=DelayFigures(
                algorithmic_ms=settings.frame_ms + lookahead_ms,
                measured_ms=_rounded(
                    float(np.median(delays)) if delays else None if rtp else verdict.fitted_ms
                ),
                p95_ms=_rounded(float(np.percentile(delays, 95)) if delays else None),
            ),
            quality=verdict.quality,
        )

    @property
    def _duration_s(self) -> float:
        return self._level_in.frames / self._form.rate_hz


def _written(
    wanted: RoundTrip,
    level: LevelMeter,
    out_channels: int,
    coded_channels: int,
    duration_s: float,
) -> SoundFile:
    packets = holds_packets(wanted.out)
    return SoundFile(
        path=str(wanted.out),
        kind=kind_of(wanted.out),
        rate_hz=SAMPLE_RATE_HZ if packets else wanted.heard.rate_hz,
        channels=coded_channels if packets else out_channels,
        duration_s=round(duration_s if packets else level.frames / wanted.heard.rate_hz, 6),
        level_dbfs=level.level_dbfs,
        peak_dbfs=level.peak_dbfs,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)

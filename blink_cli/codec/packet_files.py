"""Files of Opus packets: made of sound or of another such file, and decoded.

encode_file   sound ──> Opus ──> .opus, .mp4
copy_packets  packets ──> another container, as they are
decode_file   packets ──> sound at any rate of Opus, one or two channels
"""

from pathlib import Path
from typing import Final

import numpy as np

from blink_cli.audio.opus.decoder import OpusDecoder
from blink_cli.audio.opus.library import library_version
from blink_cli.audio.samples import Samples
from blink_cli.codec.conversion import Conversion
from blink_cli.codec.encoding import FrameEncoding
from blink_cli.codec.figures import CodingFigures, PacketsDecoded, PacketsWritten, SoundFile
from blink_cli.codec.options import CoderOptions, HeardForm, Source
from blink_cli.codec.packet_reader import open_packets
from blink_cli.codec.rates import BitrateMeter, LevelMeter, share_done
from blink_cli.codec.sound_reader import file_read, open_sound
from blink_cli.codec.sound_writer import holds_packets, kind_of, packet_sink, require_writable, sound_sink
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import DeviceError, UsageError
from blink_cli.core.media.rtp import EncodedFrame
from blink_cli.core.progress import Progress
from blink_cli.core.text.path_text import shown

FEC_PERCENT: Final = 20
"""The loss for which in-band FEC in a file prepares: nobody knows the line that its packets will take."""


def coding_figures(coder: CoderOptions, channels: int) -> CodingFigures:
    """How sound is encoded, for people and scripts."""
    settings = coder.settings
    return CodingFigures(
        library=library_version(),
        bitrate_bps=settings.bitrate_bps,
        frame_ms=settings.frame_ms,
        bandwidth=settings.bandwidth,
        application=settings.application,
        rate_hz=coder.rate_hz,
        channels=channels,
        complexity=settings.complexity,
        fec=settings.fec,
        dtx=settings.dtx,
        cbr=settings.cbr,
    )


def encode_file(source: Source, out: Path, coder: CoderOptions, progress: Progress) -> PacketsWritten:
    """Encode a file of sound. Blocks.

    Raises:
        BlinkError: A file cannot be read or written. Nothing is left behind then.

    """
    _require_packets(out, source.path)
    with open_sound(source) as reader:
        form = reader.form
        channels = coder.channels or min(form.channels, 2)
        encoding = FrameEncoding(coder, channels)
        conversion = Conversion(form.rate_hz, form.channels, coder.rate_hz, channels)
        level, bitrate = LevelMeter(), BitrateMeter()
        carried = coder.settings.fec == "on"
        encoding.encoder.set_fec(FEC_PERCENT if carried else 0, enabled=carried)
        with packet_sink(out, channels, encoding.lookahead_samples) as write:
            for block in reader.blocks():
                level.take(block)
                for frame in encoding.encode(conversion.convert(block)):
                    bitrate.take(len(frame.payload), frame.duration_samples)
                    write(frame, frame.duration_samples)
                progress(share_done(level.frames, form.frames))
            end = -(-level.frames * SAMPLE_RATE_HZ // form.rate_hz) + encoding.lookahead_samples
            for frames in (encoding.encode(conversion.finish()), encoding.finish()):
                for frame in frames:
                    kept = min(frame.duration_samples, end - frame.timestamp)
                    if kept > 0:
                        bitrate.take(len(frame.payload), frame.duration_samples)
                        write(frame, kept)
    duration_s = round(level.frames / form.rate_hz, 6)
    return PacketsWritten(
        input=file_read(source.path, form, level),
        output=_packet_file(out, channels, duration_s),
        packets=bitrate.frames,
        mean_bps=round(bitrate.mean_bps, 1),
        peak_bps=round(bitrate.peak_bps, 1),
        pre_skip_samples=encoding.lookahead_samples,
        coding=coding_figures(coder, channels),
    )


def copy_packets(source: Path, out: Path, progress: Progress) -> PacketsWritten:
    """Put the packets of a file into another container. Blocks; raises as `encode_file`."""
    _require_packets(out, source)
    with open_packets(source) as reader:
        form = reader.form
        bitrate = BitrateMeter()
        kept = 0
        with packet_sink(out, form.channels, form.pre_skip) as write:
            for packet in reader.packets():
                if packet.duration_samples:
                    frame = EncodedFrame(packet.payload, bitrate.media_samples, packet.duration_samples)
                    write(frame, packet.kept_samples)
                    bitrate.take(len(packet.payload), packet.duration_samples)
                    kept += packet.kept_samples
                progress(share_done(kept, form.expected_samples))
        duration_s = round(max(kept - form.pre_skip, 0) / SAMPLE_RATE_HZ, 6)
    return PacketsWritten(
        input=_packet_file(source, form.channels, duration_s, form.kind),
        output=_packet_file(out, form.channels, duration_s),
        packets=bitrate.frames,
        mean_bps=round(bitrate.mean_bps, 1),
        peak_bps=round(bitrate.peak_bps, 1),
        pre_skip_samples=form.pre_skip,
        coding=None,
    )


def decode_file(source: Path, out: Path, heard: HeardForm, progress: Progress) -> PacketsDecoded:
    """Decode a file of Opus packets by libopus itself. Blocks; raises as `encode_file`."""
    require_writable(out, source)
    if holds_packets(out):
        raise UsageError(
            f"{shown(out)} would hold packets, and these are decoded.",
            hint="Write .wav, .flac or .raw; `blink codec ogg --copy` and `mp4 --copy` change the container.",
        )
    with open_packets(source) as reader:
        form = reader.form
        channels = heard.channels or form.channels
        decoder = OpusDecoder(rate_hz=heard.rate_hz, channels=channels)
        skip = form.pre_skip * heard.rate_hz // SAMPLE_RATE_HZ
        gain = np.float32(10 ** (form.gain_db / 20))
        level, bitrate = LevelMeter(), BitrateMeter()
        undecodable = kept = 0
        with sound_sink(out, heard.rate_hz, channels, heard.sample_format) as write:
            for packet in reader.packets():
                sound: Samples
                try:
                    sound = decoder.decode(packet.payload)
                except DeviceError:
                    undecodable += 1
                    sound = decoder.conceal(
                        (packet.duration_samples or 960) * heard.rate_hz // SAMPLE_RATE_HZ
                    )
                bitrate.take(len(packet.payload), packet.duration_samples)
                kept += packet.kept_samples
                sound = sound.reshape(-1, channels)[: packet.kept_samples * heard.rate_hz // SAMPLE_RATE_HZ]
                left_out = min(skip, len(sound))
                skip -= left_out
                sound = sound[left_out:] * gain
                level.take(sound)
                write(sound)
                progress(share_done(kept, form.expected_samples))
    return PacketsDecoded(
        input=_packet_file(
            source, form.channels, round(max(kept - form.pre_skip, 0) / SAMPLE_RATE_HZ, 6), form.kind
        ),
        output=SoundFile(
            path=str(out),
            kind=kind_of(out),
            rate_hz=heard.rate_hz,
            channels=channels,
            duration_s=round(level.frames / heard.rate_hz, 6),
            level_dbfs=level.level_dbfs,
            peak_dbfs=level.peak_dbfs,
        ),
        packets=bitrate.frames,
        undecodable=undecodable,
        mean_bps=round(bitrate.mean_bps, 1),
        peak_bps=round(bitrate.peak_bps, 1),
        pre_skip_samples=form.pre_skip,
        gain_db=form.gain_db,
        tracks=form.tracks,
    )


def _require_packets(out: Path, source: Path) -> None:
    require_writable(out, source)
    if not holds_packets(out):
        raise UsageError(
            f"{shown(out)} would hold sound and no packets.",
            hint="End its name with .opus or .mp4; `blink codec decode` and `roundtrip` write sound.",
        )


def _packet_file(path: Path, channels: int, duration_s: float, kind: str | None = None) -> SoundFile:
    return SoundFile(
        path=str(path),
        kind=kind or kind_of(path),
        rate_hz=SAMPLE_RATE_HZ,
        channels=channels,
        duration_s=duration_s,
        level_dbfs=None,
        peak_dbfs=None,
    )

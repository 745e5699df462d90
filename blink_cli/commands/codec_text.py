"""What the codec tool found, for people. Pure."""

from collections.abc import Sequence
from typing import Final

from blink_cli.codec.figures import (
    CodecInfo,
    CodingFigures,
    FeedbackDelay,
    FeedbackDone,
    LoudnessDone,
    PacketsDecoded,
    PacketsWritten,
    RoundTripDone,
    SoundFile,
    SoundPlayed,
    SoundRecorded,
)
from blink_cli.commands.names_shown import counted
from blink_cli.commands.show.chart import chart
from blink_cli.core.text.path_text import shown

_CHART_ROWS: Final = 12
_CHART_FLOOR: Final = -60.0


def round_trip_lines(done: RoundTripDone) -> list[str]:
    """Lines of what a round trip did."""
    coding, packets, bitrate, delay, quality = (
        done.coding,
        done.packets,
        done.bitrate,
        done.delay,
        done.quality,
    )
    lines = [
        f"in        {sound_text(done.input)}",
        f"codec     {coding_text(coding)}",
    ]
    if done.path == "rtp" or done.loss:
        way = f"RTP with redundancy {done.redundancy}" if done.path == "rtp" else "directly"
        bursts = f" in bursts of {done.burst_packets:g}" if done.burst_packets > 1 else ""
        lines.append(f"line      {way}, loss {100 * done.loss:g} %{bursts}, seed {done.seed}")
    repaired = [
        f"{count} from {of}"
        for count, of in ((packets.recovered_by_redundancy, "copies"), (packets.recovered_by_fec, "FEC"))
        if count
    ]
    lines += [
        f"packets   {packets.sent} sent of {packets.encoded}, {packets.mean_bytes:g} bytes on average, {packets.largest_bytes} at most"
        + (f", {packets.unsent} left out by DTX" if packets.unsent else ""),
        f"bit rate  {_rates_text(bitrate.mean_bps, bitrate.peak_bps)}"
        + (
            f", {bitrate.with_copies_bps / 1000:.1f} kb/s with copies and headers"
            if bitrate.with_copies_bps is not None
            else ""
        ),
    ]
    if packets.lost or packets.concealed_ms:
        lines.append(
            f"lost      {counted(packets.lost, 'packet')}"
            + (f", {', '.join(repaired)}" if repaired else "")
            + f", {packets.concealed_ms:g} ms made up"
        )
    found = "" if delay.measured_ms is None else f", {delay.measured_ms:.1f} ms found"
    late = "" if delay.p95_ms is None else f" (95 %: {delay.p95_ms:.1f} ms)"
    means = (
        " from mouth to ear, without devices"
        if done.path == "rtp"
        else " behind a frame, which OUT leaves out"
    )
    lines.append(f"delay     {delay.algorithmic_ms:g} ms by the codec{found}{late}{means if found else ''}")
    scores = [
        text
        for value, text in (
            (quality.snr_db, f"SNR {quality.snr_db} dB (waveform, aligned and scaled {quality.gain_db} dB)"),
            (quality.pesq_wb, f"PESQ-WB {quality.pesq_wb}"),
            (quality.visqol, f"ViSQOL {quality.visqol}"),
        )
        if value is not None
    ]
    if scores:
        lines.append(f"quality   {', '.join(scores)}; over {quality.judged_s:g} s")
    lines.append(f"out       {sound_text(done.output)}")
    return lines


def written_lines(done: PacketsWritten) -> list[str]:
    """Lines of a file of packets that was made."""
    coded = [f"codec     {coding_text(done.coding)}"] if done.coding else []
    return [
        f"in        {sound_text(done.input)}",
        *coded,
        f"packets   {done.packets}, {_rates_text(done.mean_bps, done.peak_bps)}; pre-skip {done.pre_skip_samples} samples",
        f"out       {sound_text(done.output)}",
    ]


def decoded_lines(done: PacketsDecoded) -> list[str]:
    """Lines of a file of packets that was decoded."""
    bad = f", {done.undecodable} were no Opus and are made up" if done.undecodable else ""
    gain = f", gain {done.gain_db:+g} dB" if done.gain_db else ""
    return [
        f"in        {sound_text(done.input)}",
        f"packets   {done.packets}, {_rates_text(done.mean_bps, done.peak_bps)}; pre-skip {done.pre_skip_samples} samples{gain}{bad}",
        f"out       {sound_text(done.output)}",
    ]


def loudness_lines(done: LoudnessDone, over_time: Sequence[float | None] | None, columns: int) -> list[str]:
    """Lines of how loud a file is, with a chart where it is wanted."""
    heard = done.method == "bs1770"
    figures = (
        ("integrated", done.integrated_lufs, "LUFS"),
        ("range", done.range_lu, "LU"),
        ("momentary at most", done.highest_momentary_lufs, "LUFS"),
        ("short-term at most", done.highest_short_term_lufs, "LUFS"),
        ("true peak", done.true_peak_dbtp, "dBTP"),
    )
    known = [f"{name} {value:.1f} {unit}" for name, value, unit in figures if value is not None]
    lines = [
        f"in        {sound_text(done.input)}",
        f"loudness  {', '.join(known) if known else 'nothing is heard'}",
    ]
    if over_time is not None:
        what = "momentary loudness, LUFS" if heard else "RMS of 0.1 s, dBFS"
        mark = done.integrated_lufs if heard else done.input.level_dbfs
        lines.append(f"{what}; dashes: all of it")
        lines += chart(
            over_time,
            duration_s=done.input.duration_s,
            columns=columns,
            rows=_CHART_ROWS,
            lowest=_CHART_FLOOR,
            highest=0.0,
            mark=mark,
        )
    return lines


def feedback_lines(done: FeedbackDone) -> list[str]:
    """Lines of what was heard through the codec."""
    packets = done.packets
    rate = "" if done.mean_bps is None else f", {done.mean_bps / 1000:.1f} kb/s"
    repaired = "".join(
        f", {count} from {of}"
        for count, of in ((packets.recovered_by_redundancy, "copies"), (packets.recovered_by_fec, "FEC"))
        if count
    )
    lines = [
        f"devices   {shown(done.input)} to {shown(done.output)}, {done.seconds:.1f} s",
        f"codec     {coding_text(done.coding)}",
        f"level     {done.loudest_dbov} dBov at most"
        + (f", cut off in {counted(done.clipped_frames, 'frame')}" if done.clipped_frames else ""),
        f"packets   {packets.sent} sent{rate}"
        + (f", {packets.unsent} left out by DTX" if packets.unsent else "")
        + (f", {packets.lost} lost{repaired}" if packets.lost else "")
        + (f", {packets.concealed_ms:g} ms made up" if packets.concealed_ms else ""),
        f"delay     {delay_text(done.delay)}",
    ]
    if done.capture_gaps or done.unheard_ms:
        lines.append(
            f"devices   {counted(done.capture_gaps, 'gap')} of the microphone, {done.unheard_ms:g} ms not taken by the speaker"
        )
    return lines


def delay_text(delay: FeedbackDelay) -> str:
    """A delay and its parts."""
    return (
        f"{delay.total_ms:.0f} ms: microphone {delay.input_ms:g}, codec {delay.codec_ms:g}, playout {delay.playout_ms:g},"
        f" speaker {delay.output_ms:g}"
    )


def recorded_lines(done: SoundRecorded) -> list[str]:
    """Lines of a recording."""
    gaps = f"; {counted(done.gaps, 'gap')}, {done.missing_ms:g} ms missing" if done.gaps else ""
    return [f"in        {shown(done.input)}{gaps}", f"out       {sound_text(done.output)}"]


def played_lines(done: SoundPlayed) -> list[str]:
    """Lines of what was played."""
    lost = f", {done.lost_ms:g} ms were not there in time" if done.lost_ms else ""
    return [
        f"in        {sound_text(done.input)}",
        f"out       {shown(done.output)}, {done.seconds:.2f} s, {done.latency_ms:.0f} ms late by the system{lost}",
    ]


def info_lines(found: CodecInfo) -> list[str]:
    """Lines of what Opus can be asked for."""
    rates = [str(rate) for rate in found.rates_hz]
    return [
        f"library   {found.library}, {shown(found.library_path)}",
        f"bit rate  {found.lowest_bitrate_bps} to {found.highest_bitrate_bps} b/s of payload",
        f"bandwidth {', '.join(f'{one.name} {one.up_to_hz / 1000:g} kHz ({one.opus})' for one in found.bandwidths)}, or auto",
        f"for       {', '.join(found.applications)}",
        f"samples   of files {', '.join(found.sample_formats)}; of files without a header little-endian and interleaved",
        f"frames    in samples at{''.join(f'{rate:>7}' for rate in rates)}",
        *(
            f"{one.frame_ms:>10g} ms {'' if one.fec else 'no FEC':<9}"
            + "".join(f"{one.samples[rate]:>7}" for rate in rates)
            for one in found.frames
        ),
        *(
            f"{one.name:<9} {one.what}: {'installed' if one.installed else f'not installed: `{one.install}`'}"
            for one in found.extras
        ),
    ]


def coding_text(coding: CodingFigures) -> str:
    """How it was encoded, in a line."""
    switches = [
        name for name, on in (("FEC", coding.fec == "on"), ("DTX", coding.dtx), ("CBR", coding.cbr)) if on
    ]
    parts = [
        coding.library,
        coding.application,
        f"{coding.bitrate_bps / 1000:g} kb/s",
        f"{coding.frame_ms:g} ms frames",
        f"bandwidth {coding.bandwidth}",
        f"{counted(coding.channels, 'channel')} at {coding.rate_hz} Hz",
        f"complexity {coding.complexity}",
    ]
    return ", ".join(parts + switches)


def _rates_text(mean_bps: float, peak_bps: float) -> str:
    return f"{mean_bps / 1000:.1f} kb/s on average, {peak_bps / 1000:.1f} kb/s at most over a second"


def sound_text(sound: SoundFile) -> str:
    """A file in a line."""
    levels = [] if sound.level_dbfs is None else [f"{sound.level_dbfs:.1f} dBFS"]
    levels += [] if sound.peak_dbfs is None else [f"peak {sound.peak_dbfs:.1f}"]
    return ", ".join(
        [
            f"{shown(sound.path)}: {sound.kind}",
            f"{sound.rate_hz} Hz",
            counted(sound.channels, "channel"),
            f"{sound.duration_s:.2f} s",
            *levels,
        ]
    )

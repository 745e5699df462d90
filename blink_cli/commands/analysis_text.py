"""An analysis for those who read and do not parse: one paragraph for each stream."""

from collections.abc import Iterator
from itertools import dropwhile

from blink_cli.commands.impairment_text import IMPAIRED
from blink_cli.commands.labelled_lines import labelled
from blink_cli.commands.names_shown import counted, duration_text, short_call
from blink_cli.commands.video_analysis_text import video_lines
from blink_cli.core.analysis.e_model import QualityEstimate
from blink_cli.core.analysis.figures import (
    InboundFigures,
    OutboundFigures,
    RoundTripFigures,
)
from blink_cli.core.analysis.log_figures import LogFigures
from blink_cli.core.analysis.loss_pattern import LossFigures
from blink_cli.core.identity.shown_name import printable, short_did
from blink_cli.core.text.path_text import shown


def analysis_lines(found: LogFigures) -> Iterator[str]:
    """Return the lines of a whole log."""
    call = f"call {printable(short_call(found.call))}" if found.call else "a call"
    began = f" from {printable(found.begun)}" if found.begun else ""
    yield f"{shown(found.path)}: {call}{began}, {duration_text(found.duration_s)}, {counted(found.rows, 'row')}"
    # What ends before anything began says nothing.
    for impairment in dropwhile(lambda text: text == "nothing", found.impairments):
        yield f"{IMPAIRED}: {printable(impairment)}"
    if not found.streams and not found.video_streams:
        yield "the log holds no packets"
    if found.streams_omitted:
        yield f"{counted(found.streams_omitted, 'stream')} of before are left out: there are too many"
    doubts = set()
    for stream in found.streams:
        yield ""
        arrow = "from" if stream.direction == "received" else "to"
        if stream.inbound is not None:
            yield f"{arrow} {printable(short_did(stream.peer))}, SSRC {stream.inbound.ssrc:08x}, {duration_text(stream.inbound.duration_s)}"
            yield from inbound_lines(stream.inbound)
            if stream.inbound.quality is not None:
                doubts.add((stream.inbound.quality.model, stream.inbound.quality.note))
        if stream.outbound is not None:
            yield f"{arrow} {printable(short_did(stream.peer))}, SSRC {stream.outbound.ssrc:08x}, {duration_text(stream.outbound.duration_s)}"
            yield from outbound_lines(stream.outbound)
    for pictures in found.video_streams:
        yield ""
        yield from video_lines(pictures)
    for model, note in sorted(doubts):
        yield ""
        yield f"R and MOS: {model}. {note}"


def inbound_lines(f: InboundFigures) -> Iterator[str]:
    """Return the lines of one received stream."""
    extra = f", {f.restarts} restarts" if f.restarts else ""
    again = (
        f" of which {f.packets_retransmitted} came again when asked for" if f.packets_retransmitted else ""
    )
    yield labelled(
        "packets",
        f"{f.packets_received} of {f.packets_expected}, lost {f.packets_lost} ({_share(f.loss.share)}){again}, "
        f"duplicated {f.packets_duplicated}, reordered {f.packets_reordered}{extra}",
    )
    if f.loss.lost:
        yield labelled("loss", _pattern(f.loss))
    if f.repair is not None:
        r = f.repair
        yield labelled(
            "playout",
            f"played {r.played}, recovered {r.recovered}, late {r.late}, discarded {r.discarded}, "
            f"missing after repair {r.missing.lost} ({_share(r.missing.share)})",
        )
        if r.missing.lost:
            yield labelled("missing", _pattern(r.missing))
    if f.concealed_share is not None:
        yield labelled("concealment", f"{f.concealed_share:.2%} of the sound")
    if f.jitter_ms is not None and f.mean_jitter_ms is not None and f.max_jitter_ms is not None:
        yield labelled(
            "jitter", f"{f.jitter_ms:.3f} ms, mean {f.mean_jitter_ms:.3f} ms, max {f.max_jitter_ms:.3f} ms"
        )
    else:
        yield labelled("jitter", "not known: nothing tells the clock rate of its timestamps")
    yield labelled("delta", f"mean {f.mean_delta_ms:.3f} ms, max {f.max_delta_ms:.3f} ms")
    drift = "not known: 20 s at least are needed"
    if f.clock_drift is not None:
        d = f.clock_drift
        drift = f"{d.ppm:+.1f} ppm (95 %: {d.low_ppm:+.1f} to {d.high_ppm:+.1f})"
    yield labelled("clock drift", drift)
    if f.skew_ms is not None and f.max_skew_ms is not None:
        yield labelled("skew", f"{f.skew_ms:+.3f} ms, largest {f.max_skew_ms:+.3f} ms")
    if f.buffer_delay_ms is not None and f.max_buffer_delay_ms is not None:
        yield labelled("buffer", f"mean {f.buffer_delay_ms:.1f} ms, max {f.max_buffer_delay_ms:.1f} ms")
    yield labelled("round trip", _round_trip(f.round_trip))
    if f.sending_delay_ms is not None:
        yield labelled("sending", f"{f.sending_delay_ms:.1f} ms from the sender's microphone to its network")
    if f.mean_level_dbov is not None:
        yield labelled("level", f"{f.mean_level_dbov:.1f} dBov")
    if f.quality is not None:
        yield labelled("quality", quality_text(f.quality))


def outbound_lines(f: OutboundFigures) -> Iterator[str]:
    """Return the lines of one sent stream."""
    rate = "-" if f.bitrate_bps is None else f"{f.bitrate_bps / 1000:.1f} kb/s"
    yield labelled(
        "packets",
        f"{f.packets_sent} sent, {rate}, {f.mean_redundancy:.2f} copies each, every {f.mean_interval_ms:.3f} ms, max {f.max_interval_ms:.3f} ms",
    )
    if f.reported is not None:
        r = f.reported
        yield labelled(
            "far end",
            f"lost {r.packets_lost}, last report {r.fraction_lost:.1%}, worst {r.max_fraction_lost:.1%}, "
            f"jitter {r.jitter_ms:.3f} ms, max {r.max_jitter_ms:.3f} ms, {r.reports} reports",
        )
    yield labelled("round trip", _round_trip(f.round_trip))


def quality_text(quality: QualityEstimate) -> str:
    """Return an estimate with what went into it."""
    inputs = ", ".join(f"{name} {value:g}" for name, value in quality.inputs.items())
    return f"MOS {quality.mos:.2f}, R {quality.r:.1f} ({inputs})"


def _pattern(f: LossFigures) -> str:
    runs = ", ".join(f"{count} x {length}" for length, count in f.runs.items())
    text = f"runs {runs}"
    if f.burst_ratio is not None:
        text += f"; burst ratio {f.burst_ratio:.2f}"
    if f.burst_density is not None and f.burst_duration_ms is not None:
        text += f"; {f.bursts} bursts of {f.burst_duration_ms:.0f} ms with {f.burst_density:.0%} lost"
    if f.gap_density is not None and f.gap_duration_ms is not None:
        text += f"; gaps of {f.gap_duration_ms:.0f} ms with {f.gap_density:.2%} (Gmin {f.gmin_packets})"
    return text


def _round_trip(f: RoundTripFigures | None) -> str:
    if f is None:
        return "not measured"
    return f"mean {f.mean_ms:.1f} ms, max {f.max_ms:.1f} ms, {f.measurements} measurements"


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.2%}"

"""An analysis of pictures for those who read and do not parse: a paragraph for each stream."""

from collections.abc import Iterator

from blink_cli.commands.labelled_lines import labelled
from blink_cli.commands.names_shown import duration_text
from blink_cli.core.analysis.video_figures import (
    FeedbackFigures,
    InboundVideoFigures,
    OutboundVideoFigures,
    VideoStreamFigures,
)
from blink_cli.core.identity.shown_name import printable, short_did


def video_lines(stream: VideoStreamFigures) -> Iterator[str]:
    """Return the lines of one stream."""
    figures = stream.inbound or stream.outbound
    assert figures is not None, "a stream has one direction"
    arrow = "from" if stream.direction == "received" else "to"
    yield (
        f"pictures {arrow} {printable(short_did(stream.peer))}, SSRC {figures.ssrc:08x}, "
        f"{duration_text(figures.duration_s)}"
    )
    yield from _inbound(figures) if isinstance(figures, InboundVideoFigures) else _outbound(figures)


def _inbound(f: InboundVideoFigures) -> Iterator[str]:
    share = f.packets_lost / f.packets_expected if f.packets_expected else 0.0
    yield labelled(
        "packets",
        f"{f.packets_received} of {f.packets_expected}, lost {f.packets_lost} ({share:.2%}), "
        f"of these came again {f.packets_repaired}, reordered {f.packets_reordered}, {_rate(f.bitrate_bps)}",
    )
    yield labelled(
        "frames",
        f"{_frames(f.frames_received, f.key_frames_received, f.frames_per_second)}, incomplete {f.frames_incomplete}, "
        f"longest interval {f.max_frame_interval_ms:.0f} ms",
    )
    yield labelled(
        "jitter", f"{f.jitter_ms:.3f} ms, mean {f.mean_jitter_ms:.3f} ms, max {f.max_jitter_ms:.3f} ms"
    )
    yield labelled("asked for", _feedback(f.feedback))


def _outbound(f: OutboundVideoFigures) -> Iterator[str]:
    yield labelled(
        "packets", f"{f.packets_sent} sent, {f.retransmitted_packets_sent} again, {_rate(f.bitrate_bps)}"
    )
    yield labelled(
        "frames",
        f"{_frames(f.frames_sent, f.key_frames_sent, f.frames_per_second)}, longest interval {f.max_frame_interval_ms:.0f} ms",
    )
    yield labelled("asked for", _feedback(f.feedback))
    if f.reported is not None:
        r = f.reported
        yield labelled(
            "far end",
            f"lost {r.packets_lost}, last report {r.fraction_lost:.1%}, worst {r.max_fraction_lost:.1%}, "
            f"jitter {r.jitter_ms:.3f} ms, {r.reports} reports",
        )
    if f.round_trip is not None:
        yield labelled("round trip", f"mean {f.round_trip.mean_ms:.1f} ms, max {f.round_trip.max_ms:.1f} ms")


def _frames(count: int, keys: int, per_second: float | None) -> str:
    pace = "" if per_second is None else f", {per_second:.1f} a second"
    return f"{count} complete{pace}, key frames {keys}"


def _rate(bitrate_bps: float | None) -> str:
    return "-" if bitrate_bps is None else f"{bitrate_bps / 1000:.1f} kb/s"


def _feedback(f: FeedbackFigures) -> str:
    return f"{f.packets_requested} packets in {f.nack_count} NACK; key frames by {f.pli_count} PLI, {f.fir_count} FIR"

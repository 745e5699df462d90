"""A load as lines of text. Pure."""

from collections.abc import Iterator
from typing import Final

from blink_cli.core.identity.shown_name import shown_name
from blink_cli.lab.load.load_report import LoadReport, Percentiles
from blink_cli.lab.load.load_run import LoadProgress

ENDED: Final = {
    "time": "the time was up",
    "interrupted": "interrupted",
    "peers_left": "every peer had left",
}


def progress_text(progress: LoadProgress) -> str:
    """Say how it stands, in one short line."""
    connected = f"{progress.links_connected} of {progress.links_wanted} connected"
    if progress.seconds is None:
        return connected
    delay = "" if progress.delay_ms is None else f", delay {progress.delay_ms:.1f} ms"
    return (
        f"{progress.seconds:.0f} s: {connected}, sent {progress.packets_sent}, received {progress.packets_received},"
        f" lost {progress.packets_lost}{delay}"
    )


def load_lines(report: LoadReport) -> Iterator[str]:
    """Tell what came of it: everything together, then each participant's link in a line."""
    total = report.total
    yield (
        f"{len(report.participants)} participants spoke for {report.seconds:.1f} s: {ENDED[report.ended]};"
        f" {total.links_connected} of {total.links_wanted} connections stood at the end"
    )
    sent, got = total.sent, total.received
    yield (
        f"sent      {sent.packets} packets; the other side reports lost {_count(sent.reported_lost)} ({_percent(sent.reported_loss)}),"
        f" jitter up to {_ms(sent.reported_jitter_ms)}"
    )
    yield (
        f"received  {got.packets} packets; lost {got.packets_lost} ({_percent(got.loss)}), twice {got.packets_duplicated},"
        f" out of order {got.packets_reordered}, jitter up to {_ms(got.max_jitter_ms)}"
    )
    yield f"interval  {_spread(got.interval_ms)}"
    yield f"round     {_spread(total.delays.round_trip_ms)}"
    if total.delays.why is None:
        yield f"to them   {_spread(total.delays.sent_ms)}"
        yield f"to here   {_spread(total.delays.received_ms)}"
    else:
        yield f"one way   not known: {total.delays.why}"
    yield f"set-up    {_spread(total.setup_ms)}"
    yield f"own part  {_percent(report.process.cpu)} of a processor; sent late {_spread(report.process.send_late_ms)}"
    for participant in report.participants:
        for link in participant.links:
            yield (
                f"{participant.nickname:8} to {shown_name(link.nickname, link.peer)}: sent {link.sent.packets}, reported lost {_count(link.sent.reported_lost)};"
                f" received {link.received.packets}, lost {link.received.packets_lost},"
                f" jitter {_ms(link.received.jitter_ms)}{'' if link.connected else '; not connected at the end'}"
            )
        if not participant.links:
            yield f"{participant.nickname:8} had no connection"


def _spread(figures: Percentiles | None) -> str:
    if figures is None:
        return "not known"
    return (
        f"median {figures.p50:.1f} ms, 95 % {figures.p95:.1f}, 99 % {figures.p99:.1f}, most {figures.max:.1f}"
    )


def _count(count: int | None) -> str:
    return "-" if count is None else str(count)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f} %"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} ms"

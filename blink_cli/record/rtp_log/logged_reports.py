"""Reports as a log has them."""

from blink_cli.core.media.rtp import ReceptionReport
from blink_cli.record.rtp_log.format import LogRow


def reception_report(row: LogRow) -> ReceptionReport:
    """The report of a row."""
    return ReceptionReport(
        ssrc=row.ssrc,
        fraction_lost=row.fraction_lost,
        packets_lost=row.packets_lost,
        highest_sequence=row.sequence or 0,
        jitter_s=row.jitter_ms / 1000,
        arrival_s=row.time_s,
        rtt_s=None if row.rtt_ms is None else row.rtt_ms / 1000,
    )

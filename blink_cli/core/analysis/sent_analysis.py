"""One stream as it leaves, and what its receiver says of it."""

from blink_cli.core.analysis.figures import OutboundFigures, ReportedFigures, RoundTripFigures
from blink_cli.core.media.rtp import ReceptionReport


class SentAnalysis:
    """One SSRC to one peer. Not thread-safe; time comes in."""

    __slots__ = (
        "_begun_s",
        "_bytes",
        "_copies",
        "_gap_max_s",
        "_gap_sum_s",
        "_gaps",
        "_last_report",
        "_last_s",
        "_max_fraction",
        "_max_jitter_s",
        "_packets",
        "_paused",
        "_reports",
        "_unseen_s",
        "ssrc",
    )

    def __init__(self, ssrc: int) -> None:
        """Begin with the stream's first packet."""
        self.ssrc = ssrc
        self._begun_s = 0.0
        self._last_s = 0.0
        self._packets = 0
        self._bytes = 0
        self._copies = 0
        self._gap_sum_s = 0.0
        self._gap_max_s = 0.0
        self._gaps = 0
        self._paused = True
        self._unseen_s = 0.0
        self._last_report: ReceptionReport | None = None
        self._reports = 0
        self._max_fraction = 0.0
        self._max_jitter_s = 0.0

    def packet(self, sent_s: float, payload_bytes: int, redundancy: int, *, marker: bool) -> None:
        """Count one packet that went out at this monotonic time."""
        if not self._packets:
            self._begun_s = sent_s
        elif self._paused:
            self._unseen_s += max(sent_s - self._last_s, 0.0)
        if not marker and not self._paused:
            gap_s = sent_s - self._last_s
            self._gap_sum_s += gap_s
            self._gaps += 1
            self._gap_max_s = max(self._gap_max_s, gap_s)
        self._paused = False
        self._packets += 1
        self._bytes += payload_bytes
        self._copies += redundancy
        self._last_s = sent_s

    def reported(self, report: ReceptionReport) -> None:
        """Take the receiver's report of this stream."""
        self._last_report = report
        self._reports += 1
        self._max_fraction = max(self._max_fraction, report.fraction_lost)
        self._max_jitter_s = max(self._max_jitter_s, report.jitter_s)

    def interrupted(self) -> None:
        """Nobody watched for a while."""
        self._paused = True

    def figures(self, round_trip: RoundTripFigures | None = None) -> OutboundFigures:
        """Everything, up to now."""
        duration_s = round(max(self._last_s - self._begun_s - self._unseen_s, 0.0), 6)
        report = self._last_report
        return OutboundFigures(
            ssrc=self.ssrc,
            duration_s=duration_s,
            packets_sent=self._packets,
            payload_bytes=self._bytes,
            bitrate_bps=round(8 * self._bytes / duration_s) if duration_s > 0 else None,
            mean_redundancy=round(self._copies / self._packets, 3) if self._packets else 0.0,
            mean_interval_ms=round(1000 * self._gap_sum_s / self._gaps, 6) if self._gaps else 0.0,
            max_interval_ms=round(1000 * self._gap_max_s, 6),
            reported=None
            if report is None
            else ReportedFigures(
                reports=self._reports,
                packets_lost=report.packets_lost,
                fraction_lost=report.fraction_lost,
                max_fraction_lost=self._max_fraction,
                jitter_ms=round(1000 * report.jitter_s, 6),
                max_jitter_ms=round(1000 * self._max_jitter_s, 6),
            ),
            round_trip=round_trip,
        )

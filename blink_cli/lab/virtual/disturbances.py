"""Who damaged a voice, in virtual time: asked of the same meters and of the same finder as in a session (`app/media/quality_watch.py`)."""

from typing import Final

from blink_cli.app.media.quality_watch import OPENING_READINGS
from blink_cli.core.analysis.arrival_meter import ArrivalMeter
from blink_cli.core.analysis.culprit import CulpritFinder, Disturbance, Evidence
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.media.rtp import RtpPacket
from blink_cli.core.media.side_health import SideHealth

READING_S: Final = 1.0


class Disturbances:
    """Of one voice at one listener, for as long as a link lasts."""

    def __init__(self, now_s: float, concealed_samples: int) -> None:
        """Begin, when so much of the voice has been made up."""
        self._arrivals = ArrivalMeter()
        self._finder = CulpritFinder()
        self._concealed_samples = concealed_samples
        self._readings = 0
        self._read_at = now_s + READING_S

    def packet(self, packet: RtpPacket) -> None:
        """Take one that came."""
        self._arrivals.packet(packet)

    def look(
        self, now_s: float, concealed_samples: int, own: SideHealth, other: SideHealth
    ) -> Disturbance | None:
        """Take a reading if a second is over; return what is new."""
        if now_s < self._read_at:
            return None
        self._read_at = now_s + READING_S
        before, self._concealed_samples = self._concealed_samples, concealed_samples
        arrivals = self._arrivals.read()
        self._readings += 1
        if self._readings <= OPENING_READINGS:
            return None
        return self._finder.update(
            Evidence(
                damage_ms=1000 * max(concealed_samples - before, 0) / SAMPLE_RATE_HZ,
                packets_lost=arrivals.packets_lost,
                packets_expected=arrivals.packets_expected,
                frame_ms=arrivals.frame_ms,
                held_ms=arrivals.held_ms,
                jumped_ms=arrivals.jumped_ms,
                own=own,
                other=other,
            )
        )

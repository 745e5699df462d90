"""How this side does, for those who ask whose fault it is when a voice is damaged: oneself, and the peers, who are told.

lateness of the event loop and the voice threads, what microphone and speaker lost --ten times a second--> HealthMeter --> health
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blink_cli.app.media.voice_path import VoicePath
from blink_cli.core.analysis.health_meter import HealthMeter, SideReading
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.media.side_health import WELL, SideHealth

if TYPE_CHECKING:
    from blink_cli.audio.sink_mixer import MixerStatistics
    from blink_cli.audio.source_track import SourceStatistics


class SideWatch:
    """Belongs to the event loop; used while media run."""

    def __init__(self, voice: VoicePath) -> None:
        self._voice = voice
        self._meter = HealthMeter()
        self.health: SideHealth = WELL
        """Of the last seconds."""

    def begin(self) -> None:
        """Media begin."""
        self._meter = HealthMeter()
        self.health = WELL

    def look(
        self,
        source: SourceStatistics | None,
        mixer: MixerStatistics | None,
        loop_late_s: float,
        now_s: float,
    ) -> None:
        """Take a reading of microphone and speaker; the event loop's timer was so late."""
        late_steps = missing = unheard = 0
        if source is not None:
            late_steps += source.lateness.over_10_ms
            missing = source.missing_samples
        if mixer is not None:
            late_steps += mixer.lateness.over_10_ms
            rate_hz = self._voice.output_device.parameters.sample_rate_hz
            unheard = mixer.unheard_samples + mixer.reading.lost_frames * SAMPLE_RATE_HZ // rate_hz
        self.health = self._meter.update(
            SideReading(
                loop_late_ms=1000 * loop_late_s,
                late_steps=late_steps,
                missing_samples=missing,
                unheard_samples=unheard,
            ),
            now_s,
        )

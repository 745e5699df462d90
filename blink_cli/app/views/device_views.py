"""Microphone and speakers, as they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blink_cli.app.media.channel_teller import soft_reason
from blink_cli.core.api.replies.devices import (
    CaptureFigures,
    DeviceAt,
    DeviceFigures,
    InputChannels,
    MixFigures,
)
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_MS

if TYPE_CHECKING:
    from blink_cli.audio.channel_reading import ChannelReading
    from blink_cli.audio.devices.interface import DevicePlace, InputDevice, OutputDevice
    from blink_cli.audio.sink_mixer import MixerStatistics
    from blink_cli.audio.source_track import SourceStatistics


def capture_figures(source: SourceStatistics | None) -> CaptureFigures | None:
    """How whole the microphone's sound is; None while no media run."""
    if source is None:
        return None
    last = source.recent_gaps[-1] if source.recent_gaps else None
    return CaptureFigures(
        gaps=source.gaps,
        missing_s=round(source.missing_samples / SAMPLE_RATE_HZ, 4),
        late_s=round(source.late_samples / SAMPLE_RATE_HZ, 4),
        last_gap_at_s=None if last is None else round(last.began_at, 4),
        last_gap_s=None if last is None else round(last.missing_s, 4),
        channels=None if source.channels is None else _channels(source.device, source.channels),
        clipped_frames=source.clipped_frames,
        frames=source.captured_frames,
    )


def mix_figures(mixer: MixerStatistics | None) -> MixFigures | None:
    """Whether everybody together is too loud; None while no media run."""
    if mixer is None:
        return None
    return MixFigures(
        limited_s=seconds_of_ticks(mixer.limited_blocks),
        limited_now_db=round(mixer.limited_now_db, 1),
        deep_concealed_s=round(mixer.deep_samples / SAMPLE_RATE_HZ, 3),
        deep_refused_s=round(mixer.deep_refused_samples / SAMPLE_RATE_HZ, 3),
    )


def device_figures(
    device: InputDevice | OutputDevice, figures: SourceStatistics | MixerStatistics
) -> DeviceFigures:
    """A device and the thread that serves it."""
    reading = figures.reading
    return DeviceFigures(
        device=device.parameters.name,
        latency_ms=round(1000 * reading.latency_s, 3),
        lost_ms=round(1000 * reading.lost_frames / device.parameters.sample_rate_hz, 3),
        late_ticks=figures.lateness.over_10_ms,
        lateness_p99_ms=figures.lateness.p99_ms,
    )


def device_at(place: DevicePlace | None) -> DeviceAt | None:
    """The sound server's device that is used; None of one that is not the server's."""
    if place is None:
        return None
    port = None if place.port is None else place.port.description or place.port.name
    return DeviceAt(name=place.name, description=place.description, port=port)


def seconds_of_ticks(ticks: int) -> float:
    """How long so many ticks of the playout take."""
    return round(ticks * TICK_MS / 1000, 2)


def _channels(device: str, reading: ChannelReading) -> InputChannels:
    return InputChannels(
        channels=reading.channels,
        chosen=reading.chosen,
        loudest=reading.loudest,
        below_db=reading.below_db,
        warning=soft_reason(device, reading) if reading.soft else None,
    )

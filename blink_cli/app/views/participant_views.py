"""Parts of a participant that several replies show: its loudness, the way its audio goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blink_cli.core.api.replies.loudness import Loudness
from blink_cli.core.api.replies.paths import MediaPath, RefusedInRoom, RelayUse
from blink_cli.net.ice.ice_servers import CHANNEL_DATA_BYTES

if TYPE_CHECKING:
    from blink_cli.app.media.mesh_media import MeshMedia
    from blink_cli.app.media.participant_media import ParticipantMedia
    from blink_cli.audio.loudness.live_loudness import LoudnessReading


def loudness_of(entry: ParticipantMedia) -> Loudness | None:
    """How loud its voice is as it comes; None while it is not played."""
    return None if entry.sink is None else shown_loudness(entry.loudness.now())


def shown_loudness(reading: LoudnessReading) -> Loudness:
    """A reading as it is shown."""
    return Loudness(
        momentary_lufs=_rounded(reading.momentary_lufs),
        short_term_lufs=_rounded(reading.short_term_lufs),
        integrated_lufs=_rounded(reading.integrated_lufs),
    )


def _rounded(lufs: float | None) -> float | None:
    return None if lufs is None else round(lufs, 2)


def refused_in_room(media: MeshMedia) -> RefusedInRoom:
    """What came through the call's rooms, and was not opened."""
    refused = media.room.refused.counters
    return RefusedInRoom(refused.malformed, refused.of_unknown_key, refused.forged, refused.replayed)


def media_path(entry: ParticipantMedia | None, media: MeshMedia) -> MediaPath | None:
    """The way that its audio goes; None while no link to it stands, and it is in no room with us."""
    if entry is not None and entry.room is not None and entry.source is entry.room:
        return MediaPath("sfu", media.room.remote_host)
    if entry is None or entry.link is None or not entry.connected or (way := entry.link.way) is None:
        return None
    relay = None
    if way.relay_url is not None:
        rtt_ms = media.relay_rtt_ms()
        relay = RelayUse(way.relay_url, None if rtt_ms is None else round(rtt_ms, 1), CHANNEL_DATA_BYTES)
    return MediaPath(way.kind, way.remote[0].partition("%")[0], relay)

"""What is known of the call at one look, besides the snapshot of the session."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from blink_cli.commands.call_history import Trend
from blink_cli.core.api.replies.calls import Mesh
from blink_cli.core.api.replies.loudness import VoiceLevel
from blink_cli.core.api.replies.statistics import RtpStatistics
from blink_cli.core.ids import Did


@dataclass(frozen=True, slots=True, eq=False)
class CallFigures:
    """What is asked for twice a second. Two are equal if they are the same: what is drawn of one can be kept."""

    statistics: RtpStatistics | None = None
    trends: Mapping[Did, Trend] = field(default_factory=dict)
    mesh: Mesh | None = None
    """None: nobody asked for it."""


NO_FIGURES = CallFigures()


class CallReadings(msgspec.Struct, frozen=True):
    """All of one call, or nothing."""

    figures: CallFigures = NO_FIGURES
    levels: Mapping[Did, VoiceLevel] = msgspec.field(default_factory=dict)
    """Asked for several times a second."""


NOTHING_READ = CallReadings()

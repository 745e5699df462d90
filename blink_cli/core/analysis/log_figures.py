"""What `rtp-analyze --json` says of a whole log."""

import msgspec

from blink_cli.core.analysis.figures import StreamFigures
from blink_cli.core.analysis.video_figures import VideoStreamFigures


class LogFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A whole log. What `rtp-analyze --json` prints, with `schema`."""

    path: str
    call: str | None
    begun: str | None
    """Wall time of the first row, ISO 8601, UTC."""

    duration_s: float
    """From its first row to its last, pauses included."""

    rows: int
    rows_unreadable: int
    """Left out: cut off, or changed by hand."""

    rows_lost: int
    """That the log itself says are missing. Losses are not counted across them."""

    pauses: int
    streams: tuple[StreamFigures, ...]
    impairments: tuple[str, ...] = ()
    """What was impaired on purpose meanwhile, in the words of `impair`; `nothing` where it ended."""

    streams_omitted: int = 0
    """That there were before these: a log that claims to have thousands is told in part."""

    video_streams: tuple[VideoStreamFigures, ...] = ()
    """Of pictures."""

"""Why a track has no sound of its own somewhere: the gaps of one track, in samples at 48 kHz from the recording's start."""

import enum
import itertools
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from blink_cli.core.audio_format import SAMPLE_RATE_HZ


class GapReason(enum.StrEnum):
    """What the sidecar says of a gap."""

    ABSENT = "absent"
    """Nothing was sent: not joined yet, left, dropped, or a sender that stood still. Of the own track: nothing was captured."""

    MUTED = "muted"
    """The sender was muted, and said so."""

    DTX = "dtx"
    """The sender had nothing to say: its sequence numbers go on without a hole."""

    LOST = "lost"
    """The network lost it, or brought it later than half a second."""

    OVERLOAD = "overload"
    """This machine, or its disk, was too slow to record it."""


class Span(NamedTuple):
    """From one place to before another."""

    start: int
    end: int


def end_of(span: Span) -> int:
    """What spans in order are ordered by."""
    return span.end


class Gap(NamedTuple):
    """One place without sound, and why."""

    start: int
    end: int
    reason: GapReason


MOST_GAPS: Final = 50_000
"""A track keeps no more: 20 % loss for an hour and a half. What comes later is counted, not listed."""

_KEEPALIVE_SAMPLES: Final = SAMPLE_RATE_HZ * 60 // 1000
"""A pause with one frame of silence in it, as DTX and mute send every 400 ms, is one pause."""


_GOODBYE_SAMPLES: Final = SAMPLE_RATE_HZ // 2
"""Who leaves stops sending first; that long the news of it may be under way, and a frame be short of it."""


class GapList:
    """Gaps in their order, pauses joined over the frames that keep them alive."""

    def __init__(self) -> None:
        self.gaps: list[Gap] = []
        self.omitted = 0
        """How many more there were than `MOST_GAPS`."""

        self.samples: dict[GapReason, int] = {}
        """What each reason took away."""

    def add(self, gap: Gap) -> None:
        """Take the next one, which starts where the last one ended or later."""
        self.samples[gap.reason] = self.samples.get(gap.reason, 0) + gap.end - gap.start
        if self.gaps:
            last = self.gaps[-1]
            pause = gap.reason in {GapReason.MUTED, GapReason.DTX}
            if last.reason is gap.reason and gap.start - last.end <= (_KEEPALIVE_SAMPLES if pause else 0):
                self.gaps[-1] = Gap(last.start, gap.end, gap.reason)
                return
        if len(self.gaps) >= MOST_GAPS:
            self.omitted += 1
            return
        self.gaps.append(gap)


def explain(
    start: int,
    end: int,
    *,
    linked: Sequence[Span],
    muted: Sequence[Span],
    overloaded: Sequence[Span],
    otherwise: GapReason,
) -> list[Gap]:
    """Divide a gap by its reasons.

    Args:
        start: Where it starts.
        end: Where it ends.
        linked: When media could come, in order; outside of them the sender was absent.
        muted: When the sender was muted, in order.
        overloaded: When packets were dropped here, in order.
        otherwise: The reason where none of these holds.

    """
    gaps: list[Gap] = []
    for present, stretch in _divide(Span(start, end), linked):
        if not present:
            gaps.append(Gap(*stretch, GapReason.ABSENT))
            continue
        for dropped, piece in _divide(stretch, overloaded):
            if dropped:
                gaps.append(Gap(*piece, GapReason.OVERLOAD))
                continue
            gaps.extend(
                Gap(*part, GapReason.MUTED if silent else otherwise) for silent, part in _divide(piece, muted)
            )
    return _with_goodbyes(gaps)


def _with_goodbyes(gaps: list[Gap]) -> list[Gap]:
    """Let the short time between the last packet and the end of the link be part of the absence: nothing was lost there."""
    joined: list[Gap] = []
    for gap in gaps:
        last = joined[-1] if joined else None
        if (
            gap.reason is GapReason.ABSENT
            and last is not None
            and last.reason is GapReason.LOST
            and last.end - last.start <= _GOODBYE_SAMPLES
        ):
            joined[-1] = Gap(last.start, gap.end, GapReason.ABSENT)
        else:
            joined.append(gap)
    return joined


def _divide(whole: Span, marked: Sequence[Span]) -> Iterable[tuple[bool, Span]]:
    """The parts of `whole`, in order, and whether each lies in a marked span; looks at those only that are in it."""
    place = whole.start
    for span in itertools.islice(marked, bisect_right(marked, whole.start, key=end_of), None):
        if span.start >= whole.end:
            break
        start, end = max(span.start, place), min(span.end, whole.end)
        if end <= start:
            continue
        if start > place:
            yield False, Span(place, start)
        yield True, Span(start, end)
        place = end
    if place < whole.end:
        yield False, Span(place, whole.end)

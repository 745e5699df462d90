"""One run of a stream: an SSRC whose RTP times can be told from each other, with what of it waits for its place.

A new run begins with a new SSRC, and with a jump of the timestamps that several packets agree on: a reconnect, a rejoin, a sender that
slept, or one whose sound card left something out. Each run has a clock of its own; the track goes on.

Half a second and more is a jump at once, and its packets wait until it is proved (`_strays`). Less may be the network: packets stay where they
are, are not asked about the clock, and begin a new run when for `_WITNESS_S` all of them agree on the step (`_suspects`). A queue that fills
up on the way is no step: its delay grows from packet to packet.
"""

from collections import deque
from typing import Final, NamedTuple

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.media.stream_jump import Belonging, StreamJump
from blink_cli.core.media.unwrapper import timestamp_unwrapper
from blink_cli.record.recording.sender_clock import SenderClock

MOST_WAITING: Final = 2000
"""Frames that wait for their place: ten seconds of the shortest ones. A hostile sender could otherwise fill the memory."""

JUMP_S: Final = 0.5
"""A transit that differs by more from the last accepted one is a jump, or a freeze of the network."""

LEAST_STEP_S: Final = 0.025
"""A smaller step is corrected like drift. More than the usual jitter, less than anybody calls out of sync."""

LEAST_WITNESSES: Final = 5
_MATURES_S: Final = 0.3
"""A packet is asked about the clock when it is so old: those of a step are proved until then, and belong to another clock."""

_BEGINNING_S: Final = 1.0
"""The first packets come as they like, and say at once what they know."""

_STEP_AGREEMENT: Final = 0.5
"""Share of a step by which its packets may differ from each other."""

_AGREEMENT_S: Final = 0.1
_WITNESS_S: Final = 0.2
"""Packets that agree with each other for so long are a jump; those of a freeze come at once, each with another transit."""
_LONGEST_FREEZE_S: Final = 10.0


class Frame(NamedTuple):
    """One Opus packet that has its RTP time and waits for its place."""

    timestamp: int
    """Of its first sample, extended."""

    payload: bytes
    samples: int
    sequence: int | None
    """Of the packet that it was sent in first, 0 to 65535; None for what never was in one."""

    quiet: bool
    """Whether a correction is not heard here."""

    copy: bool = False
    """It came as a redundant copy."""

    loud: bool = False
    """Whether it is said to be too loud for the last one before a pause."""

    gap_before: bool = False
    """Whether it is known that nothing was captured right before it."""


class StreamRun:
    """Belongs to one track."""

    __slots__ = (
        "_began_s",
        "_jump",
        "_strays",
        "_suspects",
        "_swelling",
        "_timestamps",
        "_young",
        "clock",
        "emitted",
        "sequence",
        "ssrc",
        "waiting",
    )

    def __init__(self, ssrc: int, timestamp: int) -> None:
        self.ssrc = ssrc
        self.clock = SenderClock()
        self.waiting: dict[int, Frame] = {}
        """By timestamp; not sorted."""

        self.emitted: int | None = None
        """The timestamp behind the last frame that got its place; frames before it are late."""

        self.sequence: int | None = None
        """Of that frame's packet."""

        self._timestamps = timestamp_unwrapper(timestamp)
        self._jump = StreamJump(far_s=JUMP_S, agreement_s=_AGREEMENT_S, witnesses=2, witness_s=_WITNESS_S)
        self._strays: list[tuple[Frame, float, float]] = []
        self._suspects: list[tuple[Frame, float, float]] = []
        self._swelling = False
        """A queue on the way grows, or has grown and is not empty yet."""

        self._began_s: float | None = None
        self._young: deque[tuple[float, float]] = deque()
        """Transits and arrivals that the clock does not know yet."""

    def extended(self, timestamp: int) -> int:
        """The timestamp as a plain integer that does not wrap."""
        return self._timestamps.near(timestamp)

    def arrived(self, frame: Frame, arrival_s: float) -> bool:
        """Take a packet's own frame.

        Returns:
            Whether it belongs to this run; False when it is the one that proves a jump: `strays` then holds what a new run begins with.

        """
        transit_s = arrival_s - (frame.timestamp + frame.samples) / SAMPLE_RATE_HZ
        belonging = self._jump.judge(transit_s, arrival_s)
        if belonging is Belonging.GOES_ON or belonging is Belonging.CLAIMS:
            self._settle_strays()
        if belonging is not Belonging.GOES_ON:
            self._strays.append((frame, transit_s, arrival_s))
            return belonging is not Belonging.PROVES
        self._timestamps.highest = max(self._timestamps.highest, frame.timestamp)
        self.add(frame)
        if self._is_step(frame, transit_s, arrival_s):
            self._strays, self._suspects = self._suspects, []
            for suspect, _, _ in self._strays:
                self.waiting.pop(suspect.timestamp, None)
            # What has its place already stays there.
            self._strays = [
                stray for stray in self._strays if self.emitted is None or stray[0].timestamp >= self.emitted
            ]
            return not self._strays
        self._observe(transit_s, arrival_s)
        return True

    def _observe(self, transit_s: float, arrival_s: float) -> None:
        """Ask this packet about the clock, as soon as it is clear that no step lies between it and those before."""
        if self._began_s is None:
            self._began_s = arrival_s
        young = self._young
        young.append((transit_s, arrival_s))
        if arrival_s - self._began_s < _BEGINNING_S:
            while young:
                self.clock.observe(*young.popleft())
        elif not self._suspects:
            while young[0][1] <= arrival_s - _MATURES_S:
                self.clock.observe(*young.popleft())

    def _is_step(self, frame: Frame, transit_s: float, arrival_s: float) -> bool:
        """Whether this packet is the one that proves a step below `JUMP_S`."""
        least_s = self.clock.least_transit_s
        step_s = 0.0 if least_s is None else transit_s - least_s
        suspects = self._suspects
        if abs(step_s) < LEAST_STEP_S or self._began_s is None or arrival_s - self._began_s < _BEGINNING_S:
            self._suspects = []
            self._swelling = False
            return False
        if suspects:
            others_s = [known for _, known, _ in suspects]
            spread_s = max(*others_s, transit_s) - min(*others_s, transit_s)
            if spread_s > _STEP_AGREEMENT * abs(step_s):
                # Later than the ones before it: a queue. Earlier: what was held up comes at once, and may end in a step.
                self._swelling |= step_s > 0 and transit_s > max(others_s)
                self._suspects = []
        if self._swelling:
            return False
        self._suspects.append((frame, transit_s, arrival_s))
        return len(self._suspects) >= LEAST_WITNESSES and arrival_s - self._suspects[0][2] >= _WITNESS_S

    @property
    def strays(self) -> list[tuple[Frame, float]]:
        """Frames that agree on a jump or a step, each with its arrival."""
        return [(frame, arrival_s) for frame, _, arrival_s in self._strays]

    def reported(self, timestamp: int, arrival_s: float) -> None:
        """Take what a sender report says of the RTP time at which it was sent."""
        transit_s = arrival_s - self.extended(timestamp) / SAMPLE_RATE_HZ
        if self._suspects:
            return  # it may be on either side of a step
        known_s = self._jump.transit_s
        if known_s is not None and abs(transit_s - known_s) < JUMP_S:
            self.clock.observe(transit_s, arrival_s)

    def knows(self, timestamp: int) -> bool:
        """Whether a frame of this extended timestamp waits, or its place is past."""
        return timestamp in self.waiting or (self.emitted is not None and timestamp < self.emitted)

    def add(self, frame: Frame) -> None:
        """Let a frame wait, unless it is there already or its place is past."""
        if self.emitted is not None and frame.timestamp < self.emitted:
            return
        known = self.waiting.get(frame.timestamp)
        if known is not None:
            if known.copy and not frame.copy:
                self.waiting[frame.timestamp] = frame
            return
        if len(self.waiting) < MOST_WAITING:
            self.waiting[frame.timestamp] = frame

    def _settle_strays(self) -> None:
        """They were no jump: late frames of this run, which a freeze held up. Anything else is nonsense, and goes."""
        known_s = self._jump.transit_s
        for frame, transit_s, _ in self._strays:
            if known_s is not None and 0 < transit_s - known_s < _LONGEST_FREEZE_S:
                self.add(frame)
        self._strays = []

    def give_up_from(self, timestamp: float) -> int:
        """Let the frames from this extended timestamp on wait no more, since a run that follows has their place; return how many."""
        given_up = [waiting for waiting in self.waiting if waiting >= timestamp]
        for waiting in given_up:
            del self.waiting[waiting]
        return len(given_up)

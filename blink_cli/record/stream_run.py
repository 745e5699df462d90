"""One run of a stream: an SSRC whose RTP times can be told from each other, with what of it waits for its place.

A new run begins with a new SSRC, and with a jump of the timestamps that several packets agree on: a reconnect, a rejoin, a sender that
slept. Each run has a clock of its own; the track goes on.
"""

from typing import Final, NamedTuple

from blink_cli.core.rtp import timestamp_difference
from blink_cli.core.voice import SAMPLE_RATE_HZ
from blink_cli.record.sender_clock import SenderClock

MOST_WAITING: Final = 2000
"""Frames that wait for their place: ten seconds of the shortest ones. A hostile sender could otherwise fill the memory."""

JUMP_S: Final = 0.5
"""A transit that differs by more from the last accepted one is a jump, or a freeze of the network."""

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


class StreamRun:
    """Belongs to one track."""

    __slots__ = (
        "_agreed_s",
        "_highest",
        "_stray_since_s",
        "_strays",
        "_transit_s",
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

        # One turn up, so that packets from before the first one stay positive.
        self._highest = timestamp + (1 << 32)
        self._transit_s: float | None = None
        self._strays: list[tuple[Frame, float, float]] = []
        self._agreed_s = 0.0
        self._stray_since_s = 0.0

    def extended(self, timestamp: int) -> int:
        """The timestamp as a plain integer that does not wrap."""
        return self._highest + timestamp_difference(timestamp, self._highest & 0xFFFFFFFF)

    def arrived(self, frame: Frame, arrival_s: float) -> bool:
        """Take a packet's own frame.

        Returns:
            Whether it belongs to this run; False when it is the one that proves a jump: `strays` then holds what a new run begins with.

        """
        transit_s = arrival_s - (frame.timestamp + frame.samples) / SAMPLE_RATE_HZ
        if self._transit_s is not None and abs(transit_s - self._transit_s) > JUMP_S:
            if not self._strays or abs(transit_s - self._agreed_s) > _AGREEMENT_S:
                self._settle_strays()
                self._agreed_s, self._stray_since_s = transit_s, arrival_s
            self._strays.append((frame, transit_s, arrival_s))
            return arrival_s - self._stray_since_s < _WITNESS_S
        self._settle_strays()
        self._accept(frame, transit_s, arrival_s)
        self._transit_s = transit_s
        return True

    @property
    def strays(self) -> list[tuple[Frame, float]]:
        """Frames that agree on a jump, each with its arrival."""
        return [(frame, arrival_s) for frame, _, arrival_s in self._strays]

    def reported(self, timestamp: int, arrival_s: float) -> None:
        """Take what a sender report says of the RTP time at which it was sent."""
        transit_s = arrival_s - self.extended(timestamp) / SAMPLE_RATE_HZ
        if self._transit_s is not None and abs(transit_s - self._transit_s) < JUMP_S:
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
        for frame, transit_s, _ in self._strays:
            if self._transit_s is not None and 0 < transit_s - self._transit_s < _LONGEST_FREEZE_S:
                self.add(frame)
        self._strays = []

    def _accept(self, frame: Frame, transit_s: float, arrival_s: float) -> None:
        self._highest = max(self._highest, frame.timestamp)
        self.clock.observe(transit_s, arrival_s)
        self.add(frame)

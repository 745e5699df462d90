"""A sink track: what one peer says, as it comes from the network and goes into the mix.

[event loop] receive(packet) ──> bounded inbox ──> [playout thread] stream.put, stream.get ──> mixer
                                 snapshot      <──────────────────── stream.statistics   └──> LoudnessFeed
"""

import math
from collections import deque
from typing import Final, Protocol

import msgspec

from blink_cli.audio.limiter import Limiter
from blink_cli.audio.loudness.loudness_feed import LoudnessFeed
from blink_cli.audio.playout.statistics import PlayoutStatistics
from blink_cli.audio.samples import Samples
from blink_cli.audio.silent_block import SILENT_BLOCK, checksum
from blink_cli.core.audio_format import HIGHEST_GAIN_DB, LOWEST_GAIN_DB
from blink_cli.core.ids import Did
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.mix_tick import SILENT_CHECKSUM, PlayedTrack, TrackTick
from blink_cli.core.media.playout_decision import PlayoutDecision
from blink_cli.core.media.rtp import RtpPacket

INBOX_PACKETS: Final = 512
"""Packets that wait for the playout thread, which comes every 10 ms: 1.3 s of the shortest packets, ten of usual ones, a flood for longer."""


class PlayoutStream(Protocol):
    """What a track needs of a playout buffer. Used by the playout thread alone."""

    def put(self, packet: RtpPacket) -> None:
        """Take a packet."""

    def get(self, now_s: float) -> Samples:
        """Return the next 10 ms, shape (480,), valid until the next call; `SILENT_BLOCK` itself when there is nothing to hear."""

    def statistics(self) -> PlayoutStatistics:
        """Return an immutable picture of the counters."""

    def loss_report(self) -> LossReport:
        """Return what to tell the sender."""

    def rest(self) -> None:
        """Nothing comes until a packet comes: what is missing meanwhile is no loss."""

    def note(self, decisions: list[PlayoutDecision] | None) -> None:
        """Append what is done, and why, to this list from now on; None: nowhere."""


class _Notes:
    """What is noted of one tick."""

    __slots__ = ("checksum", "decisions", "gain_before", "packets")

    def __init__(self, gain_before: float) -> None:
        self.packets: list[RtpPacket] = []
        self.decisions: list[PlayoutDecision] = []
        self.gain_before = gain_before
        self.checksum = SILENT_CHECKSUM


class SinkStatistics(msgspec.Struct, frozen=True):
    """One peer's figures, as of a moment at most 0.1 s ago."""

    playout: PlayoutStatistics
    loss: LossReport
    """What to tell the sender."""

    limited_blocks: int
    """Ticks in which it was turned up so far that it was too loud by itself, and turned down."""

    packets_dropped: int
    """Received and not taken: the inbox was full because the playout thread stood still."""


class SinkTrack:
    """One per peer. `receive` and `rest` belong to the event loop; `gain_db` and `muted` may be set by any thread; the rest is the mixer's."""

    def __init__(
        self,
        stream: PlayoutStream,
        *,
        gain_db: float = 0.0,
        muted: bool = False,
        loudness: LoudnessFeed | None = None,
        played: PlayedTrack | None = None,
    ) -> None:
        """Take nothing yet.

        Args:
            stream: What is played.
            gain_db: How much louder it is played.
            muted: Whether it is silenced here.
            loudness: Told every block as it was decoded: before gain and mute.
            played: Whose sound it is, for who listens to ticks; nobody is told of a track without.

        """
        self.muted = muted
        """Whether this peer alone is silenced here. Its stream is drained all the same."""

        self._stream = stream
        self._loudness = loudness
        self._played = played
        self._block: Samples = SILENT_BLOCK
        self._ticks = 0
        self._notes: _Notes | None = None
        self._inbox: deque[RtpPacket | None] = deque()
        """Packets; None: a rest, in its place among them."""

        self._dropped = 0
        self._gain = 1.0
        self.gain_db = gain_db
        self._statistics = SinkStatistics(stream.statistics(), stream.loss_report(), 0, 0)
        self.applied_gain = 0.0 if muted else self._gain
        """The gain at the end of the last block. The mixer's."""

        self.limiter = Limiter()
        """Of this voice alone, where it is turned up. The mixer's."""

    @property
    def gain_db(self) -> float:
        """How much louder, or with a negative number softer, this peer is played."""
        return 20.0 * math.log10(self._gain)

    @gain_db.setter
    def gain_db(self, gain_db: float) -> None:
        self._gain = 10.0 ** (min(max(gain_db, LOWEST_GAIN_DB), HIGHEST_GAIN_DB) / 20.0)

    @property
    def wanted_gain(self) -> float:
        """The factor that the mixer moves towards, 0 when muted."""
        return 0.0 if self.muted else self._gain

    @property
    def statistics(self) -> SinkStatistics:
        """The latest figures. Any thread; never waits."""
        return self._statistics

    def receive(self, packet: RtpPacket) -> None:
        """Queue a packet for the playout thread. Never waits; when the inbox is full the oldest packet goes, counted."""
        if len(self._inbox) >= INBOX_PACKETS:
            self._dropped += 1
            try:
                self._inbox.popleft()
            except IndexError:  # the playout thread emptied it this instant: there is room
                self._dropped -= 1
        self._inbox.append(packet)

    def rest(self) -> None:
        """Nothing comes until a packet comes: what is missing meanwhile is no loss."""
        self._inbox.append(None)

    def next_block(self, now_s: float) -> Samples:
        """Take what came in and return the next block. Playout thread."""
        inbox, notes = self._inbox, self._notes
        while inbox:
            packet = inbox.popleft()
            if packet is None:
                self._stream.rest()
                continue
            self._stream.put(packet)
            if notes is not None:
                notes.packets.append(packet)
        block = self._block = self._stream.get(now_s)
        self._ticks += 1
        if notes is not None:
            notes.checksum = checksum(block)
        if self._loudness is not None:
            self._loudness.add(block)
        return block

    def last_block(self) -> tuple[Did, Samples] | None:
        """Whose sound `next_block` returned last, and that; None of a track of which nobody is told. Playout thread."""
        return None if self._played is None else (self._played.peer, self._block)

    def begin_notes(self) -> None:
        """Note all that the next tick does. Playout thread."""
        if self._played is not None:
            self._notes = _Notes(self.applied_gain)
            self._stream.note(self._notes.decisions)

    def end_notes(self) -> TrackTick | None:
        """Return what was noted; None of a track of which nobody is told. Playout thread."""
        notes, self._notes = self._notes, None
        if notes is None or self._played is None:
            return None
        self._stream.note(None)
        return TrackTick(
            track=self._played,
            ticks_before=self._ticks - 1,
            packets=tuple(notes.packets),
            decisions=tuple(notes.decisions),
            gain_before=notes.gain_before,
            gain=self.applied_gain,
            checksum=notes.checksum,
        )

    def publish(self) -> None:
        """Renew `statistics`. Playout thread."""
        stream = self._stream
        self._statistics = SinkStatistics(
            stream.statistics(), stream.loss_report(), self.limiter.limited_blocks, self._dropped
        )

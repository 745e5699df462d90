"""Packets in: what each holds is put where its time is, and when it came is learned from.

put(packet) -> StreamClock -> RED unpacked -> FrameStore
                    '-> DelayTarget (how long to wait), LossMeter
"""

from collections.abc import Callable
from typing import Final

from blink_cli.audio.playout.decision_notes import DecisionNotes
from blink_cli.audio.playout.delay_target import DelayTarget
from blink_cli.audio.playout.frame_decoder import FrameDecoder
from blink_cli.audio.playout.frame_store import FrameStore, Origin, Stored, StoredFrame
from blink_cli.audio.playout.loss_meter import LossMeter
from blink_cli.audio.playout.play_state import PlayState
from blink_cli.audio.playout.playout_counters import PlayoutCounters
from blink_cli.audio.playout.stream_clock import StreamClock
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, SILENCE_DBOV, TICK_SAMPLES
from blink_cli.core.errors import WireError
from blink_cli.core.media import red
from blink_cli.core.media.interarrival_jitter import InterarrivalJitter
from blink_cli.core.media.media_tap import PlayoutOutcome
from blink_cli.core.media.opus_packet import carries_fec, packet_samples
from blink_cli.core.media.playout_decision import PlayoutAction, PlayoutReason
from blink_cli.core.media.rtp import RtpPacket
from blink_cli.core.media.unwrapper import TIMESTAMP_MASK

_OBSERVED_FRAMES: Final = 1_024
"""Frames of which is known whether they came: half of them are 1.3 s of the shortest."""

_MOST_TOLD_FRAMES: Final = 10
"""Lost frames in a row that are waited for because a later packet tells of them (DRED)."""

_TOLD_WEIGHT: Final = 0.5
"""What a frame that is only available as FEC or DRED, which sound about half as good, is worth beside a whole one."""

_FADING_FRAMES: Final = 3
"""From so many lost in a row on what is made up in their place fades: each of them is worth as much as a whole one elsewhere."""

_AFTER_TICK_S: Final = 0.0001
"""Any small time: later than the tick."""


class FrameIntake:
    """Of one buffer. Used by the playout thread alone."""

    def __init__(
        self,
        payload_types: tuple[int, int | None],
        decoder: FrameDecoder,
        *,
        at: PlayState,
        store: FrameStore,
        target: DelayTarget,
        losses: LossMeter,
        counters: PlayoutCounters,
        notes: DecisionNotes,
        tell: Callable[[int, PlayoutOutcome], None],
        begin_stream: Callable[[], None],
        listen_again: Callable[[int, float], None],
    ) -> None:
        """Have taken nothing yet.

        Args:
            payload_types: Of Opus and, when negotiated, of RED.
            decoder: Says what a packet tells of the sound before it.
            at: Where play is.
            store: Takes the frames.
            target: Learns when they came.
            losses: Learns what came at all.
            counters: Of the buffer.
            notes: Of the buffer.
            tell: Told what became of a packet that is not played, by its media time.
            begin_stream: Called when a packet begins another stream, before it is taken.
            listen_again: Told the media time of the oldest copy in the first packet behind a rest, and when that came.

        """
        self._opus_type, self._red_type = payload_types
        self._at = at
        self._store = store
        self._target = target
        self._counters = counters
        self._notes = notes
        self._decoder = decoder
        self._tell = tell
        self._begin_stream = begin_stream
        self._listen_again = listen_again
        self._losses = losses
        self._clock = StreamClock()
        self._jitter = InterarrivalJitter()
        self._transit_s = 0.0
        self._observed: dict[int, bool] = {}
        """By media time whether a frame came whole, or only as FEC or DRED so far."""

        self._newest: tuple[int, int] | None = None
        """Media time and sequence number of the newest packet."""

        self._begins_at: int | None = None
        """Media time of the stream's first packet, if nothing before it is to be played."""

    def put(self, packet: RtpPacket) -> None:
        """Take one received packet, in any order. Never raises: what cannot be used is counted."""
        counters, at = self._counters, self._at
        counters.packets_received += not packet.retransmitted
        payload_type = packet.payload_type
        is_red = payload_type == self._red_type
        if not is_red and payload_type != self._opus_type:
            counters.packets_undecodable += 1
            self._notes.dropped(packet, PlayoutReason.UNKNOWN_TYPE)
            return
        place = self._clock.place(packet)
        if place is None:
            counters.packets_discarded += 1
            self._notes.dropped(packet, PlayoutReason.FOREIGN)
            return
        timestamp, sequence, is_new_stream = place
        transit_s = packet.arrival_s - timestamp / SAMPLE_RATE_HZ
        if is_new_stream:
            self._begin(packet, timestamp, sequence)
            self._transit_s = transit_s
        elif packet.ssrc != at.ssrc:
            at.ssrc = self._notes.ssrc = packet.ssrc
        if packet.retransmitted:
            # The network lost it, and its way here says nothing of jitter; how late it is says what asking is worth waiting for. It comes without copies.
            self._offer(timestamp, sequence, packet.payload, packet, Origin.AGAIN)
            return
        target = self._target
        if self._losses.on_packet(sequence):
            target.loses_in_bursts()
        target.jitter_s = self._jitter.observe(transit_s - self._transit_s)
        self._transit_s = transit_s
        if is_red:
            self._unpack(timestamp, sequence, packet)
            return
        if target.floor_s:
            target.copies_came((), packet.arrival_s, loses=not self._losses.is_clean)
        at.is_unheard = False
        self._offer(timestamp, sequence, packet.payload, packet, Origin.OWN)

    def _begin(self, packet: RtpPacket, timestamp: int, sequence: int) -> None:
        self._observed.clear()
        self._newest = None
        self._at.ssrc = self._notes.ssrc = packet.ssrc
        self._begin_stream()
        self._begins_at = None if self._at.is_unheard else timestamp
        self._notes.add(PlayoutAction.BEGAN, PlayoutReason.NEW_STREAM, timestamp, sequence)

    def _unpack(self, timestamp: int, sequence: int, packet: RtpPacket) -> None:
        """Take a frame with the copies of those before it."""
        at = self._at
        try:
            frames = red.unpack(packet.payload, packet.timestamp)
        except WireError:
            self._counters.packets_undecodable += 1
            self._notes.dropped(packet, PlayoutReason.UNDECODABLE)
            return
        ages = tuple((packet.timestamp - copied) & TIMESTAMP_MASK for copied, _, _ in frames[:-1])
        oldest = max(ages, default=0)
        self._target.copies_came(ages, packet.arrival_s, loses=not self._losses.is_clean)
        if at.is_unheard and at.has_played:
            self._listen_again(timestamp - oldest, packet.arrival_s)
        # The primary first: a copy that is younger than it looks cannot push it out.
        self._offer(timestamp, sequence, frames[-1][1], packet, Origin.OWN)
        for distance, (copy_timestamp, payload, copy_type) in enumerate(reversed(frames[:-1]), 1):
            copied = timestamp - ((packet.timestamp - copy_timestamp) & TIMESTAMP_MASK)
            # Nearly always the frame itself has come, and its copy is news to nobody.
            if self._begins_at is not None and copied < self._begins_at:
                continue  # it would only be heard later for it, and everything after it too
            if copy_type == self._opus_type and not self._observed.get(copied):
                if at.is_unheard:
                    # Sent before this stream was listened to: that it comes so late says nothing of the network.
                    self._remember(copied, complete=True)
                self._offer(copied, sequence - distance, payload, packet, Origin.COPY)
        at.is_unheard = False

    def _offer(
        self, timestamp: int, sequence: int, payload: bytes, packet: RtpPacket, origin: Origin
    ) -> None:
        at = self._at
        is_own = origin is Origin.OWN
        samples = packet_samples(payload)
        if not samples:
            if is_own:
                self._counters.packets_undecodable += 1
                self._notes.dropped(packet, PlayoutReason.UNDECODABLE)
            return
        has_fec = carries_fec(payload)
        arrival_s = packet.arrival_s
        # A packet that came before the last tick and was handed over after it was of no use to that tick.
        transit_s = max(arrival_s, at.tick_s + _AFTER_TICK_S) - timestamp / SAMPLE_RATE_HZ
        if samples < TICK_SAMPLES:
            # A tick takes several frames at its beginning: the last of them so much before its time.
            transit_s += (TICK_SAMPLES - samples) / SAMPLE_RATE_HZ
        complete = self._observed.get(timestamp)
        if not complete:
            # It is available for the first time, or the first time whole.
            self._remember(timestamp, complete=True)
            self._target.observe(transit_s, samples, 1.0 if complete is None else 0.5, tick_s=at.tick_s)
        if has_fec:
            self._observe_part(
                timestamp - samples, transit_s + samples / SAMPLE_RATE_HZ, samples, _TOLD_WEIGHT
            )
        if at.has_played and timestamp + samples <= at.reached:
            if is_own:
                self._counters.packets_discarded += 1
                self._tell(timestamp, PlayoutOutcome.LATE)
                self._notes.add(
                    PlayoutAction.LATE, PlayoutReason.TIME_OVER, timestamp, sequence, samples=samples
                )
            return
        is_copy = origin is Origin.COPY
        level_dbov = packet.audio_level_dbov
        frame = StoredFrame(
            payload,
            samples,
            sequence,
            arrival_s,
            origin,
            has_fec,
            not is_copy and level_dbov is not None and level_dbov <= SILENCE_DBOV,
            packet.voice and not is_copy,
            self._told_before(timestamp, sequence, payload, transit_s) if is_own else 0,
        )
        stored = self._store.offer(timestamp, frame)
        if not is_own or stored is Stored.NEW:
            return
        if stored is Stored.KNOWN:
            self._counters.packets_duplicated += 1
            self._tell(timestamp, PlayoutOutcome.DUPLICATE)
            self._notes.add(PlayoutAction.DUPLICATE, PlayoutReason.KNOWN, timestamp, sequence)
        elif stored is Stored.FULL:
            self._counters.packets_discarded += 1
            self._tell(timestamp, PlayoutOutcome.DISCARDED)
            self._notes.add(PlayoutAction.DISCARDED, PlayoutReason.FULL, timestamp, sequence, samples=samples)

    def _told_before(self, timestamp: int, sequence: int, payload: bytes, transit_s: float) -> int:
        """How much sound before this packet it tells of (DRED), asked only where packets are missing; the target learns when that came."""
        before_it = self._newest
        if before_it is not None and sequence <= before_it[1]:
            return 0
        self._newest = (timestamp, sequence)
        if before_it is None or sequence == before_it[1] + 1:
            return 0
        samples = self._at.frame_samples
        missing = min(
            sequence - before_it[1] - 1, (timestamp - before_it[0]) // samples - 1, _MOST_TOLD_FRAMES
        )
        if missing <= 0:
            return 0
        told = self._decoder.dred_samples(payload)
        for frames in range(1, min(missing, told // samples) + 1):
            before = frames * samples
            self._observe_part(
                timestamp - before,
                transit_s + before / SAMPLE_RATE_HZ,
                samples,
                _TOLD_WEIGHT if missing < _FADING_FRAMES else 1.0,
            )
        if told and missing >= _FADING_FRAMES:
            self._target.burst_was_told(missing * samples, transit_s + timestamp / SAMPLE_RATE_HZ)
        return told

    def _observe_part(self, timestamp: int, transit_s: float, samples: int, weight: float) -> None:
        """Tell the target of a frame that so far is only available as FEC or DRED."""
        if timestamp not in self._observed:
            self._remember(timestamp, complete=False)
            self._target.observe(transit_s, samples, weight, tick_s=self._at.tick_s)

    def _remember(self, timestamp: int, *, complete: bool) -> None:
        observed = self._observed
        observed[timestamp] = complete
        if len(observed) > _OBSERVED_FRAMES:
            for old in sorted(observed)[: _OBSERVED_FRAMES // 2]:
                del observed[old]

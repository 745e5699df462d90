"""One peer's packets become one peer's sound.

    put(packet) -> StreamClock -> RED unpacked -> FrameStore ---.          LossMeter -> loss_report() -> the sender
                        '-> DelayTarget (how long to wait)      |
                                                                v
    get(now) every 10 ms:  is the next frame there? ------------- play it
                           is it inside the one after it? ------- play that (FEC)
                           does the sender pause? --------------- comfort noise, no decode
                           may it still come, and the delay is    conceal, and play it later (the delay grows)
                             too short anyway? ------------------
                           otherwise ---------------------------- conceal, and go on without it
                           then: too late by the clock? --------- leave out a pitch period
                                 too early? --------------------- repeat one

Everything follows one schedule: the sample with media time m is due at `base + m + target`, where `base` is the earliest transit
time of the last seconds and `target` how much longer it is worth to wait. A lost packet is never waited for. Sound that
was held up (a freeze) is not thrown away but played faster, until the schedule is met again.
"""

import dataclasses
from collections.abc import Callable
from typing import Final, Protocol

import numpy as np

from blink_cli.audio.playout.block import SILENCE_BLOCK, Block
from blink_cli.audio.playout.comfort_noise import ComfortNoise
from blink_cli.audio.playout.decision_notes import DecisionNotes
from blink_cli.audio.playout.delay_target import DelayTarget
from blink_cli.audio.playout.frame_store import FrameStore, Stored, StoredFrame
from blink_cli.audio.playout.loss_meter import LossMeter
from blink_cli.audio.playout.playout_counters import PlayoutCounters
from blink_cli.audio.playout.schedule import Lookahead, Schedule
from blink_cli.audio.playout.settings import PlayoutSettings
from blink_cli.audio.playout.statistics import PlayoutObserver, PlayoutStatistics
from blink_cli.audio.playout.stream_clock import StreamClock
from blink_cli.audio.playout.time_stretch import LONGEST_PERIOD_SAMPLES, OVERLAP_SAMPLES
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, SILENCE_DBOV, TICK_SAMPLES
from blink_cli.core.errors import DeviceError, WireError
from blink_cli.core.media import red
from blink_cli.core.media.interarrival_jitter import InterarrivalJitter
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.media_tap import PlayoutOutcome
from blink_cli.core.media.opus_packet import carries_fec, packet_samples
from blink_cli.core.media.playout_decision import PlayoutAction, PlayoutDecision, PlayoutReason
from blink_cli.core.media.rtp import RtpPacket
from blink_cli.core.media.unwrapper import TIMESTAMP_MASK

_SHORTEST_FRAME_MS: Final = 2.5

_OBSERVED_FRAMES: Final = 1_024
"""Frames of which is known whether they came: half of them are 1.3 s of the shortest."""

_STALL_SAMPLES: Final = 80 * SAMPLE_RATE_HZ // 1000
"""When nothing at all has come for this long after its time, the network stands still: what was sent will come late rather than
never, so the schedule waits for it. Concealment has faded by then."""

_IDLE_SAMPLES: Final = SAMPLE_RATE_HZ
"""After this long without a packet the stream sleeps: silence, no work, until the next packet."""

_SETTLED_SILENT_FRAMES: Final = 2
"""Frames of digital silence that are decoded all the same, to let the end of the last word out of the decoder."""

_COPY_MARGIN_S: Final = 0.002
"""How much later than a whole frame a redundant copy comes: the sender's and our own scheduling."""

_LONGEST_COPY_SAMPLES: Final = 6 * TICK_SAMPLES
"""Copies that are older than 60 ms are used when they help and not waited for."""

_AFTER_TICK_S: Final = 0.0001
"""Any small time: later than the tick."""

_JOIN_SAMPLES: Final = 240
"""Cross-fade of 5 ms from concealment into the rest of a frame that came while it was being concealed."""

_JOIN_IN: Final[Block] = ((np.arange(_JOIN_SAMPLES) + 0.5) / _JOIN_SAMPLES).astype(np.float32)
_EMPTY: Final[Block] = np.empty(0, np.float32)

_WAITED_FOR: Final = (PlayoutReason.TOO_EARLY, PlayoutReason.NETWORK_STANDS_STILL)
"""Why sound is made up while media time stands still."""

_COUNTED: Final = tuple(field.name for field in dataclasses.fields(PlayoutCounters))

_Decode = Callable[[], Block]


class FrameDecoder(Protocol):
    """What the buffer needs of `OpusDecoder`; arrays are float32 at 48 kHz, one dimension."""

    def decode(self, payload: bytes) -> Block:
        """The sound of the next frame. Raises `DeviceError` when the payload is invalid."""
        ...

    def decode_fec(self, next_payload: bytes, samples: int) -> Block:
        """The sound of the frame before `next_payload`."""
        ...

    def conceal(self, samples: int) -> Block:
        """A guess at what is missing."""
        ...

    def reset(self) -> None:
        """Forget the sound so far."""
        ...


class PlayoutBuffer:
    """Plays one peer's stream. Pure: no clock, no thread, no lock; owned by the playout thread.

    `put` every packet that came, then call `get` once for each tick of the device that plays it. Time is monotonic seconds, of the
    same clock as `RtpPacket.arrival_s`.
    """

    def __init__(
        self,
        decoder: FrameDecoder,
        payload_types: tuple[int, int | None],
        settings: PlayoutSettings | None = None,
        observer: PlayoutObserver | None = None,
    ) -> None:
        """`payload_types` are those of Opus and, when negotiated, of RED; `observer` learns what became of each packet."""
        settings = settings or PlayoutSettings()
        self._decoder = decoder
        self._opus_type, self._red_type = payload_types
        self._observer = observer
        self._capacity_s = settings.capacity_ms / 1000
        self._excess_s = settings.excess_ms / 1000
        self._excess_patience_s = settings.excess_s
        self._in_excess_since_s: float | None = None
        """Since when sound has been waiting that much longer than the target."""
        self._counters = PlayoutCounters()
        self._clock = StreamClock()
        self._target = DelayTarget(
            opening_s=settings.opening_delay_ms / 1000,
            minimum_s=settings.minimum_delay_ms / 1000,
            maximum_s=settings.maximum_delay_ms / 1000,
        )
        # Packets that overtake may stand up to the clock's jump limit ahead; more than that is a flood.
        self._store = FrameStore(capacity=int(3 * settings.capacity_ms / _SHORTEST_FRAME_MS))
        self._loss_meter = LossMeter()
        self._noise = ComfortNoise()
        self._ssrc = 0
        self._ssrc_played = False
        self._playing = False
        self._next = 0
        """Media time up to which sound was decoded or given up."""

        self._given_up = 0
        """Samples at the end of that which were the beginning of a missing frame: it may still come and be played from there."""

        self._frame_samples = 2 * TICK_SAMPLES
        self._last_sequence: int | None = None
        self._missed_samples = 0
        self._held_samples = 0
        """Concealed since the last frame while media time stood still."""

        self._pausing = False
        self._pause_from = 0
        """Media time at which the last frame ended, if behind it the sender may pause."""

        self._silent_frames = 0
        self._silence_left = 0
        self._ready = _EMPTY
        self._past = (SILENCE_BLOCK, SILENCE_BLOCK)
        """The last two blocks that were played: joined only when sound is stretched."""

        self._schedule = Schedule(self._target)
        self._observed: dict[int, bool] = {}
        self._last_tick_s = float("-inf")
        self._transit_s = 0.0
        self._jitter = InterarrivalJitter()
        self._notes = DecisionNotes(self._schedule, self._target, self._store)

    def note(self, decisions: list[PlayoutDecision] | None) -> None:
        """Append what is done, and why, to this list from now on; None: nowhere."""
        self._notes.into = decisions

    # ---- packets in

    def put(self, packet: RtpPacket) -> None:
        """Take one received packet, in any order. Never raises: what cannot be used is counted."""
        counters = self._counters
        counters.packets_received += 1
        payload_type = packet.payload_type
        if payload_type not in (self._opus_type, self._red_type):
            counters.packets_undecodable += 1
            self._notes.dropped(packet, PlayoutReason.UNKNOWN_TYPE)
            return
        place = self._clock.place(packet)
        if place is None:
            counters.packets_discarded += 1
            self._notes.dropped(packet, PlayoutReason.FOREIGN)
            return
        timestamp, sequence, is_new_stream = place
        if is_new_stream:
            self._begin_stream(packet.ssrc)
            self._notes.add(PlayoutAction.BEGAN, PlayoutReason.NEW_STREAM, timestamp, sequence)
            self._transit_s = packet.arrival_s - timestamp / SAMPLE_RATE_HZ
        self._loss_meter.on_packet(sequence)
        transit_s = packet.arrival_s - timestamp / SAMPLE_RATE_HZ
        self._target.jitter_s = self._jitter.observe(transit_s - self._transit_s)
        self._transit_s = transit_s
        if payload_type == self._opus_type:
            self._target.floor_s = 0.0
            self._offer(timestamp, sequence, packet.payload, packet, is_copy=False)
            return
        try:
            frames = red.unpack(packet.payload, packet.timestamp)
        except WireError:
            counters.packets_undecodable += 1
            self._notes.dropped(packet, PlayoutReason.UNDECODABLE)
            return
        oldest = (packet.timestamp - frames[0][0]) & TIMESTAMP_MASK
        has_loss = not self._loss_meter.is_clean
        self._target.floor_s = (
            oldest / SAMPLE_RATE_HZ + _COPY_MARGIN_S if has_loss and oldest <= _LONGEST_COPY_SAMPLES else 0.0
        )
        # The primary first: a copy that is younger than it looks cannot push it out.
        self._offer(timestamp, sequence, frames[-1][1], packet, is_copy=False)
        for distance, (copy_timestamp, payload, copy_type) in enumerate(reversed(frames[:-1]), 1):
            copied = timestamp - ((packet.timestamp - copy_timestamp) & TIMESTAMP_MASK)
            # Nearly always the frame itself has come, and its copy is news to nobody.
            if copy_type == self._opus_type and not self._observed.get(copied):
                self._offer(copied, sequence - distance, payload, packet, is_copy=True)

    def _offer(
        self, timestamp: int, sequence: int, payload: bytes, packet: RtpPacket, *, is_copy: bool
    ) -> None:
        samples = packet_samples(payload)
        if not samples:
            if not is_copy:
                self._counters.packets_undecodable += 1
                self._notes.dropped(packet, PlayoutReason.UNDECODABLE)
            return
        has_fec = carries_fec(payload)
        # A packet that came before the last tick and was handed over after it was of no use to that tick.
        transit_s = max(packet.arrival_s, self._last_tick_s + _AFTER_TICK_S) - timestamp / SAMPLE_RATE_HZ
        if samples < TICK_SAMPLES:
            # A tick takes several frames at its beginning: the last of them so much before its time.
            transit_s += (TICK_SAMPLES - samples) / SAMPLE_RATE_HZ
        self._observe(timestamp, transit_s, samples)
        if has_fec:
            self._observe_fec(timestamp - samples, transit_s + samples / SAMPLE_RATE_HZ, samples)
        if self._ssrc_played and timestamp + samples <= self._next:
            if not is_copy:
                self._counters.packets_discarded += 1
                self._tell(timestamp, PlayoutOutcome.LATE)
                self._notes.add(
                    PlayoutAction.LATE, PlayoutReason.TIME_OVER, timestamp, sequence, samples=samples
                )
            return
        silent = (
            not is_copy and packet.audio_level_dbov is not None and packet.audio_level_dbov <= SILENCE_DBOV
        )
        frame = StoredFrame(payload, samples, sequence, packet.arrival_s, is_copy, has_fec, silent)
        stored = self._store.offer(timestamp, frame)
        if stored is Stored.KNOWN and not is_copy:
            self._counters.packets_duplicated += 1
            self._tell(timestamp, PlayoutOutcome.DUPLICATE)
            self._notes.add(PlayoutAction.DUPLICATE, PlayoutReason.KNOWN, timestamp, sequence)
        elif stored is Stored.FULL and not is_copy:
            self._counters.packets_discarded += 1
            self._tell(timestamp, PlayoutOutcome.DISCARDED)
            self._notes.add(PlayoutAction.DISCARDED, PlayoutReason.FULL, timestamp, sequence, samples=samples)

    def _observe(self, timestamp: int, transit_s: float, samples: int) -> None:
        """Tell the target when a frame became available for the first time."""
        complete = self._observed.get(timestamp)
        if complete is None:
            self._remember(timestamp, complete=True)
            self._target.observe(transit_s, samples)
        elif not complete:
            self._observed[timestamp] = True
            self._target.observe(transit_s, samples, 0.5)

    def _observe_fec(self, timestamp: int, transit_s: float, samples: int) -> None:
        """The same for a frame that so far is only available as FEC, which sounds about half as good."""
        if timestamp not in self._observed:
            self._remember(timestamp, complete=False)
            self._target.observe(transit_s, samples, 0.5)

    def _remember(self, timestamp: int, *, complete: bool) -> None:
        self._observed[timestamp] = complete
        if len(self._observed) > _OBSERVED_FRAMES:
            for old in sorted(self._observed)[: _OBSERVED_FRAMES // 2]:
                del self._observed[old]

    def _begin_stream(self, ssrc: int) -> None:
        self._ssrc = self._notes.ssrc = ssrc
        self._ssrc_played = False
        self._store.clear()
        self._observed.clear()
        self._target.forget_origin()
        self._decoder.reset()
        self._playing = False
        self._given_up = 0
        self._last_sequence = None
        self._silence_left = 0
        self._pausing = False

    # ---- sound out

    def get(self, now_s: float) -> Block:
        """The next ten milliseconds, shape (480,); not to be modified. `SILENCE_BLOCK` itself when nothing is to be heard."""
        self._last_tick_s = self._notes.now_s = now_s
        if self._silence_left:
            self._silence_left -= TICK_SAMPLES
            self._counters.total_samples_received += TICK_SAMPLES
            return SILENCE_BLOCK
        if not self._playing and not self._resume(now_s):
            self._notes.rested(self._next)
            return SILENCE_BLOCK
        ready = self._ready
        carried = len(ready)
        while len(ready) < TICK_SAMPLES:
            # Of frames shorter than a tick, several are needed now, each for its place in it.
            is_short = self._frame_samples < TICK_SAMPLES
            sound = self._produce(now_s + len(ready) / SAMPLE_RATE_HZ if is_short else now_s)
            if sound is None:
                self._ready = _EMPTY
                return SILENCE_BLOCK
            more = np.concatenate((ready, sound)) if len(ready) else sound
            if not self._missed_samples and not self._silence_left:
                removed, inserted = self._schedule.removed_samples, self._schedule.inserted_samples
                more = self._schedule.stretched(
                    len(ready),
                    more,
                    self._past_sound,
                    self._with_lookahead(now_s),
                    carried=carried if is_short else len(ready),
                )
                self._notes.stretched(self._next, removed, inserted)
            ready = more
            self._ready = ready
            if self._silence_left or ready is SILENCE_BLOCK:
                self._ready = _EMPTY
                return self.get(now_s) if self._silence_left else SILENCE_BLOCK
        block = ready[:TICK_SAMPLES]
        self._ready = ready[TICK_SAMPLES:]
        self._past = (self._past[1], block)
        self._counters.total_samples_received += TICK_SAMPLES
        self._schedule.passed(TICK_SAMPLES)
        return block

    def _resume(self, now_s: float) -> bool:
        first = self._store.first()
        if first is None or not self._schedule.is_due(first, now_s):
            return False
        self._playing = True
        self._ssrc_played = True
        self._jump(first)
        return True

    def _jump(self, media_time: int) -> None:
        following = self._store.peek(media_time)
        if self._pausing and following is not None:
            self._count_lost_in_pause(media_time, following)
        self._next = media_time
        self._given_up = 0
        self._missed_samples = 0
        self._held_samples = 0
        self._pausing = False
        self._schedule.jump()

    def _produce(self, now_s: float) -> Block | None:
        """The next piece of sound, at least 120 samples; None when the stream falls asleep."""
        self._drop_overdue(now_s)
        start = self._next - self._given_up
        frame = self._store.take(start)
        if frame is not None:
            if self._pausing:
                self._count_lost_in_pause(start, frame)
            return self._play(start, frame, now_s)
        following_at = self._first_not_over(start)
        if following_at is None:
            return self._pause() if self._pausing else self._await(now_s)
        following = self._store.peek(following_at)
        assert following is not None  # first() named it
        paused = self._pausing or following.sequence - 1 == self._last_sequence
        if paused or self._missed_samples >= _STALL_SAMPLES:
            if self._schedule.is_due(following_at, now_s):
                if not paused:
                    self._count_skipped(following_at, PlayoutReason.RESUMED)
                self._jump(following_at)
                return self._produce(now_s)
            return self._pause() if paused else self._conceal(PlayoutReason.MISSING)
        if following_at - start == following.samples and following.has_fec:
            return self._play_fec(start, following, now_s)
        is_given_up = following_at - start > following.samples or not self._schedule.is_too_early(
            self._next, now_s
        )
        return self._conceal(PlayoutReason.MISSING if is_given_up else PlayoutReason.TOO_EARLY)

    def _first_not_over(self, start: int) -> int | None:
        """The earliest frame that waits and does not end before `start`.

        One that came in the middle of its time, while a pause was played in its place, stays behind when play goes on with the frame after it.
        """
        for dropped in self._store.drop_over(start):
            self._counters.packets_discarded += 1
            self._tell(dropped, PlayoutOutcome.LATE)
            self._notes.add(PlayoutAction.LATE, PlayoutReason.TIME_OVER, dropped)
        return self._store.first()

    def _drop_overdue(self, now_s: float) -> None:
        if not len(self._store):  # nothing waits, whatever the clock says
            self._in_excess_since_s = None
            return
        allowed_s = self._allowed_delay_s(self._next - self._given_up, now_s)
        if allowed_s is None:
            return
        limit = int((now_s - self._target.base_s - allowed_s) * SAMPLE_RATE_HZ)
        for dropped in self._store.drop_before(limit):
            self._counters.packets_discarded += 1
            self._tell(dropped, PlayoutOutcome.DISCARDED)
            self._notes.add(PlayoutAction.DISCARDED, PlayoutReason.OVERDUE, dropped)
        first = self._store.first()
        if first is not None:
            if not self._pausing:
                self._count_skipped(first, PlayoutReason.OVERDUE)
            self._jump(first)

    def _allowed_delay_s(self, start: int, now_s: float) -> float | None:
        """How long what waits may have waited; None while nothing waits too long."""
        delay_s = self._schedule.delay_s(start, now_s)
        if delay_s <= self._target.target_s + self._excess_s:
            self._in_excess_since_s = None
            return None
        if self._in_excess_since_s is None:
            self._in_excess_since_s = now_s
        if now_s - self._in_excess_since_s > self._excess_patience_s:
            self._in_excess_since_s = None
            return self._target.target_s
        return self._capacity_s if delay_s > self._capacity_s + self._target.target_s else None

    def _count_skipped(self, to_media_time: int, reason: PlayoutReason) -> None:
        """Count what was sent and is not played, as play goes on at `to_media_time`. What was concealed meanwhile is counted already."""
        skipped = to_media_time - self._next - self._held_samples
        if skipped <= 0:
            return
        self._notes.add(PlayoutAction.SKIPPED, reason, self._next, samples=skipped)
        counters = self._counters
        counters.skipped_samples += skipped
        counters.concealed_samples += skipped
        counters.total_samples_received += skipped
        counters.concealment_events += not self._missed_samples

    def _count_lost_in_pause(self, media_time: int, following: StoredFrame) -> None:
        """Count speech that was lost while a pause was played in its place, as `following` shows by its number.

        A sender that pauses sends little: only when half of the time has packets of its own was it no pause. Behind it speech goes on; before more silence
        what is missing was most likely silence too.
        """
        assert self._last_sequence is not None, "a pause is behind a frame"
        missing = (following.sequence - self._last_sequence - 1) * self._frame_samples
        gap = media_time - self._pause_from
        self._last_sequence = following.sequence - 1
        lost = min(missing, self._missed_samples)
        if lost <= 0 or gap > 2 * missing or following.is_quiet:
            return
        self._notes.add(PlayoutAction.CONCEALED, PlayoutReason.MISSING, self._pause_from, samples=lost)
        counters = self._counters
        counters.concealed_samples += lost
        counters.silent_concealed_samples += lost
        counters.concealment_events += 1

    def _play(self, start: int, frame: StoredFrame, now_s: float) -> Block:
        counters = self._counters
        # What had to be concealed first was needed that much earlier.
        self._schedule.took(start + self._given_up, now_s, frame.samples)
        if frame.samples != self._frame_samples:
            self._loss_meter.packets_last(frame.samples)
        counters.jitter_buffer_delay_s += (now_s - frame.arrival_s) * frame.samples
        counters.jitter_buffer_target_delay_s += self._target.target_s * frame.samples
        counters.jitter_buffer_emitted_count += frame.samples
        counters.packets_recovered_by_redundancy += frame.is_copy
        self._tell(start, PlayoutOutcome.RECOVERED if frame.is_copy else PlayoutOutcome.PLAYED)
        self._notes.add(
            PlayoutAction.COPY if frame.is_copy else PlayoutAction.PLAYED,
            PlayoutReason.MISSING if frame.is_copy else PlayoutReason.IN_TIME,
            start,
            frame.sequence,
            samples=frame.samples - self._given_up,
            arrival_s=frame.arrival_s,
        )
        given_up = self._given_up
        self._next = start + frame.samples
        self._given_up = 0
        self._frame_samples = frame.samples
        self._last_sequence = frame.sequence
        self._missed_samples = 0
        self._held_samples = 0
        # Behind digital silence a sender that is muted says nothing: that is not missing.
        self._pausing = frame.is_quiet
        if self._pausing:
            self._pause_from = self._next
            self._noise.restart()
        self._silent_frames = self._silent_frames + 1 if frame.is_silent else 0
        if self._silent_frames > _SETTLED_SILENT_FRAMES and frame.samples % TICK_SAMPLES == 0:
            self._silence_left = frame.samples
            return SILENCE_BLOCK
        return self._joined(lambda: self._decoder.decode(frame.payload), given_up, frame.samples)

    def _play_fec(self, start: int, following: StoredFrame, now_s: float) -> Block:
        self._schedule.took(start + self._given_up, now_s, following.samples)
        self._counters.packets_recovered_by_fec += 1
        self._tell(start, PlayoutOutcome.RECOVERED)
        self._notes.add(
            PlayoutAction.FEC,
            PlayoutReason.MISSING,
            start,
            following.sequence - 1,
            samples=following.samples - self._given_up,
            arrival_s=following.arrival_s,
        )
        given_up = self._given_up
        self._next = start + following.samples
        self._given_up = 0
        self._missed_samples = 0
        self._held_samples = 0
        self._last_sequence = following.sequence - 1
        return self._joined(
            lambda: self._decoder.decode_fec(following.payload, following.samples),
            given_up,
            following.samples,
        )

    def _joined(self, decode: _Decode, given_up: int, samples: int) -> Block:
        """The decoded frame from where concealment left off, with a short cross-fade if it did."""
        bridge = self._decoder.conceal(min(_JOIN_SAMPLES, samples)) if given_up else None
        try:
            sound = decode()
        except DeviceError:
            self._counters.packets_undecodable += 1
            self._notes.add(
                PlayoutAction.CONCEALED,
                PlayoutReason.UNDECODABLE,
                self._next - samples + given_up,
                samples=samples - given_up,
            )
            return self._decoder.conceal(samples - given_up)
        if bridge is not None:
            sound = sound[given_up:]
            joined = min(len(sound), _JOIN_SAMPLES)
            sound[:joined] += (bridge[:joined] - sound[:joined]) * (1 - _JOIN_IN[:joined])
        return sound

    def _await(self, now_s: float) -> Block | None:
        """Nothing has come after what is missing: late, lost, stalled or gone."""
        if self._missed_samples >= _IDLE_SAMPLES:
            self._fall_asleep()
            return None
        if self._missed_samples >= _STALL_SAMPLES:
            return self._conceal(PlayoutReason.NETWORK_STANDS_STILL)
        too_early = self._schedule.is_too_early(self._next, now_s)
        return self._conceal(PlayoutReason.TOO_EARLY if too_early else PlayoutReason.NOTHING_CAME)

    def _fall_asleep(self) -> None:
        self._playing = False
        self._notes.add(PlayoutAction.SLEPT, PlayoutReason.FELL_ASLEEP, self._next, samples=TICK_SAMPLES)

    def _conceal(self, reason: PlayoutReason) -> Block:
        """Ten milliseconds of guess, or as much as a shorter frame, in place of what is missing, or before what is still waited for."""
        counters = self._counters
        samples = min(TICK_SAMPLES, self._frame_samples)
        self._notes.add(PlayoutAction.CONCEALED, reason, self._next, samples=samples)
        counters.concealment_events += not self._missed_samples
        counters.concealed_samples += samples
        if self._missed_samples >= _STALL_SAMPLES:
            # What the decoder guesses has faded into the background by now.
            counters.silent_concealed_samples += samples
        self._missed_samples += samples
        if reason not in _WAITED_FOR:
            self._next += samples
            self._given_up += samples
            if self._given_up >= self._frame_samples:
                self._given_up = 0
        else:
            self._held_samples += samples
            self._schedule.shift(samples)
        return self._decoder.conceal(samples)

    def _pause(self) -> Block | None:
        """Ten milliseconds of the sender's background."""
        self._missed_samples += TICK_SAMPLES
        if self._missed_samples >= 2 * _IDLE_SAMPLES:
            self._fall_asleep()
            return None
        self._notes.add(PlayoutAction.BACKGROUND, PlayoutReason.PAUSE, self._next, samples=TICK_SAMPLES)
        self._next += TICK_SAMPLES
        if self._noise.is_ready:
            return self._noise.block()
        sound = self._decoder.conceal(TICK_SAMPLES)
        self._noise.learn(sound)
        return sound

    # ---- the schedule

    def _past_sound(self) -> Block:
        return np.concatenate(self._past)

    def _with_lookahead(self, now_s: float) -> Lookahead:
        def lookahead(sound: Block) -> Block:
            while len(sound) < LONGEST_PERIOD_SAMPLES + 2 * OVERLAP_SAMPLES:
                frame = self._store.peek(self._next)
                if frame is None or frame.is_quiet:
                    break
                self._store.take(self._next)
                sound = np.concatenate((sound, self._play(self._next, frame, now_s)))
                # Taken before its time: that says nothing about the delay.
                self._schedule.forget_last()
            return sound

        return lookahead

    # ---- what it tells

    def statistics(self) -> PlayoutStatistics:
        """A snapshot; to be called on the playout thread."""
        counters = self._counters
        return PlayoutStatistics(
            **{name: getattr(counters, name) for name in _COUNTED},
            inserted_samples_for_deceleration=self._schedule.inserted_samples,
            removed_samples_for_acceleration=self._schedule.removed_samples,
            packets_recovered=counters.packets_recovered_by_redundancy + counters.packets_recovered_by_fec,
            packets_lost=self._loss_meter.packets_lost,
            delay_ms=1000 * self._schedule.now_delay_s,
            target_delay_ms=1000 * self._target.target_s,
        )

    def loss_report(self) -> LossReport:
        """What to tell the sender about loss before repair."""
        return self._loss_meter.report(self._target.jitter_s)

    def _tell(self, timestamp: int, outcome: PlayoutOutcome) -> None:
        if self._observer is not None:
            self._observer(self._ssrc, timestamp & TIMESTAMP_MASK, outcome)

"""What is played next of a stream: a frame, what repairs it, or what is made up in its place.

    next_sound(now):  is the next frame there? ------------- play it
                      is it inside the one after it? ------- play that (FEC)
                      does the sender pause? --------------- comfort noise, no decode
                      may it still come, and the delay is    conceal, and play it later (the delay grows)
                        too short anyway? ------------------
                      otherwise ---------------------------- conceal, and go on without it

A lost packet is never waited for. What has waited for too long is dropped.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from blink_cli.audio.playout.backlog import Backlog
from blink_cli.audio.playout.block import SILENCE_BLOCK, Block
from blink_cli.audio.playout.comfort_noise import ComfortNoise
from blink_cli.audio.playout.decision_notes import DecisionNotes
from blink_cli.audio.playout.delay_target import DelayTarget
from blink_cli.audio.playout.frame_decoder import FrameDecoder
from blink_cli.audio.playout.frame_store import FrameStore, Origin, StoredFrame
from blink_cli.audio.playout.loss_meter import LossMeter
from blink_cli.audio.playout.play_state import PlayState
from blink_cli.audio.playout.playout_counters import PlayoutCounters
from blink_cli.audio.playout.schedule import Schedule
from blink_cli.audio.playout.unjudged_sound import UnjudgedSound
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES
from blink_cli.core.errors import DeviceError
from blink_cli.core.media.media_tap import PlayoutOutcome
from blink_cli.core.media.playout_decision import PlayoutAction, PlayoutReason

_STALL_SAMPLES: Final = 80 * SAMPLE_RATE_HZ // 1000
"""When nothing at all has come for this long after its time, the network stands still: what was sent will come late rather than
never, so the schedule waits for it. Concealment has faded by then."""

_IDLE_SAMPLES: Final = SAMPLE_RATE_HZ
"""After this long without a packet the stream sleeps: silence, no work, until the next packet."""

_SETTLED_SILENT_FRAMES: Final = 2
"""Frames of digital silence that are decoded all the same, to let the end of the last word out of the decoder."""

_JOIN_SAMPLES: Final = 240
"""Cross-fade of 5 ms from concealment into the rest of a frame that came while it was being concealed."""

_JOIN_IN: Final[Block] = ((np.arange(_JOIN_SAMPLES) + 0.5) / _JOIN_SAMPLES).astype(np.float32)

_WAITED_FOR: Final = (PlayoutReason.TOO_EARLY, PlayoutReason.NETWORK_STANDS_STILL)
"""Why sound is made up while media time stands still."""

_ACTIONS: Final = {
    Origin.OWN: PlayoutAction.PLAYED,
    Origin.COPY: PlayoutAction.COPY,
    Origin.AGAIN: PlayoutAction.RESENT,
}

_Decode = Callable[[], Block]


class FramePlayer:
    """Of one buffer. Used by the playout thread alone."""

    def __init__(
        self,
        decoder: FrameDecoder,
        *,
        at: PlayState,
        store: FrameStore,
        target: DelayTarget,
        schedule: Schedule,
        backlog: Backlog,
        losses: LossMeter,
        counters: PlayoutCounters,
        notes: DecisionNotes,
        tell: Callable[[int, PlayoutOutcome], None],
    ) -> None:
        """Have played nothing yet; `tell` is told what became of a packet, by its media time."""
        self._decoder = decoder
        self._at = at
        self._store = store
        self._target = target
        self._schedule = schedule
        self._backlog = backlog
        self._losses = losses
        self._counters = counters
        self._notes = notes
        self._tell = tell
        self._noise = ComfortNoise()
        self._unjudged = UnjudgedSound()
        self._silent_frames = 0

    def begin_stream(self) -> None:
        """Forget the stream until now: another one begins."""
        at = self._at
        self._unjudged.was_lost(self._counters)
        at.has_played = at.is_playing = at.is_pausing = False
        at.given_up = at.silence_left = 0
        at.last_sequence = None
        self._store.clear()
        self._target.forget_origin()
        self._decoder.reset()

    def rest(self) -> None:
        """Nothing comes until a packet comes: what is missing meanwhile is a pause."""
        at = self._at
        at.is_unheard = True
        if at.is_playing and not at.is_pausing:
            at.given_up = 0
            self._begin_pause(at.reached)

    def listen_again(self, oldest: int, now_s: float) -> None:
        """Let media time go back to the oldest copy, if that is ahead of what was played: what was played since was a background."""
        begin = max(oldest, self._at.pause_from)
        wait_s = max(self._target.target_s - self._schedule.delay_s(begin, now_s), 0.0)
        # A pause plays on until the copy is due.
        self._at.reached = min(self._at.reached, begin - 1 - int(wait_s * SAMPLE_RATE_HZ))

    def resumes(self, now_s: float) -> bool:
        """Whether a stream that does not play begins, or goes on, now."""
        first = self._store.first()
        if first is None or not self._schedule.is_due(first, now_s):
            return False
        self._at.is_playing = self._at.has_played = True
        self._jump(first)
        return True

    def next_sound(self, now_s: float) -> Block | None:
        """The next piece of sound, at least 120 samples; None when the stream falls asleep."""
        at, target, backlog = self._at, self._target, self._backlog
        start = at.reached - at.given_up
        if now_s - target.base_s - start / SAMPLE_RATE_HZ <= target.target_s + backlog.excess_s:
            backlog.is_over()
        else:
            self._drop_overdue(now_s)
            start = at.reached - at.given_up
        frame = self._store.take(start)
        if frame is not None:
            if at.is_pausing:
                self._count_lost_in_pause(start, frame)
            return self.play(start, frame, now_s)
        following_at = self._first_not_over(start)
        if following_at is None:
            return self._pause() if at.is_pausing else self._await(now_s)
        following = self._store.peek(following_at)
        assert following is not None  # first() named it
        if self._unjudged.samples:
            self._judge(following_at, following)
        paused = at.is_pausing or following.sequence - 1 == at.last_sequence
        repaired = None if paused else self._play_repaired(start, following_at, following, now_s)
        if repaired is not None:
            return repaired
        if paused or at.missed_samples >= _STALL_SAMPLES:
            if self._schedule.is_due(following_at, now_s):
                if not paused:
                    self._count_skipped(following_at, PlayoutReason.RESUMED)
                self._jump(following_at)
                return self.next_sound(now_s)
            return self._pause() if paused else self._conceal(PlayoutReason.MISSING)
        is_given_up = following_at - start > following.samples or not self._schedule.is_too_early(
            at.reached, now_s
        )
        return self._conceal(PlayoutReason.MISSING if is_given_up else PlayoutReason.TOO_EARLY)

    # ---- what is not played

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
            self._backlog.is_over()
            return
        at = self._at
        delay_s = self._schedule.delay_s(at.reached - at.given_up, now_s)
        allowed_s = self._backlog.allowed_delay_s(delay_s, now_s)
        if allowed_s is None:
            return
        limit = int((now_s - self._target.base_s - allowed_s) * SAMPLE_RATE_HZ)
        for dropped in self._store.drop_before(limit):
            self._counters.packets_discarded += 1
            self._tell(dropped, PlayoutOutcome.DISCARDED)
            self._notes.add(PlayoutAction.DISCARDED, PlayoutReason.OVERDUE, dropped)
        first = self._store.first()
        if first is not None:
            if not at.is_pausing:
                self._count_skipped(first, PlayoutReason.OVERDUE)
            self._jump(first)

    def _jump(self, media_time: int) -> None:
        at = self._at
        following = self._store.peek(media_time)
        if at.is_pausing and following is not None:
            self._count_lost_in_pause(media_time, following)
        at.reached = media_time
        at.given_up = at.missed_samples = at.held_samples = 0
        at.is_pausing = False
        self._schedule.jump()

    def _count_skipped(self, to_media_time: int, reason: PlayoutReason) -> None:
        """Count what was sent and is not played, as play goes on at `to_media_time`. What was concealed meanwhile is counted already."""
        at = self._at
        skipped = to_media_time - at.reached - at.held_samples
        if skipped <= 0:
            return
        self._notes.add(PlayoutAction.SKIPPED, reason, at.reached, samples=skipped)
        counters = self._counters
        counters.skipped_samples += skipped
        counters.concealed_samples += skipped
        counters.total_samples_received += skipped
        counters.concealment_events += not at.missed_samples

    def _count_lost_in_pause(self, media_time: int, following: StoredFrame) -> None:
        """Count speech that was lost while a pause was played in its place, as `following` shows by its number.

        A sender that pauses sends little: only when half of the time has packets of its own was it no pause. Behind it speech goes on; before more silence
        what is missing was most likely silence too.
        """
        at = self._at
        assert at.last_sequence is not None, "a pause is behind a frame"
        missing = (following.sequence - at.last_sequence - 1) * at.frame_samples
        gap = media_time - at.pause_from
        at.last_sequence = following.sequence - 1
        lost = min(missing, at.missed_samples)
        if lost <= 0 or gap > 2 * missing or following.is_quiet:
            return
        self._notes.add(PlayoutAction.CONCEALED, PlayoutReason.MISSING, at.pause_from, samples=lost)
        counters = self._counters
        counters.concealed_samples += lost
        counters.silent_concealed_samples += lost
        counters.concealment_events += 1

    def _judge(self, following_at: int, following: StoredFrame) -> None:
        """Tell from the first packet that came again what was made up before it: a pause of a sender that sends nothing while silent, or speech that was lost.

        Nobody pauses behind a frame that he calls speech: that sender stood still, and what it should have said is missing though no number is.
        """
        at = self._at
        assert at.last_sequence is not None, "sound is made up behind a frame"
        missing = max(following.sequence - at.last_sequence - 1, 0) * at.frame_samples
        if self._unjudged.behind_voice or following_at - self._unjudged.since <= 2 * missing:
            self._unjudged.was_lost(self._counters)
            return
        self._unjudged.was_pause()
        if not at.is_pausing:
            self._begin_pause(self._unjudged.since)

    # ---- what is played

    def play(self, start: int, frame: StoredFrame, now_s: float) -> Block:
        """The sound of a frame that was taken; `SILENCE_BLOCK` for one of digital silence, which lasts for `silence_left`."""
        at, counters, unjudged = self._at, self._counters, self._unjudged
        given_up, samples = at.given_up, frame.samples
        if unjudged.samples:
            unjudged.was_lost(counters)
        # What had to be concealed first was needed that much earlier.
        self._schedule.took(start + given_up, now_s, samples)
        if samples != at.frame_samples:
            self._losses.packets_last(samples)
            at.frame_samples = samples
        counters.jitter_buffer_delay_s += (now_s - frame.arrival_s) * samples
        counters.jitter_buffer_target_delay_s += self._target.target_s * samples
        counters.jitter_buffer_emitted_count += samples
        origin = frame.origin
        is_own = origin is Origin.OWN
        if not is_own:
            counters.packets_recovered_by_redundancy += origin is Origin.COPY
            counters.packets_recovered_by_retransmission += origin is Origin.AGAIN
        self._tell(start, PlayoutOutcome.PLAYED if is_own else PlayoutOutcome.RECOVERED)
        if self._notes.into is not None:
            self._notes.add(
                _ACTIONS[origin],
                PlayoutReason.IN_TIME if is_own else PlayoutReason.MISSING,
                start,
                frame.sequence,
                samples=samples - given_up,
                arrival_s=frame.arrival_s,
            )
        at.reached = unjudged.since = start + samples
        at.given_up = at.missed_samples = at.held_samples = 0
        at.last_sequence = frame.sequence
        unjudged.behind_voice = frame.is_voice
        # Behind digital silence a sender that is muted says nothing: that is not missing.
        if frame.is_quiet or at.is_unheard:
            self._begin_pause(at.reached)
        else:
            at.is_pausing = False
        if not frame.is_silent:
            self._silent_frames = 0
        else:
            self._silent_frames += 1
            if self._silent_frames > _SETTLED_SILENT_FRAMES and samples % TICK_SAMPLES == 0:
                at.silence_left = samples
                return SILENCE_BLOCK
        if given_up:
            return self._joined(lambda: self._decoder.decode(frame.payload), given_up, samples)
        try:
            return self._decoder.decode(frame.payload)
        except DeviceError:
            return self._undecodable(0, samples)

    def _begin_pause(self, media_time: int) -> None:
        self._at.is_pausing = True
        self._at.pause_from = media_time
        self._noise.restart()

    def _play_repaired(
        self, start: int, following_at: int, following: StoredFrame, now_s: float
    ) -> Block | None:
        """The missing frame, of what the one that waits holds of it; None: nothing."""
        before = following_at - start
        if before == following.samples and following.has_fec:
            return self._play_fec(start, following, now_s)
        if before > following.dred_samples:
            return None
        told = self._decoder.told_by_dred(following.payload, before, self._at.frame_samples)
        return None if told is None else self._play_told(start, told, now_s)

    def _play_fec(self, start: int, following: StoredFrame, now_s: float) -> Block:
        at = self._at
        given_up = at.given_up
        self._schedule.took(start + given_up, now_s, following.samples)
        self._counters.packets_recovered_by_fec += 1
        self._tell(start, PlayoutOutcome.RECOVERED)
        self._notes.add(
            PlayoutAction.FEC,
            PlayoutReason.MISSING,
            start,
            following.sequence - 1,
            samples=following.samples - given_up,
            arrival_s=following.arrival_s,
        )
        at.reached = self._unjudged.since = start + following.samples
        at.given_up = at.missed_samples = at.held_samples = 0
        at.last_sequence = following.sequence - 1
        self._unjudged.behind_voice = following.is_voice
        return self._joined(
            lambda: self._decoder.decode_fec(following.payload, following.samples),
            given_up,
            following.samples,
        )

    def _play_told(self, start: int, told: Block, now_s: float) -> Block:
        """A lost frame, as a later packet tells of it."""
        at = self._at
        samples, given_up = len(told), at.given_up
        self._schedule.took(start + given_up, now_s, samples)
        self._counters.packets_recovered_by_dred += 1
        self._tell(start, PlayoutOutcome.RECOVERED)
        self._notes.add(PlayoutAction.DRED, PlayoutReason.MISSING, start, samples=samples - given_up)
        at.reached = start + samples
        at.given_up = at.missed_samples = at.held_samples = 0
        return told[given_up:]

    def _joined(self, decode: _Decode, given_up: int, samples: int) -> Block:
        """The decoded frame from where concealment left off, with a short cross-fade if it did."""
        bridge = self._decoder.conceal(min(_JOIN_SAMPLES, samples)) if given_up else None
        try:
            sound = decode()
        except DeviceError:
            return self._undecodable(given_up, samples)
        if bridge is not None:
            sound = sound[given_up:]
            joined = min(len(sound), _JOIN_SAMPLES)
            sound[:joined] += (bridge[:joined] - sound[:joined]) * (1 - _JOIN_IN[:joined])
        return sound

    def _undecodable(self, given_up: int, samples: int) -> Block:
        """What is made up in place of a frame that libopus refused."""
        self._counters.packets_undecodable += 1
        self._notes.add(
            PlayoutAction.CONCEALED,
            PlayoutReason.UNDECODABLE,
            self._at.reached - samples + given_up,
            samples=samples - given_up,
        )
        return self._decoder.conceal(samples - given_up)

    # ---- what is made up

    def _await(self, now_s: float) -> Block | None:
        """Nothing has come after what is missing: late, lost, stalled or gone."""
        at = self._at
        if at.missed_samples >= _IDLE_SAMPLES:
            self._fall_asleep()
            return None
        if at.missed_samples >= _STALL_SAMPLES:
            return self._conceal(PlayoutReason.NETWORK_STANDS_STILL, nothing_came=True)
        too_early = self._schedule.is_too_early(at.reached, now_s)
        return self._conceal(
            PlayoutReason.TOO_EARLY if too_early else PlayoutReason.NOTHING_CAME, nothing_came=True
        )

    def _fall_asleep(self) -> None:
        self._unjudged.was_lost(self._counters)
        self._at.is_playing = False
        self._notes.add(
            PlayoutAction.SLEPT, PlayoutReason.FELL_ASLEEP, self._at.reached, samples=TICK_SAMPLES
        )

    def _conceal(self, reason: PlayoutReason, *, nothing_came: bool = False) -> Block:
        """Ten milliseconds of guess, or as much as a shorter frame, in place of what is missing, or before what is still waited for.

        While nothing has come behind it, it may be a pause: then it counts when that is known, after a second at most.
        """
        at, counters = self._at, self._counters
        samples = min(TICK_SAMPLES, at.frame_samples)
        self._notes.add(PlayoutAction.CONCEALED, reason, at.reached, samples=samples)
        # What the decoder guesses has faded into the background by then.
        silent_samples = samples if at.missed_samples >= _STALL_SAMPLES else 0
        if nothing_came:
            self._unjudged.add(samples, silent_samples)
        else:
            counters.concealment_events += not at.missed_samples
            counters.concealed_samples += samples
            counters.silent_concealed_samples += silent_samples
        at.missed_samples += samples
        if reason not in _WAITED_FOR:
            at.reached += samples
            at.given_up += samples
            if at.given_up >= at.frame_samples:
                at.given_up = 0
        else:
            at.held_samples += samples
            self._schedule.shift(samples)
        return self._decoder.conceal(samples)

    def _pause(self) -> Block | None:
        """Ten milliseconds of the sender's background."""
        at = self._at
        at.missed_samples += TICK_SAMPLES
        if at.missed_samples >= 2 * _IDLE_SAMPLES:
            self._fall_asleep()
            return None
        self._notes.add(PlayoutAction.BACKGROUND, PlayoutReason.PAUSE, at.reached, samples=TICK_SAMPLES)
        at.reached += TICK_SAMPLES
        if self._noise.is_ready:
            return self._noise.block()
        sound = self._decoder.conceal(TICK_SAMPLES)
        self._noise.learn(sound)
        return sound

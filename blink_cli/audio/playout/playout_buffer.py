"""One peer's packets become one peer's sound.

    put(packet) -> FrameIntake -> FrameStore ---.          LossMeter -> loss_report() -> the sender
                        '-> DelayTarget         |
                                                v
    get(now) every 10 ms: ----------------- FramePlayer: the frame, what repairs it, or what is made up in its place
                           then Schedule: too late by the clock? leave out a pitch period
                                          too early? ----------- repeat one

Everything follows one schedule: the sample with media time m is due at `base + m + target`, where `base` is the earliest transit
time of the last seconds and `target` how much longer it is worth to wait. A lost packet is never waited for. Sound that
was held up (a freeze) is not thrown away but played faster, until the schedule is met again.
"""

from typing import Final

import numpy as np

from blink_cli.audio.playout.backlog import Backlog
from blink_cli.audio.playout.block import SILENCE_BLOCK, Block
from blink_cli.audio.playout.decision_notes import DecisionNotes
from blink_cli.audio.playout.delay_target import DelayTarget
from blink_cli.audio.playout.frame_decoder import FrameDecoder
from blink_cli.audio.playout.frame_intake import FrameIntake
from blink_cli.audio.playout.frame_player import FramePlayer
from blink_cli.audio.playout.frame_store import FrameStore
from blink_cli.audio.playout.loss_meter import LossMeter
from blink_cli.audio.playout.play_state import PlayState
from blink_cli.audio.playout.playout_counters import PlayoutCounters
from blink_cli.audio.playout.schedule import Schedule
from blink_cli.audio.playout.settings import PlayoutSettings
from blink_cli.audio.playout.statistics import PlayoutObserver, PlayoutStatistics
from blink_cli.audio.playout.time_stretch import LONGEST_PERIOD_SAMPLES, OVERLAP_SAMPLES
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.media_tap import PlayoutOutcome
from blink_cli.core.media.playout_decision import PlayoutDecision
from blink_cli.core.media.unwrapper import TIMESTAMP_MASK

_SHORTEST_FRAME_MS: Final = 2.5

_EMPTY: Final[Block] = np.empty(0, np.float32)


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
        self._observer = observer
        at = self._at = PlayState()
        counters = self._counters = PlayoutCounters()
        target = self._target = DelayTarget(
            opening_s=settings.opening_delay_ms / 1000,
            minimum_s=settings.minimum_delay_ms / 1000,
            maximum_s=settings.maximum_delay_ms / 1000,
        )
        schedule = self._schedule = Schedule(target)
        # Packets that overtake may stand up to the clock's jump limit ahead; more than that is a flood.
        store = self._store = FrameStore(capacity=int(3 * settings.capacity_ms / _SHORTEST_FRAME_MS))
        notes = self._notes = DecisionNotes(schedule, target, store)
        losses = self._losses = LossMeter()
        player = self._player = FramePlayer(
            decoder,
            at=at,
            store=store,
            target=target,
            schedule=schedule,
            backlog=Backlog(settings, target),
            losses=losses,
            counters=counters,
            notes=notes,
            tell=self._tell,
        )
        intake = FrameIntake(
            payload_types,
            decoder,
            at=at,
            store=store,
            target=target,
            losses=losses,
            counters=counters,
            notes=notes,
            tell=self._tell,
            begin_stream=player.begin_stream,
            listen_again=player.listen_again,
        )
        self.put: Final = intake.put
        """Take one received packet, in any order. Never raises: what cannot be used is counted."""

        self.rest: Final = player.rest
        """Nothing comes until a packet comes, as behind a sender's last word: what is missing meanwhile is no loss.

        The copies that this packet carries are played too, however old they are: nobody has heard them.
        """

        self._ready = _EMPTY
        self._past = (SILENCE_BLOCK, SILENCE_BLOCK)
        """The last two blocks that were played: joined only when sound is stretched."""

    def note(self, decisions: list[PlayoutDecision] | None) -> None:
        """Append what is done, and why, to this list from now on; None: nowhere."""
        self._notes.into = decisions

    # ---- sound out

    def get(self, now_s: float) -> Block:
        """The next ten milliseconds, shape (480,); not to be modified. `SILENCE_BLOCK` itself when nothing is to be heard."""
        at, ready = self._at, self._ready
        at.tick_s = self._notes.now_s = now_s
        # The second half of a frame costs next to nothing.
        if not at.is_playing or at.silence_left or len(ready) < TICK_SAMPLES:
            sound = self._silent_or_sound(now_s)
            if sound is None:
                return SILENCE_BLOCK
            ready = sound
        block = ready[:TICK_SAMPLES]
        self._ready = ready[TICK_SAMPLES:]
        self._past = (self._past[1], block)
        self._counters.total_samples_received += TICK_SAMPLES
        self._schedule.rest_samples -= TICK_SAMPLES
        return block

    def _silent_or_sound(self, now_s: float) -> Block | None:
        """What is to be played next, at least a tick; None of silence."""
        at = self._at
        if at.silence_left:
            at.silence_left -= TICK_SAMPLES
            self._counters.total_samples_received += TICK_SAMPLES
            return None
        if not at.is_playing and not self._player.resumes(now_s):
            self._notes.rested(at.reached)
            return None
        ready = self._ready
        held = carried = len(ready)
        while held < TICK_SAMPLES:
            # Of frames shorter than a tick, several are needed now, each for its place in it.
            is_short = at.frame_samples < TICK_SAMPLES
            sound = self._player.next_sound(now_s + held / SAMPLE_RATE_HZ if is_short else now_s)
            if sound is None:
                self._ready = _EMPTY
                return None
            if held:
                sound = np.concatenate((ready, sound))
            if not at.missed_samples and not at.silence_left:
                sound = self._stretched(sound, held, carried if is_short else held)
            ready = self._ready = sound
            if at.silence_left or ready is SILENCE_BLOCK:
                self._ready = _EMPTY
                return self._silent_or_sound(now_s) if at.silence_left else None
            held = len(ready)
        return ready

    def _stretched(self, sound: Block, leftover: int, carried: int) -> Block:
        schedule = self._schedule
        removed, inserted = schedule.removed_samples, schedule.inserted_samples
        sound = schedule.stretched(leftover, sound, self._past_sound, self._with_next_frames, carried=carried)
        if self._notes.into is not None:
            self._notes.stretched(self._at.reached, removed, inserted)
        return sound

    def _past_sound(self) -> Block:
        return np.concatenate(self._past)

    def _with_next_frames(self, sound: Block) -> Block:
        at, store = self._at, self._store
        while len(sound) < LONGEST_PERIOD_SAMPLES + 2 * OVERLAP_SAMPLES:
            frame = store.peek(at.reached)
            if frame is None or frame.is_quiet:
                break
            store.take(at.reached)
            sound = np.concatenate((sound, self._player.play(at.reached, frame, at.tick_s)))
            # Taken before its time: that says nothing about the delay.
            self._schedule.forget_last()
        return sound

    # ---- what it tells

    def statistics(self) -> PlayoutStatistics:
        """A snapshot; to be called on the playout thread."""
        counters = self._counters
        return PlayoutStatistics(
            total_samples_received=counters.total_samples_received,
            concealed_samples=counters.concealed_samples,
            silent_concealed_samples=counters.silent_concealed_samples,
            concealment_events=counters.concealment_events,
            skipped_samples=counters.skipped_samples,
            inserted_samples_for_deceleration=self._schedule.inserted_samples,
            removed_samples_for_acceleration=self._schedule.removed_samples,
            jitter_buffer_delay_s=counters.jitter_buffer_delay_s,
            jitter_buffer_target_delay_s=counters.jitter_buffer_target_delay_s,
            jitter_buffer_emitted_count=counters.jitter_buffer_emitted_count,
            packets_received=counters.packets_received,
            packets_discarded=counters.packets_discarded,
            packets_duplicated=counters.packets_duplicated,
            packets_recovered=counters.packets_recovered_by_redundancy
            + counters.packets_recovered_by_retransmission
            + counters.packets_recovered_by_fec
            + counters.packets_recovered_by_dred,
            packets_recovered_by_redundancy=counters.packets_recovered_by_redundancy,
            packets_recovered_by_retransmission=counters.packets_recovered_by_retransmission,
            packets_recovered_by_fec=counters.packets_recovered_by_fec,
            packets_recovered_by_dred=counters.packets_recovered_by_dred,
            packets_lost=self._losses.packets_lost,
            packets_undecodable=counters.packets_undecodable,
            delay_ms=1000 * self._schedule.now_delay_s,
            target_delay_ms=1000 * self._target.target_s,
        )

    def loss_report(self) -> LossReport:
        """What to tell the sender about loss before repair."""
        return self._losses.report(self._target.jitter_s)

    def _tell(self, timestamp: int, outcome: PlayoutOutcome) -> None:
        if self._observer is not None:
            self._observer(self._at.ssrc, timestamp & TIMESTAMP_MASK, outcome)

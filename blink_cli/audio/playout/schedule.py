r"""Keeps the delay at its target: measures it, and shortens or lengthens sound when that is worth the harm.

    delay   |        .--- too late: leave out a pitch period (in a pause at once, in a word only when it is much)
            |   ____/____  best delay + what moving would cost
    target -|---------------
            |   ~~~~\~~~~  the cost is flat here: stay
            |        '--- too early: frames come after their time; repeat a pitch period

Source of the method: docs/playout.md.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from blink_cli.audio.playout.block import Block
from blink_cli.audio.playout.delay_target import DelayTarget
from blink_cli.audio.playout.room_noise import RoomNoise
from blink_cli.audio.playout.time_stretch import (
    LONGEST_PERIOD_SAMPLES,
    OVERLAP_SAMPLES,
    Splice,
    lengthen,
    lengthening,
    shorten,
    shortening,
)
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES

_REMEMBERED_FRAMES: Final = 6
"""The least delay of so many frames counts, because a tick can be late and never early."""

_REGRET_S: Final = 0.016
"""Below the target sound is lengthened when the frames that come too late for it are worth so much delay."""

_HOLD_REGRET_S: Final = 0.005
"""The same for waiting for a frame that is missing right now: two such frames of the window are enough, so that the slow drift of a
clock costs two moments and not one for each frame."""

_LATE_S: Final = 0.010
"""Above the target sound is shortened when so much delay is won, a tick: each time costs a little of the voice."""

_LATE_JITTERS: Final = 1.5
"""And so much more for each second of jitter, because then the target itself is only an estimate that wavers."""

_SHORT_LATE_S: Final = 0.002
"""The same in a pause, of frames shorter than a tick."""

_FLOOR_PATIENCE_SAMPLES: Final = 3 * SAMPLE_RATE_HZ
"""How long the delay that copies need waits for a moment of quiet, while nothing has been missed for want of it: lengthening words by 80 ms costs more than
the loss of three packets in a row that may come meanwhile."""

_SHORTEST_CUT_SAMPLES: Final = 2 * SAMPLE_RATE_HZ // 1000

_LATE_SAMPLES: Final = 8 * SAMPLE_RATE_HZ // 1000
"""Less than this is not worth a splice."""

_REST_SAMPLES: Final = 60 * SAMPLE_RATE_HZ // 1000
"""Sound between two gentle stretches."""

_HURRY_S: Final = 0.075
"""Above the target by this, sound is shortened within words too; by twice this, wherever it can be, without rest."""

_PAUSE_RMS: Final = 10 ** (-48 / 20)
"""Below -48 dBFS nobody speaks: there sound is moved by exactly what is wanted, because it is not noticed."""

_PAUSE_SAMPLES: Final = 120 * SAMPLE_RATE_HZ // 1000
"""Quiet for so long is a pause. Less is the closure before a p, t or k, and shortening that is heard."""

_PATIENCE_SAMPLES: Final = 7 * SAMPLE_RATE_HZ
"""How long a small excess of delay waits for a pause before sound is shortened where one period is as good as the same as the next, as in a tone."""

_SAME_LIKENESS: Final = 0.995
"""Who speaks has paused before that. Music has not: of its periods those alike by 0.9, or 0.98, are many, and each left out of it is heard more than a twentieth of
a second of delay: PESQ-WB 2.2 in place of 3.6."""

_MOST_OF_A_PAUSE_SAMPLES: Final = 40 * SAMPLE_RATE_HZ // 1000
"""A pause is shortened by so much at most, where nothing hurries: 60 ms at once are noticed more than 40 and then, in the next one, 20."""

_LONG_PAUSE_SAMPLES: Final = SAMPLE_RATE_HZ
"""But one that lasts a second by as much as is wanted."""

_DRAINING: Final = 0.01
"""Hardly a hurry, but one."""

_GENTLE_LIKENESS: Final = 0.9
_HASTY_LIKENESS: Final = 0.3

Lookahead = Callable[[Block], Block]
"""Gives the same sound with the next frame behind it, if that is there."""

Past = Callable[[], Block]
"""Gives what was played last, 20 ms."""


class Schedule:
    """When each media time is due, how far the stream is from that, and what to do about it. Times in seconds."""

    def __init__(self, target: DelayTarget) -> None:
        self._target = target
        self._delays_s: deque[float] = deque(maxlen=_REMEMBERED_FRAMES)
        self._step_samples = TICK_SAMPLES
        self._until_remembered = 0
        self._remembered_last = False
        self.rest_samples = 0
        """How much is to be played before the next gentle stretch; the owner counts it down."""

        self._waited = 0
        self._quiet_samples = 0
        self._room = RoomNoise()
        self._room_samples = 0
        self._taken_samples = 0
        """Of the present pause."""

        self._drains = False
        """Whether what a freeze has left is being made up for: then to its end, without waiting for a pause."""

        self.inserted_samples = 0
        self.removed_samples = 0

    @property
    def now_delay_s(self) -> float:
        """The delay at which frames are taken now; 0 when none was taken since the last jump."""
        return min(self._delays_s, default=0.0)

    def delay_s(self, media_time: int, now_s: float) -> float:
        """How long after its earliest possible arrival the frame that begins at `media_time` is used, if it is used now."""
        return now_s - self._target.base_s - media_time / SAMPLE_RATE_HZ

    def is_due(self, media_time: int, now_s: float) -> bool:
        """Whether a stream that starts or resumes should start with this frame now."""
        return self.delay_s(media_time, now_s) >= self._target.target_s

    def is_too_early(self, media_time: int, now_s: float) -> bool:
        """Whether the delay is known to be too short, so that the frame is better waited for than given up."""
        delay_s = self.delay_s(media_time, now_s)
        return delay_s < self._target.target_s and self._target.regret_s(delay_s) > _HOLD_REGRET_S

    def took(self, media_time: int, now_s: float, samples: int) -> None:
        """The frame of so many samples that begins at `media_time` is used now. Of frames shorter than a tick, one in a tick is remembered."""
        step = self._step_samples = min(samples, TICK_SAMPLES)
        self._until_remembered -= samples
        self._remembered_last = self._until_remembered < step
        if self._remembered_last:
            self._until_remembered = TICK_SAMPLES
            self._delays_s.append(now_s - self._target.base_s - media_time / SAMPLE_RATE_HZ)

    def forget_last(self) -> None:
        """That frame was used before it was needed."""
        if self._remembered_last:
            self._delays_s.pop()
            self._until_remembered = 0

    def jump(self) -> None:
        """Play goes on somewhere else: what was measured is void."""
        self._delays_s.clear()
        self._until_remembered = 0

    def shift(self, samples: int) -> None:
        """What comes next is played so much later than measured."""
        for _ in range(len(self._delays_s)):
            self._delays_s.append(self._delays_s.popleft() + samples / SAMPLE_RATE_HZ)

    def stretched(
        self, leftover: int, sound: Block, past: Past, lookahead: Lookahead, *, carried: int
    ) -> Block:
        """`sound`, shorter or longer by a pitch period when the schedule asks for it.

        Args:
            leftover: How much of it was decoded before.
            sound: What is to be played next.
            past: What was played last.
            lookahead: Gives more of it.
            carried: How much was decoded before, and beyond what the tick before needed.

        """
        energy = float(sound @ sound)
        is_quiet = energy < len(sound) * _PAUSE_RMS**2
        self._quiet_samples = self._quiet_samples + len(sound) - leftover if is_quiet else 0
        is_room = self._room.is_all(energy / max(len(sound), 1))
        self._room_samples = self._room_samples + len(sound) - leftover if is_room else 0
        if not self._is_pause:
            self._taken_samples = 0
        if not self._delays_s:
            return sound
        target_s = self._target.target_s
        delay_s = min(self._delays_s)
        down_to_s = max(target_s, self._target.kept_s)
        if delay_s > down_to_s:
            # Frames are taken at ticks: whole ticks above the target can go, and what is left over from the last frame. Of shorter frames each has its place in
            # the tick, and its delay counts from there: what is left over is part of it, and only whole frames of the rest.
            step = self._step_samples
            spare_samples = (delay_s - down_to_s) * SAMPLE_RATE_HZ
            over = carried
            if step < TICK_SAMPLES:
                over %= step
                spare_samples -= over
            late_samples = int(spare_samples // step) * step + over
            if late_samples >= min(step, _LATE_SAMPLES):
                worth_s = _LATE_S + _LATE_JITTERS * self._target.jitter_s
                if step == TICK_SAMPLES:
                    worth_s -= carried / SAMPLE_RATE_HZ
                regret_s = self._target.regret_s(delay_s)
                if late_samples >= _LATE_SAMPLES and regret_s > worth_s:
                    return self._hastened(sound, late_samples, lookahead)
                # Who sends short frames wants little delay: in a pause what is less than a tick goes too.
                if (
                    step < TICK_SAMPLES
                    and late_samples >= step
                    and self._is_pause
                    and regret_s > _SHORT_LATE_S
                ):
                    return self._hastened(sound, late_samples, lookahead)
        elif delay_s <= target_s and self._target.regret_s(delay_s) > _REGRET_S:
            self._waited += len(sound)
            if (
                self._quiet_samples
                or self._waited > _FLOOR_PATIENCE_SAMPLES
                or (
                    self._target.learned_regret_s(delay_s) > _REGRET_S
                    and self._target.comes_later_again(delay_s)
                )
            ):
                return self._slowed(sound, past, target_s - delay_s)
            return sound
        self._waited = 0
        self._drains = False
        return sound

    @property
    def _is_pause(self) -> bool:
        return max(self._quiet_samples, self._room_samples) >= _PAUSE_SAMPLES

    def _hastened(self, sound: Block, late_samples: int, lookahead: Lookahead) -> Block:
        haste = min(1.0, max(0.0, late_samples / SAMPLE_RATE_HZ / _HURRY_S - 1))
        self._drains = self._drains or haste >= 1
        if self._drains and haste <= 0:
            haste = _DRAINING
        quiet = self._is_pause
        self._waited += len(sound)
        if (
            not quiet
            and haste < 1
            and (self.rest_samples > 0 or (haste <= 0 and self._waited < _PATIENCE_SAMPLES))
        ):
            return sound
        sound = lookahead(sound)
        if len(sound) < 2 * OVERLAP_SAMPLES:
            return sound
        if quiet:
            is_free = haste > 0 or max(self._quiet_samples, self._room_samples) >= _LONG_PAUSE_SAMPLES
            most = LONGEST_PERIOD_SAMPLES if is_free else _MOST_OF_A_PAUSE_SAMPLES - self._taken_samples
            if most < _SHORTEST_CUT_SAMPLES:
                return sound
            splice: Splice | None = Splice(
                min(late_samples, most, LONGEST_PERIOD_SAMPLES, len(sound) - OVERLAP_SAMPLES), 1.0
            )
        else:
            splice = shortening(sound, late_samples)
        gentle = _SAME_LIKENESS if haste <= 0 else _GENTLE_LIKENESS
        if splice is None or splice.likeness < gentle - haste * (gentle - _HASTY_LIKENESS):
            return sound
        self.removed_samples += splice.period_samples
        self._taken_samples += splice.period_samples
        self.rest_samples = int(_REST_SAMPLES * (1 - haste))
        return self._rescheduled(sound, shorten(sound, splice))

    def _slowed(self, sound: Block, past: Past, early_s: float) -> Block:
        quiet = self._quiet_samples > 0
        if (not quiet and self.rest_samples > 0) or len(sound) < 2 * OVERLAP_SAMPLES:
            return sound
        if quiet:
            splice: Splice | None = Splice(
                min(int(early_s * SAMPLE_RATE_HZ) + TICK_SAMPLES // 2, LONGEST_PERIOD_SAMPLES), 1.0
            )
        else:
            splice = lengthening(past(), sound)
        if splice is None or splice.likeness < _GENTLE_LIKENESS:
            return sound
        self.inserted_samples += splice.period_samples
        self.rest_samples = _REST_SAMPLES
        return self._rescheduled(sound, lengthen(past(), sound, splice))

    def _rescheduled(self, before: Block, after: Block) -> Block:
        """Return `after`, with the delays as if they had been measured with it.

        The next frame is taken whole ticks earlier or later; a shorter one has its place in the tick, and is so much earlier or later.
        """
        step = self._step_samples
        moved = len(after) // step - len(before) // step
        self.shift(moved * step if step == TICK_SAMPLES else len(after) - len(before))
        return after

"""How lost frames are guessed: by the networks of libopus where it has them and the tick has time for them, else as ever.

    PlayoutBuffer --> ConcealingDecoder --> OpusDecoder       classic: 20 us for 10 ms
                            |                       '------>  deep: 0.5 ms
                            |                       '------>  of what a later packet tells (DRED): 0.6 ms
                       DeepBudget, one for all voices that one thread plays

A burst that hits eight peers at once would take half a tick, and ticks that are late are heard of everybody. So a tick spends no more than it may, and
what is left over is guessed the classic way: the two may follow each other within a word.
"""

from typing import Final

from typing_extensions import override

from blink_cli.audio.opus.decoder import OpusDecoder
from blink_cli.audio.opus.dred import DredReader
from blink_cli.audio.playout.block import Block
from blink_cli.audio.playout.concealment_kind import concealment
from blink_cli.audio.playout.frame_decoder import FrameDecoder
from blink_cli.core.audio_format import TICK_SAMPLES
from blink_cli.core.errors import DeviceError

_TICKS_SAMPLES: Final = 3 * TICK_SAMPLES
"""So much a tick may guess deeply for as long as it lasts: 1.6 ms of 10 on the machine of docs/performance.md."""

_MOST_SAMPLES: Final = 6 * TICK_SAMPLES
"""And so much at once, if the ticks before it needed less."""

_LONGEST_RUN_SAMPLES: Final = 12 * TICK_SAMPLES
"""Behind 120 ms of guesses every guess has faded, whoever makes it."""


class DeepBudget:
    """Of one thread's voices together. Not a clock: work is counted in samples, so that a call that is played again decides the same."""

    __slots__ = ("_left", "deep_samples", "refused_samples")

    def __init__(self) -> None:
        self._left = _MOST_SAMPLES
        self.deep_samples = 0
        """Guessed deeply so far, of all voices."""

        self.refused_samples = 0
        """Guessed the classic way because a tick had spent all it may."""

    def begin_tick(self) -> None:
        """Another tick: there is time again."""
        self._left = min(self._left + _TICKS_SAMPLES, _MOST_SAMPLES)

    def take(self, samples: int) -> bool:
        """Whether so much may be guessed deeply now; then it is spent."""
        work = max(samples, TICK_SAMPLES)  # the networks make 10 ms at a time
        if work > self._left:
            self.refused_samples += samples
            return False
        self._left -= work
        self.deep_samples += samples
        return True


class ConcealingDecoder(OpusDecoder):
    """The decoder of a voice with a copy of libopus that guesses deeply, and may read DRED."""

    def __init__(self, budget: DeepBudget, *, dred: DredReader | None = None) -> None:
        """Spend of this budget."""
        super().__init__()
        self._budget = budget
        self._dred = dred
        self._run_samples = 0

    @override
    def dred_samples(self, payload: bytes) -> int:
        """How much sound right before the packet it tells of (DRED)."""
        return 0 if self._dred is None else self._dred.samples(payload)

    @override
    def told_by_dred(self, payload: bytes, before_samples: int, samples: int) -> Block | None:
        """What a later packet tells of lost sound, if there is time to make it."""
        if self._dred is None or samples % TICK_SAMPLES or not self._budget.take(samples):
            return None
        try:
            told = self.decode_dred(self._dred.features(payload), before_samples, samples)
        except DeviceError:  # of a stranger's bytes
            return None
        self._run_samples = 0
        return told

    @override
    def decode(self, payload: bytes) -> Block:
        """See `OpusDecoder.decode`."""
        self._run_samples = 0
        return super().decode(payload)

    @override
    def decode_fec(self, next_payload: bytes, samples: int) -> Block:
        """See `OpusDecoder.decode_fec`."""
        self._run_samples = 0
        return super().decode_fec(next_payload, samples)

    @override
    def conceal(self, samples: int) -> Block:
        """Guess deeply if there is time, else as ever."""
        self._run_samples += samples
        if self._run_samples > _LONGEST_RUN_SAMPLES or not self._budget.take(samples):
            return super().conceal(samples)
        return self.conceal_deeply(samples)


def voice_decoder(budget: DeepBudget) -> FrameDecoder:
    """A decoder for one voice; its guesses are paid from the budget.

    Raises:
        DeviceError: There is no libopus.

    """
    kind = concealment()
    if kind == "classic":
        return OpusDecoder()
    return ConcealingDecoder(budget, dred=DredReader() if kind == "dred" else None)

"""Whether one's own voice comes back out of another speaker in the same room, and what of it: the loop that howls.

    what is sent ──> the network ──> another session's speaker ──> this microphone ──> what is sent

Two sessions in one room, on two laptops or on one machine, hear each other's speakers. What the other one plays is no reference here, since this
session does not play it; so the canceller takes it for a voice of the room and sends it again, and the loop rings for good. But what comes back is known: it is
what was sent, later. Where the microphone hears it, it is a reference like what is played.
"""

import logging
from typing import Final

import numpy as np

from blink_cli.audio.processing.echo_delay import LONGEST_S, EchoDelay
from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES

SOONEST_S: Final = 0.04
"""No network, with the frames and queues of two sessions, is quicker; what is heard sooner is the voice's likeness to itself."""

EDGE_S: Final = 0.005
"""So near to the soonest or the longest delay that is looked for, it is the flank of something else."""

AGREEING_LOOKS: Final = 3
"""So many looks must say the same, one after the other: a voice is like itself for a look or two, a way back for good."""

EVERY_BLOCKS: Final = 41
"""How often it is looked for: not together with the looks for the echo."""

BELIEVED_S: Final = 30.0
"""For so long after it was found the last time: while it is taken out, or nobody talks, it cannot be found."""

LEAST_DB: Final = 6.0
"""By so much the own voice is turned down while it comes back: a loop that is amplified a little dies too."""

MORE_DB: Final = 6.0
"""And by so much more with each look that still finds it in what is sent, though it was taken out."""

MOST_DB: Final = 48.0
RECOVERS_DB: Final = 0.05
"""In a tick: 5 dB a second."""

_log = logging.getLogger(__name__)
_RAMP: Final = np.linspace(0.0, 1.0, TICK_SAMPLES, dtype=np.float32)
_CAPACITY: Final = 2 * SAMPLE_RATE_HZ


class OwnReturn:
    """Implements `Played` for what was sent. Used by the capture thread alone."""

    def __init__(self) -> None:
        self._sent: Samples = np.zeros(_CAPACITY, dtype=np.float32)
        self._until = 0
        self._until_s = 0.0
        self._delay = EchoDelay(SOONEST_S, AGREEING_LOOKS, EVERY_BLOCKS)
        self._left_delay = EchoDelay(soonest_s=SOONEST_S)
        self._found_s: float | None = None
        self._turned_down_db = 0.0
        self._gain = 1.0

    @property
    def delay_s(self) -> float | None:
        """How long after it was sent the own voice comes back; None if it does not."""
        return None if self._found_s is None else self._delay.delay_s

    def forget(self) -> None:
        """Take that a device was changed."""
        self._delay.forget()
        self._found_s = None

    def returned(self, until_s: float, lead_s: float) -> Samples | None:
        """Return what of the own voice is heard in the 10 ms until `until_s`, shape (480,), `lead_s` before it is heard; None if it does not come back."""
        delay_s = self.delay_s
        if delay_s is None or self._found_s is None:
            return None
        if until_s - self._found_s > BELIEVED_S:
            self._found_s = None
            return None
        return self.since(until_s - TICK_SAMPLES / SAMPLE_RATE_HZ - delay_s + lead_s, TICK_SAMPLES)

    def send(self, near: Samples, made: Samples, until_s: float) -> Samples:
        """Take a block that the microphone heard until `until_s`, and what was made of it meanwhile, both shape (480,); return what may be sent."""
        self._look(near, made, until_s)
        least_db = 0.0 if self._found_s is None else LEAST_DB
        self._turned_down_db = max(least_db, self._turned_down_db - RECOVERS_DB)
        before, self._gain = self._gain, 10.0 ** (-self._turned_down_db / 20.0)
        sent = made
        if min(before, self._gain) < 1.0:
            sent = made * (np.float32(before) + _RAMP * np.float32(self._gain - before))
        at = self._until % _CAPACITY
        self._sent[at : at + TICK_SAMPLES] = sent
        self._until += TICK_SAMPLES
        self._until_s = until_s
        return sent

    def _look(self, near: Samples, made: Samples, until_s: float) -> None:
        if self._found_s is not None and self._left_delay.take(made, until_s, self):
            self._turned_down_db = min(MOST_DB, self._turned_down_db + MORE_DB)
        if not self._delay.take(near, until_s, self):
            return
        delay_s = self._delay.delay_s
        if delay_s is not None and SOONEST_S + EDGE_S < delay_s < LONGEST_S - EDGE_S:
            if self._found_s is None:
                _log.warning(
                    "the own voice comes back after %.0f ms: another speaker in this room plays it",
                    delay_s * 1000,
                )
            self._found_s = until_s

    def since(self, from_s: float, samples: int) -> Samples:
        """Return what was sent from `from_s` on, shape `(samples,)`; silence where that is not known."""
        out = np.zeros(samples, dtype=np.float32)
        start = self._until + round((from_s - self._until_s) * SAMPLE_RATE_HZ)
        first, last = max(start, self._until - _CAPACITY, 0), min(start + samples, self._until)
        if last > first:
            out[first - start : last - start] = np.take(self._sent, np.arange(first, last), mode="wrap")
        return out

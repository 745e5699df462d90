"""Several voices into one block. No thread, no device, no clock.

    each voice ──> gain ──> limiter of its own, if it is turned up ──┐
                                                                     ├──> sum ──> limiter ──> block
                                                                   …─┘

A voice that is turned up too far is turned down by itself: were it left to the limiter of all, its every word would make the others softer.
"""

from collections.abc import Sequence

import numpy as np

from blink_cli.audio.fade import gain_ramp
from blink_cli.audio.limiter import Limiter
from blink_cli.audio.playout.concealment import DeepBudget
from blink_cli.audio.samples import Samples
from blink_cli.audio.silent_block import SILENT_BLOCK
from blink_cli.audio.sink_track import SinkTrack
from blink_cli.core.audio_format import TICK_SAMPLES


class Mixer:
    """Used by the playout thread alone, `deafened` aside."""

    def __init__(self) -> None:
        self.deafened = False
        """Set by any thread. Streams are drained all the same, so that nothing old is heard afterwards."""

        self.deep_budget = DeepBudget()
        """What the decoders of all tracks may spend on guessing in a tick."""

        self.limiter = Limiter()
        self.applied_gain = 1.0
        """Of all voices, at the end of the last block: 0 while deafened."""

        self._mix: Samples = np.zeros(TICK_SAMPLES, dtype=np.float32)
        self._scaled: Samples = np.zeros(TICK_SAMPLES, dtype=np.float32)

    def mix(self, tracks: Sequence[SinkTrack], now_s: float) -> Samples:
        """Return the next 10 ms of all `tracks`, shape (480,), within +/-1.0: `SILENT_BLOCK`, or a buffer valid until the next call.

        A silent track costs its `get` and nothing else. Every change of gain is spread over the block.
        """
        self.deep_budget.begin_tick()
        mix = self._mix
        sounding = 0
        for track in tracks:
            block = track.next_block(now_s)
            before, after = track.applied_gain, track.wanted_gain
            track.applied_gain = after
            if block is SILENT_BLOCK or before == after == 0.0:
                track.limiter.rest()
                continue
            if not before == after == track.limiter.gain == 1.0:
                block = self._at_its_gain(track, block, before, after)
            if sounding:
                np.add(mix, block, out=mix)
            else:
                np.copyto(mix, block)
            sounding += 1

        before, after = self.applied_gain, 0.0 if self.deafened else 1.0
        self.applied_gain = after
        if not sounding or before == after == 0.0:
            self.limiter.rest()
            return SILENT_BLOCK
        if before != after:
            mix *= gain_ramp(before, after)
        self.limiter.process(mix)
        return mix

    def _at_its_gain(self, track: SinkTrack, block: Samples, before: float, after: float) -> Samples:
        """Turn one voice up or down, and limit it where it is turned up, in a buffer that is this mixer's."""
        scaled = self._scaled
        np.multiply(block, gain_ramp(before, after) if before != after else np.float32(after), out=scaled)
        if after > 1.0 or track.limiter.gain != 1.0:
            # Also behind a gain that was too much: the limiter lets go slowly.
            track.limiter.process(scaled)
        return scaled

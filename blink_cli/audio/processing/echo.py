"""Takes out of what the microphone hears what the speaker plays.

    near ──────────────────────────> AEC3 ──> EchoRemainder ──> out
    FarReference ──> [lead] ──> far ──'            ^
         '──> EchoDelay: by how much the echo lags behind

AEC3 finds the delay by itself, and again within 0.6 s when it jumps, as long as what is played leads its echo: the reference is placed by
the devices' clocks, and moved only where the sound shows that it comes late. What is measured besides tells the remainder where to look.
"""

import math
from typing import Final

import numpy as np

from blink_cli.audio.processing.bands import FILTER_DELAY_SAMPLES
from blink_cli.audio.processing.block import CapturedBlock
from blink_cli.audio.processing.echo_delay import EchoDelay
from blink_cli.audio.processing.echo_remainder import EchoRemainder
from blink_cli.audio.processing.far_reference import FarReference
from blink_cli.audio.processing.figures import EchoFigures
from blink_cli.audio.processing.own_return import OwnReturn
from blink_cli.audio.processing.webrtc import WebrtcEchoCanceller
from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SAMPLE_RATE_HZ

CANCELLER_DELAY_SAMPLES: Final = 430
"""AEC3 works in blocks of 4 ms behind a filter bank (measured: tests/audio/processing/test_webrtc.py)."""

LEAST_LEAD_S: Final = 0.001
"""What is played must lead its echo, or nothing is taken out."""

LEAD_S: Final = 0.006
"""By how much it leads where it had to be moved."""

OWN_LATE_S: Final = 0.02
"""What was sent is known so long after it was heard."""

_FORGETS: Final = 0.99
"""Of the energies by which the figure is made: a second."""

_HEARD: Final = 1e-7
"""Mean square (-70 dBFS) of echo that can be told from the microphone's own noise."""


class EchoFilter:
    """Implements `Filter`."""

    delay_samples = CANCELLER_DELAY_SAMPLES + FILTER_DELAY_SAMPLES

    def __init__(self, reference: FarReference) -> None:
        self._reference = reference
        self._canceller = WebrtcEchoCanceller()
        self._remainder = EchoRemainder(CANCELLER_DELAY_SAMPLES)
        self._delay = EchoDelay()
        self._own = OwnReturn()
        self._earlier_samples = 0
        self._near_before = 0.0
        self._near_energy = self._out_energy = 0.0

    def process(self, block: CapturedBlock) -> Samples:
        """Return the block without echo."""
        near = block.samples
        far = self._reference.earlier(self._earlier_samples) if self._earlier_samples else block.far
        if self._delay.take(near, block.captured_until, self._reference):
            self._place()
        returned = self._own.returned(block.captured_until, self._lead_s())
        if returned is not None:
            far = far + returned
        out = self._remainder.process(near, far, self._canceller.process(near, far))
        self._measure(near, out)
        return self._own.send(near, out, block.captured_until)

    def figures(self) -> EchoFigures:
        """Return what it does."""
        delay_s, own_s = self._delay.delay_s, self._own.delay_s
        known = self._near_energy > 0.0
        return EchoFigures(
            removed_db=10.0 * math.log10(self._near_energy / max(self._out_energy, 1e-12)) if known else None,
            delay_ms=None if delay_s is None else delay_s * 1000,
            own_return_ms=None if own_s is None else own_s * 1000,
        )

    def forget(self) -> None:
        """Take that a device was changed: the room may sound otherwise, and the delay is another one."""
        self._delay.forget()
        self._remainder.forget()
        self._own.forget()
        self._earlier_samples = 0
        self._near_energy = self._out_energy = 0.0

    def _place(self) -> None:
        """Move what is played where its echo needs it, and tell by how much it leads."""
        delay_s = self._delay.delay_s
        if delay_s is None:
            return
        if delay_s - self._earlier_samples / SAMPLE_RATE_HZ < LEAST_LEAD_S:
            self._earlier_samples = round((delay_s - LEAD_S) * SAMPLE_RATE_HZ)
        self._remainder.use_delay(delay_s - self._earlier_samples / SAMPLE_RATE_HZ)

    def _lead_s(self) -> float:
        """Return by how much what is played leads its echo; and so what of the own voice comes back is to lead."""
        delay_s, own_s = self._delay.delay_s, self._own.delay_s
        lead_s = LEAD_S if delay_s is None else delay_s - self._earlier_samples / SAMPLE_RATE_HZ
        if own_s is None:
            return lead_s
        lead_s = min(lead_s, own_s - OWN_LATE_S)
        if delay_s is None:
            self._remainder.use_delay(lead_s)
        return lead_s

    def _measure(self, near: Samples, out: Samples) -> None:
        """Weigh what went in against what comes out, a block later, while echo alone is heard."""
        heard, self._near_before = self._near_before, float(np.dot(near, near)) / len(near)
        if self._remainder.echo_alone and heard > _HEARD:
            self._near_energy = _FORGETS * self._near_energy + heard
            self._out_energy = _FORGETS * self._out_energy + float(np.dot(out, out)) / len(out)

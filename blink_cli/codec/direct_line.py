"""Packets straight into a decoder, some of them lost. What is missing comes from the FEC of the next packet, or is made up.

frame ──> lost? ──> kept until the next one is there ──> FEC, or concealment
             '───> decoded
"""

from dataclasses import dataclass

import numpy as np

from blink_cli.audio.opus.decoder import OpusDecoder
from blink_cli.audio.samples import Samples
from blink_cli.audio.source_pipeline import UNSENT_BYTES
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.impairment.line import Line
from blink_cli.core.media.opus_packet import carries_fec
from blink_cli.core.media.rtp import EncodedFrame


@dataclass(slots=True)
class LineCounts:
    """What became of the packets."""

    sent: int = 0
    lost: int = 0
    unsent: int = 0
    recovered_by_fec: int = 0
    recovered_by_redundancy: int = 0
    concealed_samples: int = 0
    """At 48 kHz."""

    bytes_with_copies: int | None = None
    """Payloads with redundant copies, and RTP headers; None where there are none."""


class DirectLine:
    """From frames to sound at the decoder's rate and channels."""

    def __init__(self, line: Line, *, rate_hz: int, channels: int) -> None:
        self._decoder = OpusDecoder(rate_hz=rate_hz, channels=channels)
        self._line = line
        self._rate_hz = rate_hz
        self._channels = channels
        self._lost: EncodedFrame | None = None
        self.counts = LineCounts()

    def send(self, frame: EncodedFrame) -> list[Samples]:
        """Take the next frame; return the sound that is ready, of shape (n, channels)."""
        sound: list[Samples] = []
        if len(frame.payload) <= UNSENT_BYTES:
            self.counts.unsent += 1
            self._make_up(sound)
            sound.append(self._decoder.conceal(self._samples(frame)))  # the background goes on
            return self._shaped(sound)
        self.counts.sent += 1
        arrives = self._line.fate(frame.timestamp / SAMPLE_RATE_HZ, len(frame.payload))
        if not arrives:
            self.counts.lost += 1
            self._make_up(sound)
            self._lost = frame
            return self._shaped(sound)
        if self._lost is not None and carries_fec(frame.payload):
            self.counts.recovered_by_fec += 1
            sound.append(self._decoder.decode_fec(frame.payload, self._samples(self._lost)))
            self._lost = None
        self._make_up(sound)
        sound.append(self._decoder.decode(frame.payload))
        return self._shaped(sound)

    def finish(self) -> list[Samples]:
        """Return what was kept."""
        sound: list[Samples] = []
        self._make_up(sound)
        return self._shaped(sound)

    def _make_up(self, sound: list[Samples]) -> None:
        lost, self._lost = self._lost, None
        if lost is not None:
            self.counts.concealed_samples += lost.duration_samples
            sound.append(self._decoder.conceal(self._samples(lost)))

    def _samples(self, frame: EncodedFrame) -> int:
        return frame.duration_samples * self._rate_hz // SAMPLE_RATE_HZ

    def _shaped(self, sound: list[Samples]) -> list[Samples]:
        return [np.reshape(one, (-1, self._channels)) for one in sound]

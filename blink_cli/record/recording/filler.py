"""Legal Opus packets for what a track has no sound of, made without an encoder.

    concealment   a packet that counts one frame, and holds none of it: any decoder goes on from what it played last, and fades
    silence       a CELT frame whose silence flag is set: any decoder plays zeros

An empty frame also fits into a packet of one byte, which some programs refuse (`with_frame_count`). Both last what their first byte says, so that every player, and every tool that only counts packets, stays in time.

Source: RFC 6716, sections 3.1 (first byte), 3.2.1 (a frame of no bytes is a lost one) and 4.3 (the silence flag).
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from blink_cli.core.audio_format import PRE_SKIP_SAMPLES, SAMPLE_RATE_HZ
from blink_cli.core.media.opus_packet import with_frame_count

GRID_SAMPLES: Final = SAMPLE_RATE_HZ * 5 // 2000
"""2.5 ms, the shortest Opus frame: every place on a track is a multiple of it."""

LOOK_AHEAD_SAMPLES: Final = -(-PRE_SKIP_SAMPLES // GRID_SAMPLES) * GRID_SAMPLES
"""Packets that go on for so long behind the end of a track let every decoder give all of it: 7.5 ms."""

_CELT_FULLBAND: Final = {8 * GRID_SAMPLES: 31, 4 * GRID_SAMPLES: 30, 2 * GRID_SAMPLES: 29, GRID_SAMPLES: 28}
"""Configuration numbers of 20, 10, 5 and 2.5 ms, the longest first."""

_SILENT_FRAME: Final = b"\xff\xfe"
"""The range coder reads this as "silence" (a flag of probability 2^-15) and nothing else; it is what libopus writes too."""


class Filler(msgspec.Struct, frozen=True):
    """One packet, and how long it lasts."""

    payload: bytes
    samples: int


def _first_byte(config: int) -> bytes:
    # One frame in the packet, one channel.
    return bytes((config << 3,))


_SILENCES: Final = tuple(
    Filler(_first_byte(config) + _SILENT_FRAME, samples) for samples, config in _CELT_FULLBAND.items()
)
_CONCEALMENTS: Final = tuple(
    Filler(with_frame_count(_first_byte(config)), samples) for samples, config in _CELT_FULLBAND.items()
)


def silence(samples: int) -> Iterator[Filler]:
    """Packets of true silence, together `samples` long (a multiple of `GRID_SAMPLES`), the longest first."""
    return _pieces(samples, _SILENCES)


def concealment(samples: int) -> Iterator[Filler]:
    """Packets that let the decoder guess, together `samples` long (a multiple of `GRID_SAMPLES`), the longest first.

    What the decoder repeats is of the last real packet's kind, whatever the first byte says: that gives the length only.
    """
    return _pieces(samples, _CONCEALMENTS)


def _pieces(samples: int, kinds: tuple[Filler, ...]) -> Iterator[Filler]:
    assert samples % GRID_SAMPLES == 0, "places on a track are multiples of the grid"
    for kind in kinds:
        while samples >= kind.samples:
            yield kind
            samples -= kind.samples

"""What the first bytes of an Opus packet say, without decoding it.

    0 1 2 3 4 5 6 7
    | config  |s| c |   config: mode, bandwidth, frame length;  s: stereo;  c: how many frames

Source: RFC 6716, section 3.1; the LBRR flag: section 4.2.3.
"""

from typing import Final, Literal, NamedTuple

from blink_cli.core.audio_format import SAMPLE_RATE_HZ

_MS: Final = SAMPLE_RATE_HZ // 1000
_SILK_FRAME_SAMPLES: Final = (10 * _MS, 20 * _MS, 40 * _MS, 60 * _MS)
_HYBRID_FRAME_SAMPLES: Final = (10 * _MS, 20 * _MS)
_CELT_FRAME_SAMPLES: Final = (5 * _MS // 2, 5 * _MS, 10 * _MS, 20 * _MS)
_MAXIMUM_SAMPLES: Final = 120 * _MS
_FIRST_HYBRID_CONFIG: Final = 12
_FIRST_CELT_CONFIG: Final = 16

_DTX_PAYLOAD_BYTES: Final = 2
"""RFC 6716 (section 2.1.9) encoders mark a frame without voice by a packet of at most two bytes."""


_HAS_PADDING: Final = 0x40
"""In the second byte of a packet that counts its frames (RFC 6716, section 3.2.5)."""

_DRED_EXTENSION: Final = 126

STEREO_BIT: Final = 4
"""In the first byte: two channels."""

OpusMode = Literal["speech", "hybrid", "sound"]
"""How a frame is coded: by the speech coder (SILK), by it with the upper band beside it, or by the coder for any sound (CELT)."""

OpusBandwidth = Literal["narrow", "medium", "wide", "superwide", "full"]

_BANDWIDTHS: Final[tuple[OpusBandwidth, ...]] = (
    # of each four configurations; the four hybrid ones are two and two
    "narrow", "medium", "wide", "superwide", "narrow", "wide", "superwide", "full",
)  # fmt: skip
_FIRST_FULL_HYBRID_CONFIG: Final = 14


class OpusKind(NamedTuple):
    """What a packet's first byte says of its frames."""

    mode: OpusMode
    bandwidth: OpusBandwidth
    frame_ms: float
    channels: int


def packet_kind(toc: int) -> OpusKind:
    """How a packet with this first byte is coded (RFC 6716, table 2)."""
    config = toc >> 3
    mode: OpusMode = (
        "speech" if config < _FIRST_HYBRID_CONFIG else "hybrid" if config < _FIRST_CELT_CONFIG else "sound"
    )
    full = _FIRST_FULL_HYBRID_CONFIG <= config < _FIRST_CELT_CONFIG
    bandwidth = "full" if full else _BANDWIDTHS[config >> 2]
    return OpusKind(mode, bandwidth, frame_samples(toc) / _MS, 2 if toc & STEREO_BIT else 1)


def frame_samples(toc: int) -> int:
    """Samples at 48 kHz of one frame of a packet with this first byte: 120 to 2880."""
    config = toc >> 3
    if config < _FIRST_HYBRID_CONFIG:
        return _SILK_FRAME_SAMPLES[config & 3]
    if config < _FIRST_CELT_CONFIG:
        return _HYBRID_FRAME_SAMPLES[config & 1]
    return _CELT_FRAME_SAMPLES[config & 3]


def _samples_by_first_byte(toc: int) -> int:
    count = (1, 2, 2, 0)[toc & 3]
    return frame_samples(toc) * count


def _lbrr_bits(toc: int) -> int:
    if toc >> 3 >= _FIRST_CELT_CONFIG:
        return 0
    silk_frames = max(1, frame_samples(toc) // (20 * _MS))
    # One VAD flag for each 20 ms, then the LBRR flag: all with probability one half, so they stand as plain bits.
    bits = 1 << (7 - silk_frames)
    if toc & STEREO_BIT and silk_frames < 3:
        bits |= 1 << (6 - 2 * silk_frames)
    return bits


_SAMPLES: Final = tuple(_samples_by_first_byte(toc) for toc in range(256))
"""Of a packet with this first byte; 0: the second one counts its frames."""

_LBRR_BITS: Final = tuple(_lbrr_bits(toc) for toc in range(256))
"""In the second byte of a packet of one frame with this first one; 0: it has none."""


def packet_samples(payload: bytes) -> int:
    """Samples at 48 kHz that the packet lasts, 120 to 5760; 0 when it is not an Opus packet."""
    if not payload:
        return 0
    samples = _SAMPLES[payload[0]]
    if samples or len(payload) < 2:
        return samples
    samples = frame_samples(payload[0]) * (payload[1] & 0x3F)
    return samples if samples <= _MAXIMUM_SAMPLES else 0


def with_frame_count(payload: bytes) -> bytes:
    """The same packet, as files want it: one that is nothing but its first byte gets a second one, which counts its empty frames.

    Both last as long, and mean the same to a decoder: nothing came for these frames. But FFmpeg's MPEG-TS muxer, for one, refuses a packet of
    one byte, which DTX sends too.
    """
    if len(payload) != 1 or (frames := packet_samples(payload) // frame_samples(payload[0])) == 0:
        return payload
    return bytes((payload[0] | 3, frames))


def is_discontinuous(payload: bytes) -> bool:
    """Whether the packet only says that there is no voice now (DTX): nothing worth decoding follows its header."""
    return len(payload) <= _DTX_PAYLOAD_BYTES


def carries_fec(payload: bytes) -> bool:
    """Whether the packet holds a low bit rate copy (LBRR, in-band FEC) of the frame before it.

    Only packets of one SILK or hybrid frame are looked into, which is what voice encoders send; others give False.
    """
    if len(payload) < 2:
        return False
    if payload[0] & 3:
        payload = without_padding(payload)
        if payload[0] & 3 or len(payload) < 2:
            return False
    return bool(payload[1] & _LBRR_BITS[payload[0]])


def without_padding(payload: bytes) -> bytes:
    """The same sound as a packet without padding, and so without what later versions of Opus hide there, such as DRED.

    Only packets of one frame are made shorter, which is what calls send; others are returned as they are.
    """
    place = _padding(payload)
    if place is None:
        return payload
    begin, end = place
    return bytes((payload[0] & ~3,)) + payload[begin:end]


def dred_version(payload: bytes) -> int | None:
    """The version of the DRED in a packet of one frame; None where there is none.

    Source: draft-ietf-mlcodec-opus-extension and -dred; libopus 1.6.1, dnn/dred_config.h: while the format is a draft, extension 126 begins with `D` and a version.
    """
    place = _padding(payload)
    if place is None:
        return None
    padding = payload[place[1] :]
    if len(padding) < 3 or padding[0] >> 1 != _DRED_EXTENSION:
        return None
    at = 1
    if padding[0] & 1:  # its length stands before it
        while at < len(padding) and padding[at] == 255:
            at += 1
        at += 1
    return padding[at + 1] if len(padding) > at + 1 and padding[at] == ord("D") else None


def _padding(payload: bytes) -> tuple[int, int] | None:
    """Where the one frame of a packet begins, and where its padding does; None of a packet without padding, or of several frames (RFC 6716, section 3.2.5)."""
    if len(payload) < 3 or payload[0] & 3 != 3 or not payload[1] & _HAS_PADDING or payload[1] & 0x3F != 1:
        return None
    at, padded = 2, 0
    while at < len(payload) and payload[at] == 255:
        padded += 254
        at += 1
    if at == len(payload):
        return None
    end = len(payload) - padded - payload[at]
    return (at + 1, end) if end > at + 1 else None

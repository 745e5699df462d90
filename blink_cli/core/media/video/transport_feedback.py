"""Feedback on the arrival of every packet, whatever stream it is of (draft-holmer-rmcat-transport-wide-cc-extensions-01, section 3.1).

|V=2|P|  FMT=15 |    PT=205     |           length              |
|          asker's SSRC         |      SSRC of a stream         |
|      base sequence number     |      packet status count      |
|                 reference time                | fb pkt. count |   in 64 ms; wraps
|  packet chunks, 16 bits each  |  receive deltas in 250 us     |
"""

import struct
from typing import Final

import msgspec

from blink_cli.core.errors import WireError
from blink_cli.core.media.unwrapper import SEQUENCE_MASK

MAX_STATUSES: Final = 512
"""Of one feedback, written and read: five seconds of a stream of 100 packets a second."""

_HEAD: Final = struct.Struct("!BBH")
_EMPTY_REPORT: Final = struct.Struct("!BBHI")
_FIXED: Final = struct.Struct("!IIHHI")
_RR: Final = 201
_RTPFB: Final = 205
FEEDBACK_FORMAT: Final = 15
_TICK_S: Final = 0.00025
_REFERENCE_TICKS: Final = 256
"""64 ms in ticks."""

_WRAP_TICKS: Final = _REFERENCE_TICKS << 24


class ArrivalFeedback(msgspec.Struct, frozen=True, gc=False):
    """What one feedback says."""

    base: int
    """Transport-wide number of the first packet that it tells of, 0 to 65535."""

    arrivals_s: tuple[float | None, ...]
    """For each packet from there on when it arrived, by a clock of the receiver's own that wraps after 12 days; None: it has not come."""

    count: int
    """Number of the feedback, 0 to 255."""


def write_feedback(
    ssrc: int, media_ssrc: int, base: int, arrivals_s: list[float | None], count: int
) -> bytes:
    """A compound packet: an empty report, which has to come first, and the feedback.

    Args:
        ssrc: Ours.
        media_ssrc: Of a stream that it is about.
        base: Number of the first packet.
        arrivals_s: As in `ArrivalFeedback`, at most `MAX_STATUSES`, at least one not None; monotonic.
        count: Grows by one with each feedback.

    """
    first_s = next(arrival_s for arrival_s in arrivals_s if arrival_s is not None)
    reference = int(first_s / _TICK_S) // _REFERENCE_TICKS
    at = reference * _REFERENCE_TICKS
    symbols: list[int] = []
    deltas = b""
    for arrival_s in arrivals_s:
        if arrival_s is None:
            symbols.append(0)
            continue
        ticks = int(arrival_s / _TICK_S) - at
        if 0 <= ticks <= 255:
            symbols.append(1)
            deltas += bytes((ticks,))
        elif -0x8000 <= ticks <= 0x7FFF:
            symbols.append(2)
            deltas += struct.pack("!h", ticks)
        else:  # eight seconds apart: as if it had not come
            symbols.append(0)
            continue
        at += ticks
    chunks = b"".join(_chunk(symbols[begin : begin + 7]) for begin in range(0, len(symbols), 7))
    fixed = _FIXED.pack(
        ssrc,
        media_ssrc,
        base & SEQUENCE_MASK,
        len(symbols),
        (reference & 0xFFFFFF) << 8 | count & 0xFF,
    )
    body = fixed + chunks + deltas
    body += bytes(-len(body) % 4)
    report = _EMPTY_REPORT.pack(0x80, _RR, 1, ssrc)
    return report + _HEAD.pack(0x80 | FEEDBACK_FORMAT, _RTPFB, len(body) // 4) + body


def _chunk(symbols: list[int]) -> bytes:
    """A status vector chunk of two-bit symbols, of which there are seven (section 3.1.4)."""
    value = 0xC000
    for place, symbol in enumerate(symbols):
        value |= symbol << 12 - 2 * place
    return value.to_bytes(2, "big")


def read_feedback(body: bytes) -> ArrivalFeedback:
    """Read what stands behind the head of a feedback.

    Raises:
        WireError: It is cut off, or tells of too many packets.

    """
    if len(body) < _FIXED.size:
        raise WireError("the transport-wide feedback is cut off")
    _, _, base, total, reference = _FIXED.unpack_from(body)
    if total > MAX_STATUSES:
        raise WireError("the transport-wide feedback tells of too many packets")
    position = _FIXED.size
    symbols: list[int] = []
    while len(symbols) < total:
        chunk = body[position : position + 2]
        if len(chunk) < 2:
            raise WireError("the transport-wide feedback is cut off")
        symbols += _symbols(int.from_bytes(chunk, "big"), total - len(symbols))
        position += 2
    at = (reference >> 8) * _REFERENCE_TICKS
    arrivals: list[float | None] = []
    for symbol in symbols[:total]:
        if symbol not in (1, 2):
            arrivals.append(None)
            continue
        delta = body[position : position + symbol]
        if len(delta) < symbol:
            raise WireError("the transport-wide feedback is cut off")
        at += int.from_bytes(delta, "big", signed=symbol == 2)
        position += symbol
        arrivals.append(at * _TICK_S)
    return ArrivalFeedback(base, tuple(arrivals), reference & 0xFF)


def _symbols(chunk: int, wanted: int) -> list[int]:
    if not chunk & 0x8000:  # run length
        return [chunk >> 13 & 3] * min(chunk & 0x1FFF, wanted)
    if chunk & 0x4000:
        return [chunk >> 12 - 2 * place & 3 for place in range(7)]
    return [chunk >> 13 - place & 1 for place in range(14)]


def wrapped_difference_s(a_s: float, b_s: float) -> float:
    """From moment `b` to `a` of the receiver's clock, across its wrap."""
    wrap_s = _WRAP_TICKS * _TICK_S
    return (a_s - b_s + wrap_s / 2) % wrap_s - wrap_s / 2

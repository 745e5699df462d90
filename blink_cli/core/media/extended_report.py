"""Extended reports: how a receiver hears a stream after its repair, in its buffer, and by its own estimate (RTCP XR, RFC 3611).

    XR 207   reporter's SSRC, report blocks, each: |  BT  | type-specific | words - 1 |  content |

    BT 6   statistics summary (section 4.6): packets lost and repeated, and transit from packet to packet, since the last summary
    BT 7   VoIP metrics (section 4.7): since the stream began; Gmin 16

Blocks of other kinds are skipped by their length. A figure that is not known is None here, and on the wire what the RFC says: 127, or 0 for a delay.

Receiver reference times (BT 4 and 5) are not sent: both ends of a link send sender reports, by which each measures the round trip already.
"""

import struct
from typing import Final

import msgspec

from blink_cli.core.errors import WireError

XR: Final = 207
VOIP_METRICS: Final = "voip-metrics"
"""What a description asks for it by (section 5.1)."""

STATISTICS_SUMMARY: Final = "stat-summary"

_SUMMARY_TYPE: Final = 6
_VOIP_TYPE: Final = 7
_BLOCK_HEAD: Final = struct.Struct("!BBH")
_SSRC: Final = struct.Struct("!I")
_SUMMARY: Final = struct.Struct("!IHHIIIIII4x")
_VOIP: Final = struct.Struct("!IBBBBHHHHbbbBBBBBBxHHH")
_UNKNOWN: Final = 127
_MOST_MS: Final = 0xFFFF
_MOST: Final = 0xFFFFFFFF
_ADAPTIVE: Final = 0b11
_KINDS: Final = ("unspecified", "disabled", "enhanced", "standard")


class StatisticsSummary(msgspec.Struct, frozen=True, gc=False):
    """A stretch of one stream before any repair (section 4.6). What the reporter left out is None."""

    ssrc: int
    begin_sequence: int
    """0 to 65535."""

    end_sequence: int
    """The one behind the last, 0 to 65535."""

    packets_lost: int | None
    packets_duplicated: int | None
    min_jitter_ticks: int | None
    """Of the differences in transit between a packet and the one that came before it; RTP ticks."""

    max_jitter_ticks: int | None
    mean_jitter_ticks: int | None
    deviation_ticks: int | None
    """Their standard deviation."""


class VoipMetrics(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One stream as it is heard (section 4.7). Shares are 0 to 1."""

    ssrc: int
    loss_rate: float
    """Of all packets, those that never came and that nothing made good."""

    discard_rate: float
    """Of all packets, those that came too late or too early for the buffer; copies not counted."""

    burst_density: float
    """Lost or discarded of the packets in bursts; 0 without a burst."""

    gap_density: float
    burst_duration_ms: int
    """Mean; 0 without a burst."""

    gap_duration_ms: int
    gmin_packets: int
    round_trip_ms: int | None = None
    end_system_delay_ms: int | None = None
    """What the reporter's system adds: to fill and encode a packet, to keep it in the buffer and to decode it."""

    signal_dbm0: int | None = None
    """The voice's level where it speaks."""

    noise_dbm0: int | None = None
    residual_echo_return_loss_db: int | None = None
    r_factor: int | None = None
    """0 to 100."""

    external_r_factor: int | None = None
    mos_listening: float | None = None
    """Without what delay does, 1 to 5."""

    mos_conversational: float | None = None
    concealment: str = "enhanced"
    """`unspecified`, `disabled`, `enhanced` or `standard`."""

    adaptive_buffer: bool | None = True
    """None: not told."""

    buffer_nominal_ms: int = 0
    """How long a packet waits that comes when it should."""

    buffer_maximum_ms: int = 0
    """How long a packet may wait now."""

    buffer_absolute_maximum_ms: int = 0


ExtendedReport = StatisticsSummary | VoipMetrics


def write_extended_report(ssrc: int, blocks: list[ExtendedReport]) -> bytes:
    """One XR packet, to be put behind a report (section 2)."""
    body = b"".join(
        _write_summary(block) if isinstance(block, StatisticsSummary) else _write_voip(block)
        for block in blocks
    )
    return _BLOCK_HEAD.pack(0x80, XR, (_SSRC.size + len(body)) // 4) + _SSRC.pack(ssrc) + body


def read_extended_report(body: bytes) -> list[ExtendedReport]:
    """Read what stands behind the RTCP header of an XR packet.

    Raises:
        WireError: A length does not fit.

    """
    if len(body) < _SSRC.size:
        raise WireError("the RTCP extended report is cut off")
    blocks: list[ExtendedReport] = []
    position = _SSRC.size
    while position < len(body):
        if position + 4 > len(body):
            raise WireError("a block of the RTCP extended report is cut off")
        kind, flags, words = _BLOCK_HEAD.unpack_from(body, position)
        start, position = position + 4, position + 4 + 4 * words
        if position > len(body):
            raise WireError("a block of the RTCP extended report is cut off")
        # One of another length than the RFC's is no such block, and is passed over like those that nobody knows.
        if kind == _SUMMARY_TYPE and 4 * words == _SUMMARY.size:
            blocks.append(_read_summary(body, start, flags))
        elif kind == _VOIP_TYPE and 4 * words == _VOIP.size:
            blocks.append(_read_voip(body, start))
    return blocks


def _write_summary(summary: StatisticsSummary) -> bytes:
    counts = (summary.packets_lost, summary.packets_duplicated)
    jitter = (
        summary.min_jitter_ticks,
        summary.max_jitter_ticks,
        summary.mean_jitter_ticks,
        summary.deviation_ticks,
    )
    flags = 0  # what of it is reported; nobody reads a TTL here
    for at, figures in enumerate((counts[:1], counts[1:], jitter)):
        if None not in figures:
            flags |= 0x80 >> at
    return _BLOCK_HEAD.pack(_SUMMARY_TYPE, flags, _SUMMARY.size // 4) + _SUMMARY.pack(
        summary.ssrc,
        summary.begin_sequence,
        summary.end_sequence,
        *(min(max(figure or 0, 0), _MOST) for figure in counts + jitter),
    )


def _read_summary(body: bytes, start: int, flags: int) -> StatisticsSummary:
    ssrc, begin, end, lost, duplicated, *jitter = _SUMMARY.unpack_from(body, start)
    least, most, mean, deviation = jitter if flags & 0x20 else (None,) * 4
    return StatisticsSummary(
        ssrc,
        begin,
        end,
        lost if flags & 0x80 else None,
        duplicated if flags & 0x40 else None,
        least,
        most,
        mean,
        deviation,
    )


def _write_voip(metrics: VoipMetrics) -> bytes:
    adaptive = {None: 0, False: 0b10, True: _ADAPTIVE}[metrics.adaptive_buffer]
    return _BLOCK_HEAD.pack(_VOIP_TYPE, 0, _VOIP.size // 4) + _VOIP.pack(
        metrics.ssrc,
        _share(metrics.loss_rate),
        _share(metrics.discard_rate),
        _share(metrics.burst_density),
        _share(metrics.gap_density),
        _ms(metrics.burst_duration_ms),
        _ms(metrics.gap_duration_ms),
        _ms(metrics.round_trip_ms),
        _ms(metrics.end_system_delay_ms),
        _level(metrics.signal_dbm0),
        _level(metrics.noise_dbm0),
        _UNKNOWN
        if metrics.residual_echo_return_loss_db is None
        else min(max(metrics.residual_echo_return_loss_db, 0), _UNKNOWN - 1),
        metrics.gmin_packets,
        _factor(metrics.r_factor),
        _factor(metrics.external_r_factor),
        _score(metrics.mos_listening),
        _score(metrics.mos_conversational),
        _KINDS.index(metrics.concealment) << 6 | adaptive << 4,
        _ms(metrics.buffer_nominal_ms),
        _ms(metrics.buffer_maximum_ms),
        _ms(metrics.buffer_absolute_maximum_ms),
    )


def _read_voip(body: bytes, start: int) -> VoipMetrics:
    (
        ssrc, loss, discard, burst_density, gap_density, burst_ms, gap_ms, round_trip_ms, system_ms,
        signal, noise, echo, gmin, r, external_r, listening, conversational, config, nominal, most, absolute,
    ) = _VOIP.unpack_from(body, start)  # fmt: skip
    return VoipMetrics(
        ssrc=ssrc,
        loss_rate=loss / 256,
        discard_rate=discard / 256,
        burst_density=burst_density / 256,
        gap_density=gap_density / 256,
        burst_duration_ms=burst_ms,
        gap_duration_ms=gap_ms,
        gmin_packets=gmin,
        round_trip_ms=round_trip_ms or None,
        end_system_delay_ms=system_ms or None,
        signal_dbm0=None if signal == _UNKNOWN else signal,
        noise_dbm0=None if noise == _UNKNOWN else noise,
        residual_echo_return_loss_db=None if echo == _UNKNOWN else echo,
        r_factor=r if r <= _HIGHEST_R else None,
        external_r_factor=external_r if external_r <= _HIGHEST_R else None,
        mos_listening=_read_score(listening),
        mos_conversational=_read_score(conversational),
        concealment=_KINDS[config >> 6],
        adaptive_buffer={0b10: False, _ADAPTIVE: True}.get(config >> 4 & 0b11),
        buffer_nominal_ms=nominal,
        buffer_maximum_ms=most,
        buffer_absolute_maximum_ms=absolute,
    )


_HIGHEST_R: Final = 100


def _share(share: float) -> int:
    # Rounded down, as the RFC says of each of them; a whole does not fit.
    return min(max(int(share * 256), 0), 255)


def _ms(milliseconds: int | None) -> int:
    return min(max(milliseconds or 0, 0), _MOST_MS)


def _level(dbm0: int | None) -> int:
    return _UNKNOWN if dbm0 is None else min(max(dbm0, -128), _UNKNOWN - 1)


def _factor(r: int | None) -> int:
    return _UNKNOWN if r is None else min(max(r, 0), _HIGHEST_R)


def _score(mos: float | None) -> int:
    return _UNKNOWN if mos is None else min(max(round(10 * mos), 10), 50)


def _read_score(score: int) -> float | None:
    return score / 10 if 10 <= score <= 50 else None

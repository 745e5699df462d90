"""RTCP on the wire: sender and receiver reports, names, goodbye, and our loss report (RFC 3550, section 6).

     0                   1                   2                   3
    |V=2|P|   RC    |      PT       |       length in words - 1     |   each packet of a compound

    SR 200   sender's SSRC, NTP time, RTP time, packets, octets, RC report blocks
    RR 201   reporter's SSRC, RC report blocks
    SDES 202 one chunk: SSRC, CNAME
    BYE 203  RC SSRCs, maybe a reason
    XR 207   extended reports, in `extended_report.py`
    RTPFB 205, format 1: a generic NACK: asker's SSRC, asked stream's SSRC, then of each run a number and 16 bits for those behind it (RFC 4585, 6.2.1)
    APP 204  SSRC, four letters, data: ours are `BLNK` and a LossReport (subtype 0) or a ClockMessage (1)

Other kinds are skipped by their length.
"""

import struct
from collections.abc import Sequence
from typing import Final

import msgspec

from blink_cli.core.errors import WireError
from blink_cli.core.media.clock_message import ClockMessage
from blink_cli.core.media.extended_report import XR, ExtendedReport, read_extended_report
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.reception_statistics import ReportBlock
from blink_cli.core.media.unwrapper import SEQUENCE_MASK

APP_NAME: Final = b"BLNK"
"""The four letters of our application-defined packets."""

MAX_REPORT_BLOCKS: Final = 31
"""What the five bits of RC can say."""

MAX_NACK_RUNS: Final = 16
"""Of one request, written and read, each of up to 17 packets: nobody misses more at a time than half a second of the shortest packets."""

MAX_NACK_NAMES: Final = 17 * MAX_NACK_RUNS
"""From which on further requests in one datagram are not read: so that one costs a fraction of a millisecond, whatever is in it."""

RTCP_HEADER_BYTES: Final = 8
"""Of the first packet in a datagram, with the SSRC of who sent it."""

_SR: Final = 200
_RR: Final = 201
_SDES: Final = 202
_BYE: Final = 203
_APP: Final = 204
_TRANSPORT_FEEDBACK: Final = 205
_PAYLOAD_FEEDBACK: Final = 206
_GENERIC_NACK: Final = 1
_AT_ONCE: Final = frozenset((_BYE, _TRANSPORT_FEEDBACK, _PAYLOAD_FEEDBACK))
_CLOCK_SUBTYPE: Final = 1
_HEAD: Final = struct.Struct("!BBH")
_SSRC: Final = struct.Struct("!I")
_NACK: Final = struct.Struct("!HH")
_SENDER_INFO: Final = struct.Struct("!QIII")
_BLOCK: Final = struct.Struct("!IIIIII")
_LOST_MIN: Final = -(1 << 23)
_LOST_MAX: Final = (1 << 23) - 1


class SenderInfo(msgspec.Struct, frozen=True, gc=False):
    """The part of a sender report about its sender's own stream."""

    ssrc: int
    ntp_timestamp: int
    """64 bits: seconds since 1900 in the upper half, fractions in the lower."""

    rtp_timestamp: int
    packet_count: int
    octet_count: int


class BlockOnWire(msgspec.Struct, frozen=True, gc=False):
    """One report block with the wire's own units."""

    ssrc: int
    fraction_lost: int
    """0 to 255, in 1/256."""

    packets_lost: int
    highest_sequence: int
    jitter_ticks: int
    last_sr: int
    """Middle 32 bits of the NTP time of the last sender report; 0 when there was none."""

    delay_since_last_sr: int
    """In 1/65536 s."""


class RetransmissionRequest(msgspec.Struct, frozen=True, gc=False):
    """Packets of one stream that did not come (RFC 4585, section 6.2.1)."""

    ssrc: int
    """Of the stream."""

    sequence_numbers: tuple[int, ...]
    """0 to 65535 each, in the order in which they are named."""


class RtcpContents(msgspec.Struct, frozen=True):
    """What a compound packet said, in order of kind."""

    senders: list[SenderInfo]
    blocks: list[BlockOnWire]
    goodbyes: list[int]
    """SSRCs that left."""

    loss_reports: list[LossReport]
    clock_messages: list[ClockMessage]
    extended_reports: list[ExtendedReport]
    """The blocks of all of them, as far as they are known."""

    requests: list[RetransmissionRequest]
    """The first ones: those behind `MAX_NACK_NAMES` are not read."""


def ntp_timestamp(seconds_since_1970: float) -> int:
    """A wall clock reading as the 64 bits of RFC 3550, section 4."""
    whole = int(seconds_since_1970)
    return (whole + _NTP_EPOCH_S & 0xFFFFFFFF) << 32 | int((seconds_since_1970 - whole) * (1 << 32))


def ntp_seconds(timestamp: int) -> float:
    """The same in seconds since 1900."""
    return timestamp / (1 << 32)


def middle_bits(timestamp: int) -> int:
    """The middle 32 of 64 bits, by which a report block names a sender report."""
    return timestamp >> 16 & 0xFFFFFFFF


_NTP_EPOCH_S: Final = 2_208_988_800
"""Seconds from 1900 to 1970."""


def block_on_wire(ssrc: int, report: ReportBlock, last_sr: int, delay_s: float) -> BlockOnWire:
    """A stream's figures as a report block; what does not fit is brought to the nearer end."""
    return BlockOnWire(
        ssrc,
        min(int(report.fraction_lost * 256), 255),
        min(max(report.packets_lost, _LOST_MIN), _LOST_MAX),
        report.highest_sequence,
        report.jitter_ticks,
        last_sr,
        min(int(delay_s * 65536), 0xFFFFFFFF) if last_sr else 0,
    )


def write_report(ssrc: int, sender: SenderInfo | None, blocks: tuple[BlockOnWire, ...], cname: str) -> bytes:
    """A compound packet: SR when something was sent, else RR; then SDES with the CNAME (RFC 3550, section 6.1)."""
    body = b"".join(_write_block(block) for block in blocks[:MAX_REPORT_BLOCKS])
    count = min(len(blocks), MAX_REPORT_BLOCKS)
    if sender is None:
        report = _packet(_RR, count, _SSRC.pack(ssrc) + body)
    else:
        info = _SENDER_INFO.pack(
            sender.ntp_timestamp,
            sender.rtp_timestamp,
            sender.packet_count & 0xFFFFFFFF,
            sender.octet_count & 0xFFFFFFFF,
        )
        report = _packet(_SR, count, _SSRC.pack(ssrc) + info + body)
    name = cname.encode("ascii")
    chunk = _SSRC.pack(ssrc) + bytes((1, len(name))) + name
    chunk += bytes(4 - len(chunk) % 4)  # at least one zero ends the list of items (section 6.5)
    return report + _packet(_SDES, 1, chunk)


def wants_answer(compound: bytes) -> bool:
    """Whether an opened compound packet says something for which its sender, or the stream, waits: then it should be read at once.

    That is what asks for packets or pictures again wherever it stands, a goodbye, and what stands behind an empty report, as loss that begins. Reports, names and
    clocks have time.
    """
    position = 0
    while position + 4 <= len(compound):
        first, kind, words = _HEAD.unpack_from(compound, position)
        if kind in _AT_ONCE or (position == 0 and not _says_something(first, kind)):
            return True
        position += 4 + 4 * words
    return False


def _says_something(first: int, kind: int) -> bool:
    """Whether a packet with this beginning is a report of something."""
    return kind == _SR or (kind == _RR and first & 0x1F > 0)


def write_goodbye(ssrc: int) -> bytes:
    """A compound packet that says that this source leaves (RFC 3550, section 6.6)."""
    return _packet(_RR, 0, _SSRC.pack(ssrc)) + _packet(_BYE, 1, _SSRC.pack(ssrc))


def write_loss_report(ssrc: int, report: LossReport) -> bytes:
    """A compound packet with our application-defined one in it (RFC 3550, section 6.7)."""
    data = report.to_bytes()
    data += bytes(-len(data) % 4)
    return _packet(_RR, 0, _SSRC.pack(ssrc)) + _packet(_APP, 0, _SSRC.pack(ssrc) + APP_NAME + data)


def write_clock_message(ssrc: int, message: ClockMessage) -> bytes:
    """Another application-defined one, to be put behind a report."""
    return _packet(_APP, _CLOCK_SUBTYPE, _SSRC.pack(ssrc) + APP_NAME + message.to_bytes())


def write_retransmission_request(ssrc: int, asked_ssrc: int, sequence_numbers: Sequence[int]) -> bytes:
    """A compound packet that asks for packets of a stream again: a report, which has to come first, and a generic NACK (RFC 4585).

    Args:
        ssrc: Ours.
        asked_ssrc: Of the stream.
        sequence_numbers: 0 to 65535, in the order of their sending; of more runs than `MAX_NACK_RUNS` the first ones.

    """
    runs: list[tuple[int, int]] = []
    for number in sequence_numbers:
        behind = (number - runs[-1][0]) & SEQUENCE_MASK if runs else 0
        if 1 <= behind <= 16:
            runs[-1] = runs[-1][0], runs[-1][1] | 1 << behind - 1
        elif len(runs) < MAX_NACK_RUNS:
            runs.append((number, 0))
        else:
            break
    body = b"".join(_NACK.pack(*run) for run in runs)
    nack = _packet(_TRANSPORT_FEEDBACK, _GENERIC_NACK, _SSRC.pack(ssrc) + _SSRC.pack(asked_ssrc) + body)
    return _packet(_RR, 0, _SSRC.pack(ssrc)) + nack


def parse_rtcp(data: bytes) -> RtcpContents:
    """Take a decrypted compound packet apart.

    Raises:
        WireError: A length does not fit, or it is not RTCP.

    """
    contents = RtcpContents([], [], [], [], [], [], [])
    position = 0
    while position < len(data):
        if position + 4 > len(data):
            raise WireError("the RTCP header is cut off")
        first, kind, words = _HEAD.unpack_from(data, position)
        end = position + 4 + 4 * words
        if first >> 6 != 2 or end > len(data):
            raise WireError("not RTCP version 2, or cut off")
        _parse_packet(kind, first & 0x1F, data[position + 4 : end], contents)
        position = end
    return contents


def _parse_packet(kind: int, count: int, body: bytes, contents: RtcpContents) -> None:
    if kind == _SR:
        if len(body) < 24 + 24 * count:
            raise WireError("the RTCP sender report is cut off")
        contents.senders.append(SenderInfo(_SSRC.unpack_from(body)[0], *_SENDER_INFO.unpack_from(body, 4)))
        contents.blocks.extend(_read_blocks(body, 24, count))
    elif kind == _RR:
        if len(body) < 4 + 24 * count:
            raise WireError("the RTCP receiver report is cut off")
        contents.blocks.extend(_read_blocks(body, 4, count))
    elif kind == _BYE:
        if len(body) < 4 * count:
            raise WireError("the RTCP goodbye is cut off")
        contents.goodbyes.extend(_SSRC.unpack_from(body, 4 * index)[0] for index in range(count))
    elif kind == _TRANSPORT_FEEDBACK and count == _GENERIC_NACK:
        if len(body) < 8:
            raise WireError("the RTCP request is cut off")
        _read_request(body, contents)
    elif kind == XR:
        contents.extended_reports.extend(read_extended_report(body))
    elif kind == _APP and count == 0 and body[4:8] == APP_NAME:
        contents.loss_reports.append(LossReport.from_bytes(body[8:]))
    elif kind == _APP and count == _CLOCK_SUBTYPE and body[4:8] == APP_NAME:
        contents.clock_messages.append(ClockMessage.from_bytes(body[8:]))


def _read_request(body: bytes, contents: RtcpContents) -> None:
    if sum(len(request.sequence_numbers) for request in contents.requests) >= MAX_NACK_NAMES:
        return
    runs = min((len(body) - 8) // 4, MAX_NACK_RUNS)
    numbers: list[int] = []
    for first, others in _NACK.iter_unpack(body[8 : 8 + 4 * runs]):
        numbers.append(first)
        if others:
            numbers += [
                (first + behind) & SEQUENCE_MASK for behind in range(1, 17) if others >> behind - 1 & 1
            ]
    contents.requests.append(RetransmissionRequest(_SSRC.unpack_from(body, 4)[0], tuple(numbers)))


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _HEAD.pack(0x80 | count, kind, len(body) // 4) + body


def _write_block(block: BlockOnWire) -> bytes:
    return _BLOCK.pack(
        block.ssrc,
        block.fraction_lost << 24 | block.packets_lost & 0xFFFFFF,
        block.highest_sequence,
        block.jitter_ticks,
        block.last_sr,
        block.delay_since_last_sr,
    )


def _read_blocks(body: bytes, start: int, count: int) -> list[BlockOnWire]:
    blocks = []
    for index in range(count):
        ssrc, lost, highest, jitter, last_sr, delay = _BLOCK.unpack_from(body, start + 24 * index)
        cumulative = (lost & 0xFFFFFF ^ 0x800000) - 0x800000
        blocks.append(BlockOnWire(ssrc, lost >> 24, cumulative, highest, jitter, last_sr, delay))
    return blocks

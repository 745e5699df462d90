"""First reading of a capture: which datagrams are RTP streams, and what their payload types are.

Nobody says which ports have RTP. So a stream is one that proves itself: two packets with the same SSRC between the same sockets whose numbers follow each other
(RFC 3550, appendix A.1). What else comes between these sockets and looks like RTP is of such a stream too.

    frames ──> datagrams ──> RTP? ──> candidates ──proved──> streams
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from msgspec import structs

from blink_cli.core.analysis.capture_figures import PayloadTypeFigures
from blink_cli.core.analysis.payload_evidence import StreamEvidence, TypeEvidence
from blink_cli.core.media.unwrapper import SEQUENCE_MASK
from blink_cli.record.capture.datagrams import LeftOut, datagram_of
from blink_cli.record.capture.descriptions import Described, Descriptions
from blink_cli.record.capture.frames import Frame
from blink_cli.record.capture.rtp_packets import CapturedPacket, StreamKey, is_cut_off, is_rtcp_like, rtp_of

MOST_STREAMS: Final = 256
"""That are told; of more, the first ones."""

MOST_CANDIDATES: Final = 4_096
"""That have not proved themselves; of more, the oldest are forgotten."""

NAMES: Final = {
    0: ("PCMU", 8_000),
    3: ("GSM", 8_000),
    4: ("G723", 8_000),
    5: ("DVI4", 8_000),
    6: ("DVI4", 16_000),
    7: ("LPC", 8_000),
    8: ("PCMA", 8_000),
    9: ("G722", 8_000),
    10: ("L16", 44_100),
    11: ("L16", 44_100),
    12: ("QCELP", 8_000),
    13: ("CN", 8_000),
    14: ("MPA", 90_000),
    15: ("G728", 8_000),
    16: ("DVI4", 11_025),
    17: ("DVI4", 22_050),
    18: ("G729", 8_000),
    25: ("CelB", 90_000),
    26: ("JPEG", 90_000),
    28: ("nv", 90_000),
    31: ("H261", 90_000),
    32: ("MPV", 90_000),
    33: ("MP2T", 90_000),
    34: ("H263", 90_000),
}
"""Codec and clock rate of fixed payload types (RFC 3551, section 6)."""

_G711: Final = frozenset({"PCMU", "PCMA"})
_OPUS_CLOCK_HZ: Final = 48_000
_STUN_BYTES: Final = 20
_STUN_COOKIE: Final = b"\x21\x12\xa4\x42"


class PayloadTypes(NamedTuple):
    """What is known of a stream before it is analysed."""

    figures: tuple[PayloadTypeFigures, ...]
    encrypted: bool
    audio_level_id: int | None
    primary_types: dict[int, int]
    """Of types of RED: that of the frame inside, which is Opus."""

    first_s: float
    last_s: float
    """The earliest and the latest packet, seconds since 1970."""

    @property
    def clock_rate_hz(self) -> int | None:
        """Of the type with the most packets that has one."""
        with_clock = [one for one in self.figures if one.clock_rate_hz]
        return max(with_clock, key=lambda one: one.packets).clock_rate_hz if with_clock else None

    @property
    def wireshark_rates_hz(self) -> dict[int, int]:
        """Of dynamic types, as Wireshark knows them when it was told the codecs: RED has a clock there only by a description."""
        return {
            one.payload_type: one.clock_rate_hz
            for one in self.figures
            if one.clock_rate_hz is not None
            and one.known_by != "clock"
            and (one.codec != "red" or one.known_by == "sdp")
        }

    def of_codec(self, codec: str) -> frozenset[int]:
        """The types of a codec."""
        return frozenset(one.payload_type for one in self.figures if one.codec == codec)


class Surveyed(NamedTuple):
    """What a capture holds."""

    streams: dict[StreamKey, PayloadTypes]
    """In the order of their first packets."""

    streams_omitted: int
    left_out: Counter[LeftOut]
    rtcp: int
    datagrams: int
    """With UDP, whatever they hold."""

    unproved: int
    """Datagrams that look like RTP, of no stream that is told."""

    first_bytes: Counter[str]
    """What the other datagrams may be."""

    links: Counter[int]
    """Link types of the frames that were left out for theirs."""


class _Candidate:
    __slots__ = ("evidence", "is_omitted", "last", "order")

    def __init__(self, order: int) -> None:
        self.order = order
        self.last: int | None = None
        self.is_omitted = False
        self.evidence = StreamEvidence()


class _Candidates:
    """Streams that have proved themselves, and those that may."""

    def __init__(self) -> None:
        self._proved: dict[StreamKey, _Candidate] = {}
        self._others: dict[StreamKey, _Candidate] = {}
        self._taken = 0
        self.packets = 0
        self.omitted = 0

    def take(self, found: CapturedPacket) -> None:
        """Count one packet."""
        self.packets += 1
        key, packet = found.key, found.packet
        candidate = self._proved.get(key)
        if candidate is None:
            candidate = self._candidate(key, packet.sequence_number)
        candidate.evidence.packet(
            packet.sequence_number,
            packet.timestamp,
            packet.payload_type,
            packet.payload,
            packet.arrival_s,
        )

    def _candidate(self, key: StreamKey, sequence_number: int) -> _Candidate:
        candidate = self._others.get(key)
        if candidate is None:
            if len(self._others) >= MOST_CANDIDATES:
                del self._others[next(iter(self._others))]
            self._taken += 1
            candidate = self._others[key] = _Candidate(self._taken)
        elif (
            candidate.last is not None
            and (candidate.last + 1) & SEQUENCE_MASK == sequence_number
            and self._prove(key, candidate)
        ):
            del self._others[key]
        candidate.last = sequence_number
        return candidate

    def _prove(self, key: StreamKey, candidate: _Candidate) -> bool:
        if len(self._proved) < MOST_STREAMS:
            self._proved[key] = candidate
            return True
        if not candidate.is_omitted:
            candidate.is_omitted = True
            self.omitted += 1
        return False

    def streams(self) -> dict[StreamKey, StreamEvidence]:
        """Those that are streams, in the order of their first packets."""
        flows = {key.flow for key in self._proved}
        for key, candidate in self._others.items():
            if key.flow in flows:
                self._prove(key, candidate)
        by_order = sorted(self._proved.items(), key=lambda item: item[1].order)
        return {key: candidate.evidence for key, candidate in by_order}


def survey(frames: Iterable[Frame], told: Mapping[int, tuple[str, int]]) -> Surveyed:
    """Read a capture once.

    Args:
        frames: All of it.
        told: Codec and clock rate of payload types, by who asks.

    Raises what reading raises.

    """
    candidates = _Candidates()
    descriptions = Descriptions()
    left_out: Counter[LeftOut] = Counter()
    first_bytes: Counter[str] = Counter()
    links: Counter[int] = Counter()
    datagrams = rtcp = 0
    for frame in frames:
        datagram = datagram_of(frame)
        if isinstance(datagram, LeftOut):
            left_out[datagram] += 1
            if datagram is LeftOut.OTHER_LINK:
                links[frame.link_type] += 1
            continue
        datagrams += 1
        found = rtp_of(datagram, frame.at_ns / 1e9)
        if found is not None:
            candidates.take(found)
        elif is_rtcp_like(datagram.payload):
            rtcp += 1
        elif is_cut_off(datagram):
            left_out[LeftOut.CUT_OFF] += 1
        else:
            first_bytes[_kind(datagram.payload)] += 1
            descriptions.look(datagram.payload)
    streams = {
        key: _payload_types(evidence, told, descriptions.of_ports(key.flow.target_port, key.flow.source_port))
        for key, evidence in candidates.streams().items()
    }
    told_packets = sum(one.packets for types in streams.values() for one in types.figures)
    return Surveyed(
        streams=_of_one_flow(streams),
        streams_omitted=candidates.omitted,
        left_out=left_out,
        rtcp=rtcp,
        datagrams=datagrams,
        unproved=candidates.packets - told_packets,
        first_bytes=first_bytes,
        links=links,
    )


def _kind(payload: bytes) -> str:
    """What may share a port with RTP, by the first byte (RFC 7983)."""
    if len(payload) >= _STUN_BYTES and payload[0] <= 3 and payload[4:8] == _STUN_COOKIE:
        return "STUN"
    return "DTLS" if payload[:1] and 20 <= payload[0] <= 63 and payload[1:2] == b"\xfe" else "other"


def _payload_types(
    evidence: StreamEvidence, told: Mapping[int, tuple[str, int]], described: Described | None
) -> PayloadTypes:
    figures = []
    encrypted = False
    for number, kind in evidence.types.items():
        codec, rate_hz, known_by = _codec(number, kind, evidence, told, described)
        encrypted |= _is_encrypted(codec, kind)
        figures.append(
            PayloadTypeFigures(
                payload_type=number,
                packets=kind.packets,
                codec=codec,
                clock_rate_hz=rate_hz,
                known_by=known_by,
            )
        )
    return PayloadTypes(
        figures=tuple(figures),
        encrypted=encrypted,
        audio_level_id=None if described is None else described.audio_level_id,
        primary_types={
            number: kind.primary_type
            for number, kind in evidence.types.items()
            if kind.is_red and kind.primary_type is not None
        },
        first_s=evidence.first_s,
        last_s=evidence.last_s,
    )


def _codec(
    number: int,
    kind: TypeEvidence,
    evidence: StreamEvidence,
    told: Mapping[int, tuple[str, int]],
    described: Described | None,
) -> tuple[str | None, int | None, str | None]:
    """Codec, clock rate, and how they are known."""
    if number in told:
        return *told[number], "option"
    if described is not None and number in described.types:
        codec, rate_hz = described.types[number]
        return _usual_name(codec), rate_hz, "sdp"
    if number in NAMES:
        return *NAMES[number], "number"
    if kind.is_opus:
        return "opus", _OPUS_CLOCK_HZ, "payload"
    if kind.is_red:
        return "red", _OPUS_CLOCK_HZ, "payload"
    measured_hz = evidence.clock_rate_hz
    return (None, None, None) if measured_hz is None else (None, measured_hz, "clock")


def _usual_name(codec: str) -> str:
    return codec.lower() if codec.lower() in {"opus", "red"} else codec


def _is_encrypted(codec: str | None, kind: TypeEvidence) -> bool:
    if codec == "opus":
        return kind.was_examined and not kind.is_opus and kind.is_by_lot
    if codec == "red":
        return kind.was_examined and not kind.is_red and kind.is_by_lot
    if codec in _G711:
        return kind.was_examined and not kind.is_g711 and kind.is_by_lot
    return codec is None and kind.is_by_lot


def _of_one_flow(streams: dict[StreamKey, PayloadTypes]) -> dict[StreamKey, PayloadTypes]:
    """What too few packets tell of one stream, its neighbours between the same sockets tell."""
    known = {
        (key.flow, one.payload_type): one
        for key, types in streams.items()
        for one in types.figures
        if one.codec is not None
    }
    return {
        key: types._replace(
            figures=tuple(
                one
                if one.codec is not None or (like := known.get((key.flow, one.payload_type))) is None
                else structs.replace(like, packets=one.packets)
                for one in types.figures
            )
        )
        for key, types in streams.items()
    }

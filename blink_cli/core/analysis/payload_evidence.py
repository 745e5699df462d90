"""Which codec a payload type of a foreign stream is, by what its packets look like, where nobody says so.

    Opus       from one packet to the next, RTP time goes on by what the first byte of the one before it says (RFC 6716, section 3.1)
    RED        the same of the frame inside, behind headers that describe the payload (RFC 2198)
    G.711      as many bytes as ticks
    SRTP       none of that: first bytes are drawn by lot, which no codec's are

A few hundred packets of each payload type are looked at. Pure.
"""

from typing import Final

from blink_cli.core.errors import WireError
from blink_cli.core.media import red
from blink_cli.core.media.opus_packet import is_discontinuous, packet_samples
from blink_cli.core.media.unwrapper import sequence_difference, timestamp_difference

MOST_PACKETS: Final = 400
"""Of one payload type, that are looked at."""

_FEWEST_STEPS: Final = 4
_AGREEMENT: Final = 0.9
"""Share of steps that must fit: the others are pauses."""

_FEWEST_FIRST_BYTES: Final = 24
_LOT: Final = 0.75
"""Of the number of different first bytes that drawing lots gives."""

_STANDARD_RATES_HZ: Final = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 90_000)
_RATE_TOLERANCE: Final = 0.05
_SHORTEST_S: Final = 0.2
_LONGEST_STEP_TICKS: Final = 90_000 * 10


class TypeEvidence:
    """Of one payload type."""

    __slots__ = (
        "_first_bytes",
        "_fits_g711",
        "_fits_opus",
        "_fits_red",
        "_looked_at",
        "_steps",
        "packets",
        "primary_type",
    )

    def __init__(self) -> None:
        self.packets = 0
        self.primary_type: int | None = None
        """Of the frame inside, if it is RED."""

        self._steps = self._fits_opus = self._fits_red = self._fits_g711 = 0
        self._first_bytes: set[int] = set()
        self._looked_at = 0

    @property
    def is_opus(self) -> bool:
        """Whether its packets are Opus packets."""
        return self._agree(self._fits_opus)

    @property
    def is_red(self) -> bool:
        """Whether its packets hold one Opus packet or more behind headers of RED."""
        return self._agree(self._fits_red) and self.primary_type is not None

    @property
    def is_g711(self) -> bool:
        """Whether a packet has as many bytes as ticks pass until the next one."""
        return self._agree(self._fits_g711)

    @property
    def is_by_lot(self) -> bool:
        """Whether payloads begin with bytes that are drawn by lot, as encrypted ones do."""
        looked_at = self._looked_at
        if looked_at < _FEWEST_FIRST_BYTES:
            return False
        expected = 256 * (1 - (255 / 256) ** looked_at)
        return len(self._first_bytes) >= _LOT * expected

    @property
    def was_examined(self) -> bool:
        """Whether enough packets followed each other to say what they are not."""
        return self._steps >= _FEWEST_STEPS

    def _agree(self, fits: int) -> bool:
        return self._steps >= _FEWEST_STEPS and fits >= _AGREEMENT * self._steps

    def look(self, payload: bytes) -> None:
        """Take what stands in one packet."""
        self._looked_at += 1
        if payload:
            self._first_bytes.add(payload[0])

    def step(self, ticks: int, payload: bytes, primary: tuple[bytes, int] | None) -> None:
        """Take how far RTP time went from one packet, whose payload this is, to the next; `primary` is the frame in it and that one's type, if it is RED."""
        self._steps += 1
        self._fits_opus += packet_samples(payload) == ticks
        self._fits_g711 += len(payload) == ticks
        if primary is not None and packet_samples(primary[0]) == ticks:
            self._fits_red += 1
            self.primary_type = primary[1]


class StreamEvidence:
    """Of one stream. Packets in the order of arrival."""

    __slots__ = ("_last", "_ticks", "_time_s", "first_s", "last_s", "types")

    def __init__(self) -> None:
        self.types: dict[int, TypeEvidence] = {}
        """By payload type, in the order in which they came."""

        self._last: tuple[int, int, float, TypeEvidence, bytes, tuple[bytes, int] | None] | None = None
        self._ticks = 0
        self._time_s = 0.0
        self.first_s = float("inf")
        self.last_s = float("-inf")
        """The earliest and the latest packet."""

    def packet(
        self, sequence_number: int, timestamp: int, payload_type: int, payload: bytes, at_s: float
    ) -> None:
        """Take one packet; of a payload that was cut off, zeros may stand for the rest."""
        kind = self.types.get(payload_type)
        if kind is None:
            kind = self.types[payload_type] = TypeEvidence()
        kind.packets += 1
        self.first_s = min(self.first_s, at_s)
        self.last_s = max(self.last_s, at_s)
        last = self._last
        if last is not None and sequence_difference(sequence_number, last[0]) == 1:
            ticks = timestamp_difference(timestamp, last[1])
            if 0 < ticks < _LONGEST_STEP_TICKS:
                self._ticks += ticks
                self._time_s += at_s - last[2]
                _, _, _, before, content, primary = last
                if content and before.packets <= MOST_PACKETS and not _pauses(content, primary):
                    before.step(ticks, content, primary)
        primary = None
        if kind.packets <= MOST_PACKETS:
            kind.look(payload)
            primary = _primary(payload, timestamp)
        self._last = sequence_number, timestamp, at_s, kind, payload, primary

    @property
    def clock_rate_hz(self) -> int | None:
        """The usual rate at which RTP time ran; None where it is none of them, or too little came."""
        if self._time_s < _SHORTEST_S:
            return None
        rate_hz = self._ticks / self._time_s
        nearest = min(_STANDARD_RATES_HZ, key=lambda usual: abs(usual - rate_hz))
        return nearest if abs(nearest - rate_hz) <= _RATE_TOLERANCE * nearest else None


def _primary(payload: bytes, timestamp: int) -> tuple[bytes, int] | None:
    try:
        _, frame, payload_type = red.unpack(payload, timestamp)[-1]
    except WireError:
        return None
    return frame, payload_type


def _pauses(payload: bytes, primary: tuple[bytes, int] | None) -> bool:
    """Whether a pause of DTX may follow."""
    return is_discontinuous(payload) or (
        primary is not None and primary[0] != b"" and is_discontinuous(primary[0])
    )

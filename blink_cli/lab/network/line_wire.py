"""A wire on which every direction between two hosts is a `Line` of `core/impairment`, and which remembers every packet of a voice: the witness of the real engine.

    {"do": "line", "from": "alice", "to": "bob", "conditions": {...}}      from now on
    {"do": "count", "from": "alice", "to": "bob", "at_s": 1234.5}         outages and traces count from that monotonic second
    {"do": "packets"}      all RTP packets so far: for each direction [when, payload bytes, how many copies come out, whether it was changed]

RTP, retransmissions, RTCP and everything else have chances of their own, so that a report or a signal more changes nothing for the voice; in a bad time
all media are lost alike: with one seed the n-th packet
of a direction meets the same fate as in virtual time (`lab/virtual/line.py`), where conditions are the same at its moment. ARP always passes: where an
address is unknown for a second nothing is sent at all, which virtual time does not know.
"""

import random
import time
from typing import Any, Final, NamedTuple

import msgspec
from typing_extensions import override

from blink_cli.core.impairment.chances import line_seed
from blink_cli.core.impairment.conditions import Conditions
from blink_cli.core.impairment.line import Bottleneck, Line, with_wrong_bit
from blink_cli.lab.network.media_wire import kind_of, media_byte
from blink_cli.lab.network.wire import Wire, main

_HEADERS_BYTES: Final = 14 + 20 + 8
_ARP: Final = b"\x08\x06"
_TAG_BYTES: Final = 16
"""Of AES-GCM (RFC 7714), which two sessions agree on."""


class Passed(NamedTuple):
    """What became of one RTP packet."""

    at_s: float
    """Monotonic: when it was given to the wire."""

    payload_bytes: int
    """Of RTP, without headers and SRTP's tag."""

    copies: int
    """That come out; 0 if it is lost."""

    changed: bool
    """Whether the first copy has a wrong bit."""


class _Said(NamedTuple):
    conditions: Conditions
    at_s: float
    """From when on outages and traces count, whenever the first packet comes."""


class LineWire(Wire):
    """See the top of the file."""

    def __init__(self, seed: str) -> None:
        super().__init__(seed)
        self._lines: dict[tuple[str, str, str], Line] = {}
        self._clear = Line(Conditions(), random.Random(seed).random)
        self._bottlenecks: dict[tuple[str, str], Bottleneck] = {}
        """Of each direction: RTP and RTCP share its rate."""

        self._said: dict[tuple[str, str], _Said] = {}
        self._passed: dict[tuple[str, str], list[Passed]] = {}

    @override
    def _send(self, source: Any, frame: bytes, now: float) -> None:
        destination = frame[:6]
        self._home_of[frame[6:12]] = source.host
        known = self._home_of.get(destination)
        byte = media_byte(frame)
        kind = kind_of(byte) if byte is not None else "arp" if frame[12:14] == _ARP else "other"
        for target in [known] if known else list(self._ports):
            if target != source.host and self._joined(source.host, target):
                self._carry(source.host, target, kind, frame, now)

    def _carry(self, source: str, target: str, kind: str, frame: bytes, now_s: float) -> None:
        copies = (
            self._clear.fate(now_s, len(frame))
            if kind == "arp"
            else self._line(source, target, kind).fate(now_s, len(frame))
        )
        if kind == "rtp":
            self._passed.setdefault((source, target), []).append(
                Passed(
                    now_s,
                    _payload_bytes(frame),
                    len(copies),
                    bool(copies) and copies[0].wrong_at is not None,
                )
            )
        self._hand_over(copies, target, frame, now_s)

    @override
    def _spoilt(self, frame: bytes, wrong_at: float) -> bytes:
        # A bit of what is inside the datagram: its checksum is the sender's, and would be refused before anyone can count it.
        return _with_wrong_payload(frame, wrong_at)

    def _line(self, source: str, target: str, kind: str) -> Line:
        key = source, target, kind
        if key not in self._lines:
            draw = random.Random(line_seed(int(self._seed), source, target, kind)).random
            said = self._said.get((source, target)) or _Said(Conditions(), time.monotonic())
            bottleneck = None
            beside = None
            if kind != "other":
                bottleneck = self._bottlenecks.setdefault((source, target), Bottleneck())
            if kind in ("rtcp", "again", "video"):
                beside = self._line(source, target, "rtp")
            self._lines[key] = Line(
                said.conditions, draw, began_at=said.at_s, bottleneck=bottleneck, beside=beside
            )
        return self._lines[key]

    @override
    def _obey(self, order: dict[str, Any]) -> dict[str, Any]:
        match order["do"]:
            case "line":
                ends = order["from"], order["to"]
                said = self._said[ends] = _Said(
                    msgspec.convert(order["conditions"], Conditions), time.monotonic()
                )
                for (source, target, _), line in self._lines.items():
                    if (source, target) == ends:
                        line.change(said.conditions, said.at_s)
                return {"ok": True}
            case "count":
                ends, at_s = (order["from"], order["to"]), order["at_s"]
                self._said[ends] = self._said[ends]._replace(at_s=at_s)
                for (source, target, _), line in self._lines.items():
                    if (source, target) == ends:
                        line.count_from(at_s)
                return {"ok": True}
            case "packets":
                passed = [[*ends, packets] for ends, packets in self._passed.items()]
                return {"ok": True, "packets": passed}
            case _:
                return super()._obey(order)


def _payload_bytes(frame: bytes) -> int:
    """Return the length of RTP's payload (RFC 3550, section 5.1)."""
    rtp = frame[_HEADERS_BYTES:]
    header = 12 + 4 * (rtp[0] & 0x0F)
    if rtp[0] & 0x10 and len(rtp) >= header + 4:
        header += 4 + 4 * int.from_bytes(rtp[header + 2 : header + 4], "big")
    return max(len(rtp) - header - _TAG_BYTES, 0)


def _with_wrong_payload(frame: bytes, wrong_at: float) -> bytes:
    """Return a frame with a wrong bit in what UDP carries, and without UDP's checksum (RFC 768 allows none over IPv4)."""
    head = bytearray(frame[:_HEADERS_BYTES])
    head[-2:] = b"\0\0"
    return bytes(head) + with_wrong_bit(frame[_HEADERS_BYTES:], wrong_at)


if __name__ == "__main__":
    main(LineWire)

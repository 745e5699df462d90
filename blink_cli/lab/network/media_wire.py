"""A wire that is bad for media alone, packet by packet the same in each run, and leaves everything else alone.

    {"do": "media", "conditions": {...}, "seed": "loss5 3"}      each direction gets lines of its own; they begin with the first media packet

So real sessions meet the very networks of the simulation: the n-th RTP packet of a direction has the same fate in each run of a seed.
RTCP has lines of its own, so that a report more or less does not shift what becomes of the voice.
"""

import random
from typing import Any, Final

import msgspec
from typing_extensions import override

from blink_cli.core.impairment.conditions import Conditions
from blink_cli.core.impairment.line import Line
from blink_cli.lab.network.wire import Wire, main

_ETHERNET_BYTES: Final = 14
_UDP: Final = 17


def media_byte(frame: bytes) -> int | None:
    """The byte that tells RTP from RTCP, if this Ethernet frame holds either in UDP over IPv4; None if it does not.

    Source: RFC 7983, section 7; RFC 5761, section 4.
    """
    if len(frame) < _ETHERNET_BYTES + 20 + 8 + 2 or frame[12:14] != b"\x08\x00":
        return None
    header = (frame[_ETHERNET_BYTES] & 0x0F) * 4
    if frame[_ETHERNET_BYTES + 9] != _UDP:
        return None
    at = _ETHERNET_BYTES + header + 8
    if len(frame) < at + 2 or not 127 < frame[at] < 192:
        return None
    return frame[at + 1]


class MediaWire(Wire):
    """See the top of the file."""

    def __init__(self, seed: str) -> None:
        super().__init__(seed)
        self._conditions = Conditions()
        self._media_seed = ""
        self._begun_at: float | None = None
        self._media_lines: dict[tuple[str, bool], Line] = {}

    @override
    def _send(self, source: Any, frame: bytes, now: float) -> None:
        kind = media_byte(frame)
        target = self._home_of.get(frame[:6])
        if kind is None or target is None:
            super()._send(source, frame, now)
            return
        self._home_of[frame[6:12]] = source.host
        if self._begun_at is None:
            self._begun_at = now
        self._pass(
            self._media_line(source.host, self._begun_at, is_rtcp=192 <= kind <= 223), target, frame, now
        )

    def _media_line(self, source: str, begun_at: float, *, is_rtcp: bool) -> Line:
        key = source, is_rtcp
        line = self._media_lines.get(key)
        if line is None:
            draw = random.Random(f"{self._media_seed} {source} {is_rtcp}").random
            line = self._media_lines[key] = Line(self._conditions, draw, began_at=begun_at)
        return line

    @override
    def _obey(self, order: dict[str, Any]) -> dict[str, Any]:
        if order["do"] != "media":
            return super()._obey(order)
        self._conditions = msgspec.convert(order["conditions"], Conditions)
        self._media_seed = order["seed"]
        self._begun_at = None
        self._media_lines = {}
        return {"ok": True}


if __name__ == "__main__":
    main(MediaWire)

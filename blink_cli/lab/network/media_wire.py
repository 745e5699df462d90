"""A wire that is bad for media alone, packet by packet the same in each run, and leaves everything else alone.

    {"do": "media", "conditions": {...}, "seed": "loss5 3"}      each direction gets lines of its own; they begin with the first media packet

So real sessions meet the very networks of the simulation: the n-th RTP packet of a direction has the same fate in each run of a seed.
RTCP, pictures and what is sent again have lines of their own beside the voice's, so that one more or less does not shift what becomes of the voice; bad times they share.
"""

import random
from typing import Any, Final

import msgspec
from typing_extensions import override

from blink_cli.core.impairment.conditions import Conditions
from blink_cli.core.impairment.line import Line
from blink_cli.core.media.picture_packets import PICTURE_PAYLOAD_TYPES
from blink_cli.core.media.rtx import RTX_PAYLOAD_TYPE
from blink_cli.lab.network.wire import Wire, main

_ETHERNET_BYTES: Final = 14
_UDP: Final = 17
_PADDED: Final = 0x20


def media_byte(frame: bytes) -> int | None:
    """The byte that tells RTP from RTCP, if this Ethernet frame holds either in UDP over IPv4; None if it does not.

    Signals begin with B2 to BE (docs/protocol.md): version 2 of RTP with padding, which sessions never send. They are no media.

    Source: RFC 7983, section 7; RFC 5761, section 4; RFC 3550, section 5.1.
    """
    if len(frame) < _ETHERNET_BYTES + 20 + 8 + 2 or frame[12:14] != b"\x08\x00":
        return None
    header = (frame[_ETHERNET_BYTES] & 0x0F) * 4
    if frame[_ETHERNET_BYTES + 9] != _UDP:
        return None
    at = _ETHERNET_BYTES + header + 8
    if len(frame) < at + 2 or not 127 < frame[at] < 192 or frame[at] & _PADDED:
        return None
    return frame[at + 1]


def kind_of(byte: int) -> str:
    """The kind of media that this byte tells: `rtcp`, `again` for voice that was asked for, `video` for pictures, or `rtp` for the voice (RFC 5761)."""
    if 192 <= byte <= 223:
        return "rtcp"
    if byte & 0x7F in PICTURE_PAYLOAD_TYPES:
        return "video"
    return "again" if byte & 0x7F == RTX_PAYLOAD_TYPE else "rtp"


class MediaWire(Wire):
    """See the top of the file."""

    def __init__(self, seed: str) -> None:
        super().__init__(seed)
        self._conditions = Conditions()
        self._media_seed = ""
        self._begun_at: float | None = None
        self._media_lines: dict[tuple[str, str], Line] = {}

    @override
    def _send(self, source: Any, frame: bytes, now: float) -> None:
        byte = media_byte(frame)
        target = self._home_of.get(frame[:6])
        if byte is None or target is None:
            super()._send(source, frame, now)
            return
        self._home_of[frame[6:12]] = source.host
        if self._begun_at is None:
            self._begun_at = now
        self._pass(self._media_line(source.host, kind_of(byte), self._begun_at), target, frame, now)

    def _media_line(self, source: str, kind: str, begun_at: float) -> Line:
        key = source, kind
        line = self._media_lines.get(key)
        if line is None:
            beside = None if kind == "rtp" else self._media_line(source, "rtp", begun_at)
            draw = random.Random(f"{self._media_seed} {source} {kind}").random
            line = self._media_lines[key] = Line(self._conditions, draw, began_at=begun_at, beside=beside)
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

"""A wire that does to media what the seeded `traces` say, packet by packet, and leaves everything else alone.

    {"do": "trace", "name": "loss5", "seed": 3}      every direction gets a trace of its own; it begins with the first media packet

So real sessions meet the very networks of the simulation: the n-th RTP packet of a direction has the same fate in each run of a seed.
RTCP has traces of its own, so that a report more or less does not shift what becomes of the voice.
"""

import heapq
import random
from typing import Any, Final

from typing_extensions import override

from blink_cli.lab.network.traces import TRACES, Trace
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


class TraceWire(Wire):
    """See the top of the file."""

    def __init__(self, seed: str) -> None:
        super().__init__(seed)
        self._name = "clean"
        self._trace_seed = 0
        self._begun_s: float | None = None
        self._traces: dict[tuple[str, bool], Trace] = {}

    @override
    def _send(self, source: Any, frame: bytes, now_s: float) -> None:
        kind = media_byte(frame)
        target = self._home_of.get(frame[:6])
        if kind is None or target is None:
            super()._send(source, frame, now_s)
            return
        self._home_of[frame[6:12]] = source.host
        is_rtcp = 192 <= kind <= 223
        if self._begun_s is None:
            self._begun_s = now_s
        self._counts["frames"] += 1
        arrival_s = self._trace(source.host, is_rtcp=is_rtcp)(now_s - self._begun_s)
        if arrival_s is None:
            self._counts["dropped"] += 1
            return
        due_s = arrival_s + self._begun_s
        if due_s <= now_s:
            self._write(target, frame, now_s)
        else:
            heapq.heappush(self._waiting, (due_s, next(self._order), target, frame))

    def _trace(self, source: str, *, is_rtcp: bool) -> Trace:
        key = source, is_rtcp
        trace = self._traces.get(key)
        if trace is None:
            rng = random.Random(f"{self._name} {self._trace_seed} {source} {is_rtcp}")
            trace = self._traces[key] = TRACES[self._name](rng)
        return trace

    @override
    def _obey(self, order: dict[str, Any]) -> dict[str, Any]:
        if order["do"] != "trace":
            return super()._obey(order)
        self._name, self._trace_seed = order["name"], order["seed"]
        self._begun_s = None
        self._traces = {}
        return {"ok": True}


if __name__ == "__main__":
    main(TraceWire)

"""What is known of the way from us to those who hear us in a room: the first part from the server, the whole way from each listener.

Copies are sent once for all, so one bad line of many must not make everybody's traffic: of the listeners the nine tenths that hear best count, of
nine or fewer all. Pure.
"""

import math
from typing import Final, Generic, TypeVar

from blink_cli.core.media.rtp import ReceptionReport

R = TypeVar("R")

LIFETIME_S: Final = 5.0
"""A report that is older says nothing."""

_COUNTED: Final = 0.9


class RoomReports(Generic[R]):
    """Of one publishing; `R` names who reports."""

    def __init__(self) -> None:
        """Have none."""
        self._server: ReceptionReport | None = None
        self._listeners: dict[R, ReceptionReport] = {}

    def from_server(self, report: ReceptionReport) -> None:
        """How the server receives us."""
        self._server = report

    def from_listener(self, listener: R, report: ReceptionReport) -> None:
        """How somebody receives us through the server."""
        self._listeners[listener] = report

    def worst(self, now_s: float) -> ReceptionReport | None:
        """As one report: the worst of what counts; None of nothing."""
        oldest_s = now_s - LIFETIME_S
        self._listeners = {who: one for who, one in self._listeners.items() if one.arrival_s >= oldest_s}
        lost = sorted(one.fraction_lost for one in self._listeners.values())
        jitter = sorted(one.jitter_s for one in self._listeners.values())
        last = math.ceil(_COUNTED * len(lost)) - 1
        server = None if self._server is None or self._server.arrival_s < oldest_s else self._server
        if server is None and not lost:
            return None
        some = server or next(iter(self._listeners.values()))
        return ReceptionReport(
            ssrc=some.ssrc,
            fraction_lost=max(0.0 if server is None else server.fraction_lost, lost[last] if lost else 0.0),
            packets_lost=some.packets_lost,
            highest_sequence=some.highest_sequence,
            jitter_s=max(0.0 if server is None else server.jitter_s, jitter[last] if jitter else 0.0),
            arrival_s=now_s,
            rtt_s=None if server is None else server.rtt_s,
        )

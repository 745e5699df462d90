"""What the slots of a visit bring: opened and played by whoever reads it, told on the event loop.

    [voice thread, or event loop] sealed packet --> FrameOpener: whose? --> RoomStream.read --> RoomListener.play_from_room
                                                              '-- RTCP ---------. '-- what was heard
    [event loop] some 20 ms later                                        queue <--' --> counted, and told

A slot's socket is left to the round of the session (net/link/media_round.py) as that of any link by which voice comes; until then, and where nobody goes a round, the event
loop reads it. Of two slots one may be read by each, and a stream may go from one to the other: a lock lets one at a time open.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from blink_cli.app.media.room.room_listener import RoomListener
from blink_cli.core.ids import Did
from blink_cli.core.media.room_stream import RoomStream
from blink_cli.core.media.rtp import ReceptionReport, RtpPacket
from blink_cli.core.media.rtp_header import is_rtcp
from blink_cli.core.sframe.frame_key import FrameKey
from blink_cli.core.sframe.frame_opener import FrameOpener, OpenCounters
from blink_cli.core.sframe.replay_window import ReplayWindows

MOST_WAITING: Final = 8_192
"""What waits for an event loop that does not come: seven seconds of a session that records 24. The oldest goes, and is heard but not counted."""


@dataclass(slots=True)
class Hearing:
    """One participant that is heard by what it publishes. Belongs to the event loop."""

    peer: Did
    epoch: int
    stream: RoomStream
    listener: RoomListener
    by_group_key: dict[bytes, FrameKey] = field(default_factory=dict)
    """By which it is opened, each by the key of the call from which it follows."""

    told_s: float | None = None
    """The last arrival of which the call was told."""

    slot: int | None = None
    """On which it comes; `RoomReader.put_on` changes it."""


class RoomReader:
    """Of one visit. Belongs to the event loop, but for `read`."""

    def __init__(
        self,
        windows: ReplayWindows,
        refused: OpenCounters,
        reported: Callable[[Did, ReceptionReport], None],
    ) -> None:
        """Open nothing yet.

        Args:
            windows: What has come under each key of the session.
            refused: Counts what is not opened.
            reported: Told how a participant receives our stream.

        """
        self._opener = FrameOpener[Hearing](windows, refused)
        self._reported = reported
        self._reading = threading.Lock()
        """Held while one packet is opened and played, and while what this follows is changed: some microseconds."""

        self._waiting: deque[tuple[Hearing, RtpPacket | bytes, float]] = deque(maxlen=MOST_WAITING)
        """What was heard, and RTCP as it came, each with its arrival."""

    @property
    def counters(self) -> OpenCounters:
        """What was not opened."""
        return self._opener.counters

    def open_also(self, hearing: Hearing) -> None:
        """Open from now on what comes under its keys too."""
        with self._reading:
            for key in hearing.by_group_key.values():
                self._opener.add(key, hearing)

    def open_for(self, hearings: tuple[Hearing, ...]) -> None:
        """Open from now on what comes under the keys of these, and nothing else."""
        with self._reading:
            for hearing in hearings:
                for key in hearing.by_group_key.values():
                    self._opener.add(key, hearing)
            self._opener.keep_only(
                frozenset(key.kid for hearing in hearings for key in hearing.by_group_key.values())
            )

    def put_on(self, hearing: Hearing, slot: int | None) -> None:
        """Play it from this slot; None: it has none any more, and what still comes of it is not heard. Nothing of it is played when this returns."""
        with self._reading:
            if hearing.slot is not None and slot is None:
                hearing.stream.left()
            hearing.slot = slot

    def read(self, packet: RtpPacket) -> None:
        """Open a packet of any slot and play what is in it. Any thread; does not wait but for another one that reads."""
        with self._reading:
            opened = self._opener.open(packet.payload)
            if opened is None:
                return
            hearing, inner = opened
            if hearing.slot is None:
                return  # its slot is being given to another: the last of it is on its way
            arrival_s = packet.arrival_s
            if is_rtcp(inner):
                self._waiting.append((hearing, inner, arrival_s))
                return
            heard = hearing.stream.read(inner, arrival_s)
            if heard is not None:
                hearing.listener.play_from_room(heard)
                self._waiting.append((hearing, heard, arrival_s))

    def catch_up(self) -> None:
        """Count what was read since, and tell it."""
        waiting = self._waiting
        while waiting:
            hearing, heard, arrival_s = waiting.popleft()
            if isinstance(heard, RtpPacket):
                if hearing.stream.count(heard):
                    hearing.listener.heard_in_room(heard)
                continue
            for report in hearing.stream.rtcp(heard, arrival_s):
                if isinstance(report, ReceptionReport):
                    self._reported(hearing.peer, report)
                hearing.listener.reported_in_room(report)

"""The thread that encodes a call's pictures for a recording, and the bounded queues that lead to it.

    decoder, own camera ──put──> [newest few of each participant] ──> place in time ──> one encoder each ──> the recording's thread

It has a lower priority than anything of the call: where the machine is too slow for it, pictures of the recording are dropped and counted, and nothing else.
Where nothing comes of somebody for `SILENT_S`, the last picture stands dark, with a sign.
"""

import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from blink_cli.core.ids import Did
from blink_cli.core.media.recorded_picture import (
    PICTURE_CLOCK_HZ,
    PeerClock,
    PictureTrack,
    RecordedPicture,
)
from blink_cli.core.media.unwrapper import timestamp_difference
from blink_cli.video.picture import CLOCK_RATE_HZ, Picture
from blink_cli.video.recorded.track_encoder import TrackEncoder

MOST_WAITING: Final = 8
"""Pictures of one participant: a quarter of a second, and some megabytes."""

SILENT_S: Final = 1.0
"""Without a picture for so long there is none."""

AGAIN_S: Final = 0.1
"""How often the last picture, or a sign, is encoded again, in some 50 bytes and a quarter of a millisecond: the muxer writes a packet when every track has something behind it,
so what a killed process leaves ends two of these before what the track whose picture stands still could have."""

BEHIND_S: Final = 0.5
"""A picture that comes later than this behind its moment has lost its place to a sign."""

LATE_GUESS_S: Final = 0.1
"""How old a peer's picture is when it is seen, until its sender's report tells."""

WINDOW_S: Final = 20.0
"""For so long a report counts: it may have been held up on its way."""

LESS_IMPORTANT: Final = 10
"""Nice value of the thread."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Filmed:
    """One participant."""

    encoder: TrackEncoder
    waiting: deque[tuple[Picture, float]] = field(default_factory=deque)
    """Pictures, and when each was seen."""

    place: int = 0
    """Of the last picture that was encoded."""

    came_at: float = float("-inf")
    transits: deque[tuple[float, float]] = field(default_factory=deque)
    """Of its newest reports: when each came, and monotonic time less the time of its pictures, in seconds."""

    reference: int | None = None
    """A timestamp to which others are unwrapped."""

    reference_s: float = 0.0
    pictures: int = 0
    dropped: int = 0


class PictureRecorder:
    """Owns its thread from `start` to `stop`."""

    def __init__(
        self,
        tracks: Mapping[Did, PictureTrack],
        start_s: float,
        *,
        clock_of: Callable[[Did], PeerClock],
        encoded: Callable[[Did, RecordedPicture], None],
    ) -> None:
        """Prepare.

        Args:
            tracks: Of whom pictures are recorded.
            start_s: Monotonic: the recording's first sample.
            clock_of: Says what is known of a peer's clock; any thread.
            encoded: Given each picture, on the thread.

        """
        self._filmed = {did: _Filmed(TrackEncoder(track)) for did, track in tracks.items()}
        self._start_s = start_s
        self._clock_of = clock_of
        self._encoded = encoded
        self._changed = threading.Condition()
        self._over = False
        self._thread = threading.Thread(target=self._run, name="blink-record-pictures", daemon=True)

    @property
    def dropped(self) -> int:
        """Pictures that came and are in no recording, since the machine was too slow."""
        return sum(filmed.dropped for filmed in self._filmed.values())

    def start(self) -> None:
        """Begin: each track begins with the sign."""
        self._thread.start()

    def put(self, did: Did, picture: Picture) -> None:
        """This is seen of a participant now. Any thread; returns at once."""
        filmed = self._filmed.get(did)
        if filmed is None:
            return
        with self._changed:
            if len(filmed.waiting) >= MOST_WAITING:
                filmed.waiting.popleft()
                filmed.dropped += 1
            filmed.waiting.append((picture, time.monotonic()))
            self._changed.notify()

    def stop(self) -> None:
        """End; what waits is encoded first. Blocks for some milliseconds a picture; safe to call twice."""
        with self._changed:
            self._over = True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join()

    # the thread

    def _run(self) -> None:
        if sys.platform == "linux":
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LESS_IMPORTANT)
        try:
            for did, filmed in self._filmed.items():
                self._tell(did, filmed.encoder.nothing(0))
            while True:
                with self._changed:
                    if not self._over and not any(one.waiting for one in self._filmed.values()):
                        self._changed.wait(AGAIN_S / 2)
                    taken = [
                        (did, filmed, *filmed.waiting.popleft())
                        for did, filmed in self._filmed.items()
                        if filmed.waiting
                    ]
                    if self._over and not taken:
                        return
                for did, filmed, picture, seen_at in taken:
                    self._take(did, filmed, picture, seen_at)
                self._stand(time.monotonic())
        except Exception:  # noqa: BLE001 - told in the log, with its traceback
            # Whatever it is: the sound is recorded on.
            _log.exception("the pictures of the recording ended")

    def _take(self, did: Did, filmed: _Filmed, picture: Picture, seen_at: float) -> None:
        place = round((self._moment(did, filmed, picture, seen_at) - self._start_s) * PICTURE_CLOCK_HZ)
        filmed.came_at = seen_at
        if place <= filmed.place:
            # Of before the beginning, or under a sign that was set meanwhile.
            if place < filmed.place - PICTURE_CLOCK_HZ // 10:
                filmed.dropped += 1
                return
            place = filmed.place + 1
        self._tell(did, filmed.encoder.picture(picture, place))
        filmed.place = place
        filmed.pictures += 1

    def _stand(self, now_s: float) -> None:
        """Go on with the last picture, or a sign, where none came."""
        place = round((now_s - BEHIND_S - self._start_s) * PICTURE_CLOCK_HZ)
        for did, filmed in self._filmed.items():
            if filmed.waiting or place - filmed.place < AGAIN_S * PICTURE_CLOCK_HZ:
                continue
            is_gone = now_s - filmed.came_at >= SILENT_S + BEHIND_S
            self._tell(did, filmed.encoder.nothing(place) if is_gone else filmed.encoder.again(place))
            filmed.place = place

    def _tell(self, did: Did, encoded: list[RecordedPicture]) -> None:
        for picture in encoded:
            self._encoded(did, picture)

    def _moment(self, did: Did, filmed: _Filmed, picture: Picture, seen_at: float) -> float:
        """Return when a picture was taken, in this machine's monotonic time."""
        if picture.captured_at is not None:
            return picture.captured_at
        clock = self._clock_of(did)
        taken_s = self._seconds(filmed, picture.timestamp)
        if clock.report is not None:
            arrival_s = clock.report.arrival_s
            if not filmed.transits or filmed.transits[-1][0] != arrival_s:
                said_s = self._seconds(filmed, clock.report.rtp_timestamp)
                filmed.transits.append((arrival_s, arrival_s - said_s))
            while filmed.transits[0][0] < arrival_s - WINDOW_S:
                filmed.transits.popleft()
        if not filmed.transits:
            return seen_at - LATE_GUESS_S
        # A report is never early: of some, the one that was least late tells how the clocks stand to each other.
        least_s = min(transit for _, transit in filmed.transits)
        moment = taken_s + least_s - (clock.round_trip_s or 0.0) / 2
        if abs(moment - seen_at) > 10.0:
            # Another stream: its sender came back, and its clock began anew.
            filmed.reference = None
            filmed.transits.clear()
            return seen_at - LATE_GUESS_S
        return moment

    @staticmethod
    def _seconds(filmed: _Filmed, timestamp: int) -> float:
        """A timestamp in seconds, unwrapped."""
        if filmed.reference is None:
            filmed.reference, filmed.reference_s = timestamp, 0.0
        seconds = filmed.reference_s + timestamp_difference(timestamp, filmed.reference) / CLOCK_RATE_HZ
        if abs(seconds - filmed.reference_s) > 3600:
            filmed.reference, filmed.reference_s = timestamp, seconds
        return seconds

"""When each picture of a stream is shown: evenly, and with the voice that belongs to it.

    capture ----> send --network--> complete -- waits --> shown
                  |<- sending ->|   |<----- the larger of two ------>|
                                     1. what most pictures are later than the quickest ones
                                     2. what the voice waits in its own buffer, so that lips and voice agree

The voice is never held back for pictures. Which wall clock time of the sender an RTP time is, sender reports tell (RFC 3550, section 6.4.1); the voice
stamps its samples by the same clock, and how long it waits is known here. So pictures can be too late for the voice, on a line where they take longer,
but not too early. Pure: time comes in.
"""

from collections import deque
from typing import Final

from blink_cli.core.media.unwrapper import Unwrapper, timestamp_difference, timestamp_unwrapper
from blink_cli.core.media.video.video_format import VIDEO_CLOCK_HZ

LATENESS_SHARE: Final = 0.95
"""Of the pictures are waited for: what is later is shown when it comes."""

REMEMBERED: Final = 150
"""Pictures: ten seconds at 15 a second."""

FEWEST_REMEMBERED: Final = 15
"""Pictures. Of a stream that is young the newer half is remembered: its first pictures were late because its rate had not been found."""

MOST_WAIT_S: Final = 0.5
"""Who waits longer for pictures than a voice ever waits talks to a picture of the past."""

VOICE_FRAME_S: Final = 0.02
"""A voice leaves when its frame is full, and is captured at the frame's beginning."""

_JUMP_S: Final = 2.0
"""A picture so much off is of another clock: a camera that began anew."""


class PictureSchedule:
    """Of one stream."""

    def __init__(self) -> None:
        """Know nothing of the line."""
        self.voice_wait_s: float | None = None
        """How long the voice of the same participant waits in its buffer now; None where there is none."""

        self._timestamps: Unwrapper | None = None
        self._transits: deque[float] = deque(maxlen=REMEMBERED)
        """From a picture's RTP time to when it was complete, by two clocks: only differences mean something."""

        self._pictures = 0
        """Since the clocks are these."""

        self._path_s: float | None = None
        """From the sender's wall clock to ours, with the quickest way of a report."""

        self._report: tuple[float, int] | None = None

    def begin(self) -> None:
        """Another link: forget the line."""
        self._timestamps, self._report, self._path_s = None, None, None
        self._transits.clear()
        self._pictures = 0

    def sender_reported(self, ntp_s: float, rtp_timestamp: int, arrival_s: float) -> None:
        """Learn which wall clock time of the sender an RTP time is, and how quick the way is."""
        path_s = arrival_s - ntp_s
        self._path_s = path_s if self._path_s is None else min(self._path_s + 0.0005, path_s)
        self._report = (ntp_s, rtp_timestamp)

    def due_s(self, timestamp: int, complete_at: float) -> float:
        """When a picture is shown that is complete now; in the order of their timestamps.

        Args:
            timestamp: As on the wire.
            complete_at: Monotonic.

        """
        if self._timestamps is None:
            self._timestamps = timestamp_unwrapper(timestamp)
        media_s = self._timestamps.unwrap(timestamp) / VIDEO_CLOCK_HZ
        transit_s = complete_at - media_s
        if self._transits and abs(transit_s - min(self._transits)) > _JUMP_S:
            self._transits.clear()
            self._pictures = 0
        self._transits.append(transit_s)
        self._pictures += 1
        while len(self._transits) > max(FEWEST_REMEMBERED, self._pictures / 2):
            self._transits.popleft()
        quickest_s = min(self._transits)
        wait_s = max(
            self._lateness_s(quickest_s), self._for_voice_s(timestamp, complete_at - (transit_s - quickest_s))
        )
        return media_s + quickest_s + min(wait_s, MOST_WAIT_S)

    def _lateness_s(self, quickest_s: float) -> float:
        ordered = sorted(self._transits)
        return ordered[min(int(LATENESS_SHARE * len(ordered)), len(ordered) - 1)] - quickest_s

    def _for_voice_s(self, timestamp: int, quickest_complete_at: float) -> float:
        """How long the quickest picture waits to be shown with its voice."""
        if self.voice_wait_s is None or self._report is None or self._path_s is None:
            return 0.0
        ntp_s, rtp_timestamp = self._report
        captured_s = ntp_s + timestamp_difference(timestamp, rtp_timestamp) / VIDEO_CLOCK_HZ
        sending_s = quickest_complete_at - captured_s - self._path_s
        return max(VOICE_FRAME_S + self.voice_wait_s - sending_s, 0.0)

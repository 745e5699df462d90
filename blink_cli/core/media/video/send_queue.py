"""Packets of pictures on their way out, in the gaps that the voice leaves: a voice packet is due at a known moment, and finds the line free.

    voice     |v|                 |v|                 |v|
    pictures     |p p p|             |p p p|             |p|        as much as the line takes until the next one, right behind each
    frame --packets--> [ queue ] ----^                              what goes again goes first

What the line takes is what its owner believes, voice included. Where no voice is under way, or its gaps hold no packet, packets follow each other at
that pace. Pure: time comes in. Belongs to the event loop.
"""

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

from blink_cli.core.media.video.voice_share import OUTER_BYTES

BURST_S: Final = 0.005
"""What the line takes in this time leaves together where no voice has to pass: fewer wake-ups."""

BEHIND_VOICE_S: Final = 0.0005
"""So long after a voice packet is due it is looked for."""

ASK_AGAIN_S: Final = 0.002
"""How often it is looked for when it is late."""

PAIR_EVERY_S: Final = 0.08
"""How often two packets leave together, though only one fits, while what the line takes is not known: it is known after a quarter of a second."""


VOICE_IS_DUE_S: Final = 0.06
"""So long after its last packet a voice is awaited, at the pace of its packets; then it has paused."""

MOST_QUEUED: Final = 512
"""Packets. What waits longer than pictures are worth is prevented by its owner, who does not encode what would wait."""

RTP_HEADER_BYTES: Final = 20
"""With its extension."""

LEAST_PAYLOAD_BYTES: Final = 160
"""Smaller packets are headers for a third."""

SLACK_S: Final = 0.002
"""Timers are as late, and packets do not fill a gap to the last byte: a voice packet may wait so long."""


@dataclass(frozen=True, slots=True)
class QueuedPacket:
    """A packet but for its header, which says when it left."""

    ssrc: int
    payload_type: int
    sequence_number: int
    timestamp: int
    marker: bool
    payload: bytes
    again: bool = False
    """It was asked for."""

    bare: bytes | None = None
    """What is sealed in the payload; None: nothing is."""

    @property
    def line_bytes(self) -> int:
        """What it takes of the line."""
        return len(self.payload) + RTP_HEADER_BYTES + OUTER_BYTES


class SendQueue:
    """Of one link."""

    def __init__(self, line_bps: float) -> None:
        """Be empty.

        Args:
            line_bps: What the line takes, of pictures and voice.

        """
        self.line_bps = line_bps
        self._waiting: deque[QueuedPacket] = deque()
        self._again: deque[QueuedPacket] = deque()
        self._bytes = 0
        self._free_at = -math.inf
        """When the line has passed on what was sent, if it is as it is believed to be."""

        self._voice_at = -math.inf
        self._voice_every_s = 0.02
        self._voice_bytes = 0
        """Of the last packet, on the line."""

        self.wants_pairs = True
        """Whether two packets are to leave together now and then, even where only one fits: how they arrive tells what the line takes."""

        self._pair_at = -math.inf
        self.overflowed = 0
        """Packets that found no room."""

    def put(self, packet: QueuedPacket) -> bool:
        """Queue a packet, behind others of its kind. Returns whether there was room."""
        if len(self._waiting) + len(self._again) >= MOST_QUEUED:
            self.overflowed += 1
            return False
        (self._again if packet.again else self._waiting).append(packet)
        self._bytes += packet.line_bytes
        return True

    def voice_left(self, at_s: float, size_bytes: int, every_s: float) -> None:
        """A voice packet left, and the next one is due `every_s` later.

        Args:
            at_s: Monotonic.
            size_bytes: Of RTP.
            every_s: Length of its sound.

        """
        self._voice_at, self._voice_every_s = at_s, every_s
        self._voice_bytes = size_bytes + OUTER_BYTES
        self._free_at = max(self._free_at, at_s) + self._took_s(self._voice_bytes)

    def voice_left_again(self, line_bytes: int) -> None:
        """Voice packets went again that were asked for: what they take of the line is not free for pictures."""
        self._free_at = max(self._free_at, self._voice_at) + self._took_s(line_bytes)

    def _took_s(self, size_bytes: int) -> float:
        return size_bytes * 8 / self.line_bps

    @property
    def most_payload_bytes(self) -> int:
        """How large a payload fits into the gap behind a voice packet of the size of the last one."""
        gap_bytes = self._voice_every_s * self.line_bps / 8 - self._voice_bytes
        return max(int(gap_bytes) - RTP_HEADER_BYTES - OUTER_BYTES, LEAST_PAYLOAD_BYTES)

    @property
    def backlog_s(self) -> float:
        """How long what waits takes to leave."""
        return self._took_s(self._bytes) * self._share_of_voice

    @property
    def voice_bps(self) -> float:
        """What packets of voice as large as the last one take of the line."""
        return 8 * self._voice_bytes / self._voice_every_s

    @property
    def _share_of_voice(self) -> float:
        return 1 / max(1 - self.voice_bps / self.line_bps, 0.25)

    def next_at(self, now_s: float) -> float:
        """When to ask `due` next, a moment that may have passed; infinite when nothing waits."""
        packet = self._first
        if packet is None:
            return math.inf
        if not self._voice_goes_on(now_s):
            return self._free_at - BURST_S
        if self._fits(packet, now_s):
            return now_s
        return max(self._voice_at + self._voice_every_s + BEHIND_VOICE_S, now_s + ASK_AGAIN_S)

    @property
    def _first(self) -> QueuedPacket | None:
        if self._again:
            return self._again[0]
        return self._waiting[0] if self._waiting else None

    def _pairs_now(self, now_s: float) -> bool:
        """Whether two packets are to leave together, though only one fits."""
        return self.wants_pairs and now_s - self._pair_at >= PAIR_EVERY_S

    def _voice_goes_on(self, now_s: float) -> bool:
        return now_s - self._voice_at < VOICE_IS_DUE_S

    def _fits(self, packet: QueuedPacket, now_s: float) -> bool:
        """Whether a packet has passed before the next voice packet is due, or is the only one in its way."""
        free_at = max(self._free_at, now_s - SLACK_S)
        if free_at + self._took_s(packet.line_bytes) <= self._voice_at + self._voice_every_s + SLACK_S:
            return True
        voice_took_s = self._took_s(self._voice_bytes)
        fits_no_gap = voice_took_s + self._took_s(packet.line_bytes) > self._voice_every_s
        return fits_no_gap and self._free_at <= self._voice_at + voice_took_s + BEHIND_VOICE_S

    def due(self, now_s: float) -> list[QueuedPacket]:
        """What leaves now."""
        out: list[QueuedPacket] = []
        behind_voice = self._voice_goes_on(now_s)
        while True:
            packet = self._first
            if packet is None:
                return out
            if len(out) == 2:
                self._pair_at = now_s
            fits = self._fits(packet, now_s) if behind_voice else self._free_at - BURST_S <= now_s
            if not fits and not (len(out) == 1 and self._pairs_now(now_s)):
                return out
            (self._again if packet.again else self._waiting).popleft()
            self._bytes -= packet.line_bytes
            self._free_at = max(self._free_at, now_s - SLACK_S) + self._took_s(packet.line_bytes)
            out.append(packet)

    def clear(self) -> None:
        """Forget what waits."""
        self._waiting.clear()
        self._again.clear()
        self._bytes = 0

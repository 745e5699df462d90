"""What the voice takes of a line that it shares with pictures, and when its next packet is due. Pure."""

from typing import Final

from blink_cli.core.media.voice_sent import VoiceSent

OVER_S: Final = 0.1
"""Of how long the mean is taken, at least: five packets, and what went again meanwhile."""

RISES: Final = 0.5
FADES: Final = 0.05
"""Share of such a time in what is told, where packets are larger and where they are smaller: the voice has its room before its packets queue."""

AGAIN: Final = 0.1
"""Likewise of what goes again. That comes a few packets at a time: if the most of it counted, pictures would leave twice as much room as it takes."""

OUTER_BYTES: Final = 58
"""Around a packet of RTP on the line: Ethernet, IPv4, UDP, the tag of SRTP."""


class VoiceShare:
    """Of one link."""

    def __init__(self) -> None:
        """Know of no voice."""
        self.bps = 0.0
        """What it takes of the line, all headers included."""

        self._before: VoiceSent | None = None
        self._stream_bps = self._again_bps = 0.0

    def sent(self, voice: VoiceSent) -> None:
        """Take the newest figures."""
        before = self._before
        if before is None:
            self._before = voice
            self.bps = self._stream_bps = 8 * (voice.last_bytes + OUTER_BYTES) / voice.every_s
            return
        over_s = voice.last_at - before.last_at
        if over_s < OVER_S:
            return
        packets = voice.packets - before.packets
        line_bytes = voice.bytes - before.bytes + OUTER_BYTES * packets
        self._before = voice
        sent_bps = 8 * line_bytes / over_s
        stream_bps = min(sent_bps / max(packets * voice.every_s / over_s, 1.0), sent_bps)
        self._stream_bps += (RISES if stream_bps > self._stream_bps else FADES) * (
            stream_bps - self._stream_bps
        )
        self._again_bps += AGAIN * (sent_bps - stream_bps - self._again_bps)
        self.bps = self._stream_bps + self._again_bps

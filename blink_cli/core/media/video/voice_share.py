"""What the voice takes of a line that it shares with pictures, and when its next packet is due. Pure."""

from typing import Final

from blink_cli.core.media.voice_sent import VoiceSent

OVER_S: Final = 0.1
"""Of how long the mean is taken, at least: five packets, and what went again meanwhile."""

FADES: Final = 0.05
"""Share of a calmer time in what is told. A busier one counts at once: the voice has its room before its packets queue."""


OUTER_BYTES: Final = 58
"""Around a packet of RTP on the line: Ethernet, IPv4, UDP, the tag of SRTP."""


class VoiceShare:
    """Of one link."""

    def __init__(self) -> None:
        """Know of no voice."""
        self.bps = 0.0
        """What it takes of the line, all headers included."""

        self._before: VoiceSent | None = None

    def sent(self, voice: VoiceSent) -> None:
        """Take the newest figures."""
        before = self._before
        if before is None:
            self._before = voice
            self.bps = 8 * (voice.last_bytes + OUTER_BYTES) / voice.every_s
            return
        over_s = voice.last_at - before.last_at
        if over_s < OVER_S:
            return
        line_bytes = voice.bytes - before.bytes + OUTER_BYTES * (voice.packets - before.packets)
        bps = 8 * line_bytes / over_s
        self._before = voice
        self.bps = max(bps, self.bps + FADES * (bps - self.bps))

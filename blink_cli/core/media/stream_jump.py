"""Whether a packet goes on with its stream, or another one begins with it: the one rule for everybody who follows RTP times.

    transit = arrival - RTP time       steady but for jitter, while one clock stamps the packets
    transit far from the last one      a claim: the sender began anew, slept, or one packet is nonsense
    more packets that agree with it    proved: another stream begins with the claim

How far is far, and how many must agree for how long, depends on what a wrong guess costs: playout cuts the sound, a recording moves a voice.
"""

from enum import Enum, auto


class Belonging(Enum):
    """What one packet's transit says."""

    GOES_ON = auto()
    """It belongs to the stream as it is."""

    CLAIMS = auto()
    """It stands alone with a jump, and those before it that claimed another one were none."""

    AGREES = auto()
    """It agrees with the claim before it, which is not proved yet."""

    PROVES = auto()
    """Another stream began with the packet that claimed it."""


class StreamJump:
    """Follows one stream. Pure."""

    __slots__ = (
        "_agreement_s",
        "_claimed_at_s",
        "_claimed_s",
        "_far_s",
        "_witness_s",
        "_witnesses",
        "strays",
        "transit_s",
    )

    def __init__(
        self,
        transit_s: float | None = None,
        *,
        far_s: float,
        agreement_s: float,
        witnesses: int,
        witness_s: float | None = None,
    ) -> None:
        """Begin with a stream's first packet, or before it.

        Args:
            transit_s: The first packet's, of any origin; None to take that of the first one judged.
            far_s: A transit that differs by more from the last one that went on is a claim.
            agreement_s: Claims that differ by no more are the same claim.
            witnesses: So many packets must agree, the one that claims included; 1 believes it at once.
            witness_s: For so long they must agree; None where their number is enough, in whatever order they arrived.

        """
        self.transit_s = transit_s
        """Of the last packet that went on."""

        self.strays = 0
        """Packets in a row that did not go on and agree."""

        self._far_s = far_s
        self._agreement_s = agreement_s
        self._witnesses = witnesses
        self._witness_s = float("-inf") if witness_s is None else witness_s
        self._claimed_s = 0.0
        self._claimed_at_s = 0.0

    def judge(self, transit_s: float, arrival_s: float) -> Belonging:
        """Take one packet in the order of arrival. What is PROVED is another stream's: it has a `StreamJump` of its own."""
        last_s = self.transit_s
        if last_s is None or abs(transit_s - last_s) <= self._far_s:
            self.strays = 0
            self.transit_s = transit_s
            return Belonging.GOES_ON
        if self.strays and abs(transit_s - self._claimed_s) <= self._agreement_s:
            self.strays += 1
            told = Belonging.AGREES
        else:
            self.strays = 1
            self._claimed_s, self._claimed_at_s = transit_s, arrival_s
            told = Belonging.CLAIMS
        is_proved = self.strays >= self._witnesses and arrival_s - self._claimed_at_s >= self._witness_s
        return Belonging.PROVES if is_proved else told

    def stray_of_former(self) -> bool:
        """Take a packet of the source that this one followed. Returns whether it is a late one; else the former source is back."""
        if self.strays >= self._witnesses:
            return False
        self.strays += 1
        return True

"""How the voice is encoded: the `codec` section of a profile's settings."""

from typing import Final, Literal

import msgspec

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import UsageError

Bandwidth = Literal["auto", "narrow", "medium", "wide", "superwide", "full"]
"""Opus audio bandwidth: 4, 6, 8, 12 or 20 kHz (RFC 6716, section 2), or what the encoder finds best."""

Application = Literal["voip", "audio", "lowdelay"]
"""Opus application: voice first, faithful sound first, or 4 ms less delay without voice modes and FEC."""

Redundancy = Literal["auto", "0", "1", "2", "3", "4"]
"""Earlier frames that each packet repeats (RFC 2198), or as many as the line needs."""

Fec = Literal["auto", "on", "off"]
"""Whether packets carry a low bit rate copy of the frame before (in-band FEC): when a line loses packets, always, or never."""

FRAME_LENGTHS_MS: Final = (2.5, 5, 10, 20, 40, 60)
"""RFC 6716, section 2.1.4. The two shortest exist without the speech mode (SILK), and so without in-band FEC."""

SHORTEST_SPEECH_FRAME_MS: Final = 10
_BANDWIDTHS: Final = ("auto", "narrow", "medium", "wide", "superwide", "full")
_APPLICATIONS: Final = ("voip", "audio", "lowdelay")
_REDUNDANCIES: Final = ("auto", "0", "1", "2", "3", "4")
_FECS: Final = ("auto", "on", "off")
LOWEST_BITRATE_BPS: Final = 6_000
HIGHEST_BITRATE_BPS: Final = 510_000
HIGHEST_BUDGET_KBPS: Final = 5_000
"""Four copies at the highest bit rate, and what is sent again, are half of it."""

SHORT_COPY_BPS: Final = 16_000
"""A copy at this rate sounds nearly as good as one at twice that: PESQ-WB 4.42 against 4.47, two of them at 10 % loss."""

SHORTER_COPY_BPS: Final = 13_000
"""Where some of the copies go once more: of so many, one more chance is worth more than their sound."""

SHORT_COPIES_FROM_BPS: Final = 24_000
"""Below this bit rate a second encoder would save too little."""


class CodecSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the one encoder of a session.

    Raises:
        UsageError: A value is out of range; the sentence names it and says what is possible.

    """

    bitrate_bps: int = 32_000
    """6,000 to 510,000 bits a second of Opus payload, redundancy and headers not counted."""

    frame_ms: float = 20
    """2.5, 5, 10, 20, 40 or 60. Longer frames send fewer headers and delay more."""

    bandwidth: Bandwidth = "auto"
    application: Application = "voip"

    fec: Fec = "auto"
    """In-band FEC. How much of it is the line's matter; where the mode or the frame length has none, it stays without effect (`fec_possible`)."""

    dtx: bool = False
    """Whether silence is not sent (discontinuous transmission)."""

    cbr: bool = False
    """Whether every packet is as long as the others (constant bit rate). Lengths are not encrypted, and tell something of what is said."""

    redundancy: Redundancy = "auto"
    redundancy_budget_kbps: int = 0
    """Kilobits a second of payload, at most, that one peer is sent where `redundancy` is auto: the voice itself and its copies. What goes again is
    not counted (`core/media/sent_packets.py` bounds it). 0: as much as the line needs."""

    complexity: int = 10
    """Effort of the encoder, 0 to 10. 8 to 10 are the same; 6 takes a quarter less time and costs 0.02 to 0.05 of PESQ-WB under loss and jitter."""

    stereo: bool = False
    """Whether two channels are captured, sent and recorded. What is done to one channel alone, such as echo cancellation, is left out then."""

    def __post_init__(self) -> None:
        if not LOWEST_BITRATE_BPS <= self.bitrate_bps <= HIGHEST_BITRATE_BPS:
            raise UsageError(
                f"A bit rate of {self.bitrate_bps} bits a second is not possible with Opus.",
                hint=f"Choose {LOWEST_BITRATE_BPS} to {HIGHEST_BITRATE_BPS}; 32000 is good for a voice.",
            )
        if not 0 <= self.complexity <= 10:
            raise UsageError(
                f"An Opus complexity of {self.complexity} does not exist.", hint="Choose 0 to 10."
            )
        if self.cbr and self.dtx:
            raise UsageError(
                "A constant bit rate hides when somebody speaks, and sending nothing while silent (DTX) shows it.",
                hint="Choose one of cbr and dtx.",
            )
        _one_of("A frame length", f"{self.frame_ms:g} ms", [f"{length:g} ms" for length in FRAME_LENGTHS_MS])
        _one_of("A bandwidth", self.bandwidth, _BANDWIDTHS)
        _one_of("An application", self.application, _APPLICATIONS)
        _one_of("A redundancy", self.redundancy, _REDUNDANCIES)
        if not 0 <= self.redundancy_budget_kbps <= HIGHEST_BUDGET_KBPS:
            raise UsageError(
                f"A redundancy budget of {self.redundancy_budget_kbps} kbit/s is not possible.",
                hint=f"Choose 1 to {HIGHEST_BUDGET_KBPS}, or 0 for no bound; 110 is enough for a voice of 32 kbit/s on a bad line.",
            )
        _one_of("FEC", self.fec, _FECS)

    @property
    def frame_samples(self) -> int:
        """Samples at 48 kHz of one frame: 120, 240, 480, 960, 1920 or 2880."""
        return int(SAMPLE_RATE_HZ * self.frame_ms) // 1000

    @property
    def channels(self) -> int:
        """1, or 2 of stereo."""
        return 2 if self.stereo else 1

    @property
    def has_short_copies(self) -> bool:
        """Whether copies may have a lower bit rate than the voice."""
        return self.bitrate_bps >= SHORT_COPIES_FROM_BPS

    @property
    def fec_possible(self) -> bool:
        """Whether packets with these settings can hold in-band FEC: it is a part of the speech mode (RFC 6716, section 2.1.7)."""
        return self.application != "lowdelay" and self.frame_ms >= SHORTEST_SPEECH_FRAME_MS


def _one_of(what: str, value: str, choices: list[str] | tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(f"{what} of {value} is not possible.", hint=f"Choose {', '.join(choices)}.")

"""How the voice is encoded: the `codec` section of a profile's settings."""

import dataclasses
from typing import Final, Literal

from blink_cli.core.errors import UsageError
from blink_cli.core.voice import SAMPLE_RATE_HZ

Bandwidth = Literal["auto", "narrow", "medium", "wide", "superwide", "full"]
"""Opus audio bandwidth: 4, 6, 8, 12 or 20 kHz (RFC 6716, section 2), or what the encoder finds best."""

Application = Literal["voip", "audio", "lowdelay"]
"""Opus application: voice first, faithful sound first, or 4 ms less delay without voice modes and FEC."""

Redundancy = Literal["auto", "0", "1", "2"]
"""Earlier frames that each packet repeats (RFC 2198), or as many as the line needs."""

FRAME_LENGTHS_MS: Final = (10, 20, 40, 60)
_BANDWIDTHS: Final = ("auto", "narrow", "medium", "wide", "superwide", "full")
_APPLICATIONS: Final = ("voip", "audio", "lowdelay")
_REDUNDANCIES: Final = ("auto", "0", "1", "2")
_LOWEST_BITRATE_BPS: Final = 6_000
_HIGHEST_BITRATE_BPS: Final = 510_000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CodecSettings:
    """Settings of the one encoder of a session.

    Raises:
        UsageError: A value is out of range; the sentence names it and says what is possible.

    """

    bitrate_bps: int = 32_000
    """6,000 to 510,000 bits a second of Opus payload, redundancy and headers not counted."""

    frame_ms: int = 20
    """10, 20, 40 or 60. Longer frames send fewer headers and delay more."""

    bandwidth: Bandwidth = "auto"
    application: Application = "voip"

    fec: bool = True
    """Whether packets may carry a low bit rate copy of the frame before (in-band FEC). How much is the line's matter."""

    dtx: bool = False
    """Whether silence is not sent (discontinuous transmission)."""

    redundancy: Redundancy = "auto"
    complexity: int = 10
    """Effort of the encoder, 0 to 10. 8 to 10 are the same; 6 takes a quarter less time and costs 0.02 to 0.05 of PESQ-WB under loss and jitter."""

    def __post_init__(self) -> None:
        if not _LOWEST_BITRATE_BPS <= self.bitrate_bps <= _HIGHEST_BITRATE_BPS:
            raise UsageError(
                f"A bit rate of {self.bitrate_bps} bits a second is not possible with Opus.",
                hint=f"Choose {_LOWEST_BITRATE_BPS} to {_HIGHEST_BITRATE_BPS}; 32000 is good for a voice.",
            )
        if not 0 <= self.complexity <= 10:
            raise UsageError(
                f"An Opus complexity of {self.complexity} does not exist.", hint="Choose 0 to 10."
            )
        _one_of("A frame length", f"{self.frame_ms} ms", [f"{length} ms" for length in FRAME_LENGTHS_MS])
        _one_of("A bandwidth", self.bandwidth, _BANDWIDTHS)
        _one_of("An application", self.application, _APPLICATIONS)
        _one_of("A redundancy", self.redundancy, _REDUNDANCIES)

    @property
    def frame_samples(self) -> int:
        """Samples at 48 kHz of one frame: 480, 960, 1920 or 2880."""
        return SAMPLE_RATE_HZ * self.frame_ms // 1000


def _one_of(what: str, value: str, choices: list[str] | tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(f"{what} of {value} is not possible.", hint=f"Choose {', '.join(choices)}.")

"""How loud one peer is played here: the user's choice, which the peer does not learn of."""

from typing import Final

import msgspec

from blink_cli.core.audio_format import HIGHEST_GAIN_DB, LOWEST_GAIN_DB


class PeerVolume(msgspec.Struct, frozen=True):
    """Gain and mute are apart: who is unmuted is as loud as before."""

    gain_db: float = 0.0
    """From `LOWEST_GAIN_DB` to `HIGHEST_GAIN_DB`."""

    muted: bool = False

    def __post_init__(self) -> None:
        if not LOWEST_GAIN_DB <= self.gain_db <= HIGHEST_GAIN_DB:
            raise ValueError(f"a gain is from {LOWEST_GAIN_DB:g} to {HIGHEST_GAIN_DB:g} dB")


AS_IT_COMES: Final = PeerVolume()
"""Nothing was chosen."""

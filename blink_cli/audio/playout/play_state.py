"""Where play is in a stream's media time."""

from dataclasses import dataclass

from blink_cli.core.audio_format import TICK_SAMPLES


@dataclass(slots=True)
class PlayState:
    """Of one buffer: kept by who plays, read by who takes packets in. Media times are extended RTP timestamps."""

    ssrc: int = 0
    has_played: bool = False
    """Whether something of this stream was played."""

    is_playing: bool = False
    reached: int = 0
    """Media time up to which sound was decoded or given up."""

    given_up: int = 0
    """Samples at the end of that which were the beginning of a missing frame: it may still come and be played from there."""

    frame_samples: int = 2 * TICK_SAMPLES
    last_sequence: int | None = None
    missed_samples: int = 0
    held_samples: int = 0
    """Concealed since the last frame while media time stood still."""

    is_unheard: bool = False
    """Whether it rests: nobody listens before the next packet, and the copies that this carries are of another time."""

    is_pausing: bool = False
    pause_from: int = 0
    """Media time at which the last frame ended, if behind it the sender may pause."""

    silence_left: int = 0
    """Of a frame of digital silence, what is still to be played, undecoded."""

    tick_s: float = float("-inf")
    """Of the last tick."""

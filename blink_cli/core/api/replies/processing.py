"""Replies about what is done to the microphone's sound before it is encoded."""

from blink_cli.core.api.replies.document import ReplyPart, WholeReply
from blink_cli.core.media.processing_settings import EchoCancel, NoiseSuppress


class EchoState(ReplyPart, frozen=True):
    """Whether what the speaker plays is taken out of the microphone's sound."""

    chosen: EchoCancel
    state: str
    """on, off, or unavailable: it was asked for and cannot run. While no media run: how it would be with the devices of now."""

    reason: str | None
    """What `auto` found, or why it is unavailable and what to do."""

    removed_db: float | None
    """How much softer what leaves it is than what the microphone hears, while the speaker plays and nobody near talks; null before that was so."""

    delay_ms: float | None
    """How much later than it was played the echo arrives; null before that was found."""

    own_return_ms: float | None = None
    """How much later than it was sent one's own voice comes back: another speaker in this room plays it. Null: it does not, or echo is not cancelled."""


class NoiseState(ReplyPart, frozen=True):
    """Whether steady noise is taken out of the microphone's sound."""

    chosen: NoiseSuppress
    state: str
    """off, low or high; unavailable as in the echo's."""

    reason: str | None
    removed_db: float | None
    """How much of the last second it took out."""


class GainState(ReplyPart, frozen=True):
    """Whether the microphone's sound is brought to the same loudness, whoever speaks."""

    chosen: bool
    state: str
    """on or off; unavailable as in the echo's."""

    reason: str | None
    gain_db: float | None
    """What it adds now."""


class AutomuteState(ReplyPart, frozen=True):
    """Whether one is muted while others talk."""

    chosen: bool
    state: str
    """off; on: nobody else talks, or oneself began before; muting: somebody else talks. Others see none of it."""


class VoiceState(ReplyPart, frozen=True):
    """How this session tells that somebody talks into its microphone."""

    told_by: str
    """speech: by how it sounds; loudness: of a test tone, or where the library is missing."""

    reason: str | None
    """Why by loudness alone, and what to do."""


class ProcessingState(ReplyPart, frozen=True):
    """What is done to the microphone's sound before it is encoded: what was chosen, and what each does now. Figures are null while it does not run."""

    echo: EchoState
    noise: NoiseState
    gain: GainState
    automute: AutomuteState
    voice: VoiceState
    delay_ms: float | None
    """By how much all of it delays the voice; null while no media run."""

    cost_us: float | None
    """Processor time of a block of 10 ms, the mean of the last second."""


class ProcessingSet(WholeReply, frozen=True, tag="processing_set"):
    """What is done to the microphone's sound from now on. Its figures are those of a moment before."""

    processing: ProcessingState
    not_remembered: str | None = None
    """Why the choice could not be written down: the next session will not know it."""

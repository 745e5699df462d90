"""Replies about how loud voices are: now, in a call, in a recording."""

from blink_cli.core.api.replies.document import ReplyPart, WholeReply
from blink_cli.core.api.replies.peers import NamedPeer
from blink_cli.core.ids import CallId, Did


class Loudness(ReplyPart, frozen=True):
    """How loud a voice is, in LUFS (ITU-R BS.1770-4), at most 0.2 s ago. None in silence, and before enough was heard."""

    momentary_lufs: float | None
    """Of the last 0.4 s."""

    short_term_lufs: float | None
    """Of the last 3 s."""

    integrated_lufs: float | None
    """Since the call began for this session, without pauses: what is above -70 LUFS and not over 10 LU below the mean of that."""


class VoiceLevel(ReplyPart, frozen=True):
    """How loud one participant is now, in dBov (RFC 6464): 0 is full scale, -127 silence."""

    did: Did
    level_dbov: int | None
    """Of its last packet, whatever its gain here; of oneself, of the last 20 ms of the microphone, muted or not. None if nothing came for half a second."""

    peak_dbov: int | None
    """The loudest of the last 1.5 s."""

    voice: bool
    """Whether it talks; oneself, muted or not."""


class Levels(WholeReply, frozen=True, tag="levels"):
    """How loud everybody is, in the order of the call's participants."""

    call: CallId
    levels: tuple[VoiceLevel, ...]


class RecordedLoudness(NamedPeer, frozen=True):
    """How loud one participant's track is (ITU-R BS.1770-4, EBU R 128). None of a silent one."""

    integrated_lufs: float | None
    """Of the whole track without its pauses."""

    range_lu: float | None
    """Between its soft and its loud passages (EBU Tech 3342); None below 3 s."""

    true_peak_dbtp: float | None
    """The highest point of the wave, between its samples too; 0 is full scale."""

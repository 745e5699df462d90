"""Replies about a call with an echo peer and what it showed."""

from blink_cli.core.analysis.e_model import QualityEstimate
from blink_cli.core.api.replies.document import ReplyPart, WholeReply
from blink_cli.core.ids import CallId, Did


class EchoStarted(WholeReply, frozen=True, tag="echo_started"):
    """An echo peer runs beside this session and can be called."""

    did: Did
    nickname: str
    pid: int


class EchoTestBegun(WholeReply, frozen=True, tag="echo_test_begun"):
    """What is sent and what comes back is kept from now on."""

    test: int
    """Its number in this session: a later test takes its place."""


class EchoDirection(ReplyPart, frozen=True):
    """One direction of a call with an echo peer."""

    grade: str
    """good, fair, poor by the estimated MOS (from 4.0, from 3.4, below); unknown where it cannot be estimated; nothing: no packet."""

    sentence: str
    packets: int | None
    """Sent there; received back."""

    lost_share: float | None
    """Of the packets, on the way, before any repair; 0 to 1."""

    jitter_ms: float | None
    delay_ms: float | None
    """Of the sound in this direction: codec, network, playout buffer. Back: by this session's own figures. There: what is left of `sound_round_trip_ms`."""

    level_dbov: float | None
    """Mean of the audio levels on the packets, while there was voice."""

    quality: QualityEstimate | None
    """Back: of what was played. There: of what the copies of frames leave of the reported loss; see its note."""


class EchoVerdict(WholeReply, frozen=True, tag="echo_verdict"):
    """What a call with an echo peer showed."""

    call: CallId | None
    """None: there was none."""

    did: Did | None
    nickname: str
    ok: bool
    """The voice came back."""

    code: str
    """came_back; nothing_sent, no_packets, no_voice, in_pieces, too_short where it did not."""

    verdict: str
    """A sentence."""

    remedy: str | None
    there: EchoDirection
    """From here to the echo peer."""

    back: EchoDirection
    round_trip_ms: float | None
    """Of packets, by RTCP."""

    sound_round_trip_ms: float | None
    """Of sound: from this microphone through the echo peer to this speaker's queue, less the time for which the echo peer kept it."""

    heard_s: float
    """How much of the voice was found again."""

    found_share: float | None
    """Of the pieces in which there was voice; 0 to 1."""

    level_change_db: float | None
    """How much louder than it was sent the voice came back."""

    pesq_wb: float | None
    """ITU-T P.862.2 of what came back against what was sent, through both directions; 1 to 4.64. None where `pesq` is not installed, or too little came back."""

    pesq_why: str | None = None
    """Why there is none."""

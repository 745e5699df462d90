"""Who listens in on a call's media: recordings, the RTP log, the quality watch. They see every packet and change nothing.

Frames that were encoded, packets sent and heard, and reports come on the event loop; what was played comes on the playout thread.
"""

import enum
from enum import StrEnum

import msgspec

from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.mix_tick import MixTick
from blink_cli.core.media.rtp import (
    EncodedFrame,
    ReceptionReport,
    RepeatedPacket,
    RtpPacket,
    SenderReport,
    SentPacket,
)


class Observer(StrEnum):
    """Who listens in on the media of a call."""

    RECORDING = "recording"
    RTP_LOG = "rtp_log"
    PLAYOUT_LOG = "playout_log"
    """What writes the files of `rtp-log start --decisions` and `--replayable`."""

    QUALITY_WATCH = "quality_watch"
    """What tells `AudioDegraded` and `StreamFailed`."""

    ECHO_TEST = "echo_test"
    """What compares what came back from an echo peer with what was sent."""


class PlayoutOutcome(enum.StrEnum):
    """What became of one packet's own frame."""

    PLAYED = "played"
    """It arrived in time and was played."""

    RECOVERED = "recovered"
    """It was missing at its time and came from a redundant copy or from FEC."""

    LATE = "late"
    """It arrived after its time."""

    DUPLICATE = "duplicate"
    """It had arrived before."""

    DISCARDED = "discarded"
    """It was dropped unplayed: over the capacity, of an unknown payload type, or not decodable."""


class FramePlayed(msgspec.Struct, frozen=True, gc=False):
    """What became of a packet's own frame."""

    peer: Did
    ssrc: int
    timestamp: int
    outcome: PlayoutOutcome
    """LATE and DUPLICATE can follow another outcome of the same frame."""


class MediaTap:
    """Hears nothing; a subclass overrides what it wants to hear.

    Called on the event loop, but for `played`, and after the voice has been served; must be quick and must not wait. One that raises
    hears nothing any more.
    """

    observer: Observer
    """What users call it."""

    wants_ticks: bool = False
    """Whether it is told of each tick of the playout thread too, a hundred a second. Does not change."""

    wants_everybody: bool = False
    """Whether everybody in a room is heard for it, and not only as many as are heard at once. Does not change."""

    def tap_failed(self, reason: str) -> None:
        """It raised, and is not called any more: end what depends on it. On the event loop, once."""

    def media_began(self, call: CallId) -> None:
        """A call's media run from now on."""

    def media_ended(self) -> None:
        """The call is over for this session."""

    def frame_encoded(self, frame: EncodedFrame, now_s: float) -> None:
        """Our next frame, whether or not somebody is there to hear it; `now_s` is monotonic, just after its last sample and its encoding."""

    def link_connected(self, peer: Did, opus: int, red: int | None) -> None:
        """Media of this peer may come, with these payload types; again after every reconnect."""

    def link_ended(self, peer: Did) -> None:
        """Its media flow no more, whoever ended that; another link may come."""

    def packet_sent(self, peer: Did, packet: SentPacket) -> None:
        """A packet went out to this peer."""

    def packet_received(self, peer: Did, packet: RtpPacket) -> None:
        """An authentic packet, not a duplicate; before any buffer."""

    def packet_repeated(self, peer: Did, packet: RepeatedPacket) -> None:
        """A copy of a packet that had come before; SRTP refused it."""

    def reported(self, peer: Did, report: SenderReport | ReceptionReport) -> None:
        """What the peer says of its clock, or of the stream that we send to it."""

    def played(self, what: FramePlayed | MixTick) -> None:
        """What the playout thread did, on that thread: append to something and return."""

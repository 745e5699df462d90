"""Which way audio with a participant goes, or why there is none."""

from blink_cli.core.api.replies.document import ReplyPart
from blink_cli.core.media.path_type import PathType


class AddressesTried(ReplyPart, frozen=True):
    """Between which addresses no way for audio has been found yet."""

    ours: tuple[str, ...]
    """Each with its interface: `10.77.0.1 (eth0)`."""

    left_out: tuple[str, ...]
    """Addresses of this machine that were not tried, likewise."""

    theirs: tuple[str, ...]


class RelayUse(ReplyPart, frozen=True):
    """What audio through our own TURN server costs."""

    server: str
    """Its URL, nothing secret in it."""

    rtt_ms: float | None
    """Between here and the server, when it was asked last: about so much longer than a direct one is the way there and back."""

    overhead_bytes: int
    """Added to each packet between here and the server (RFC 8656, section 12.4), beside TLS's own."""


class RefusedInRoom(ReplyPart, frozen=True):
    """Packets that came through a room on an SFU in this call, and were not opened (SFrame, RFC 9605)."""

    malformed: int
    """No sealed packets at all."""

    unknown: int
    """Under a key that this session does not know: for a moment of each change of keys no fault."""

    forged: int
    """Changed on the way, or sealed by who does not have the key."""

    replayed: int
    """Came once before."""


class MediaPath(ReplyPart, frozen=True):
    """The kind of way that audio with a participant goes now."""

    type: PathType
    """The less direct of the two candidates' types, named as W3C's `RTCIceCandidateType`; `sfu`: through the room of the call on an SFU."""

    remote: str
    """The IP address that packets go to: the participant's, its NAT's, its relay's, or the SFU's."""

    relay: RelayUse | None = None
    """None where no relay of ours is on the way; the participant's own may be."""

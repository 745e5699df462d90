"""A message that this session says: sealed, cut, and ready to be given headers. And an answer that it owes."""

import msgspec

from blink_cli.core.gossip.datagram import write_datagrams
from blink_cli.core.signaling.topics import Topic


class Said(msgspec.Struct, frozen=True):
    """The same bytes at every attempt."""

    topic: Topic
    message_id: bytes
    parts: tuple[bytes, ...]
    sealed_at_s: float

    public: bool = False
    """On a topic that whoever knows the DID can tell."""

    first_words: bool = False
    """Sealed to the peer's long-term key alone."""

    prekeys: tuple[bytes, ...] = ()
    """To which it is sealed."""

    def datagrams(self, *, ttl: int, attempt: int) -> tuple[bytes, ...]:
        """With headers."""
        return tuple(write_datagrams(self.topic, self.message_id, self.parts, ttl=ttl, attempt=attempt))


class Owed(msgspec.Struct, frozen=True):
    """What a signal that was delivered is acknowledged with, now and when it is repeated."""

    peer: bytes
    sent_ms: int
    """The signal's date: on that day of its sender's clock the sender listens."""

    token: bytes

"""Signs and seals what this session says, with its dates and its ids."""

from collections.abc import Callable
from typing import Final

import msgspec

from blink_cli.core.gossip.delivery import Outgoing
from blink_cli.core.gossip.recent import RecentMap
from blink_cli.core.gossip.said import Owed, Said
from blink_cli.core.gossip.signal_topics import SignalTopics
from blink_cli.core.identity.identity import Identity
from blink_cli.core.ids import CallId
from blink_cli.core.signaling.channel_seal import seal_message
from blink_cli.core.signaling.envelope import write_envelope
from blink_cli.core.signaling.prekeys import OwnPrekeys, PeerPrekeys
from blink_cli.core.signaling.sealing import seal_to_peer
from blink_cli.core.signaling.signals import FIRST_WORDS, CallSignal, ClockReply, DirectSignal, Presence
from blink_cli.core.signaling.timeline import OwnTimeline, is_on
from blink_cli.core.signaling.topics import Channel

ACKNOWLEDGEMENT: Final = b"\x00"
TO_PEER: Final = b"\x01"
TO_CALL: Final = b"\x02"
"""The first byte of a message."""


class Sealer:
    """Of one session."""

    def __init__(
        self,
        identity: Identity,
        entropy: Callable[[int], bytes],
        topics: SignalTopics,
        delivered: RecentMap[bytes, Owed | None],
        *,
        own_prekeys: OwnPrekeys,
        prekeys: PeerPrekeys,
    ) -> None:
        """Begin a timeline.

        Args:
            identity: Who signs.
            entropy: That many unpredictable bytes.
            topics: The calls whose keys there are.
            delivered: The ids of what needs no delivery: own ones are put in.
            own_prekeys: Those that are told to peers.
            prekeys: Those that peers told.

        """
        self._own_prekeys = own_prekeys
        self._prekeys = prekeys
        self._identity = identity
        self._topics = topics
        self._delivered = delivered
        self._timeline = OwnTimeline(entropy)

    def date_ms(self, now_s: float, wall_s: float) -> int:
        """What a message is dated that is sealed now, and by what others are judged who have not proved their clock."""
        return self._timeline.date_ms(now_s, wall_s, in_call=self._topics.in_call())

    def timeline_key(self, now_s: float, wall_s: float) -> bytes:
        """The key of the timeline that a message is on that is sealed now."""
        self.date_ms(now_s, wall_s)  # which may begin another one
        return self._timeline.key

    def is_current(self, said: Said, public_key: bytes, now_s: float) -> bool:
        """Whether a signal under way is dated and sealed as it would be now: on the timeline that we are on, to the sessions that its peer has."""
        if not is_on(self._timeline.key, said.message_id):
            return False
        return said.first_words or frozenset(self._prekeys.of(public_key, now_s)) == frozenset(said.prekeys)

    def can_seal(self, signal: DirectSignal, public_key: bytes, now_s: float) -> bool:
        """Whether what this signal must be sealed to is known: what is no first word needs a prekey of its peer."""
        return type(signal) in FIRST_WORDS or bool(self._prekeys.of(public_key, now_s))

    def seal(
        self,
        outgoing: Outgoing,
        public_key: bytes,
        channel: Channel,
        now_s: float,
        wall_s: float,
        *,
        public: bool = False,
    ) -> Said:
        """Sign and seal a signal to one peer for a channel, with a new id and the present time; only if `can_seal` says so."""
        sent_ms = self.date_ms(now_s, wall_s)
        message_id = self._new_message_id()
        first_words = type(outgoing.signal) in FIRST_WORDS
        prekeys = () if first_words else self._prekeys.of(public_key, now_s)
        assert prekeys or first_words, "what is no first word waits for a prekey"
        scope = channel.topic + message_id
        envelope = write_envelope(
            self._with_prekey(outgoing.signal, now_s),
            self._identity,
            scope=scope,
            recipient=public_key,
            sent_ms=sent_ms,
            ack_token=outgoing.ack_token,
        )
        message = TO_PEER + seal_to_peer(envelope, public_key, scope, prekeys)
        parts = seal_message(message, channel, message_id)
        return Said(
            channel.topic,
            message_id,
            parts,
            now_s,
            public=public,
            first_words=first_words,
            prekeys=prekeys,
        )

    def _with_prekey(self, signal: DirectSignal, now_s: float) -> DirectSignal:
        if isinstance(signal, Presence | ClockReply):
            return msgspec.structs.replace(signal, prekey=self._own_prekeys.tell(now_s))
        return signal

    def seal_to_call(
        self, call_id: CallId, key_id: bytes, signal: CallSignal, now_s: float, wall_s: float
    ) -> Said:
        """Sign a signal, and seal it to everyone who has this key of an open call; empty: that of the invitation."""
        call = self._topics.call(call_id).keys[key_id]
        sent_ms = self.date_ms(now_s, wall_s)
        message_id = self._new_message_id()
        scope = call.channel.topic + message_id
        envelope = write_envelope(
            signal, self._identity, scope=scope, recipient=call.recipient, sent_ms=sent_ms
        )
        parts = seal_message(TO_CALL + envelope, call.channel, message_id)
        return Said(call.channel.topic, message_id, parts, now_s)

    def acknowledgement(self, token: bytes, channel: Channel, now_s: float) -> Said:
        """Seal the token of what was heard for the channel of who said it. Nothing is signed: the two alone have its key."""
        message_id = self._new_message_id()
        parts = seal_message(ACKNOWLEDGEMENT + token, channel, message_id)
        return Said(channel.topic, message_id, parts, now_s)

    def _new_message_id(self) -> bytes:
        """A random id, after the date: on our timeline, and known as our own from now on, so that what relays bring back is not delivered."""
        message_id = self._timeline.new_message_id()
        self._delivered.set(message_id, None)
        return message_id

"""Says signals to peers: chooses channels, seals what was not sealed for them yet, and hands it to the outbox."""

from blink_cli.core.gossip.channels import Channels, Way
from blink_cli.core.gossip.delivery import Outgoing
from blink_cli.core.gossip.effects import Arrival, Transmit
from blink_cli.core.gossip.outbox import Outbox
from blink_cli.core.gossip.paths import Path
from blink_cli.core.gossip.said import Owed, Said
from blink_cli.core.gossip.sealer import Sealer
from blink_cli.core.gossip.settings import GossipSettings
from blink_cli.core.gossip.signal_topics import PAIR_SIGNALS, SignalTopics
from blink_cli.core.identity.did import did_of, public_key_of
from blink_cli.core.signaling.signals import ClockReply, ClockRequest
from blink_cli.core.signaling.topics import Channel


class Speaker:
    """Of one session."""

    def __init__(
        self,
        settings: GossipSettings,
        *,
        topics: SignalTopics,
        channels: Channels,
        sealer: Sealer,
        outbox: Outbox,
    ) -> None:
        """Join the four."""
        self._settings = settings
        self._topics = topics
        self._channels = channels
        self._sealer = sealer
        self._outbox = outbox

    def say(self, outgoing: Outgoing, now_s: float, wall_s: float) -> list[Transmit]:
        """One attempt of a signal to one peer; nothing while it must be sealed to what is not known yet."""
        public_key = public_key_of(outgoing.peer)
        self._topics.acquaint(public_key)
        if not self._sealer.can_seal(outgoing.signal, public_key, now_s):
            return []
        found = self._channels_for(outgoing, public_key, now_s, wall_s)
        for way, channel in found.items():
            known = outgoing.said.get(way)
            if known is None or not self._is_right(known, way, channel, public_key, now_s):
                said = self._sealer.seal(
                    outgoing, public_key, channel, now_s, wall_s, public=way in (Way.PUBLIC, Way.KNOCK)
                )
                outgoing.said[way] = said
        return [
            transmit
            for way in found
            for transmit in self._outbox.to_peer(outgoing, outgoing.said[way], now_s)
        ]

    def is_current(self, outgoing: Outgoing, public_key: bytes, now_s: float) -> bool:
        """Whether it was said, and as it would be sealed now."""
        said = outgoing.said.values()
        return bool(said) and all(self._sealer.is_current(one, public_key, now_s) for one in said)

    def about_clocks(
        self,
        peer: bytes,
        signal: ClockRequest | ClockReply,
        *,
        dates_ms: tuple[int, ...],
        route: Path,
        now_s: float,
        wall_s: float,
    ) -> list[Transmit]:
        """A signal to a peer that speaks to us, and so listens, on the days of these dates: of its clock, as its messages claim."""
        self._topics.acquaint(peer)
        outgoing = Outgoing(did_of(peer), signal, None, b"", now_s)
        transmits: list[Transmit] = []
        for channel in {self._channels.pair(peer, date_ms) for date_ms in dates_ms}:
            said = self._sealer.seal(outgoing, peer, channel, now_s, wall_s)
            transmits += self._outbox.to_stranger(said, route, now_s)
        return transmits

    def acknowledge(self, owed: Owed, arrival: Arrival) -> list[Transmit]:
        """Answer who said something; its signed date tells its day."""
        channel = self._channels.pair(owed.peer, owed.sent_ms)
        said = self._sealer.acknowledgement(owed.token, channel, arrival.now_s)
        return self._outbox.acknowledge(said, arrival)

    def _channels_for(
        self, outgoing: Outgoing, public_key: bytes, now_s: float, wall_s: float
    ) -> dict[Way, Channel]:
        if type(outgoing.signal) in PAIR_SIGNALS:
            assert outgoing.call_id is not None, "descriptions and redials are said in a call"
            return self._channels.member(public_key, outgoing.call_id)
        ours_ms = self._sealer.date_ms(now_s, wall_s)
        return self._channels.outside_calls(public_key, now_s, ours_ms, listens_s=outgoing.listens_s)

    def _is_right(self, known: Said, way: Way, channel: Channel, public_key: bytes, now_s: float) -> bool:
        """Whether what was sealed for such a channel can be said again; a knock keeps its salt."""
        young = now_s - known.sealed_at_s < self._settings.reseal_after_s
        return (
            young
            and self._sealer.is_current(known, public_key, now_s)
            and (way is Way.KNOCK or known.topic == channel.topic)
        )

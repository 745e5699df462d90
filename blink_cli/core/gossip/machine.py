"""The gossip of one session: signals in, datagrams out, and back; sealed, signed, repeated, relayed, and bounded.

    send_to_peer, send_to_call -> sign -> seal -> cut -> Transmit
                                                  repeat until acknowledged | copies | relay
    receive -> size, version, header -> neighbour's hello? acknowledgement? -> topic known, or somewhere to relay?
            -> heard before? -> relay -> delivered before? -> reassemble -> budget -> open -> verify
            -> replay window -> Received, and the acknowledgement

The cheapest question comes first: bytes that are not for this session cost some microseconds, and only what passed all
the others costs a public-key operation. Nothing that comes in raises; what is refused is counted (counters.py).
Pure: monotonic `now_s` drives timers, wall-clock `wall_s` dates messages, `entropy` gives ids. One thread.
"""

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final

from blink_cli.core.did import did_of, public_key_of
from blink_cli.core.envelope import (
    TOKEN_BYTES,
    ForgedError,
    OpenedEnvelope,
    read_envelope,
    write_envelope,
)
from blink_cli.core.errors import WireError
from blink_cli.core.gossip.admission import Admission
from blink_cli.core.gossip.budget import TokenBucket
from blink_cli.core.gossip.counters import GossipCounters
from blink_cli.core.gossip.datagram import (
    MESSAGE_ID_BYTES,
    Datagram,
    Refusal,
    fingerprint,
    read_datagram,
    write_datagrams,
)
from blink_cli.core.gossip.delivery import Delivery, Outgoing
from blink_cli.core.gossip.effects import Acknowledged, Arrival, GossipEffect, Received, Transmit
from blink_cli.core.gossip.fragments import Reassembly
from blink_cli.core.gossip.neighbours import LINK_TOPIC, Neighbours
from blink_cli.core.gossip.paths import Address, Path, unicast_path
from blink_cli.core.gossip.recent import RecentMap
from blink_cli.core.gossip.relay import Relay
from blink_cli.core.gossip.settings import GossipSettings
from blink_cli.core.identity import Identity
from blink_cli.core.names import CallId, Did
from blink_cli.core.replay import Freshness, ReplayWindow
from blink_cli.core.sealing import open_to_call, open_to_peer, seal_to_call, seal_to_peer
from blink_cli.core.signals import (
    Announce,
    Busy,
    CallSignal,
    Cancel,
    Decline,
    DirectSignal,
    Leave,
    Offer,
    Presence,
    Redial,
    SessionDescription,
    Signal,
)
from blink_cli.core.topics import Topic, call_topic, pair_topic, peer_topic

_PEER_SIGNALS: Final = frozenset({Offer, Cancel, Decline, Busy, Presence})
"""On a peer's own topic: its receiver may not have the call's key yet."""

_PAIR_SIGNALS: Final = frozenset({SessionDescription, Redial})
_CALL_SIGNALS: Final = frozenset({Announce, Leave})


@dataclass(frozen=True, slots=True)
class _Listening:
    """What a topic of ours means."""

    kinds: frozenset[type]
    call_id: CallId | None
    group_key: bytes | None
    recipient: bytes
    """What a signature on this topic must name: this session's public key, or the call's group."""


@dataclass(frozen=True, slots=True)
class _OpenCall:
    group_key: bytes
    recipient: bytes
    call_topic: Topic
    own_pair_topic: Topic


def _group_of(topic: Topic) -> bytes:
    """The recipient that a signature to a whole call names, 32 bytes."""
    return topic + bytes(32 - len(topic))


class Gossip:
    """One session's machine. Give it the transport's paths with `set_paths` first: without, it transmits nothing."""

    def __init__(
        self,
        identity: Identity,
        entropy: Callable[[int], bytes],
        settings: GossipSettings | None = None,
    ) -> None:
        """Listen on this identity's own topic.

        Args:
            identity: Who speaks and opens.
            entropy: That many unpredictable bytes; `secrets.token_bytes` outside of tests.
            settings: Times and bounds.

        """
        self._identity = identity
        self._entropy = entropy
        self._settings = settings or GossipSettings()
        self._counters = GossipCounters()
        self._neighbours = Neighbours(self._settings, entropy)
        self._relay = Relay(self._settings, entropy, self._counters)
        self._delivery = Delivery(
            repeat_after_s=self._settings.repeat_after_s,
            give_up_after_s=self._settings.give_up_after_s,
            max_outgoing=self._settings.max_outgoing,
        )
        self._reassembly = Reassembly(
            per_source=self._settings.partial_messages_per_source,
            total=self._settings.partial_messages,
            age_s=self._settings.partial_age_s,
        )
        self._admission = Admission(self._settings)
        self._reacknowledgements = TokenBucket(self._settings.reacknowledgements_per_s)
        self._replay = ReplayWindow(window_ms=round(self._settings.replay_window_s * 1000))
        self._seen: RecentMap[int, bool] = RecentMap(self._settings.seen_datagrams)
        self._delivered: RecentMap[bytes, bytes] = RecentMap(self._settings.delivered_messages)
        """Message id to acknowledgement token (empty: none wanted). Own messages are in it too."""

        self._calls: dict[CallId, _OpenCall] = {}
        self._topics: dict[Topic, _Listening] = {
            peer_topic(identity.public_key): _Listening(_PEER_SIGNALS, None, None, identity.public_key)
        }
        self._copies: list[tuple[float, int, tuple[bytes, ...]]] = []
        self._copies_made = 0

    def set_paths(self, paths: tuple[Path, ...]) -> None:
        """Say which paths the transport has now; again whenever that changes."""
        self._neighbours.set_paths(paths)

    def counters(self) -> GossipCounters:
        """A copy of the counts so far."""
        self._counters.given_up = self._delivery.given_up
        self._counters.reassembly_evictions = self._reassembly.evictions
        return GossipCounters(
            **{name: getattr(self._counters, name) for name in GossipCounters.__struct_fields__}
        )

    def open_call(self, call_id: CallId, group_key: bytes) -> None:
        """Listen to the call's topics. Opening it again with the same key changes nothing."""
        self.close_call(call_id)
        topic = call_topic(group_key)
        opened = _OpenCall(
            group_key, _group_of(topic), topic, pair_topic(group_key, self._identity.public_key)
        )
        self._calls[call_id] = opened
        self._topics[topic] = _Listening(_CALL_SIGNALS, call_id, group_key, opened.recipient)
        self._topics[opened.own_pair_topic] = _Listening(
            _PAIR_SIGNALS, call_id, group_key, self._identity.public_key
        )

    def close_call(self, call_id: CallId) -> None:
        """Forget the call's key and topics, and what is still to be repeated on them. Copies already sealed still go out."""
        closed = self._calls.pop(call_id, None)
        if closed is None:
            return
        del self._topics[closed.call_topic]
        del self._topics[closed.own_pair_topic]
        self._delivery.stop_topics(call_id, _PEER_SIGNALS)

    def send_to_peer(
        self, peer: Did, signal: DirectSignal, call_id: CallId | None, now_s: float, wall_s: float
    ) -> list[Transmit]:
        """Seal to one peer; repeat until it is acknowledged, stopped or given up. A presence is sent once.

        Args:
            peer: To whom. Not oneself.
            signal: What to say. Descriptions and redials need their call to be open.
            call_id: What `stop_sending` and `Acknowledged` name.
            now_s: Monotonic seconds.
            wall_s: Seconds since 1970.

        Raises:
            UsageError: `peer` is not a DID.

        """
        public_key = public_key_of(peer)
        wants_answer = not isinstance(signal, Presence)
        outgoing = Outgoing(
            peer=peer,
            signal=signal,
            call_id=call_id,
            topic=self._topic_to(public_key, signal, call_id),
            ack_token=self._entropy(TOKEN_BYTES) if wants_answer else b"",
            began_s=now_s,
            message_id=b"",
            sealed=b"",
            sealed_at_s=now_s,
        )
        self._seal(outgoing, public_key, now_s, wall_s)
        if wants_answer:
            self._delivery.add(outgoing, now_s)
        return self._transmit_to_peer(outgoing, now_s)

    def stop_sending(self, call_id: CallId, peer: Did | None) -> None:
        """Forget what is under way for this call: to one peer, or to all when `peer` is None."""
        self._delivery.stop(call_id, peer)

    def send_to_call(
        self, call_id: CallId, signal: CallSignal, copies: int, now_s: float, wall_s: float
    ) -> list[Transmit]:
        """Seal with the open call's group key and publish now, and `copies` more times at short distances."""
        call = self._open_call(call_id)
        message_id = self._new_message_id()
        scope = call.call_topic + message_id
        envelope = write_envelope(
            signal, self._identity, scope=scope, recipient=call.recipient, sent_ms=round(wall_s * 1000)
        )
        sealed = seal_to_call(envelope, call.group_key, scope)
        for copy in range(1, copies + 1):
            datagrams = tuple(
                write_datagrams(call.call_topic, message_id, sealed, ttl=self._settings.ttl, attempt=copy)
            )
            self._copies_made += 1
            if len(self._copies) < self._settings.max_copies_waiting:
                due_s = now_s + copy * self._settings.copy_distance_s
                heappush(self._copies, (due_s, self._copies_made, datagrams))
        first = write_datagrams(call.call_topic, message_id, sealed, ttl=self._settings.ttl, attempt=0)
        return self._transmit(tuple(first), self._neighbours.all_paths(now_s))

    def flush(self, now_s: float) -> list[Transmit]:
        """The copies that wait, all at once: for a session that ends before they are due."""
        paths = self._neighbours.all_paths(now_s)
        waiting = [datagrams for _, _, datagrams in sorted(self._copies)]
        self._copies.clear()
        return [transmit for datagrams in waiting for transmit in self._transmit(datagrams, paths)]

    def next_wake(self) -> float | None:
        """The monotonic second at which `wake` has something to do; None: not before the next call."""
        copies_due_s = self._copies[0][0] if self._copies else None
        due_s = (
            copies_due_s,
            self._delivery.next_due_s(),
            self._relay.next_due_s(),
            self._neighbours.next_due_s(),
        )
        return min((due for due in due_s if due is not None), default=None)

    def wake(self, now_s: float, wall_s: float) -> list[Transmit]:
        """Repeat, copy and relay what is due."""
        effects: list[Transmit] = []
        while self._copies and self._copies[0][0] <= now_s:
            effects += self._transmit(heappop(self._copies)[2], self._neighbours.all_paths(now_s))
        for outgoing in self._delivery.wake(now_s):
            self._counters.repeated += 1
            if now_s - outgoing.sealed_at_s >= self._settings.reseal_after_s:
                self._seal(outgoing, public_key_of(outgoing.peer), now_s, wall_s)
            effects += self._transmit_to_peer(outgoing, now_s)
        effects += self._relay.wake(now_s)
        effects += self._neighbours.wake(now_s)
        return effects

    def receive(
        self, encoded: bytes, path: Path, source: Address, now_s: float, wall_s: float
    ) -> list[GossipEffect]:
        """Take one datagram, whoever sent it. Never raises for what is in it.

        Args:
            encoded: The datagram, of any length.
            path: By which path of ours it came.
            source: From which address, as the network claims.
            now_s: Monotonic seconds.
            wall_s: Seconds since 1970.

        """
        self._counters.received += 1
        datagram = read_datagram(encoded)
        if isinstance(datagram, Refusal):
            self._count_refusal(datagram)
            return []
        arrival = Arrival(path, source, now_s)
        if datagram.topic == LINK_TOPIC:
            self._counters.links += 1
            return list(self._neighbours.receive(datagram, arrival))
        if datagram.count == 1 and not datagram.fragment and self._delivery.is_waiting(datagram.topic):
            return self._receive_acknowledgement(encoded, datagram)
        return self._receive_sealed(encoded, datagram, arrival, wall_s)

    def _receive_sealed(
        self, encoded: bytes, datagram: Datagram, arrival: Arrival, wall_s: float
    ) -> list[GossipEffect]:
        listening = self._topics.get(datagram.topic)
        targets = self._neighbours.relay_targets(arrival)
        if listening is None and not targets:
            # Most of what a session hears on a busy group: neither remembered nor fingerprinted.
            self._counters.not_for_us += 1
            return []
        if not self._is_new(encoded, datagram, arrival, targets):
            self._counters.duplicates += 1
            return []
        if datagram.message_id in self._delivered:
            self._counters.duplicates += 1
            return [*self._acknowledge_again(datagram, arrival)]
        if listening is None:
            self._counters.not_for_us += 1
            return []
        return self._receive_fragment(datagram, listening, arrival, wall_s)

    def _count_refusal(self, refusal: Refusal) -> None:
        name = refusal.value
        setattr(self._counters, name, getattr(self._counters, name) + 1)

    def _is_new(
        self, encoded: bytes, datagram: Datagram, arrival: Arrival, targets: tuple[Path, ...]
    ) -> bool:
        """Whether these bytes were not heard before, whatever relays they passed; if so they may be passed on."""
        print_ = fingerprint(encoded)
        if print_ in self._seen:
            self._relay.heard(print_, arrival.path)
            return False
        self._seen.set(print_, value=True)
        self._relay.consider(encoded, datagram.ttl, print_, arrival, targets)
        return True

    def _acknowledge_again(self, datagram: Datagram, arrival: Arrival) -> list[Transmit]:
        """Answer a repetition of what was delivered: the first acknowledgement may have been lost."""
        token = self._delivered.get(datagram.message_id)
        # Once per attempt, not once per fragment of it.
        if not token or datagram.index != 0 or not self._reacknowledgements.take(arrival.now_s):
            return []
        return self._acknowledge(token, arrival)

    def _receive_acknowledgement(self, encoded: bytes, datagram: Datagram) -> list[GossipEffect]:
        outgoing = self._delivery.acknowledge(datagram.topic)
        # It comes by several paths; the others are not to be passed on as something unknown.
        self._seen.set(fingerprint(encoded), value=True)
        self._counters.acknowledgements_received += 1
        return [Acknowledged(outgoing.peer, outgoing.signal, outgoing.call_id)]

    def _receive_fragment(
        self, datagram: Datagram, listening: _Listening, arrival: Arrival, wall_s: float
    ) -> list[GossipEffect]:
        sealed = self._reassembly.add(datagram, arrival.source, arrival.now_s)
        if sealed is None:
            self._counters.fragments += 1
            return []
        opened = self._open(sealed, datagram.scope, listening, arrival)
        if opened is None or not self._is_fresh(opened, datagram.message_id, wall_s):
            return []
        return self._deliver(opened, datagram.message_id, listening, arrival)

    def _open(
        self, sealed: bytes, scope: bytes, listening: _Listening, arrival: Arrival
    ) -> OpenedEnvelope | None:
        try:
            if listening.group_key is not None:
                sealed = open_to_call(sealed, listening.group_key, scope)
                admitted = self._admission.admit_member(arrival.source, arrival.now_s)
            else:
                admitted = self._admission.admit(arrival.source, arrival.now_s)
            if not admitted:
                self._counters.rate_limited += 1
                return None
            if listening.kinds is not _CALL_SIGNALS:
                sealed = open_to_peer(sealed, self._identity.agreement_key, scope)
        except WireError:
            self._counters.unopened += 1
            return None
        try:
            opened = read_envelope(sealed, scope=scope, recipient=listening.recipient)
        except ForgedError:
            self._counters.forgeries += 1
            return None
        except WireError:
            self._counters.malformed += 1
            return None
        if not _belongs(opened.signal, listening):
            self._counters.malformed += 1
            return None
        return opened

    def _is_fresh(self, opened: OpenedEnvelope, message_id: bytes, wall_s: float) -> bool:
        match self._replay.accept(opened.sender, message_id, opened.sent_ms, round(wall_s * 1000)):
            case Freshness.FRESH:
                return True
            case Freshness.SEEN:
                self._counters.replays += 1
            case Freshness.STALE:
                self._counters.stale += 1
        return False

    def _deliver(
        self, opened: OpenedEnvelope, message_id: bytes, listening: _Listening, arrival: Arrival
    ) -> list[GossipEffect]:
        sender = did_of(opened.sender)
        self._delivered.set(message_id, opened.ack_token)
        self._admission.prove(arrival.source)
        self._neighbours.learn_route(sender, arrival)
        self._counters.delivered += 1
        received = Received(sender, opened.signal, listening.call_id, arrival.source)
        if not opened.ack_token:
            return [received]
        return [*self._acknowledge(opened.ack_token, arrival), received]

    def _acknowledge(self, token: bytes, arrival: Arrival) -> list[Transmit]:
        """Answer where the signal came from: by the same path, and straight to the address, whichever arrives."""
        self._counters.acknowledgements_sent += 1
        back = unicast_path(arrival.source)
        paths = (arrival.path,) if arrival.path == back else (arrival.path, back)
        datagrams = write_datagrams(
            Topic(token), self._new_message_id(), b"", ttl=self._settings.ttl, attempt=0
        )
        return self._transmit(tuple(datagrams), paths)

    def _topic_to(self, public_key: bytes, signal: DirectSignal, call_id: CallId | None) -> Topic:
        if type(signal) in _PEER_SIGNALS:
            return peer_topic(public_key)
        return pair_topic(self._open_call(call_id).group_key, public_key)

    def _open_call(self, call_id: CallId | None) -> _OpenCall:
        # The call machine opens a call's topics before it speaks on them (core/call_effects.py).
        assert call_id in self._calls, "signals inside a call need its topics to be open"
        return self._calls[call_id]

    def _seal(self, outgoing: Outgoing, public_key: bytes, now_s: float, wall_s: float) -> None:
        """Sign and seal with a new id and the present time."""
        outgoing.message_id = self._new_message_id()
        outgoing.sealed_at_s = now_s
        scope = outgoing.topic + outgoing.message_id
        envelope = write_envelope(
            outgoing.signal,
            self._identity,
            scope=scope,
            recipient=public_key,
            sent_ms=round(wall_s * 1000),
            ack_token=outgoing.ack_token,
        )
        outgoing.sealed = seal_to_peer(envelope, public_key, scope)
        if type(outgoing.signal) in _PAIR_SIGNALS:
            outgoing.sealed = seal_to_call(
                outgoing.sealed, self._open_call(outgoing.call_id).group_key, scope
            )

    def _new_message_id(self) -> bytes:
        """A random id, known as our own from now on: what comes back by relays is not delivered."""
        message_id = self._entropy(MESSAGE_ID_BYTES)
        self._delivered.set(message_id, b"")
        return message_id

    def _transmit_to_peer(self, outgoing: Outgoing, now_s: float) -> list[Transmit]:
        paths = self._neighbours.all_paths(now_s)
        if outgoing.attempt > 0:
            # Multicast may be what loses it (Wi-Fi does not repeat it): try the peer's own address as well.
            route = self._neighbours.route_to(outgoing.peer, now_s)
            if route is not None and route not in paths:
                paths = (*paths, route)
        datagrams = write_datagrams(
            outgoing.topic,
            outgoing.message_id,
            outgoing.sealed,
            ttl=self._settings.ttl,
            attempt=outgoing.attempt,
        )
        return self._transmit(tuple(datagrams), paths)

    def _transmit(self, datagrams: tuple[bytes, ...], paths: tuple[Path, ...]) -> list[Transmit]:
        if not paths:
            return []
        self._counters.transmitted += len(datagrams)
        return [Transmit(datagram, paths) for datagram in datagrams]


def _belongs(signal: Signal, listening: _Listening) -> bool:
    """Whether this kind of signal may come on this topic, and speaks of its call."""
    if type(signal) not in listening.kinds:
        return False
    return not isinstance(signal, SessionDescription | Redial) or signal.call_id == listening.call_id

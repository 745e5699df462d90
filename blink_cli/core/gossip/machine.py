"""The gossip of one session: signals in, datagrams out, and back; sealed, signed, repeated, relayed, and bounded.

    send_to_peer, send_to_call -> sign -> seal -> cut -> seal for a channel -> Transmit
                                                         repeat until acknowledged | copies | relay
    receive -> size, version, header -> neighbour's hello? -> topic known, or somewhere to relay?
            -> heard before? -> relay -> open with the channel's key -> delivered before? -> reassemble -> acknowledgement?
            -> budget of its sender, or of strangers -> open -> verify
            -> replay window -> Received, and the acknowledgement   (out of the window: its sender is asked for its clock, dates.py)

The cheapest question comes first: bytes that are not for this session, or not of whom their topic says, cost some microseconds, and only
what passed all the others costs a public-key operation. Nothing that comes in raises; what is refused is counted (counters.py).
Pure: monotonic `now_s` drives timers, wall-clock `wall_s` dates messages, `entropy` gives ids. One thread.
"""

from collections.abc import Callable

import msgspec

from blink_cli.core.errors import WireError
from blink_cli.core.gossip.acquaintances import Acquaintances
from blink_cli.core.gossip.admission import Admission
from blink_cli.core.gossip.budget import TokenBucket
from blink_cli.core.gossip.channels import Channels
from blink_cli.core.gossip.clocks import KeptMessage
from blink_cli.core.gossip.counters import GossipCounters
from blink_cli.core.gossip.datagram import Datagram, Refusal, fingerprint, read_datagram
from blink_cli.core.gossip.dates import Dates, Judgement
from blink_cli.core.gossip.delivery import Delivery, Outgoing
from blink_cli.core.gossip.effects import (
    Acknowledged,
    Arrival,
    GossipEffect,
    MulticastHeard,
    Received,
    Transmit,
)
from blink_cli.core.gossip.fragments import Reassembly
from blink_cli.core.gossip.greeting import GREETING, Greeting
from blink_cli.core.gossip.neighbours import NEIGHBOUR_TOPIC, Neighbours
from blink_cli.core.gossip.opener import Opener
from blink_cli.core.gossip.outbox import Outbox
from blink_cli.core.gossip.paths import Address, Path, PathKind
from blink_cli.core.gossip.prekey_questions import PrekeyQuestions
from blink_cli.core.gossip.recent import RecentMap
from blink_cli.core.gossip.relay import Relay
from blink_cli.core.gossip.routes import Routes
from blink_cli.core.gossip.said import Owed
from blink_cli.core.gossip.sealer import ACKNOWLEDGEMENT, Sealer
from blink_cli.core.gossip.settings import GossipSettings
from blink_cli.core.gossip.signal_topics import PEER_SIGNALS, Listening, Place, SignalTopics
from blink_cli.core.gossip.speaker import Speaker
from blink_cli.core.gossip.taken_signals import TakenSignals
from blink_cli.core.gossip.unconfirmed_offers import UnconfirmedOffers
from blink_cli.core.gossip.versions import Versions
from blink_cli.core.identity.did import did_of, public_key_of
from blink_cli.core.identity.identity import Identity
from blink_cli.core.ids import CallId, Did
from blink_cli.core.signaling.channel_seal import open_part
from blink_cli.core.signaling.envelope import TOKEN_BYTES, OpenedEnvelope
from blink_cli.core.signaling.prekeys import CONFIRMED_S, OwnPrekeys, PeerPrekeys, Prekey
from blink_cli.core.signaling.replay_memory import ReplayMemory
from blink_cli.core.signaling.sender_class import SenderClass
from blink_cli.core.signaling.signals import (
    FIRST_WORDS,
    CallSignal,
    ClockReply,
    ClockRequest,
    DirectSignal,
    Offer,
    Presence,
)
from blink_cli.core.signaling.topics import Topic


class Gossip:
    """One session's machine. Give it the transport's paths with `set_paths` first: without, it transmits nothing."""

    def __init__(
        self,
        identity: Identity,
        entropy: Callable[[int], bytes],
        settings: GossipSettings | None = None,
        *,
        memory: ReplayMemory | None = None,
    ) -> None:
        """Listen on this identity's own topic.

        Args:
            identity: Who speaks and opens.
            entropy: That many unpredictable bytes; `secrets.token_bytes` outside of tests.
            settings: Times and bounds.
            memory: What the last session of this identity has seen (`memory`); None: that is not known, and nobody is believed before it
                has proved its clock.

        """
        self._entropy = entropy
        self._settings = settings or GossipSettings()
        self._counters = GossipCounters()
        self._neighbours = Neighbours(self._settings, entropy)
        self._greeting = Greeting(self._settings, identity.public_key, entropy)
        self._versions = Versions(self._settings, identity.public_key)
        self._routes = Routes(self._settings)
        self._relay = Relay(self._settings, entropy, self._counters)
        self._delivery = Delivery(
            repeat_after_s=self._settings.repeat_after_s,
            give_up_after_s=self._settings.give_up_after_s,
            max_outgoing=self._settings.max_outgoing,
        )
        self._reassembly = {
            sender_class: Reassembly(
                per_source=self._settings.partial_messages_per_source,
                total=self._settings.partial_messages,
                age_s=self._settings.partial_age_s,
            )
            for sender_class in SenderClass
        }
        self._reacknowledgements = TokenBucket(self._settings.reacknowledgements_per_s)
        self._seen: RecentMap[int, Did | bool] = RecentMap(self._settings.seen_datagrams)
        """Fingerprints of datagrams, with whose new signal each completed."""

        self._delivered: RecentMap[bytes, Owed | None] = RecentMap(self._settings.delivered_messages)
        """Message id to the answer that a repetition gets. Own messages are in it too."""

        self._taken = TakenSignals(self._settings.delivered_messages)
        self._offers = UnconfirmedOffers(self._settings)
        self._acquaintances = Acquaintances()
        self._topics = SignalTopics(identity, self._acquaintances)
        self._admission = Admission(self._settings)
        self._own_prekeys = OwnPrekeys(entropy)
        self._prekeys = PeerPrekeys(self._acquaintances.class_of)
        self._prekey_questions = PrekeyQuestions(entropy)
        self._sealer = Sealer(
            identity,
            entropy,
            self._topics,
            self._delivered,
            own_prekeys=self._own_prekeys,
            prekeys=self._prekeys,
        )
        self._outbox = Outbox(
            self._settings, self._neighbours, self._routes, self._counters, self._acquaintances.is_contact
        )
        self._channels = Channels(self._topics, entropy)
        self._speaker = Speaker(
            self._settings,
            topics=self._topics,
            channels=self._channels,
            sealer=self._sealer,
            outbox=self._outbox,
        )
        self._dates = Dates(
            self._settings,
            entropy,
            counters=self._counters,
            topics=self._topics,
            sealer=self._sealer,
            speaker=self._speaker,
            channels=self._channels,
            routes=self._routes,
            acquaintances=self._acquaintances,
            memory=memory,
        )
        self._opener = Opener(
            identity,
            self._own_prekeys,
            admission=self._admission,
            counters=self._counters,
            dates=self._dates,
            class_of=self._topics.class_of,
        )

    def begin(self, now_s: float, wall_s: float) -> None:
        """Nothing that was said before this moment is believed, but what `memory` vouches for; at the latest with the first datagram."""
        self._dates.look_at_clock(now_s, wall_s)

    def memory(self) -> ReplayMemory | None:
        """What this session has seen, for the next one of this identity; None when it has not begun to hear."""
        return self._dates.memory()

    def set_contacts(self, dids: frozenset[Did]) -> None:
        """These are the contacts now: strangers, however many, do not take what is theirs."""
        self._acquaintances.set_contacts(dids)
        self._acquaintances_changed()

    def _acquaintances_changed(self) -> None:
        self._topics.acquaintances_changed()
        self._dates.acquaintances_changed()

    def topics(self) -> dict[Topic, SenderClass]:
        """Every topic that is listened to now, and whose words come on it; strangers' are the public ones of this identity.

        What is on none of them, nor on `NEIGHBOUR_TOPIC`, is for this session only if it is a knock (core/signaling/topics.py) or to be relayed.
        """
        return self._topics.by_class()

    def topics_revision(self) -> int:
        """Changes whenever `topics` does: by contacts, calls, peers that are heard, and twice a day."""
        return self._topics.revision

    def set_paths(self, paths: tuple[Path, ...]) -> None:
        """Say which paths the transport has now; again whenever that changes."""
        if not set(paths) <= set(self._neighbours.paths):
            self._delivery.hurry()  # its receiver may have been out of reach
        self._neighbours.set_paths(paths)
        self._greeting.paths_changed()

    def greet_as(self, nickname: str) -> None:
        """Say now and then who this session is, and tell of others who do."""
        self._greeting.begin(nickname)
        self._versions.greet_as(nickname)

    def counters(self) -> GossipCounters:
        """A copy of the counts so far."""
        self._counters.given_up = self._delivery.given_up
        self._counters.reassembly_evictions = sum(
            of_class.evictions for of_class in self._reassembly.values()
        )
        return GossipCounters(
            **{name: getattr(self._counters, name) for name in GossipCounters.__struct_fields__}
        )

    def expect_at(self, peer: Did, address: Address) -> None:
        """DNS-SD says that this peer is there: its presences are sent there too until it is heard."""
        self._routes.claim(peer, address)

    def expected_topics(self) -> tuple[Topic, ...]:
        """Where those speak who matter, the most important first: what is to be heard although others flood. The same tuple until one changes."""
        return self._topics.expected()

    def open_call(self, call_id: CallId, group_key: bytes, participants: tuple[Did, ...] = ()) -> None:
        """Listen to the call's topics. Opening it again with the same key changes nothing.

        Args:
            call_id: Which call.
            group_key: Its key.
            participants: Everyone invited: those of them who hear no multicast get its signals by unicast.

        """
        self._close_topics(call_id)
        self._topics.open_call(call_id, group_key, participants)
        self._acquaintances.open_call(call_id, participants)
        self._acquaintances_changed()

    def use_key(self, call_id: CallId, group_key: bytes) -> None:
        """Listen under another key of an open call too, and be able to speak under it."""
        self._topics.use_key(call_id, group_key)

    def drop_key(self, call_id: CallId, key_id: bytes) -> None:
        """Forget a key of an open call that is not the invitation's."""
        self._topics.drop_key(call_id, key_id)

    def close_call(self, call_id: CallId) -> None:
        """Forget the call's key and topics, and what is still to be repeated on them. Copies already sealed still go out."""
        self._close_topics(call_id)
        self._acquaintances.close_call(call_id)
        self._acquaintances_changed()

    def _close_topics(self, call_id: CallId) -> None:
        if self._topics.close_call(call_id):
            self._delivery.stop_topics(call_id, PEER_SIGNALS)

    def send_to_peer(
        self,
        peer: Did,
        signal: DirectSignal,
        call_id: CallId | None,
        now_s: float,
        wall_s: float,
        *,
        off_pace: bool = False,
    ) -> list[Transmit]:
        """Seal to one peer; repeat until it is acknowledged, stopped or given up. A presence is sent once.

        What is no first word waits for a prekey of the peer, who is asked for it; and is sealed anew when it tells another one.

        Args:
            peer: To whom. Not oneself.
            signal: What to say. Descriptions and redials need their call to be open.
            call_id: What `stop_sending` and `Acknowledged` name.
            now_s: Monotonic seconds.
            wall_s: Seconds since 1970.
            off_pace: A presence that is said between two of its fixed pace: not on paths that a third party overhears.

        Raises:
            UsageError: `peer` is not a DID.

        """
        wants_answer = type(signal) not in FIRST_WORDS
        outgoing = Outgoing(
            peer=peer,
            signal=signal,
            call_id=call_id,
            ack_token=self._entropy(TOKEN_BYTES) if wants_answer else b"",
            began_s=now_s,
            off_pace=off_pace,
        )
        if not wants_answer:
            return self._speaker.say(outgoing, now_s, wall_s)
        self._delivery.add(outgoing, now_s)
        doubtful = self._prekeys.is_doubtful(public_key_of(peer), now_s)
        asked = self._ask_for_prekey(peer, now_s, wall_s) if doubtful else []
        return [*asked, *self._speaker.say(outgoing, now_s, wall_s)]

    def _ask_for_prekey(self, peer: Did, now_s: float, wall_s: float) -> list[Transmit]:
        """Together with what waits for it, or might be sealed to one that is gone."""
        nonce = self._prekey_questions.ask(public_key_of(peer), now_s)
        return (
            []
            if nonce is None
            else self.send_to_peer(peer, ClockRequest(nonce, for_prekey=True), None, now_s, wall_s)
        )

    def _learn_prekey(
        self, sender: bytes, prekey: Prekey | None, now_s: float, wall_s: float
    ) -> list[Transmit]:
        """Seal anew what is under way to this peer if it has another session now, or another prekey."""
        if prekey is None or not self._prekeys.learn(sender, prekey, now_s):
            return []
        transmits: list[Transmit] = []
        for outgoing in self._delivery.to(did_of(sender)):
            if not self._speaker.is_current(outgoing, sender, now_s):
                transmits += self._speaker.say(outgoing, now_s, wall_s)
        return transmits

    def confirm_offer(self, peer: Did, call_id: CallId) -> list[Transmit]:
        """Acknowledge the offer that was just received: it rings here. Without, its sender goes on."""
        offered = self._offers.confirm(peer, call_id)
        if offered is None:
            return []
        return self._acknowledge(offered)

    def stop_sending(self, call_id: CallId, peer: Did | None) -> None:
        """Forget what is under way for this call: to one peer, or to all when `peer` is None."""
        self._delivery.stop(call_id, peer)

    def send_to_call(
        self,
        call_id: CallId,
        signal: CallSignal,
        copies: int,
        now_s: float,
        wall_s: float,
        *,
        straight: bool = False,
        key_id: bytes = b"",
    ) -> list[Transmit]:
        """Seal with this key of the open call (empty: the invitation's) and publish now, and `copies` more times at short distances.

        Copies, and with `straight` the first time too, also go to the address of every participant that was heard lately: what is said
        only once must arrive even if multicast has just stopped passing.
        """
        said = self._sealer.seal_to_call(call_id, key_id, signal, now_s, wall_s)
        participants = self._topics.call(call_id).participants
        return self._outbox.to_call(said, participants, copies, now_s, straight=straight)

    def flush(self, now_s: float) -> list[Transmit]:
        """The copies that wait, all at once: for a session that ends before they are due."""
        return self._outbox.flush(now_s)

    def next_timeout(self) -> float | None:
        """The monotonic second at which `handle_timeout` has something to do; None: not before the next call."""
        due_s = (
            self._outbox.next_due_s(),
            self._delivery.next_due_s(),
            self._relay.next_due_s(),
            self._neighbours.next_due_s(),
            self._dates.next_due_s(),
            self._own_prekeys.next_due_s(),
            self._greeting.next_due_s(),
            self._versions.next_due_s(),
        )
        return min((due for due in due_s if due is not None), default=None)

    def handle_timeout(self, now_s: float, wall_s: float) -> list[GossipEffect]:
        """Repeat, copy and relay what is due; ask for clocks."""
        self._dates.look_at_clock(now_s, wall_s)
        self._own_prekeys.secrets(now_s)  # forgets those that are due
        effects: list[GossipEffect] = [*self._outbox.handle_timeout(now_s)]
        for outgoing in self._delivery.handle_timeout(now_s):
            self._counters.repeated += 1
            # Unanswered, it may be sealed to a session that has gone: unless its prekey was told since.
            since_s = max(outgoing.sealed_at_s, now_s - CONFIRMED_S)
            if not self._prekeys.told_since(public_key_of(outgoing.peer), since_s):
                effects += self._ask_for_prekey(outgoing.peer, now_s, wall_s)
            effects += self._speaker.say(outgoing, now_s, wall_s)
        effects += self._relay.handle_timeout(now_s)
        effects += self._neighbours.handle_timeout(now_s)
        effects += self._dates.handle_timeout(now_s, wall_s)
        effects += self._greeting.handle_timeout(now_s, self._neighbours.all_paths(now_s))
        effects += self._versions.handle_timeout(now_s, self._neighbours.all_paths(now_s))
        return effects

    def receive(
        self,
        encoded: bytes,
        path: Path,
        source: Address,
        now_s: float,
        wall_s: float,
        *,
        waited_s: float = 0.0,
    ) -> list[GossipEffect]:
        """Take one datagram, whoever sent it. Never raises for what is in it.

        Args:
            encoded: The datagram, of any length.
            path: By which path of ours it came.
            source: From which address, as the network claims.
            now_s: Monotonic seconds.
            wall_s: Seconds since 1970.
            waited_s: How long ago it came.

        """
        self._counters.received += 1
        self._dates.look_at_clock(now_s, wall_s)
        arrival = Arrival(path, source, now_s, waited_s)
        datagram = read_datagram(encoded)
        if isinstance(datagram, Refusal):
            self._count_refusal(datagram)
            if datagram is Refusal.OTHER_VERSION:
                return [*self._versions.receive(encoded, arrival)]
            return []
        if datagram.topic == NEIGHBOUR_TOPIC:
            self._counters.links += 1
            if path.overheard:
                # Nobody says this there. A member of a broker who did would become a neighbour: told who we are, and all that the network says.
                return []
            if datagram.fragment.startswith(GREETING):
                self._neighbours.came(fingerprint(encoded), arrival)
                return list(self._greeting.receive(datagram, arrival))
            return list(self._neighbours.receive(datagram, arrival))
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
            return self._heard_again(encoded, arrival)
        if listening is None:
            self._counters.not_for_us += 1
            return []
        try:
            part = open_part(datagram.fragment, listening.key, datagram.scope, datagram.index, datagram.count)
        except WireError:
            self._counters.unopened += 1
            return []
        if datagram.message_id in self._delivered:
            self._counters.duplicates += 1
            return [*self._acknowledge_again(datagram, arrival)]
        effects = self._receive_part(part, datagram, listening, arrival, wall_s)
        for effect in effects:
            if isinstance(effect, Received):
                self._seen.set(fingerprint(encoded), value=effect.sender)
        return effects

    def _heard_again(self, encoded: bytes, arrival: Arrival) -> list[GossipEffect]:
        """A unicast copy may overtake the multicast one, which passes all the same."""
        sender = self._seen.get(fingerprint(encoded))
        if arrival.path.kind is PathKind.UNICAST or not isinstance(sender, str):
            return []
        return [MulticastHeard(sender, arrival.path)]

    def _count_refusal(self, refusal: Refusal) -> None:
        name = refusal.value
        setattr(self._counters, name, getattr(self._counters, name) + 1)

    def _is_new(
        self, encoded: bytes, datagram: Datagram, arrival: Arrival, targets: tuple[Path, ...]
    ) -> bool:
        """Whether these bytes were not heard before, whatever relays they passed; if so they may be passed on."""
        digest = fingerprint(encoded)
        self._neighbours.came(digest, arrival)
        if digest in self._seen:
            self._relay.heard(digest, arrival.path)
            return False
        self._seen.set(digest, value=True)
        self._relay.consider(encoded, datagram.ttl, digest, arrival, targets)
        return True

    def _acknowledge_again(self, datagram: Datagram, arrival: Arrival) -> list[Transmit]:
        """Answer a repetition of what was delivered: the first acknowledgement may have been lost."""
        owed = self._delivered.get(datagram.message_id)
        # Once per attempt, not once per fragment of it.
        if owed is None or datagram.index != 0 or not self._reacknowledgements.take(arrival.now_s):
            return []
        return self._speaker.acknowledge(owed, arrival)

    def _receive_acknowledgement(
        self, token: bytes, listening: Listening, arrival: Arrival
    ) -> list[GossipEffect]:
        outgoing = None
        if listening.place is Place.PAIR and listening.peer is not None:
            outgoing = self._delivery.acknowledge(token, did_of(listening.peer))
        if outgoing is None or listening.peer is None:
            self._counters.duplicates += 1
            return []
        self._channels.answered(listening.peer, arrival.now_s)
        self._counters.acknowledgements_received += 1
        return [Acknowledged(outgoing.peer, outgoing.signal, outgoing.call_id)]

    def _receive_part(
        self, part: bytes, datagram: Datagram, listening: Listening, arrival: Arrival, wall_s: float
    ) -> list[GossipEffect]:
        sender_class = self._topics.class_of(listening)
        message = self._reassembly[sender_class].add(
            datagram, part, listening.peer or arrival.source, arrival.now_s
        )
        if message is None:
            self._counters.fragments += 1
            return []
        if message.startswith(ACKNOWLEDGEMENT):
            return self._receive_acknowledgement(message.removeprefix(ACKNOWLEDGEMENT), listening, arrival)
        opened = self._opener.open(message, datagram, listening, arrival, wall_s)
        if opened is None:
            return []
        self._topics.acquaint(opened.sender)
        return self._take(KeptMessage(opened, datagram.message_id, listening, arrival), wall_s)

    def _take(self, message: KeptMessage, wall_s: float) -> list[GossipEffect]:
        opened, arrival = message.opened, message.arrival
        match opened.signal:
            case ClockRequest() as request:
                self._delivered.set(message.message_id, None)
                answer = self._dates.answer(opened, request, arrival, wall_s)
                if answer and not request.for_prekey:
                    # What it heard of us it may not believe: it may just have begun.
                    self._delivery.renew(did_of(opened.sender), arrival.now_s)
                return [*answer]
            case ClockReply() as reply:
                self._delivered.set(message.message_id, None)
                return self._take_clock(message, reply, wall_s)
            case _:
                return self._carry_out(self._dates.judge(message, wall_s), wall_s)

    def _take_clock(self, message: KeptMessage, reply: ClockReply, wall_s: float) -> list[GossipEffect]:
        """An answer about a clock and a prekey: it may be to either kind of question."""
        opened, arrival = message.opened, message.arrival
        judgement: Judgement | None = Judgement()
        if self._prekey_questions.answered(opened.sender, reply.nonce, arrival.now_s):
            self._counters.clocks += 1
        else:
            judgement = self._dates.learn(opened, reply, message.message_id, arrival, wall_s)
        if judgement is None:
            return []
        self._learn(opened, arrival)
        resealed = self._learn_prekey(opened.sender, reply.prekey, arrival.now_s, wall_s)
        return [*resealed, *self._carry_out(judgement, wall_s)]

    def _learn(self, opened: OpenedEnvelope, arrival: Arrival) -> None:
        """What is known of a peer from something that it says now."""
        self._routes.learn(did_of(opened.sender), arrival)
        self._channels.heard(opened.sender, opened.sent_ms, arrival.now_s)

    def _carry_out(self, judgement: Judgement, wall_s: float) -> list[GossipEffect]:
        effects = [*judgement.effects]
        for message in judgement.fresh:
            effects += self._deliver(message, wall_s)
        return effects

    def _deliver(self, message: KeptMessage, wall_s: float) -> list[GossipEffect]:
        opened, arrival = message.opened, message.arrival
        sender = did_of(opened.sender)
        self._delivered.set(message.message_id, None)
        self._learn(opened, arrival)
        if self._taken.is_twin(message):
            self._counters.duplicates += 1
            return [*self._acknowledge(message)] if opened.ack_token else []
        signal, resealed = opened.signal, list[Transmit]()
        if isinstance(signal, Presence):
            self._routes.presence(sender, arrival, reply_wanted=signal.reply_wanted)
            resealed = self._learn_prekey(opened.sender, signal.prekey, arrival.now_s, wall_s)
            signal = msgspec.structs.replace(signal, prekey=None)
        self._counters.delivered += 1
        expected = arrival.path.kind is not PathKind.UNICAST or self._neighbours.is_neighbour(
            arrival.path, arrival.now_s
        )
        listening = message.listening
        received = Received(
            sender,
            signal,
            listening.call_id,
            arrival.source,
            arrival.path,
            expected,
            key_id=listening.key_id,
        )
        if isinstance(signal, Offer) and opened.ack_token:
            return [received] if self._offers.keep(sender, signal.call_id, message) else []
        if not opened.ack_token:
            return [received, *resealed]
        return [*self._acknowledge(message), received]

    def _acknowledge(self, message: KeptMessage) -> list[Transmit]:
        opened = message.opened
        owed = Owed(opened.sender, opened.sent_ms, opened.ack_token)
        self._delivered.set(message.message_id, owed)
        self._taken.acknowledged(opened.sender, opened.ack_token)
        return self._speaker.acknowledge(owed, message.arrival)

"""Each bound of the gossip that nothing else needs: taken out, only memory or work would tell."""

from itertools import pairwise
from random import Random

import pytest

from blink_cli.core.gossip import GossipSettings, Path, PathKind, opener
from blink_cli.core.gossip.acquaintances import Acquaintances
from blink_cli.core.gossip.clocks import ClockQuestions, KeptMessage, Question
from blink_cli.core.gossip.counters import GossipCounters
from blink_cli.core.gossip.datagram import (
    HEADER_BYTES,
    MAX_FRAGMENTS,
    MAX_TTL,
    MESSAGE_ID_BYTES,
    VERSION,
    Datagram,
    Refusal,
    read_datagram,
)
from blink_cli.core.gossip.effects import Arrival
from blink_cli.core.gossip.fragments import Reassembly
from blink_cli.core.gossip.greeting import GREETING, Greeting
from blink_cli.core.gossip.neighbours import NEIGHBOUR_TOPIC, Neighbours
from blink_cli.core.gossip.recent import RecentMap
from blink_cli.core.gossip.relay import Relay
from blink_cli.core.gossip.routes import Routes
from blink_cli.core.gossip.signal_topics import MAX_HEARD, Listening, Place, SignalTopics
from blink_cli.core.identity.identity import Identity
from blink_cli.core.ids import Did
from blink_cli.core.signaling.envelope import OpenedEnvelope, read_envelope
from blink_cli.core.signaling.replay import MAX_TIMELINES, ReplayWindow
from blink_cli.core.signaling.sender_class import SenderClass
from blink_cli.core.signaling.signals import CLOCK_NONCE_BYTES, ClockRequest, Presence
from blink_cli.core.signaling.topics import TOPIC_BYTES, call_channel
from tests.core.gossip.parts import CALL_ID, GROUP_KEY, LAN, LOOPBACK, Party, Wire, announce, offer

SETTINGS = GossipSettings()
ENTROPY = Random(5).randbytes
SOMEWHERE = ("192.0.2.9", 4_000)


def arrival(now_s: float = 1.0, source: tuple[str, int] = SOMEWHERE, path: Path = LAN) -> Arrival:
    return Arrival(path, source, now_s, 0.0)


def control(fragment: bytes) -> Datagram:
    read = read_datagram(bytes((VERSION, 0, 0, 0, 1)) + bytes(HEADER_BYTES - 5) + fragment)
    assert isinstance(read, Datagram)
    assert read.topic == NEIGHBOUR_TOPIC
    return read


@pytest.mark.parametrize(
    ("ttl", "index", "count", "is_one"),
    [
        (MAX_TTL, MAX_FRAGMENTS - 1, MAX_FRAGMENTS, True),
        (MAX_TTL + 1, 0, 1, False),
        (1, 0, 0, False),
        (1, 0, MAX_FRAGMENTS + 1, False),
        (1, 1, 1, False),
        (1, 3, 2, False),
    ],
)
def test_a_header_that_cannot_be_is_refused(ttl: int, index: int, count: int, is_one: bool) -> None:  # noqa: FBT001
    read = read_datagram(bytes((VERSION, ttl, 0, index, count)) + bytes(HEADER_BYTES - 5) + b"part")
    assert isinstance(read, Datagram) if is_one else read is Refusal.MALFORMED


@pytest.mark.parametrize(("hosts", "most"), [(1, 200), (1_000, SETTINGS.max_relays_waiting)])
def test_what_is_passed_on_for_others_is_bounded(hosts: int, most: int) -> None:
    relay = Relay(SETTINGS, ENTROPY, GossipCounters())
    for number in range(1_000):
        source = (f"198.51.{number % hosts // 256}.{number % hosts % 256}", 9)
        relay.consider(bytes(100), 4, number, arrival(source=source), (LOOPBACK,))
    assert len(relay.handle_timeout(10.0)) <= most


def test_the_relays_of_many_hosts_have_one_budget() -> None:
    relay = Relay(SETTINGS, ENTROPY, GossipCounters())
    passed = 0
    for number in range(4_000):
        relay.consider(bytes(100), 4, number, arrival(source=("198.51.100.1", number)), (LOOPBACK,))
        passed += len(relay.handle_timeout(10.0))
    assert passed <= 2 * SETTINGS.relays_per_s


def test_addresses_of_peers_are_bounded_and_grow_old() -> None:
    routes = Routes(SETTINGS)
    for number in range(2 * SETTINGS.max_routes):
        routes.learn(Did(f"did:heard {number}"), arrival())
        routes.claim(Did(f"did:claimed {number}"), SOMEWHERE)
        routes.presence(Did(f"did:deaf {number}"), arrival(), reply_wanted=True)
    assert len(routes._heard) == len(routes._claims) == SETTINGS.max_routes
    assert len(routes._deaf) == SETTINGS.max_deaf
    last = Did(f"did:heard {2 * SETTINGS.max_routes - 1}")
    assert routes.to(last, 1.0 + SETTINGS.route_age_s)
    assert routes.to(last, 1.1 + SETTINGS.route_age_s) is None


def test_who_was_heard_is_nowhere_else_by_anybodys_claim() -> None:
    routes, peer = Routes(SETTINGS), Did("did:peer")
    routes.claim(peer, SOMEWHERE)
    assert routes.to_claimed(peer, 1.0)
    assert routes.to_claimed(peer, 1.0) is None, "less and less often"
    routes.learn(peer, arrival())
    routes.claim(peer, SOMEWHERE)
    assert routes.to_claimed(peer, 100.0) is None


def test_a_hello_by_multicast_is_not_answered() -> None:
    neighbours = Neighbours(SETTINGS, ENTROPY)
    hello = control(bytes(17))
    assert neighbours.receive(hello, arrival()) == []
    assert neighbours.receive(hello, arrival(path=Path(PathKind.UNICAST, "192.0.2.9:4000")))


@pytest.mark.parametrize(("length", "noticed"), [(256, 1), (257, 0)])
def test_a_greeting_of_endless_name_is_ignored(length: int, noticed: int) -> None:
    greeting = Greeting(SETTINGS, Identity(b"1" * 32).public_key, ENTROPY)
    greeting.begin("anna")
    said = control(GREETING + Identity(b"2" * 32).public_key + b"x" * length)
    assert len(greeting.receive(said, arrival())) == noticed


def test_offers_that_wait_for_a_place_are_bounded() -> None:
    bob = Party(2)
    bob.has_place = False
    callers = [Party(number) for number in range(3, 3 + 2 * SETTINGS.max_offers_unconfirmed)]
    wire = Wire([bob, *callers])
    for caller in callers:
        wire.send_to_peer(caller, bob, offer(caller, bob))
        wire.now_s += 1.0
    assert len(bob.received) == len(callers)
    assert len(bob.gossip._offers) == SETTINGS.max_offers_unconfirmed


def test_a_repetition_of_several_datagrams_is_answered_once() -> None:
    anna, bob = Party(1), Party(2)
    wire = Wire([anna, bob])
    wire.send_to_peer(anna, bob, offer(anna, bob, *(Party(number) for number in range(3, 33))))
    said = [datagram for sender, path, datagram in wire.carried if sender is anna and path is LAN]
    again = [one[:2] + bytes([one[2] + 1]) + one[3:] for one in said if isinstance(one, bytes) and one[4] > 1]
    assert len(again) > 1
    wire.now_s += 1.0
    wire.carried.clear()
    for datagram in again:
        wire.put(bob, datagram, LAN, anna.address)
    answers = {datagram for sender, _, datagram in wire.carried if sender is bob}
    assert len(answers) == 1


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Each envelope whose signature is checked, by whoever hears it."""
    seen: list[bytes] = []
    read = read_envelope

    def noted(encoded: bytes, *, scope: bytes, recipient: bytes) -> OpenedEnvelope:
        seen.append(encoded)
        return read(encoded, scope=scope, recipient=recipient)

    monkeypatch.setattr(opener, "read_envelope", noted)
    return seen


@pytest.mark.parametrize("minutes", [0, 60], ids=["just now", "long ago"])
def test_a_recording_of_the_call_costs_no_signatures(verified: list[bytes], minutes: int) -> None:
    anna = Party(1)
    bob = Party(2, settings=GossipSettings(delivered_messages=8, seen_datagrams=8))
    wire = Wire([anna, bob])
    for party in wire.parties:
        party.gossip.open_call(CALL_ID, GROUP_KEY, (anna.did, bob.did))
    for sequence in range(1, 600):
        wire.send_to_call(anna, announce(sequence))
        wire.run(0.1)
    topic = call_channel(GROUP_KEY, CALL_ID).topic
    recording = [
        datagram for sender, _, datagram in wire.carried if sender is anna and datagram[5:21] == topic
    ]
    assert len(recording) >= 599
    wire.run(60.0 * minutes)
    verified.clear()
    for datagram in recording:
        wire.put(bob, datagram, LAN, SOMEWHERE)
    assert len(verified) <= 5, (
        "one that is older than what is remembered, and questions and answers about its sender's clock"
    )


def test_a_participant_with_a_far_off_clock_costs_few_signatures(verified: list[bytes]) -> None:
    anna, bob = Party(1), Party(2)
    wire = Wire([anna, bob])
    anna.clock_error_s = 86_400.0
    for party in wire.parties:
        party.gossip.open_call(CALL_ID, GROUP_KEY, (anna.did, bob.did))
    for sequence in range(1, 1_000):
        for effect in anna.gossip.send_to_call(CALL_ID, announce(sequence), 0, wire.now_s, wire.wall_s(anna)):
            bob.gossip.receive(effect.datagram, LAN, SOMEWHERE, wire.now_s, wire.wall_s(bob))
    assert 0 < len(verified) <= 2 * SETTINGS.stranger_messages_per_source_per_s


def test_what_one_peer_says_on_its_own_channel_has_a_budget(verified: list[bytes]) -> None:
    anna, bob = Party(1), Party(2)
    wire = Wire([anna, bob])
    anna.gossip.set_contacts(frozenset((bob.did,)))
    bob.gossip.set_contacts(frozenset((anna.did,)))
    for _ in range(1_000):
        wire.send_to_peer(anna, bob, Presence("anna", reply_wanted=False), None)
    of_its_own, of_strangers = (
        SETTINGS.member_messages_per_source_per_s,
        SETTINGS.stranger_messages_per_source_per_s,
    )
    assert 100 < len(verified) <= 2 * (of_its_own + of_strangers)
    assert bob.gossip.counters().rate_limited > 0


def test_of_one_sender_few_timelines_are_remembered() -> None:
    window, sender = ReplayWindow(), Identity(b"1" * 32).public_key
    for number in range(10 * MAX_TIMELINES):
        window.prove(sender, number.to_bytes(16, "big"), 1_000, 1_000)
    assert len(window._senders[sender].timelines) == MAX_TIMELINES


def test_what_is_expected_in_a_flood_begins_with_calls_and_contacts() -> None:
    anna, bob, carl = Party(1), Party(2), Party(3)
    wire = Wire([anna, bob, carl])
    wire.send_to_peer(carl, bob, Presence("carl", reply_wanted=False), None)
    heard = bob.gossip.expected_topics()
    bob.gossip.set_contacts(frozenset((anna.did,)))
    with_contacts = bob.gossip.expected_topics()
    assert bob.gossip.expected_topics() is with_contacts, "nothing has changed"
    bob.gossip.open_call(CALL_ID, GROUP_KEY, (anna.did, bob.did))
    in_call = bob.gossip.expected_topics()
    assert in_call[: len(in_call) - len(with_contacts)].count(call_channel(GROUP_KEY, CALL_ID).topic) == 1
    assert in_call[-len(with_contacts) :] == with_contacts
    assert with_contacts[-len(heard) :] == heard != ()
    bob.gossip.close_call(CALL_ID)
    assert bob.gossip.expected_topics() == with_contacts


def test_what_waits_for_its_other_parts_is_bounded_and_grows_old() -> None:
    reassembly = Reassembly(per_source=8, total=64, age_s=6.0)

    def first_part(number: int) -> Datagram:
        head = bytes((VERSION, 0, 0, 0, 2)) + bytes(TOPIC_BYTES) + number.to_bytes(MESSAGE_ID_BYTES, "big")
        read = read_datagram(head + b"part")
        assert isinstance(read, Datagram)
        return read

    for number in range(100):
        assert reassembly.add(first_part(number), b"", "one", 1.0) is None
    assert len(reassembly) == 8
    for number in range(100, 200):
        reassembly.add(first_part(number), b"", number, 1.0)
    assert len(reassembly) == 64
    reassembly.add(first_part(0), b"", "later", 7.1)
    assert len(reassembly) == 1


def questions() -> ClockQuestions:
    return ClockQuestions(SETTINGS, ENTROPY, lambda _: SenderClass.STRANGER)


def doubted(number: int, now_s: float = 1.0) -> KeptMessage:
    listening = Listening(Place.PUBLIC, b"", frozenset(), b"")
    opened = OpenedEnvelope(b"anna", 0, b"", Presence("anna", reply_wanted=False))
    return KeptMessage(opened, number.to_bytes(16, "big"), listening, arrival(now_s))


def test_few_are_asked_for_their_clocks_at_a_time() -> None:
    asked = questions()
    for number in range(2 * SETTINGS.clock_questions):
        asked.ask_again(number.to_bytes(32, "big"), LAN, 1.0)
    assert len(asked._asked) == SETTINGS.clock_questions


def test_what_a_doubted_peer_said_is_kept_in_part_and_for_a_while() -> None:
    asked = questions()
    for number in range(100):
        asked.keep(doubted(number), LAN, 0)
    assert len(asked._asked[b"anna"].kept) == SETTINGS.kept_messages_per_peer
    later_s = 1.5 + SETTINGS.kept_for_s
    asked.keep(doubted(100, later_s), LAN, 0)
    (question,) = asked.handle_timeout(later_s)
    assert isinstance(question, Question)
    answered = asked.answered(b"anna", question.nonce, 0.0, later_s + 0.1)
    assert answered is not None
    assert [message.message_id for message in answered.kept] == [doubted(100).message_id]


def test_who_does_not_answer_is_asked_less_and_less_often() -> None:
    asked, questions_said, now_s = questions(), 0, 1.0
    while now_s < 301.0:
        asked.keep(doubted(round(now_s * 10), now_s), LAN, 0)
        questions_said += len([found for found in asked.handle_timeout(now_s) if isinstance(found, Question)])
        assert len(asked._asked[b"anna"].nonces) <= 4
        now_s += 0.1
    rounds = 2 + 1 + 1 + 300 / SETTINGS.clock_question_rests_s[-1]
    assert questions_said <= rounds * (len(SETTINGS.clock_question_after_s) + 1)


def test_who_is_in_a_call_with_us_is_asked_again_soon() -> None:
    asked, now_s, asked_at_s = ClockQuestions(SETTINGS, ENTROPY, lambda _: SenderClass.INVITED), 1.0, [1.0]
    while now_s < 61.0:
        asked.keep(doubted(round(now_s * 10), now_s), LAN, 0)
        if any(isinstance(found, Question) for found in asked.handle_timeout(now_s)):
            asked_at_s.append(now_s)
        now_s += 0.1
    assert max(later - sooner for sooner, later in pairwise(asked_at_s)) < 8.0


def test_strangers_displace_each_other_and_no_contact_that_is_asked() -> None:
    contact = b"c" * 32
    asked = ClockQuestions(
        SETTINGS,
        ENTROPY,
        lambda peer: SenderClass.CONTACT if peer == contact else SenderClass.STRANGER,
    )
    asked.ask_again(contact, LAN, 1.0)
    for number in range(2 * SETTINGS.clock_questions):
        asked.ask_again(number.to_bytes(32, "big"), LAN, 1.0)
    assert contact in asked._asked


def test_one_peer_gets_few_answers_about_our_clock() -> None:
    anna, bob = Party(1), Party(2)
    wire = Wire([anna, bob])
    for number in range(200):
        nonce = number.to_bytes(CLOCK_NONCE_BYTES, "big")
        wire.send_to_peer(anna, bob, ClockRequest(nonce), None)
    assert bob.gossip.counters().clocks >= 20
    answers = {datagram for sender, _, datagram in wire.carried if sender is bob}
    assert len(answers) <= 2 * 2 * SETTINGS.clock_answers_per_peer_per_s + 2 * len(
        SETTINGS.clock_question_after_s
    )


def test_what_is_recent_is_bounded() -> None:
    recent: RecentMap[int, bool] = RecentMap(8)
    for number in range(100):
        recent.set(number, value=True)
    assert 8 <= len(recent) <= 16
    assert 99 in recent


def test_of_more_peers_than_are_let_through_in_a_flood_those_who_spoke_last_come_first() -> None:
    topics = SignalTopics(Party(2).identity, Acquaintances())
    topics.set_date(1_800_000_000_000, 0.0)
    heard = [Identity(ENTROPY(32)).public_key for _ in range(5)]
    for number in range(MAX_HEARD):
        topics.acquaint(Identity(ENTROPY(32)).public_key)
        if number % 40 == 0:  # they speak on; the others said something once
            for peer in heard:
                topics.acquaint(peer)
    first = [topics.get(topic) for topic in topics.expected()[:500]]
    of_them = [listening for listening in first if listening is not None and listening.peer in set(heard)]
    assert len(of_them) == 2 * len(heard)

"""Conversations between sessions over a wire that loses, and with people who were not invited."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from blink_cli.core.gossip import (
    GossipCounters,
    GossipSettings,
    Path,
    PathKind,
    Received,
    Transmit,
    unicast_path,
)
from blink_cli.core.gossip.datagram import write_datagrams
from blink_cli.core.ids import CallId
from blink_cli.core.signaling.channel_seal import open_part, seal_message
from blink_cli.core.signaling.signals import (
    Cancel,
    CurrentKey,
    Decline,
    Leave,
    Offer,
    Presence,
    Redial,
    SessionDescription,
)
from blink_cli.core.signaling.topics import (
    Channel,
    Topic,
    call_channel,
    day_of,
    key_id_of,
    public_channel,
)
from tests.core.gossip.parts import (
    CALL_ID,
    GROUP_KEY,
    LAN,
    LOOPBACK,
    Party,
    Wire,
    announce,
    offer,
    pair_secret,
    to_public,
)

LONG_SDP = "".join(
    f"a=candidate:{n} 1 udp {n * 7919 % 2**31} 10.{n % 256}.7.{n % 99} typ host\r\n" for n in range(140)
)


def total(counters: GossipCounters) -> int:
    """How many datagrams are accounted for."""
    names = type(counters).__struct_fields__
    return sum(
        getattr(counters, name)
        for name in names[names.index("oversize") : names.index("acknowledgements_received") + 1]
    )


@pytest.fixture
def anna() -> Party:
    return Party(1)


@pytest.fixture
def bob() -> Party:
    return Party(2)


@pytest.fixture
def carl() -> Party:
    return Party(3)


@pytest.fixture
def wire(anna: Party, bob: Party, carl: Party) -> Iterator[Wire]:
    made = Wire([anna, bob, carl])
    yield made
    for party in made.parties:
        counters = party.gossip.counters()
        assert total(counters) == counters.received


def in_call(*parties: Party) -> None:
    for party in parties:
        party.gossip.open_call(CALL_ID, GROUP_KEY, tuple(other.did for other in parties))


def test_an_offer_reaches_its_peer_and_nobody_else_and_is_acknowledged(
    wire: Wire, anna: Party, bob: Party, carl: Party
) -> None:
    wire.send_to_peer(anna, bob, offer(anna, bob))
    assert bob.received == [offer(anna, bob)]
    assert bob.deliveries[0].sender == anna.did
    assert bob.deliveries[0].call_id is None
    assert anna.acknowledged == [offer(anna, bob)]
    assert carl.told == []
    assert anna.gossip.next_timeout() is None


def test_without_an_answer_it_is_repeated_ever_more_slowly_until_it_is_stopped(
    wire: Wire, anna: Party, bob: Party
) -> None:
    wire.loss = 1.0
    wire.send_to_peer(anna, bob, offer(anna, bob))
    times: list[float] = []
    while len(times) < 9:
        due_s = anna.gossip.next_timeout()
        assert due_s is not None
        times.append(due_s - 100.0)
        wire.run(due_s - wire.now_s)
    gaps = [round(b - a, 3) for a, b in zip([0.0, *times], times, strict=False)]
    assert gaps == [0.08, 0.15, 0.3, 0.6, 1.0, 2.0, 2.0, 2.0, 2.0]
    anna.gossip.stop_sending(CALL_ID, bob.did)
    assert anna.gossip.next_timeout() is None


def test_stopping_for_one_peer_leaves_the_others(wire: Wire, anna: Party, bob: Party, carl: Party) -> None:
    wire.loss = 1.0
    wire.send_to_peer(anna, bob, offer(anna, bob, carl))
    wire.send_to_peer(anna, carl, offer(anna, bob, carl))
    anna.gossip.stop_sending(CALL_ID, bob.did)
    wire.loss = 0.0
    wire.run(1.0)
    assert bob.received == []
    assert carl.received == [offer(anna, bob, carl)]


def test_a_lost_acknowledgement_is_said_again_and_the_signal_delivered_once(
    wire: Wire, anna: Party, bob: Party
) -> None:
    for effect in anna.gossip.send_to_peer(bob.did, offer(anna, bob), CALL_ID, wire.now_s, wire.wall_s(anna)):
        # Bob hears it; what he answers is lost.
        heard = bob.gossip.receive(effect.datagram, LAN, anna.address, wire.now_s, wire.wall_s(bob))
        bob.told += [one for one in heard if isinstance(one, Received)]
        assert bob.gossip.confirm_offer(anna.did, CALL_ID)
    wire.run(0.2)
    assert bob.received == [offer(anna, bob)]
    assert anna.acknowledged == [offer(anna, bob)]
    assert bob.gossip.counters().acknowledgements_sent == 2


@pytest.mark.parametrize("seed", range(20))
def test_with_thirty_percent_lost_every_offer_arrives_and_soon(anna: Party, bob: Party, seed: int) -> None:
    wire = Wire([anna, bob], loss=0.3, seed=seed)
    wire.send_to_peer(anna, bob, offer(anna, bob))
    wire.run(5.0)
    assert bob.received == [offer(anna, bob)], f"seed {seed}"
    assert anna.acknowledged == [offer(anna, bob)], f"seed {seed}"


def test_a_long_description_is_cut_and_put_together_although_a_third_is_lost(anna: Party, bob: Party) -> None:
    wire = Wire([anna, bob], loss=0.3, seed=5)
    in_call(anna, bob)
    description = SessionDescription(CALL_ID, "offer", 1, 1, 1, LONG_SDP)
    wire.send_to_peer(anna, bob, description)
    assert len({datagram[3] for _, _, datagram in wire.carried if datagram[4] > 1}) > 1, (
        "must be several fragments"
    )
    wire.run(5.0)
    assert bob.received == [description]
    assert bob.deliveries[0].call_id == CALL_ID


def test_presence_is_sent_once_and_wants_no_acknowledgement(wire: Wire, anna: Party, bob: Party) -> None:
    wire.send_to_peer(anna, bob, Presence("anna", reply_wanted=True), call_id=None)
    assert bob.received == [Presence("anna", reply_wanted=True)]
    assert anna.told == []
    assert anna.gossip.next_timeout() is None


def test_anything_but_an_offer_is_given_up_after_a_minute(wire: Wire, anna: Party, bob: Party) -> None:
    wire.loss = 1.0
    wire.send_to_peer(anna, bob, Cancel(CALL_ID))
    wire.run(70.0)
    assert anna.gossip.next_timeout() is None
    assert anna.gossip.counters().given_up == 1


def test_an_offer_that_rings_for_ten_minutes_still_arrives(wire: Wire, anna: Party, bob: Party) -> None:
    wire.loss = 1.0
    wire.send_to_peer(anna, bob, offer(anna, bob))
    wire.run(600.0)
    wire.loss = 0.0
    wire.run(3.0)
    assert bob.received == [offer(anna, bob)]


def test_a_signal_to_the_call_reaches_everyone_in_it(
    wire: Wire, anna: Party, bob: Party, carl: Party
) -> None:
    in_call(anna, bob, carl)
    wire.send_to_call(anna, announce())
    assert bob.received == carl.received == [announce()]
    assert bob.deliveries[0].call_id == CALL_ID
    assert bob.deliveries[0].sender == anna.did
    assert anna.received == []


def test_copies_follow_at_short_distances_and_also_after_the_call_was_closed(
    wire: Wire, anna: Party, bob: Party
) -> None:
    in_call(anna, bob)
    wire.loss = 1.0
    wire.send_to_call(anna, Leave(1), copies=2)
    anna.gossip.close_call(CALL_ID)
    wire.loss = 0.0
    wire.run(0.2)
    assert bob.received == [Leave(1)]
    assert bob.gossip.counters().duplicates == 1


def test_closing_a_call_stops_what_needs_its_key_and_not_a_cancel(
    wire: Wire, anna: Party, bob: Party
) -> None:
    in_call(anna, bob)
    wire.loss = 1.0
    wire.send_to_peer(anna, bob, Redial(CALL_ID, 1, 1, 1))
    wire.send_to_peer(anna, bob, Cancel(CALL_ID))
    anna.gossip.close_call(CALL_ID)
    wire.loss = 0.0
    wire.run(1.0)
    assert bob.received == [Cancel(CALL_ID)]


def test_after_closing_nothing_of_the_call_is_heard(wire: Wire, anna: Party, bob: Party) -> None:
    in_call(anna, bob)
    bob.gossip.close_call(CALL_ID)
    wire.send_to_call(anna, announce())
    assert bob.told == []
    assert bob.gossip.counters().not_for_us == 1


@pytest.mark.parametrize("minutes", [-4, 4])
def test_clocks_four_minutes_apart_work(wire: Wire, anna: Party, bob: Party, minutes: float) -> None:
    bob.clock_error_s = minutes * 60.0
    in_call(anna, bob)
    wire.send_to_peer(anna, bob, offer(anna, bob))
    wire.send_to_call(bob, announce())
    assert bob.received == [offer(anna, bob)]
    assert anna.received == [announce()]


def test_two_sessions_of_one_identity_hear_each_other(anna: Party, bob: Party) -> None:
    twin = Party(1, seed=1)
    twin.address = ("192.0.2.9", 9)
    wire = Wire([anna, twin, bob])
    in_call(anna, twin)
    wire.send_to_call(anna, announce())
    wire.send_to_peer(bob, anna, offer(bob, anna))
    assert twin.received == [announce(), offer(bob, anna)]
    assert anna.received == [offer(bob, anna)]


# Carl is on the network, hears everything, and was not invited.


def heard_by_carl(wire: Wire) -> list[bytes]:
    return [datagram for _, _, datagram in wire.carried]


def test_who_is_not_invited_learns_no_did_call_id_key_or_nickname_from_the_wire(
    wire: Wire, anna: Party, bob: Party
) -> None:
    in_call(anna, bob)
    wire.send_to_peer(anna, bob, offer(anna, bob))
    wire.send_to_peer(anna, bob, SessionDescription(CALL_ID, "offer", 1, 1, 1, "v=0"))
    wire.send_to_call(bob, announce())
    told = b"".join(heard_by_carl(wire))
    for secret in (
        anna.did.encode(),
        bob.did.encode(),
        anna.identity.public_key,
        bob.identity.public_key,
        CALL_ID.encode(),
        bytes.fromhex(CALL_ID),
        GROUP_KEY,
        b"anna",
    ):
        assert secret not in told


def test_who_is_not_invited_cannot_open_an_offer_even_on_a_topic_of_his(
    wire: Wire, anna: Party, bob: Party, carl: Party
) -> None:
    wire.send_to_peer(anna, bob, offer(anna, bob))
    wire.send_to_peer(anna, carl, Presence("anna", reply_wanted=False), call_id=None)
    carls_topic = next(datagram for datagram in reversed(heard_by_carl(wire)))[5:21]
    before = carl.gossip.counters()
    for datagram in heard_by_carl(wire):
        if len(datagram) > 60:
            moved = datagram[:5] + carls_topic + datagram[21:]
            wire.put(carl, moved, LAN, anna.address)
    assert carl.received == [Presence("anna", reply_wanted=False)]
    after = carl.gossip.counters()
    assert after.unopened + after.unknown_prekeys > before.unopened + before.unknown_prekeys


def test_who_is_not_invited_cannot_join_or_make_anyone_leave(
    wire: Wire, anna: Party, bob: Party, carl: Party
) -> None:
    in_call(anna, bob)
    wire.send_to_call(anna, announce())
    topic = heard_by_carl(wire)[-1][5:21]
    # Carl opens a call of his own with the same id, and puts what he seals with his key on the topic that he heard.
    carl.gossip.open_call(CALL_ID, b"c" * 32, (bob.did, carl.did))
    before = list(bob.told)
    for signal in (announce(), Leave(1)):
        for effect in carl.gossip.send_to_call(CALL_ID, signal, 0, wire.now_s, wire.wall_s(carl)):
            moved = effect.datagram[:5] + topic + effect.datagram[21:]
            wire.put(bob, moved, LAN, carl.address)
    assert bob.told == before
    assert bob.gossip.counters().unopened == 2


def test_who_is_not_invited_cannot_put_a_description_on_the_calls_topic(
    wire: Wire, anna: Party, bob: Party, carl: Party
) -> None:
    in_call(anna, bob)
    wire.send_to_peer(anna, bob, Redial(CALL_ID, 1, 1, 1))
    topic = next(datagram for sender, _, datagram in wire.carried if sender is anna)[5:21]
    carl.gossip.open_call(CALL_ID, b"c" * 32, (bob.did, carl.did))
    before = list(bob.told)
    for effect in carl.gossip.send_to_peer(
        bob.did, Redial(CALL_ID, 1, 1, 1), CALL_ID, 100.0, wire.wall_s(carl)
    ):
        moved = effect.datagram[:5] + topic + effect.datagram[21:]
        wire.put(bob, moved, LAN, carl.address)
    assert bob.told == before


def test_who_is_invited_cannot_speak_as_another(wire: Wire, anna: Party, bob: Party, carl: Party) -> None:
    # Carl holds the group key, and tries to make Bob believe that Anna left: he seals her words again under a new id.
    in_call(anna, bob, carl)
    wire.send_to_call(anna, announce())
    said = next(datagram for sender, _, datagram in wire.carried if sender is anna)
    channel = call_channel(GROUP_KEY, CALL_ID)
    message = open_part(said[37:], channel.key, said[5:37], 0, 1)
    again = said[:21] + b"n" * 16 + seal_message(message, channel, b"n" * 16)[0]
    parts = msgspec.msgpack.decode(message[1:])
    parts[4] = msgspec.msgpack.encode(Leave(1))
    changed = (
        said[:21]
        + b"m" * 16
        + seal_message(message[:1] + msgspec.msgpack.encode(parts), channel, b"m" * 16)[0]
    )
    before = list(bob.told)
    for datagram in (again, changed):
        wire.put(bob, datagram, LAN, carl.address)
    assert bob.told == before
    assert bob.gossip.counters().forgeries == 2


def test_a_signal_on_a_topic_where_it_does_not_belong_is_refused(wire: Wire, anna: Party, bob: Party) -> None:
    # Bob's own topics take no announce, although Anna sealed and signed it well.
    misplaced: Any = announce()
    wire.send_to_peer(anna, bob, misplaced)
    assert bob.told == []
    assert bob.gossip.counters().malformed == 1


def test_nobody_speaks_on_a_topic_of_two_others(wire: Wire, anna: Party, bob: Party, carl: Party) -> None:
    # Carl would need the secret of the two; and if he had it, what he signs would not be taken there.
    wire.send_to_peer(bob, anna, Presence("bob", reply_wanted=False), call_id=None)
    with patch.object(carl.gossip._topics._secrets, "of", return_value=pair_secret(anna, bob)):
        carl.gossip._channels.answered(bob.identity.public_key, wire.now_s)
        wire.send_to_peer(carl, bob, Cancel(CALL_ID))
    assert bob.received == []
    assert bob.gossip.counters().malformed == 1


def test_a_description_of_another_call_is_refused(wire: Wire, anna: Party, bob: Party) -> None:
    in_call(anna, bob)
    wire.send_to_peer(anna, bob, Redial(CallId("f" * 32), 1, 1, 1), call_id=CALL_ID)
    assert bob.told == []
    assert bob.gossip.counters().malformed == 1


def test_a_forged_acknowledgement_stops_nothing(wire: Wire, anna: Party, bob: Party) -> None:
    wire.loss = 1.0
    wire.send_to_peer(anna, bob, offer(anna, bob))
    said = heard_by_carl(wire)[-1]
    for topic in (said[5:21], said[21:37], bytes(16), b"\xff" * 16, *anna.gossip.topics()):
        for sealed in (
            said[37:],
            seal_message(b"\x00" + bytes(16), Channel(Topic(topic), bytes(32)), bytes(16))[0],
        ):
            forged = said[:5] + topic + said[21:37] + sealed
            wire.do(anna, anna.gossip.receive(forged, LAN, ("192.0.2.66", 1), wire.now_s, wire.wall_s(anna)))
    assert anna.acknowledged == []
    wire.loss = 0.0
    wire.run(0.1)
    assert anna.acknowledged == [offer(anna, bob)]


def test_replays_are_refused_now_and_later(anna: Party, bob: Party) -> None:
    wire = Wire([anna, bob])
    in_call(anna, bob)
    wire.send_to_peer(anna, bob, offer(anna, bob))
    wire.send_to_call(anna, Leave(1))
    told = list(bob.told)
    recorded = [datagram for sender, _, datagram in wire.carried if sender is anna]
    for later_s in (0.0, 30.0, 200.0, 400.0):
        for attempt in (0, 7):
            for datagram in recorded:
                again = datagram[:2] + bytes([attempt]) + datagram[3:]
                effects = bob.gossip.receive(
                    again, LAN, ("192.0.2.66", 1), wire.now_s + later_s, wire.wall_s(bob) + later_s
                )
                assert not any(isinstance(effect, Received) for effect in effects)
    assert bob.told == told


def test_a_replay_is_refused_although_its_id_was_forgotten_by_the_first_sieve(anna: Party) -> None:
    bob = Party(2, settings=GossipSettings(delivered_messages=1, seen_datagrams=1))
    wire = Wire([anna, bob])
    in_call(anna, bob)
    for sequence in range(6):
        wire.send_to_call(anna, announce(sequence))
    recorded = [datagram for _, _, datagram in wire.carried]
    assert len(bob.received) == 6
    for datagram in recorded:
        wire.do(bob, bob.gossip.receive(datagram, LAN, anna.address, wire.now_s, wire.wall_s(bob)))
    assert len(bob.received) == 6
    assert bob.gossip.counters().replays >= 4


def test_replayed_signals_do_not_make_us_answer_without_end(anna: Party, bob: Party) -> None:
    wire = Wire([anna, bob])
    wire.send_to_peer(anna, bob, offer(anna, bob))
    said = next(datagram for sender, _, datagram in wire.carried if sender is anna)
    answers = 0
    for number in range(5_000):
        again = said[:1] + bytes([number % 8, number % 250 + 1]) + said[3:]
        answers += len(bob.gossip.receive(again, LAN, ("192.0.2.66", number), wire.now_s, wire.wall_s(bob)))
    assert answers <= 100


# Floods.


def test_a_stranger_who_signs_well_cannot_spend_what_belongs_to_others(
    wire: Wire, anna: Party, bob: Party, carl: Party
) -> None:
    wire.parties = [anna, bob]
    in_call(anna, bob)
    wire.send_to_call(anna, announce())
    for number in range(300):
        for effect in carl.gossip.send_to_peer(
            bob.did, Decline(CALL_ID), CallId(f"{number:032x}"), wire.now_s, wire.wall_s(carl)
        ):
            wire.do(bob, bob.gossip.receive(effect.datagram, LAN, carl.address, wire.now_s, wire.wall_s(bob)))
    counters = bob.gossip.counters()
    assert counters.rate_limited >= 200
    # A peer that spoke before, a stranger, and a participant are heard all the same.
    dora = Party(4)
    wire.parties = [anna, bob, dora]
    bob.told.clear()
    wire.send_to_peer(anna, bob, offer(anna, bob))
    wire.send_to_peer(dora, bob, offer(dora, bob))
    wire.send_to_call(anna, announce(2))
    assert bob.received == [offer(anna, bob), offer(dora, bob), announce(2)]


def test_strangers_from_many_addresses_cannot_spend_what_belongs_to_proven_ones(
    wire: Wire, anna: Party, bob: Party
) -> None:
    in_call(anna, bob)
    wire.send_to_call(anna, announce())
    # Whoever knows Bob's DID can seal for his public topic what looks as if it were sealed to him.
    for number in range(2_000):
        message_id = number.to_bytes(16, "big")
        garbage = to_public(bob, message_id, bytes(200))
        bob.gossip.receive(garbage, LAN, (f"198.51.100.{number % 250}", number), wire.now_s, wire.wall_s(bob))
    assert 50 <= bob.gossip.counters().unopened <= 100, "public-key operations"
    bob.told.clear()
    wire.send_to_peer(anna, bob, offer(anna, bob))
    assert bob.received == [offer(anna, bob)]


def test_what_is_kept_stays_bounded_whatever_strangers_send(wire: Wire, anna: Party, bob: Party) -> None:
    channel = public_channel(bob.identity.public_key, day_of(round(wire.wall_s(bob) * 1000)))
    wire.send_to_peer(anna, bob, Presence("", reply_wanted=False), call_id=None)
    parts: dict[int, tuple[bytes, ...]] = {}
    for number in range(30_000):
        message_id = (number // 3).to_bytes(16, "big")
        if number % 3 == 0:
            parts[0] = seal_message(bytes(4_000), channel, message_id)
        said = [*write_datagrams(channel.topic, message_id, parts[0], ttl=number % 9, attempt=number % 256)]
        source = (f"198.51.100.{number % 250}", number % 60_000)
        bob.gossip.receive(said[number % 3], LAN, source, wire.now_s + number / 10_000, wire.wall_s(bob))
    machine = bob.gossip
    settings = GossipSettings()
    assert all(len(held) <= settings.partial_messages for held in machine._reassembly.values())
    assert len(machine._seen) <= 2 * settings.seen_datagrams
    assert len(machine._delivered) <= 2 * settings.delivered_messages
    assert len(machine._dates._replay) <= 1_024
    assert len(machine._relay._waiting) <= settings.max_relays_waiting
    for budget in (
        machine._admission._strangers,
        machine._admission._members,
        *machine._admission._of_class.values(),
    ):
        assert len(budget._sources) <= settings.sources
    assert machine.counters().reassembly_evictions > 1_000


# Relays and neighbours.


def test_between_two_lans_a_session_on_both_passes_signals_on_in_both_directions() -> None:
    other_lan = Path(PathKind.LAN, "198.51.100.1")
    anna, both, bob = Party(1), Party(2, paths=(LAN, other_lan)), Party(3, paths=(other_lan,))
    wire = Wire([anna, both, bob])
    wire.send_to_peer(anna, bob, offer(anna, bob))
    wire.run(1.0)
    assert bob.received == [offer(anna, bob)]
    assert anna.acknowledged == [offer(anna, bob)]


def test_of_many_relays_between_two_lans_most_keep_quiet() -> None:
    other_lan = Path(PathKind.LAN, "198.51.100.1")
    anna, bob = Party(1), Party(2, paths=(other_lan,))
    relays = [Party(number, paths=(LAN, other_lan)) for number in range(3, 13)]
    wire = Wire([anna, bob, *relays])
    wire.send_to_peer(anna, bob, Presence("anna", reply_wanted=False), call_id=None)
    wire.run(1.0)
    assert bob.received == [Presence("anna", reply_wanted=False)]
    assert sum(relay.gossip.counters().relayed for relay in relays) == 1
    assert sum(relay.gossip.counters().relays_spared for relay in relays) == 9


def test_multicast_is_not_repeated_on_its_lan_nor_carried_between_loopback_and_lan() -> None:
    anna, both = Party(1), Party(2, paths=(LAN, LOOPBACK))
    wire = Wire([anna, both])
    wire.send_to_peer(anna, Party(9), Presence("anna", reply_wanted=False), call_id=None)
    wire.run(1.0)
    assert [sender for sender, _, _ in wire.carried] == [anna]


def test_a_chain_of_lans_is_passed_as_far_as_the_time_to_live_reaches() -> None:
    lans = [Path(PathKind.LAN, f"10.0.{number}.1") for number in range(8)]
    links = [Party(number + 1, paths=(lans[number], lans[number + 1])) for number in range(7)]
    sender, near, far = Party(20, paths=(lans[0],)), Party(21, paths=(lans[4],)), Party(22, paths=(lans[6],))
    wire = Wire([sender, near, far, *links])
    for receiver in (near, far):
        wire.send_to_peer(sender, receiver, Presence("", reply_wanted=False), call_id=None)
    wire.run(1.0)
    assert len(near.received) == 1
    assert far.received == []


def test_a_loop_of_lans_carries_each_datagram_once_around() -> None:
    lans = [Path(PathKind.LAN, f"10.0.{number}.1") for number in range(3)]
    links = [Party(number + 1, paths=(lans[number], lans[(number + 1) % 3])) for number in range(3)]
    sender, receiver = Party(20, paths=(lans[0],)), Party(21, paths=(lans[1],))
    wire = Wire([sender, receiver, *links])
    wire.send_to_peer(sender, receiver, Presence("", reply_wanted=False), call_id=None)
    wire.run(1.0)
    assert len(receiver.received) == 1
    assert len(wire.carried) <= 4


def test_one_sides_neighbour_serves_both_and_the_sessions_behind() -> None:
    # Anna knows Bob's address; multicast does not pass between them. Carl is on Bob's machine.
    bob = Party(2, paths=(LOOPBACK,))
    carl = Party(3, paths=(LOOPBACK,))
    anna = Party(1, paths=(unicast_path(bob.address),))
    wire = Wire([anna, bob, carl])
    wire.run(0.1)
    wire.send_to_peer(bob, anna, offer(bob, anna))
    wire.send_to_peer(carl, anna, offer(carl, anna))
    wire.send_to_peer(anna, carl, offer(anna, carl))
    wire.run(1.0)
    assert anna.received == [offer(bob, anna), offer(carl, anna)]
    assert carl.received == [offer(anna, carl)]
    assert carl.acknowledged == [offer(carl, anna)]


def test_a_spoofed_hello_makes_us_send_one_small_challenge_and_nothing_more(anna: Party, bob: Party) -> None:
    hello = next(
        effect.datagram
        for party in [Party(5, paths=(unicast_path(bob.address),))]
        for effect in party.gossip.handle_timeout(0.0, 0.0)
        if isinstance(effect, Transmit)
    )
    victim = ("203.0.113.7", 53)
    sent = bob.gossip.receive(hello, unicast_path(victim), victim, 1.0, 1.0)
    assert [len(effect.datagram) for effect in sent if isinstance(effect, Transmit)] == [len(hello)]
    # An echo that was guessed proves nothing.
    guessed = hello[:37] + b"\x02" + b"x" * 16
    assert bob.gossip.receive(guessed, unicast_path(victim), victim, 1.0, 1.0) == []
    (said,) = bob.gossip.send_to_peer(anna.did, Presence("", reply_wanted=False), None, 2.0, 2.0)
    assert said.paths == (LAN,)
    many = sum(
        len(bob.gossip.receive(hello, unicast_path(("203.0.113.7", port)), ("203.0.113.7", port), 3.0, 3.0))
        for port in range(5_000)
    )
    assert many <= 40


def test_a_neighbour_that_falls_silent_is_forgotten_after_a_minute(bob: Party) -> None:
    anna = Party(1, paths=(unicast_path(bob.address),))
    wire = Wire([anna, bob])
    wire.run(0.1)
    carl = Party(3)

    def paths() -> tuple[Path, ...]:
        (said,) = bob.gossip.send_to_peer(
            carl.did, Presence("", reply_wanted=False), None, wire.now_s, wire.wall_s(bob)
        )
        return said.paths

    assert paths() == (LAN, unicast_path(anna.address))
    wire.run(200.0)
    assert paths() == (LAN, unicast_path(anna.address)), "hellos keep it"
    wire.parties.remove(anna)
    wire.run(61.0)
    assert paths() == (LAN,)


def test_repetitions_also_try_the_peers_own_address(wire: Wire, anna: Party, bob: Party) -> None:
    wire.send_to_peer(bob, anna, Presence("bob", reply_wanted=False), call_id=None)
    # Multicast to Bob is cut from now on; his address still works.
    bob.paths = ()
    wire.send_to_peer(anna, bob, offer(anna, bob))
    assert bob.received == []
    wire.run(0.1)
    assert bob.received == [offer(anna, bob)]


def test_what_is_under_way_is_bounded(anna: Party, bob: Party) -> None:
    for number in range(600):
        anna.gossip.send_to_peer(bob.did, Cancel(CALL_ID), CallId(f"{number:032x}"), 1.0, 1.0)
    assert len(anna.gossip._delivery) == GossipSettings().max_outgoing
    assert anna.gossip.counters().given_up == 600 - GossipSettings().max_outgoing


def test_without_paths_nothing_is_transmitted_and_it_goes_out_once_there_are_some(bob: Party) -> None:
    anna = Party(1, paths=())
    wire = Wire([anna, bob])
    wire.send_to_peer(anna, bob, offer(anna, bob))
    assert wire.carried == []
    anna.paths = (LAN,)
    anna.gossip.set_paths((LAN,))
    wire.run(3.0)
    assert bob.received == [offer(anna, bob)]


def test_transmits_name_their_paths(anna: Party, bob: Party) -> None:
    (transmit,) = anna.gossip.send_to_peer(bob.did, Cancel(CALL_ID), CALL_ID, 1.0, 1.0)
    assert isinstance(transmit, Transmit)
    assert transmit.paths == (LAN,)


def test_an_offer_for_the_largest_call_passes(wire: Wire, anna: Party, bob: Party) -> None:
    many = [Party(number) for number in range(3, 33)]
    everyone = offer(anna, bob, *many)
    assert len(everyone.participants) == 32
    wire.send_to_peer(anna, bob, everyone)
    assert bob.received == [everyone]
    assert isinstance(bob.received[0], Offer)


def test_an_offer_is_not_acknowledged_before_it_has_a_place(wire: Wire, anna: Party, bob: Party) -> None:
    bob.has_place = False
    wire.send_to_peer(anna, bob, offer(anna, bob))
    wire.run(20.0)
    assert bob.received == [offer(anna, bob)]
    assert anna.acknowledged == []
    bob.has_place = True
    wire.run(60.0)
    assert anna.acknowledged == [offer(anna, bob)]


def test_a_recording_of_the_call_spends_nothing_of_its_members(wire: Wire, anna: Party, bob: Party) -> None:
    in_call(anna, bob)
    few = GossipSettings(delivered_messages=8, seen_datagrams=8)
    bob = Party(2, settings=few, seed=3)
    wire.parties[1] = bob
    in_call(bob)
    for sequence in range(1, 200):
        wire.send_to_call(anna, announce(sequence))
        wire.run(0.2)
    assert len(bob.received) == 199
    recording = [datagram for sender, _, datagram in wire.carried if sender is anna]
    for _ in range(10):  # 2,000 within this moment, from where anna's come
        for datagram in recording:
            wire.put(bob, datagram, LAN, anna.address)
    wire.send_to_call(anna, announce(1_000))
    assert bob.received[-1] == announce(1_000)
    assert len(bob.received) == 200
    assert bob.gossip.counters().rate_limited == 0


@pytest.mark.parametrize("minutes", [6, 60])
def test_nor_does_one_that_is_too_old_to_be_known(anna: Party, minutes: int) -> None:
    bob = Party(2, settings=GossipSettings(delivered_messages=8, seen_datagrams=8))
    wire = Wire([anna, bob])
    in_call(anna, bob)
    for sequence in range(1, 400):
        wire.send_to_call(anna, announce(sequence))
    recording = [datagram for sender, _, datagram in wire.carried if sender is anna]
    wire.run(60.0 * minutes)
    for _ in range(5):
        for datagram in recording:
            wire.put(bob, datagram, LAN, anna.address)
    wire.send_to_call(anna, announce(1_000))
    assert bob.received[-1] == announce(1_000)


def test_one_participant_spends_nothing_of_another_though_both_come_from_one_address(
    wire: Wire, anna: Party, bob: Party, carl: Party
) -> None:
    in_call(anna, bob, carl)
    broker = ("192.0.2.200", 7)
    for sequence in range(1, 400):
        for effect in carl.gossip.send_to_call(CALL_ID, announce(sequence), 0, wire.now_s, wire.wall_s(carl)):
            wire.put(bob, effect.datagram, LAN, broker)
    assert bob.gossip.counters().rate_limited > 0
    for effect in anna.gossip.send_to_call(CALL_ID, announce(1_000), 0, wire.now_s, wire.wall_s(anna)):
        wire.put(bob, effect.datagram, LAN, broker)
    assert bob.received[-1] == announce(1_000)


def test_a_call_has_several_keys_and_each_is_read_by_those_who_have_it(
    wire: Wire, anna: Party, bob: Party, carl: Party
) -> None:
    in_call(anna, bob, carl)
    later = b"l" * 32
    for party in (anna, bob):
        party.gossip.use_key(CALL_ID, later)
    under = key_id_of(later)
    wire.do(
        anna, anna.gossip.send_to_call(CALL_ID, announce(1), 0, wire.now_s, wire.wall_s(anna), key_id=under)
    )
    assert (bob.received, carl.received) == ([announce(1)], [])
    assert bob.deliveries[0].key_id == under
    wire.send_to_call(anna, Leave(1))
    assert bob.received[-1] == carl.received[-1] == Leave(1)
    assert bob.deliveries[-1].key_id == b""
    bob.gossip.drop_key(CALL_ID, under)
    wire.do(
        anna, anna.gossip.send_to_call(CALL_ID, announce(2), 0, wire.now_s, wire.wall_s(anna), key_id=under)
    )
    assert announce(2) not in bob.received
    anna.gossip.close_call(CALL_ID)
    assert not [
        topic for topic in anna.gossip.expected_topics() if topic == call_channel(later, CALL_ID).topic
    ]


def test_a_newer_offer_takes_the_place_of_the_one_under_way(wire: Wire, anna: Party, bob: Party) -> None:
    wire.loss = 1.0
    wire.send_to_peer(anna, bob, offer(anna, bob))
    newer = msgspec.structs.replace(offer(anna, bob), current=CurrentKey(1, b"l" * 32))
    wire.send_to_peer(anna, bob, newer)
    wire.send_to_peer(anna, bob, Cancel(CALL_ID))
    wire.loss = 0.0
    wire.run(0.5)
    assert set(map(type, bob.received)) == {type(newer), Cancel}
    assert offer(anna, bob) not in bob.received

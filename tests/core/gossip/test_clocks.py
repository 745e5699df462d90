"""Clocks that are wrong, that are set in the middle of everything, and those who repeat what was said on them."""

from random import Random

import pytest

from blink_cli.core.gossip import ClockRead, GossipSettings, Received
from blink_cli.core.signaling.signals import Announce, ClockReply, Decline, Leave, Presence, Signal
from tests.core.gossip.parts import CALL_ID, GROUP_KEY, LAN, Party, Wire, announce, offer

HERE = Presence("anna", reply_wanted=False)
HOUR_S, YEAR_S = 3_600.0, 365 * 86_400.0
FAR_OFF = [HOUR_S, -HOUR_S, 20 * YEAR_S, -20 * YEAR_S, 310.0, -310.0]


def two(error_s: float = 0.0, *, loss: float = 0.0, seed: int = 0) -> tuple[Wire, Party, Party]:
    anna, bob = Party(1, seed=seed), Party(2, seed=seed)
    anna.clock_error_s = error_s
    for party in (anna, bob):
        party.gossip.open_call(CALL_ID, GROUP_KEY, (anna.did, bob.did))
    return Wire([anna, bob], loss=loss, seed=seed), anna, bob


def readings(party: Party) -> list[ClockRead]:
    return [effect for effect in party.told if isinstance(effect, ClockRead)]


def replay_everything(wire: Wire, to: Party) -> list[Signal]:
    """Let one session hear again all that was ever carried, and return what it believes of it."""
    before = len(to.deliveries)
    for sender, _, datagram in list(wire.carried):
        if sender is not to:
            wire.put(to, datagram, LAN, ("192.0.2.66", 6))
    return [effect.signal for effect in to.deliveries[before:]]


@pytest.mark.parametrize("error_s", FAR_OFF)
def test_a_first_contact_with_a_far_off_clock_is_heard_and_its_difference_known(error_s: float) -> None:
    wire, anna, bob = two(error_s)
    wire.send_to_peer(anna, bob, HERE, None)
    wire.run(0.01)
    assert bob.received == [HERE]
    (reading,) = readings(bob)
    assert (reading.peer, reading.proved) == (anna.did, True)
    assert reading.ahead_s == pytest.approx(error_s, abs=0.01)
    assert readings(anna)[-1].ahead_s == pytest.approx(-error_s, abs=0.01)

    wire.send_to_peer(anna, bob, offer(anna, bob))
    wire.send_to_call(bob, announce())
    assert offer(anna, bob) in bob.received
    assert offer(anna, bob) in anna.acknowledged
    assert announce() in anna.received


def test_a_clock_from_before_1970_is_heard_too() -> None:
    wire, anna, bob = two(-100 * YEAR_S)
    for sequence in range(1, 40):
        wire.send_to_call(anna, announce(sequence))
        wire.send_to_call(bob, announce(sequence))
        wire.run(1.0)
    assert len(bob.received) == len(anna.received) == 39


def test_clocks_that_agree_cost_not_one_datagram() -> None:
    wire, anna, bob = two(5.0)
    for _ in range(20):
        wire.send_to_peer(anna, bob, HERE, None)
        wire.send_to_peer(bob, anna, HERE, None)
        wire.run(1.0)
    assert len(wire.carried) == 40 + 1, (
        "the first one went on a public channel too: whether Bob listens was not known"
    )


@pytest.mark.parametrize("error_s", FAR_OFF)
def test_nothing_that_was_said_on_a_far_off_clock_is_believed_twice(error_s: float) -> None:
    wire, anna, bob = two(error_s)
    for sequence in range(1, 400):
        wire.send_to_call(anna, announce(sequence))
        if sequence % 40 == 1:
            wire.send_to_peer(anna, bob, HERE, None)
        wire.run(2.0)
    assert replay_everything(wire, bob) == []
    wire.run(abs(error_s) if abs(error_s) < YEAR_S else 0.0)
    assert replay_everything(wire, bob) == [], "nor when our clock reads what its clock read then"


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S, 20 * YEAR_S, -20 * YEAR_S])
@pytest.mark.parametrize("whose", ["the speaker's", "the listener's"])
def test_a_step_in_the_middle_of_a_call_costs_nothing(whose: str, step_s: float) -> None:
    wire, anna, bob = two()
    for sequence in range(1, 20):
        wire.send_to_call(anna, announce(sequence))
        wire.run(1.0)
    (anna if whose == "the speaker's" else bob).clock_error_s = step_s
    said: list[Signal] = [announce(20), Leave(1)]
    for signal in said:
        wire.send_to_call(anna, signal)  # type: ignore[arg-type] # both are call signals
    assert bob.received[-2:] == said
    wire.run(1.0)
    assert replay_everything(wire, bob) == []


def test_both_learn_of_a_step_in_the_middle_of_a_call() -> None:
    wire, anna, bob = two()
    for party, other in ((anna, bob), (bob, anna)):
        wire.send_to_peer(party, other, HERE, None)
    wire.run(1.0)
    anna.clock_error_s = HOUR_S
    wire.send_to_peer(bob, anna, HERE, None)
    wire.run(1.0)
    assert [round(reading.ahead_s) for reading in readings(bob)] == [3600]
    assert [round(reading.ahead_s) for reading in readings(anna)] == [-3600]


@pytest.mark.parametrize("asleep_s", [12.0, 120.0])
def test_a_clock_that_was_set_while_its_session_stood_still_is_noticed(asleep_s: float) -> None:
    wire, anna, bob = two()
    for party, other in ((anna, bob), (bob, anna)):
        wire.send_to_peer(party, other, HERE, None)
    wire.run(asleep_s)
    assert readings(anna) == readings(bob) == []
    anna.clock_error_s = HOUR_S
    wire.send_to_peer(bob, anna, HERE, None)  # the first that anna hears of anybody
    wire.run(1.0)
    assert [round(reading.ahead_s) for reading in readings(bob)] == [3600]
    assert [round(reading.ahead_s) for reading in readings(anna)] == [-3600]
    before = len(wire.carried)
    for _ in range(20):
        wire.send_to_peer(bob, anna, HERE, None)
        wire.send_to_peer(anna, bob, HERE, None)
        wire.run(1.0)
    assert len(wire.carried) == before + 40, "and asked for no more"


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S])
def test_outside_of_a_call_a_step_is_followed_and_costs_nothing(step_s: float) -> None:
    anna, bob = Party(1), Party(2)
    wire = Wire([anna, bob])
    wire.send_to_peer(anna, bob, HERE, None)
    wire.run(1.0)
    anna.clock_error_s = step_s
    wire.send_to_peer(anna, bob, offer(anna, bob))
    wire.run(1.5)
    assert bob.received == [HERE, offer(anna, bob)]
    assert anna.acknowledged == [offer(anna, bob)]
    wire.run(1.0)
    assert replay_everything(wire, bob) == []


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S, -200.0])
def test_a_session_that_begins_again_on_a_clock_that_was_set_is_heard(step_s: float) -> None:
    wire, anna, bob = two()
    for sequence in range(1, 500):
        wire.send_to_call(anna, announce(sequence))
        wire.run(1.0)
    again = Party(1, seed=9)
    again.clock_error_s = step_s
    again.gossip.open_call(CALL_ID, GROUP_KEY, (anna.did, bob.did))
    wire.parties[0] = again
    wire.send_to_call(again, announce(1_000))
    wire.run(0.5)
    assert announce(1_000) in bob.received
    # Its clock runs through the hour that the first one has run through, and somebody has recorded that.
    assert replay_everything(wire, bob) == []
    for sequence in range(1_001, 1_300):
        wire.send_to_call(again, announce(sequence))
        wire.run(2.0)
    assert [signal.sequence for signal in bob.received if isinstance(signal, Announce)][-299:] == [
        *range(1_001, 1_300)
    ]
    assert replay_everything(wire, bob) == []


def test_two_sessions_of_one_identity_with_an_hour_between_them_are_both_heard() -> None:
    wire, anna, bob = two(HOUR_S)
    twin = Party(1, seed=5)
    twin.clock_error_s = -HOUR_S
    twin.gossip.open_call(CALL_ID, GROUP_KEY, (anna.did, bob.did))
    wire.parties.append(twin)
    heard = set()
    for sequence in range(1, 20):
        wire.send_to_call(anna, announce(sequence))
        wire.send_to_call(twin, announce(100 + sequence))
        wire.run(1.0)
        heard = {signal.sequence for signal in bob.received if isinstance(signal, Announce)}
    assert set(range(5, 20)) <= heard
    assert {100 + sequence for sequence in range(5, 20)} <= heard
    assert replay_everything(wire, bob) == []


@pytest.mark.parametrize("seed", range(10))
def test_a_far_off_clock_is_learned_under_loss_too(seed: int) -> None:
    wire, anna, bob = two(HOUR_S, loss=0.3, seed=seed)
    wire.send_to_peer(anna, bob, Decline(CALL_ID))
    wire.run(8.0)
    assert Decline(CALL_ID) in bob.received, f"seed {seed}"


def test_a_leave_that_is_said_once_on_an_unknown_clock_is_kept_until_the_answer() -> None:
    wire, anna, bob = two(-HOUR_S)
    wire.send_to_call(anna, Leave(1))
    assert bob.received == [Leave(1)]


def test_of_a_peer_that_does_not_answer_only_the_difference_is_told() -> None:
    wire, anna, bob = two(HOUR_S)
    recorded = Wire([anna])
    for _ in range(4):
        recorded.send_to_peer(anna, bob, HERE, None)
        recorded.run(1.0)
    wire.parties.remove(anna)
    for _, _, datagram in recorded.carried:
        wire.put(bob, datagram, LAN, ("192.0.2.66", 6))
    wire.run(5.0)
    assert bob.received == []
    reading = readings(bob)[-1]
    assert (reading.peer, reading.proved) == (anna.did, False)
    assert reading.ahead_s == pytest.approx(HOUR_S, abs=6)


def test_an_answer_to_no_question_changes_nothing() -> None:
    wire, anna, bob = two(HOUR_S)
    reply = ClockReply(b"n" * 16, b"t" * 16, 5)
    wire.send_to_peer(anna, bob, reply, None)
    wire.run(0.5)
    assert not [effect for effect in bob.told if isinstance(effect, Received)]
    assert readings(bob) == []


def test_replayed_questions_do_not_make_us_answer_without_end() -> None:
    wire, anna, bob = two(HOUR_S)
    wire.send_to_peer(anna, bob, HERE, None)
    questions = [datagram for sender, _, datagram in wire.carried if sender is bob]
    for attempt in range(200):
        for datagram in questions:
            wire.put(anna, datagram[:2] + bytes((attempt,)) + datagram[3:], LAN, ("192.0.2.66", attempt + 1))
    sent = sum(sender is anna for sender, _, _ in wire.carried)
    assert sent <= 20


def test_what_is_kept_and_asked_for_strangers_stays_bounded() -> None:
    bob = Party(200)
    settings = GossipSettings()
    wire = Wire([bob])
    for number in range(1, 200):
        stranger = Party(number)
        stranger.clock_error_s = 10 * YEAR_S
        for _ in range(3):
            for effect in stranger.gossip.send_to_peer(
                bob.did, Presence("x" * 60, reply_wanted=True), None, wire.now_s, wire.wall_s(stranger)
            ):
                wire.put(bob, effect.datagram, LAN, ("192.0.2.9", 1_000 + number))
        wire.run(0.05)
    clocks = bob.gossip._dates._questions
    assert sum(len(asked.kept) for asked in clocks._asked.values()) <= settings.kept_messages
    assert len(clocks._asked) <= settings.clock_questions
    asked = sum(sender is bob for sender, _, _ in wire.carried)
    assert asked <= 2 * settings.clock_questions_per_s * (10 + 2), "two paths for each question"


@pytest.mark.parametrize("seed", range(40))
def test_whatever_the_clocks_do_nothing_is_believed_twice_and_the_last_word_always(seed: int) -> None:
    """Steps, restarts and a recorder that repeats everything, drawn from the seed; loss only while they last."""
    random = Random(seed)
    wire, anna, bob = two(random.choice((0.0, HOUR_S, -HOUR_S, 200.0)), loss=0.1, seed=seed)
    speaker, heard = anna, 0
    for sequence in range(1, 61):
        match random.randrange(8):
            case 0:
                speaker.clock_error_s += random.choice((HOUR_S, -HOUR_S, YEAR_S, -YEAR_S, 100.0, -100.0))
            case 1:
                bob.clock_error_s += random.choice((HOUR_S, -HOUR_S, YEAR_S, -YEAR_S, 100.0, -100.0))
            case 2:
                error_s = speaker.clock_error_s
                speaker = Party(1, seed=seed * 100 + sequence)
                speaker.clock_error_s = error_s + random.choice((0.0, HOUR_S, -HOUR_S))
                speaker.gossip.open_call(CALL_ID, GROUP_KEY, (anna.did, bob.did))
                wire.parties[0] = speaker
            case 3:
                for party, _, datagram in random.sample(wire.carried, min(40, len(wire.carried))):
                    if party is not bob:
                        wire.put(bob, datagram, LAN, ("192.0.2.66", 6))
            case _:
                pass
        wire.send_to_call(speaker, announce(sequence))
        wire.run(random.choice((0.1, 1.0, 100.0)))
        told = [signal.sequence for signal in bob.received[heard:] if isinstance(signal, Announce)]
        heard = len(bob.received)
        assert len(set(told)) == len(told)
    wire.loss = 0.0
    wire.run(5.0)
    wire.send_to_call(speaker, announce(1_000_000))
    wire.run(5.0)
    announced = [signal.sequence for signal in bob.received if isinstance(signal, Announce)]
    assert announced[-1] == 1_000_000, f"seed {seed}: not heard at last"
    replay_everything(wire, bob)  # some were lost, and are late now
    announced = [signal.sequence for signal in bob.received if isinstance(signal, Announce)]
    assert len(announced) == len(set(announced)), f"seed {seed}: believed twice"

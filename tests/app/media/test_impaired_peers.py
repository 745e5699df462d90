"""Which links are impaired: the last word counts, single peers before everybody, and each call begins anew."""

import pytest

from blink_cli.app.media.impaired_peers import ImpairedPeers, Rule
from blink_cli.core.api.requests import BOTH_WAYS
from blink_cli.core.ids import Did
from blink_cli.core.impairment.conditions import Conditions

pytestmark = pytest.mark.no_clock

OUT = BOTH_WAYS[1:]
ALICE, BOB, CAROL = Did("did:key:z6MkAlice"), Did("did:key:z6MkBob"), Did("did:key:z6MkCarol")
LOSSY, LATE = Rule(Conditions(loss=0.1), 1), Rule(Conditions(delay_ms=50), 2)


def conditions(impaired: ImpairedPeers, peer: Did) -> tuple[Conditions | None, Conditions | None]:
    """What is done to what comes, and to what is sent."""
    link = impaired.link_impairment(peer)
    return (
        None if link.incoming is None else link.incoming.conditions,
        None if link.outgoing is None else link.outgoing.conditions,
    )


def test_nothing_is_impaired_at_first() -> None:
    impaired = ImpairedPeers()
    assert conditions(impaired, BOB) == (None, None)
    assert impaired.state() is None
    assert impaired.note() == ""


def test_everybody_then_one_then_everybody_again() -> None:
    impaired = ImpairedPeers()
    assert conditions(impaired, BOB) == (None, None)
    impaired.change(None, BOTH_WAYS, LOSSY)
    assert conditions(impaired, BOB) == conditions(impaired, CAROL) == (LOSSY.conditions, LOSSY.conditions)
    impaired.change(BOB, OUT, LATE)
    assert conditions(impaired, BOB) == (LOSSY.conditions, LATE.conditions)
    assert conditions(impaired, CAROL) == (LOSSY.conditions, LOSSY.conditions)
    impaired.change(None, OUT, None)
    assert conditions(impaired, BOB) == (LOSSY.conditions, None)
    impaired.change(None, BOTH_WAYS, None)
    assert conditions(impaired, BOB) == (None, None)
    assert impaired.state() is None


def test_one_may_be_spared() -> None:
    impaired = ImpairedPeers()
    impaired.name_with(ALICE, {ALICE: "alice", BOB: "bob", CAROL: "carol"}.__getitem__)
    impaired.change(None, BOTH_WAYS, LOSSY)
    impaired.change(BOB, BOTH_WAYS[:1], None)
    assert conditions(impaired, BOB) == (None, LOSSY.conditions)
    assert conditions(impaired, CAROL) == (LOSSY.conditions, LOSSY.conditions)
    assert impaired.note() == "in and out: loss=10% seed=1; bob in: not at all"
    state = impaired.state()
    assert state is not None
    assert [(rule.nickname, rule.direction, rule.conditions) for rule in state.rules] == [
        (None, "in", "loss=10%"),
        (None, "out", "loss=10%"),
        ("bob", "in", None),
    ]
    assert [(line.nickname, line.direction) for line in state.lines] == [
        ("bob", "out"),
        ("carol", "in"),
        ("carol", "out"),
    ]


def test_a_link_made_anew_meets_the_same_line_and_another_call_a_fresh_one() -> None:
    impaired = ImpairedPeers()
    impaired.change(BOB, BOTH_WAYS, LOSSY)
    first = impaired.link_impairment(BOB)
    way = first.outgoing
    assert way is not None
    assert impaired.link_impairment(BOB) is first
    impaired.end_call()
    assert first.outgoing is None
    again = impaired.link_impairment(BOB)
    assert again is not first
    assert again.outgoing is not None
    assert again.outgoing is not way
    assert conditions(impaired, BOB) == (LOSSY.conditions, LOSSY.conditions)

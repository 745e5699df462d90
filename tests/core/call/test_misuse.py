"""What cannot be done is refused with a sentence, and what a peer may not say is ignored: rules of a call as conversations between sessions."""

import pytest

from blink_cli.core.call.effects import SendToCall
from blink_cli.core.errors import NotFoundError, StateError, UsageError
from blink_cli.core.ids import CallId
from blink_cli.core.signaling.signals import Announce
from tests.core.call.party import Party


def test_impossible_commands_are_explained() -> None:
    party = Party("alice", "bob")
    with pytest.raises(UsageError, match="Nobody was named"):
        party.offer("alice")
    with pytest.raises(UsageError, match="call itself"):
        party.offer("alice", "alice")
    with pytest.raises(UsageError, match="more than 32 goes through an SFU"):
        party.offer("alice", *(f"n{i}" for i in range(32)))
    with pytest.raises(UsageError, match="at most 64"):
        party.offer("alice", *(f"n{i}" for i in range(64)))
    with pytest.raises(StateError, match="not in a call"):
        party.leave("alice")
    with pytest.raises(NotFoundError, match="can be joined"):
        party.accept("alice", CallId("ab" * 16))
    with pytest.raises(NotFoundError):
        party.reject("alice", CallId("ab" * 16))
    call = party.offer("alice", "bob", "bob")
    with pytest.raises(StateError, match="already in that call"):
        party.accept("alice", call)
    party.run(0.1)
    party.reject("bob", call)
    with pytest.raises(StateError, match="does not ring"):
        party.reject("bob", call)


def test_setup_is_quick_although_datagrams_are_lost() -> None:
    took = []
    for seed in range(60):
        party = Party("alice", "bob", seed=seed)
        party.world.weather.loss = 0.3
        call = party.offer("alice", "bob")
        while not party.pending("bob"):
            party.run(0.01)
        began = party.world.now
        party.accept("bob", call)
        while any(party.call(n) is None or party.call(n).state != "in_call" for n in ("alice", "bob")):  # type: ignore[union-attr]
            party.run(0.01)
        took.append(party.world.now - began)
    took.sort()
    assert took[len(took) // 2] < 0.5
    assert took[-1] < 4


def test_announces_come_about_every_second() -> None:
    party = Party("alice", "bob")
    party.in_call("alice", "bob")
    before = len(party.effects)
    party.run(20)
    announces = [
        e
        for n, e in party.effects[before:]
        if n == "alice" and isinstance(e, SendToCall) and isinstance(e.signal, Announce)
    ]
    assert 19 <= len(announces) <= 23

"""Participants that want no links among themselves: everything else about a call is as ever, on every seed."""

from collections.abc import Callable

import pytest

from blink_cli.core.api.events import LinkChanged, LinkState
from blink_cli.core.call import inputs
from blink_cli.core.call.effects import Answer, Dial, SendToCall
from blink_cli.core.call.link import Direct, Link
from blink_cli.core.call.machine import CallMachine
from blink_cli.core.call.recognition import Recognition
from blink_cli.core.ids import Did
from blink_cli.core.signaling.signals import Announce, SessionDescription
from blink_cli.lab.simulation.invariants import check_settled
from blink_cli.lab.simulation.scenario import SeedFailedError, names, run_seed
from tests.core.call.party import Party, did

SEEDS = range(20_000, 20_100)

HALF_KNOWN = 1413
"""One session missed a whole life of another, which crashed and came back with its clock set back; a third waits for that life."""


def _some_unlinked(own: Did, entropy: Callable[[int], bytes]) -> CallMachine:
    """Every other identity of the simulation belongs to the group."""
    machine = CallMachine(own, entropy)
    group = frozenset(names(12)[::2])
    if own in group:
        machine.handle(inputs.LinksNotWanted(group - {own}), 1000.0)
    return machine


def test_the_rules_hold_on_every_seed() -> None:
    failures = []
    joined = 0
    for seed in SEEDS:
        try:
            joined += run_seed(seed, _some_unlinked).longest_call > 1
        except SeedFailedError as failure:
            failures.append(str(failure))
    assert not failures, "\n".join(failures)
    assert joined > len(SEEDS) / 4


def test_the_simulation_notices_a_link_that_nobody_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Link.begin

    def begin(
        self: Link, peer_incarnation: int, direct: Direct, now: float, early: SessionDescription | None = None
    ) -> None:
        wanted, self.wanted = self.wanted, True
        honest(self, peer_incarnation, direct, now, early)
        self.wanted = wanted

    monkeypatch.setattr(Link, "begin", begin)
    with pytest.raises(SeedFailedError, match="where one is wanted"):
        _run_all()


def test_a_life_that_one_never_heard_of_does_not_part_it_from_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_seed(HALF_KNOWN, _some_unlinked, rooms=False)
    monkeypatch.setattr(Recognition, "_is_alive", lambda *_: True)
    with pytest.raises(SeedFailedError, match="present life"):
        run_seed(HALF_KNOWN, _some_unlinked, rooms=False)


def _run_all() -> None:
    for seed in SEEDS:
        run_seed(seed, _some_unlinked)


def _load(*light: str) -> Party:
    """A listener, and light participants that want no links among themselves."""
    party = Party("listener", *light)
    group = frozenset(did(name) for name in light)
    for name in light:
        party.world.input(party.node(name), inputs.LinksNotWanted(group - {did(name)}))
    return party


def _in_call(party: Party, caller: str, *others: str) -> None:
    call_id = party.offer(caller, *others)
    party.run(0.05)
    for name in others:
        party.accept(name, call_id)
    party.run(3.0)


def test_they_are_linked_to_the_others_alone() -> None:
    party = _load("a", "b", "z")
    _in_call(party, "a", "listener", "b", "z")
    assert {party.link("listener", name) for name in "abz"} == {LinkState.CONNECTED}
    for name in "abz":
        assert party.link(name, "listener") is LinkState.CONNECTED
        others = [party.participant(name, other) for other in "abz" if other != name]
        assert all(other.present and other.link is LinkState.ABSENT for other in others)
        assert {event.did for event in party.events(name) if isinstance(event, LinkChanged)} == {
            did("listener")
        }
    group = {did(name) for name in "abz"}
    dialled = [(name, effect.peer) for name, effect in party.effects if isinstance(effect, Dial | Answer)]
    assert dialled
    assert not [one for one in dialled if one[0] != "listener" and one[1] in group]
    check_settled(party.world, ghosts=False)


def test_their_state_and_their_leaving_are_seen_all_the_same() -> None:
    party = _load("a", "b")
    _in_call(party, "a", "listener", "b")
    party.show("a", muted=True)
    party.node("a").flags = (True, False, False)
    party.run(0.5)
    assert party.participant("b", "a").muted
    party.leave("a")
    party.run(0.5)
    assert "participant_left a left" in party.said("b")
    assert party.link("b", "listener") is LinkState.CONNECTED
    check_settled(party.world, ghosts=False)


def test_one_that_vanishes_is_missed_by_the_others_of_its_group() -> None:
    party = _load("a", "b")
    _in_call(party, "a", "listener", "b")
    party.world.crash(party.node("a"))
    party.run(3.5)
    said = [e.signal for name, e in party.effects if name == "b" and isinstance(e, SendToCall)]
    last = next(signal for signal in reversed(said) if isinstance(signal, Announce))
    assert {hearing.did: hearing.link for hearing in last.hears}[did("a")] == "lost"
    party.run(29.5)
    assert "participant_left a lost" in party.said("b")
    assert party.link("b", "listener") is LinkState.CONNECTED


def test_the_call_that_is_entered_next_counts() -> None:
    party = Party("a", "b")
    _in_call(party, "a", "b")
    for name, other in (("a", "b"), ("b", "a")):
        party.world.input(party.node(name), inputs.LinksNotWanted(frozenset({did(other)})))
    party.run(3.0)
    assert party.link("a", "b") is LinkState.CONNECTED
    party.leave("a")
    party.run(1.0)
    _in_call(party, "a", "b")
    assert party.participant("a", "b").present
    assert party.link("a", "b") is LinkState.ABSENT

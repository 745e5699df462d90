"""The rules of a call on a seeded, hostile network: the first test of every one of them."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from blink_cli.core.call.active_call import ActiveCall
from blink_cli.core.call.announcing import Announcer
from blink_cli.core.call.attendance import Attendance
from blink_cli.core.call.call_room import CallRoom
from blink_cli.core.call.call_table import CallTable
from blink_cli.core.call.group_key import CallKeys
from blink_cli.core.call.link import Direct, Link
from blink_cli.core.call.machine import CallMachine
from blink_cli.core.call.membership import CallRecord, Member
from blink_cli.core.call.rekeying import Rekeying
from blink_cli.core.call.room_hearing import RoomHearing
from blink_cli.core.call.transitions import Trigger
from blink_cli.core.call.ways import Ways
from blink_cli.lab.simulation.invariants import check_settled
from blink_cli.lab.simulation.scenario import SeedFailedError, run_seed
from tests.core.call.party import Party

SEEDS = 2000
PER_TEST = 100
LOOKED_AT = 2000
"""Seeds in which a fault must show."""


@pytest.mark.parametrize("first", range(0, SEEDS, PER_TEST))
def test_the_rules_hold_on_every_seed(first: int) -> None:
    failures = []
    joined = 0
    for seed in range(first, first + PER_TEST):
        try:
            joined += run_seed(seed).longest_call > 1
        except SeedFailedError as failure:
            failures.append(str(failure))
    assert not failures, "\n".join(failures)
    assert joined > PER_TEST / 4, "a simulation in which hardly anybody is in a call proves little"


@pytest.mark.parametrize("deaf", [{0, 1, 2, 3}, {1}, {0, 2}], ids=["all", "one", "two"])
def test_where_multicast_has_just_stopped_nothing_is_shown_late(deaf: set[int]) -> None:
    party = Party("alice", "bob", "carol", "dave")
    everyone = party.names
    call = party.in_call(*everyone)
    party.world.deafen(deaf)
    party.show("alice", muted=True)
    party.node("alice").flags = (True, False, False)
    party.run(1.0)
    assert all(party.participant(name, "alice").muted for name in everyone[1:])
    party.leave("dave")
    party.run(1.0)
    for name in everyone[:3]:
        assert "participant_left dave left" in party.said(name)
    party.accept("dave", call)
    party.run(3.0)
    check_settled(party.world, ghosts=False)
    assert not [said for name in everyone for said in party.said(name) if said.endswith(" lost")]


def test_a_seed_always_plays_the_same() -> None:
    assert run_seed(7) == run_seed(7)


Mutation = Callable[[pytest.MonkeyPatch], None]


def _replace(owner: type, name: str, make: Callable[[Any], Any]) -> Mutation:
    """A fault: a method made worse. `make` gets the honest one."""

    def mutate(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(owner, name, make(getattr(owner, name)))

    return mutate


def _loses_for_good(honest: Any) -> Any:
    def lose(self: Link, *args: Any, **named: Any) -> None:
        honest(self, *args, **named)
        self._retry_at = math.inf

    return lose


def _believes_after_leave(honest: Any) -> Any:
    def heard_incarnation(self: Member, incarnation: int, now: float) -> Any:
        self.left_incarnation = 0
        return honest(self, incarnation, now)

    return heard_incarnation


def _says_leave_once(honest: Any) -> Any:
    def hear(self: CallTable, call: CallRecord, *args: Any) -> Any:
        call.leave_sent_at = math.inf
        return honest(self, call, *args)

    return hear


def _forgets_topics(_: Any) -> Any:
    def remove(self: CallTable, call: CallRecord, turn: Trigger) -> None:
        del self._calls[call.call_id]

    return remove


def _leaves_media_running(honest: Any) -> Any:
    def close(self: ActiveCall) -> None:
        honest(self)
        self._out.pop()

    return close


def _nothing(_: Any) -> Any:
    return lambda *_args, **_named: None


def _only_notes_when(_: Any) -> Any:
    def tell(self: Attendance, now: float) -> None:
        self._told_at, self._tell_at = now, math.inf

    return tell


FAULTS: dict[str, tuple[int, Mutation]] = {
    "hangs nothing up": (0, _replace(Link, "_hang_up", _nothing)),
    "does not dial again": (0, _replace(Link, "_lose", _loses_for_good)),
    "does not ask for a dialling": (0, _replace(Link, "_ask", _nothing)),
    "believes announces from before a leave": (
        0,
        _replace(Member, "heard_incarnation", _believes_after_leave),
    ),
    "does not repeat a lost leave": (0, _replace(CallTable, "hear_announce", _says_leave_once)),
    "does not close topics": (0, _replace(CallTable, "remove", _forgets_topics)),
    "keeps old hearsay_claims": (230, _replace(CallRecord, "forget_old_rumours", _nothing)),
    "does not leave the last call first": (0, _replace(CallMachine, "_leave_current", _nothing)),
    "keeps an older session of its identity": (
        85,
        _replace(CallMachine, "_hear_own_other_session", _nothing),
    ),
    "leaves the media running": (0, _replace(ActiveCall, "close", _leaves_media_running)),
    "gives nobody its key again": (160, _replace(Rekeying, "_give_at", lambda _: lambda *_args: math.inf)),
    "gives keys to who left too": (0, _replace(Member, "is_out", lambda _: property(lambda _: False))),
    "takes no key of others": (0, _replace(Rekeying, "heard_key", lambda _: lambda *_args: False)),
    "does not tell who left that the call goes on": (1540, _replace(Attendance, "tell", _only_notes_when)),
    "never lets go of the silent": (0, _replace(Link, "heard_at", lambda _: property(lambda _: 1e9))),
    "announces once a minute": (
        0,
        _replace(Announcer, "due_at", lambda _: property(lambda self: self._last_at + 60)),
    ),
}
"""What each fault does, and a seed a little before the first that notices it, so that the suite stays quick."""


def _keeps_both(honest: Any) -> Any:
    def set_direct(self: Link, direct: Direct, now: float) -> None:
        honest(self, Direct.KEPT if direct is Direct.UNWANTED else direct, now)

    return set_direct


def _never_tries_again(honest: Any) -> Any:
    def lost(self: CallRoom, url: str, reason: str, now: float) -> bool:
        known = honest(self, url, reason, now)
        self._again_at[url] = math.inf
        return bool(known)

    return lost


def _stays_closed(honest: Any) -> Any:
    def closed(self: RoomHearing, now: float) -> None:
        honest(self, now)
        self._retry_at = math.inf

    return closed


ROOM_FAULTS: dict[str, tuple[int, Mutation]] = {
    "keeps direct connections beside the room": (70, _replace(Link, "set_direct", _keeps_both)),
    "takes nobody for lost with the room": (0, _replace(Ways, "forget_hearings", _nothing)),
    "does not try a lost room again": (68, _replace(CallRoom, "lost", _never_tries_again)),
    "does not hear somebody again": (55, _replace(RoomHearing, "closed", _stays_closed)),
    "seals media by the first key for good": (
        55,
        _replace(CallKeys, "of_media", lambda _: property(lambda self: (self.invitation,))),
    ),
    "waits for the room without end": (
        0,
        _replace(Ways, "direct_to", lambda _: lambda *_args: (Direct.KEPT, math.inf)),
    ),
}
"""Likewise of what has to do with rooms."""


@pytest.mark.parametrize("fault", ROOM_FAULTS)
def test_a_broken_rule_of_rooms_is_noticed(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first, mutate = ROOM_FAULTS[fault]
    mutate(monkeypatch)
    for seed in range(first, first + LOOKED_AT):
        try:
            run_seed(seed, rooms=True)
        except SeedFailedError:
            return
    pytest.fail(f"{LOOKED_AT} seeds from {first} on did not notice that it {fault}")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_rule_is_noticed(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first, mutate = FAULTS[fault]
    mutate(monkeypatch)
    for seed in range(first, first + LOOKED_AT):
        try:
            run_seed(seed, rooms=False)
        except SeedFailedError:
            return
    pytest.fail(f"{LOOKED_AT} seeds from {first} on did not notice that it {fault}")

"""What the call machine went through is kept, hides its keys, and plays again."""

import random

import msgspec
import pytest

from blink_cli.commands.trace_text import trace_lines
from blink_cli.core.call import inputs
from blink_cli.core.call.machine import CallMachine
from blink_cli.core.call.trace import CallTrace
from blink_cli.core.call.traced_step import TracedStep
from blink_cli.core.errors import StateError
from blink_cli.core.ids import Did
from blink_cli.core.signaling.signals import Announce, Decline
from blink_cli.core.signaling.topics import key_id_of
from blink_cli.lab.simulation.replay import replay

ALICE, BOB, CAROL = (Did(f"did:key:z6Mk{name}") for name in ("Alice", "Bob", "Carol"))


class Session:
    """A machine that is fed as the app does."""

    def __init__(self, most: int = 4096) -> None:
        self.drawn: list[bytes] = []
        dice = random.Random(7)
        self.trace = CallTrace(dice.randbytes, most)
        self.machine = CallMachine(ALICE, self.trace.entropy)
        self.now = 1000.0

    def tell(self, told: inputs.CallInput, after_s: float = 0.01) -> None:
        self.now += after_s
        effects: tuple[object, ...] = ()
        try:
            effects = self.machine.handle(told, self.now)
        finally:
            self.trace.note(self.now, told, effects)  # type: ignore[arg-type]

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while (due := self.machine.next_timeout()) is not None and due <= end:
            self.now = max(self.now, due)
            self.trace.note(self.now, None, self.machine.handle_timeout(self.now))
        self.now = end

    def call(self) -> None:
        self.tell(inputs.ContactsKnown(frozenset({BOB})))
        self.tell(inputs.Offering((BOB, CAROL), "alice", 1_800_000_000_000))
        assert self.machine.current is not None
        self.tell(
            inputs.SignalHeard(
                BOB,
                Announce(5, 1, "bob", muted=False, deafened=False, recording=False, hears=()),
                self.machine.current,
            )
        )
        self.run(3.0)
        self.tell(inputs.SignalHeard(CAROL, Decline(self.machine.current), None))
        self.tell(inputs.Heard(BOB, 1, self.now))
        self.run(8.0)
        self.tell(inputs.Leaving())
        with pytest.raises(StateError):
            self.tell(inputs.Leaving())
        self.run(2.0)


def steps_of(session: Session) -> tuple[TracedStep, ...]:
    page = session.trace.page(0, 10**9)
    assert not page.more
    # As it travels: one JSON document.
    return msgspec.json.decode(msgspec.json.encode(page.steps), type=tuple[TracedStep, ...])


def test_a_trace_plays_again_to_the_same_effects() -> None:
    session = Session()
    session.call()
    steps = steps_of(session)
    assert {"Offering", "Timeout", "SignalHeard", "Leaving"} <= {step.told for step in steps}
    assert any(step.drawn for step in steps[2:]), "a new key was made"
    assert list(replay(ALICE, steps)) == []


def test_where_the_rules_come_out_otherwise_is_shown() -> None:
    session = Session()
    session.call()
    steps = list(steps_of(session))
    steps[1] = msgspec.structs.replace(steps[1], fields={**steps[1].fields, "nickname": "somebody else"})
    [first, *_] = replay(ALICE, steps)
    assert first.index == 1
    assert first.instead != steps[1].effects


def test_keys_do_not_leave_the_session() -> None:
    drawn: list[bytes] = []
    session = Session()
    entropy = session.trace._entropy

    def remembered(count: int) -> bytes:
        drawn.append(entropy(count))
        return drawn[-1]

    session.trace._entropy = remembered
    session.call()
    keys = [one for one in drawn if len(one) == 32]
    assert len(keys) >= 2
    text = msgspec.json.encode(session.trace.page(0, 10**9).steps)
    for key in keys:
        for secret in (key, key_id_of(key)):
            assert msgspec.to_builtins(secret).rstrip("=").encode() not in text


def test_the_oldest_steps_go_and_numbers_stay() -> None:
    session = Session(most=3)
    session.call()
    page = session.trace.page(0, 10**9)
    assert page.first > 0
    assert len(page.steps) == 3
    assert session.trace.page(page.first, 1).more
    assert len(session.trace.page(page.first, 1).steps) == 1
    assert session.trace.page(page.first + 2, 1).steps == page.steps[2:]


def test_lines_leave_out_what_is_said_all_the_time() -> None:
    session = Session()
    session.call()
    lines = list(trace_lines(steps_of(session)))
    assert not [line for line in lines if "Reception" in line]
    assert any("Offering peers=" in line for line in lines)
    assert any("-> SendToPeer" in line for line in lines)

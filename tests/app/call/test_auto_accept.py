"""Whose calls are taken while nobody sits there: by the rule, by the contacts, and by whether a microphone would open."""

import asyncio
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from blink_cli.app.call.auto_accept import AutoAcceptor
from blink_cli.app.event_hub import EventHub
from blink_cli.core.api.events import CallNotAccepted, Event, IncomingCall
from blink_cli.core.api.session_options import AutoAccept
from blink_cli.core.ids import CallId, Did

pytestmark = pytest.mark.no_clock(sockets=True)

FRIEND, STRANGER = Did("did:friend"), Did("did:stranger")
CALL = CallId("c" * 32)


class Ringing:
    """An acceptor at which one call rings, and what came of it."""

    def __init__(self, whom: AutoAccept, *, microphone: bool = False) -> None:
        self.hub = EventHub()
        self.told: list[Event] = []
        self.runner = SimpleNamespace(current=None, ringing=(CALL,), muted=False)
        self.runner.accept = lambda call: setattr(self.runner, "current", call)
        self.runner.set_muted = lambda *, muted: setattr(self.runner, "muted", muted)
        people: Any = SimpleNamespace(is_contact=lambda did: did == FRIEND, name_of=str)
        runner: Any = self.runner
        self.acceptor = AutoAcceptor(whom, runner, people, self.hub, lambda: microphone)

    async def offered_by(self, caller: Did) -> bool:
        """Whether the call is taken."""
        running = asyncio.get_running_loop().create_task(self.acceptor.run())
        ear = self.hub.listen()
        await asyncio.sleep(0)
        self.hub.publish(IncomingCall(call_id=CALL, caller=caller, nickname="x", participants=()))
        for _ in range(5):
            await asyncio.sleep(0)
        self.hub.close()
        with suppress(asyncio.CancelledError):
            await running
        while (event := await ear.next_event()) is not None:
            self.told.append(event)
        taken: bool = self.runner.current == CALL
        assert any(isinstance(event, CallNotAccepted) for event in self.told) is not taken
        return taken


@pytest.mark.parametrize(
    ("whom", "caller", "microphone", "taken"),
    [
        ("contacts", FRIEND, True, True),
        ("contacts", STRANGER, False, False),
        ("no-microphone", FRIEND, True, True),
        ("no-microphone", STRANGER, False, True),
        ("no-microphone", STRANGER, True, False),
        ("anyone", STRANGER, True, True),
    ],
)
async def test_the_rules(whom: AutoAccept, caller: Did, microphone: bool, taken: bool) -> None:  # noqa: FBT001
    assert await Ringing(whom, microphone=microphone).offered_by(caller) is taken


async def test_a_microphone_that_is_being_chosen_counts() -> None:
    ringing = Ringing("no-microphone")
    with ringing.acceptor.microphone_chosen():
        assert not await ringing.offered_by(STRANGER)


@pytest.mark.parametrize(("caller", "muted"), [(FRIEND, False), (STRANGER, True)])
async def test_a_microphone_that_is_chosen_later_is_muted_for_strangers_alone(
    caller: Did,
    muted: bool,  # noqa: FBT001
) -> None:
    ringing = Ringing("no-microphone")
    assert await ringing.offered_by(caller)
    with suppress(ZeroDivisionError), ringing.acceptor.microphone_chosen():
        assert ringing.runner.muted is muted
        raise ZeroDivisionError
    assert not ringing.runner.muted, "it could not be opened"
    with ringing.acceptor.microphone_chosen():
        assert ringing.runner.muted is muted, "before it opens"
    assert ringing.runner.muted is muted

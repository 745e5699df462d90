"""What a prompt's own command did is told once: by its answer, whichever of the two comes first."""

import pytest
from typing_extensions import override

from blink_cli.commands.answered import BEHIND_S, AnsweredSession
from blink_cli.core.api.events import DeviceChanged, Event, Marked
from blink_cli.core.api.requests import AcceptCall, GetStatus, Mark, R, Request, SetDevice
from blink_cli.core.errors import StateError
from blink_cli.core.ids import CallId
from tests.support.scripted_session import ScriptedSession

pytestmark = pytest.mark.no_clock

MARKED = Marked(call_id=CallId("c0"), text="here", at_s=1.0)


class Asked(ScriptedSession):
    """Has an event in front of its answers, or refuses."""

    def __init__(self) -> None:
        super().__init__()
        self.before: Event | None = None
        self.has_told: list[bool] = []
        self.refuses = False
        self.now_s = 0.0
        self.door = AnsweredSession(self, now_s=lambda: self.now_s)

    @override
    async def ask(self, request: Request[R]) -> R:
        if self.before is not None:
            self.has_told.append(self.door.has_told(self.before))
        if self.refuses:
            raise StateError("No.")
        return await super().ask(request)


async def in_call() -> Asked:
    session = Asked()
    session.ring()
    await session.ask(AcceptCall())
    return session


async def test_an_event_in_front_of_the_answer_and_one_behind_it() -> None:
    session = await in_call()
    session.before = MARKED
    await session.door.ask(Mark(text="here"))
    assert session.has_told == [True]
    assert not session.door.has_told(MARKED), "another terminal's mark"
    session.before = None
    await session.door.ask(Mark(text="here"))
    assert session.door.has_told(MARKED)
    assert not session.door.has_told(MARKED)


async def test_what_is_of_another_kind_is_news() -> None:
    session = await in_call()
    await session.door.ask(SetDevice(direction="input", device="silence"))
    assert not session.door.has_told(MARKED)
    assert session.door.has_told(DeviceChanged(direction="input", device="silence", description=""))
    await session.door.ask(GetStatus())
    assert not session.door.has_told(MARKED)


async def test_what_comes_long_after_the_answer_is_news() -> None:
    session = await in_call()
    await session.door.ask(Mark(text="here"))
    session.now_s = BEHIND_S + 0.1
    assert not session.door.has_told(MARKED)


async def test_what_was_refused_has_told_nothing() -> None:
    session = await in_call()
    session.refuses = True
    with pytest.raises(StateError):
        await session.door.ask(Mark(text="here"))
    assert not session.door.has_told(MARKED)

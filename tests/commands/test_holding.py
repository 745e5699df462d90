"""Which call a command leaves when it is over: the one that it entered, and no other."""

import asyncio
from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any

import pytest

from blink_cli.commands.hold import Hold
from blink_cli.commands.holding import hold_call
from blink_cli.core.api.requests import GetStatus, LeaveCall, PlaceOffer
from blink_cli.core.errors import NotFoundError
from blink_cli.core.ids import CallId

pytestmark = pytest.mark.no_clock

OWN, OTHER = CallId("1" * 32), CallId("2" * 32)


class Session:
    """One that is in a call, and meanwhile in another one that somebody else entered."""

    def __init__(self, *, nobody_came: bool, then_in: CallId | None) -> None:
        self.current: CallId | None = None
        self.left: list[CallId | None] = []
        self._nobody_came = nobody_came
        self._then_in = then_in

    async def events(self) -> AsyncGenerator[Any, None]:
        """Nothing happens."""
        await asyncio.Event().wait()
        yield None

    async def ask(self, request: Any) -> Any:
        match request:
            case GetStatus():
                return SimpleNamespace(call=self.current and SimpleNamespace(id=self.current))
            case LeaveCall():
                self.left.append(self.current)
            case PlaceOffer():
                self.current = self._then_in
                if self._nobody_came:
                    raise NotFoundError("The call ended: nobody joined.")
                return SimpleNamespace(call=OWN, left=None)
        return None


async def held(session: Session, *, withdraw: bool = True) -> None:
    context: Any = SimpleNamespace(output=SimpleNamespace(json=False, line=lambda _: None))
    offer = PlaceOffer(peers=("echo",), wait_s=1.0, withdraw=withdraw)
    await hold_call(context, session, offer, Hold(0.0))


async def test_the_call_that_was_entered_is_left() -> None:
    session = Session(nobody_came=False, then_in=OWN)
    await held(session)
    assert session.left == [OWN]


async def test_a_call_that_somebody_else_entered_meanwhile_is_not() -> None:
    session = Session(nobody_came=False, then_in=OTHER)
    await held(session)
    assert session.left == []


async def test_nor_is_it_when_the_own_offer_came_to_nothing() -> None:
    session = Session(nobody_came=True, then_in=OTHER)
    with pytest.raises(NotFoundError):
        await held(session)
    assert session.left == []


async def test_an_offer_that_nobody_withdraws_is_left_when_it_came_to_nothing() -> None:
    session = Session(nobody_came=True, then_in=OWN)
    with pytest.raises(NotFoundError):
        await held(session, withdraw=False)
    assert session.left == [OWN]

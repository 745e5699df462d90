"""Every request is carried out by a handler that takes it."""

import inspect
import typing

import pytest

from blink_cli.app.request_table import RequestTable
from blink_cli.core.api import requests
from blink_cli.core.api.replies.calls import OfferPlaced
from blink_cli.core.api.replies.document import Done
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.requests import AnyRequest, GetStatus, LeaveCall, PlaceOffer, Quit, reply_type
from blink_cli.core.errors import BlinkError

pytestmark = pytest.mark.no_clock(sockets=True)


def test_the_list_of_requests_is_whole() -> None:
    defined = {
        kind
        for kind in vars(requests).values()
        if inspect.isclass(kind) and issubclass(kind, requests.Request) and kind is not requests.Request
    }
    assert set(typing.get_args(AnyRequest)) == defined


def test_a_request_names_its_reply() -> None:
    assert reply_type(PlaceOffer) is OfferPlaced
    assert reply_type(GetStatus) is Status
    for kind in typing.get_args(AnyRequest):
        assert reply_type(kind) in typing.get_args(
            typing.get_args(requests.R.__bound__) and requests.R.__bound__
        )
    with pytest.raises(TypeError):
        reply_type(requests.Request)


def test_a_reply_of_another_kind_is_an_error_with_a_hint() -> None:
    with pytest.raises(BlinkError, match="answered with Done where OfferPlaced") as error:
        requests.checked_reply(PlaceOffer(peers=("bob",)), Done())
    assert error.value.hint is not None


def test_a_handler_takes_the_request_that_it_is_added_for() -> None:
    async def leave(_: LeaveCall) -> Done:
        return Done()

    with pytest.raises(AssertionError, match="does not take Quit"):
        RequestTable().add(Quit, leave)


async def test_it_answers_by_the_handler_of_the_kind() -> None:
    async def leave(_: LeaveCall) -> Done:
        return Done()

    table = RequestTable()
    table.add(LeaveCall, leave)
    assert await table.answer(LeaveCall()) == Done()
    assert Quit in table.missing()
    assert LeaveCall not in table.missing()

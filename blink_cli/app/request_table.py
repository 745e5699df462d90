"""Which part of a session carries out which request: a row for each, filled by the parts when a session opens."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, get_args

from blink_cli.core.api.requests import AnyRequest, R, Request

Q = TypeVar("Q")
Handler = Callable[[Q], Awaitable[R]]


class RequestTable:
    """Filled once; from then on it only answers."""

    def __init__(self) -> None:
        self._handlers: dict[type[Request[Any]], Handler[Any, Any]] = {}

    def add(self, kind: type[Request[R]], handler: Handler[Q, R]) -> None:
        """Have requests of a kind carried out by a handler, which gets the request and returns the reply that the request names."""
        assert kind not in self._handlers, f"{kind.__name__} has a handler already"
        # The types tie the reply to the request; what a handler takes, they cannot.
        taken = next(iter(handler.__annotations__.values()))
        assert kind in (get_args(taken) or (taken,)), f"{handler.__qualname__} does not take {kind.__name__}"
        self._handlers[kind] = handler

    def missing(self) -> frozenset[type[Request[Any]]]:
        """Return the requests that nobody carries out."""
        return frozenset(get_args(AnyRequest)) - self._handlers.keys()

    async def answer(self, request: Request[R]) -> R:
        """Carry out a request. Errors and cancelling are its handler's.

        Raises:
            BlinkError: What went wrong, for the user.

        """
        handler: Handler[Request[R], R] = self._handlers[type(request)]
        return await handler(request)

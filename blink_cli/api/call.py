"""A call, as a program holds it."""

import contextlib
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol, Self

from typing_extensions import override

from blink_cli.core.api.events import LinkState
from blink_cli.core.api.replies.calls import CurrentCall, Participant, PendingCall
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.requests import AcceptCall, GetCalls, LeaveCall, R, RejectCall, Request
from blink_cli.core.errors import NoSessionError, NotFoundError, StateError
from blink_cli.core.ids import CallId, Did


class CallSession(Protocol):
    """What a call needs of its session."""

    async def ask(self, request: Request[R]) -> R:
        """See `Session.ask`."""
        ...

    async def until(
        self, holds: Callable[[Status], bool], *, timeout_s: float | None = None, what: str = ...
    ) -> Status:
        """See `Session.until`."""
        ...


class Call:
    """One call of a session: it rings, or the session is in it, or it is over. Holds no state but its id: everything is asked anew.

    async with await session.offer("bob", wait_s=10) as call:      left at the end
        ...
    """

    def __init__(self, session: CallSession, call_id: CallId, connected: Sequence[Did] = ()) -> None:
        self._session = session
        self.id = call_id
        self.connected = tuple(connected)
        """Whose audio link stood when the call was entered."""

    @override
    def __repr__(self) -> str:
        return f"Call({self.id!r})"

    async def state(self) -> CurrentCall | PendingCall | None:
        """How it stands: the session is in it, it can be joined, or it is over (None)."""
        calls = await self._session.ask(GetCalls())
        if calls.call is not None and calls.call.id == self.id:
            return calls.call
        return next((pending for pending in calls.pending_calls if pending.id == self.id), None)

    async def participants(self) -> tuple[Participant, ...]:
        """Everybody who is in it or invited, oneself included.

        Raises:
            StateError: The session is not in it.

        """
        state = await self.state()
        if not isinstance(state, CurrentCall):
            raise self._not_in_it()
        return state.participants

    async def accept(self, *, wait_s: float | None = None) -> Self:
        """Join it. `wait_s`: return when the first audio link stands.

        Raises:
            NotFoundError: It is over, or nobody was connected in time.

        """
        reply = await self._session.ask(AcceptCall(call=self.id, wait_s=wait_s))
        self.connected = reply.connected
        return self

    async def reject(self) -> None:
        """Decline it; it can be accepted later while it goes on.

        Raises:
            NotFoundError: It is over.

        """
        await self._session.ask(RejectCall(call=self.id))

    async def leave(self) -> None:
        """Leave it.

        Raises:
            StateError: The session is not in it.

        """
        if not isinstance(await self.state(), CurrentCall):
            raise self._not_in_it()
        await self._session.ask(LeaveCall())

    async def until_connected(self, *peers: str, timeout_s: float = 15.0) -> tuple[Participant, ...]:
        """Wait until the audio links to these peers stand, or to somebody if none is named; return all participants.

        Args:
            peers: Nicknames or DIDs, as the participants have them.
            timeout_s: In seconds.

        Raises:
            NotFoundError: They were not connected in time, or the call ended.

        """

        def whole(status: Status) -> bool:
            if status.call is None or status.call.id != self.id:
                raise NotFoundError("The call is over.", hint="`session.calls()` lists those that go on.")
            linked = [one for one in status.call.participants if one.link is LinkState.CONNECTED]
            if not peers:
                return bool(linked)
            return all(any(peer in (one.did, one.nickname) for one in linked) for peer in peers)

        what = f"audio with {', '.join(peers) or 'anybody'}"
        status = await self._session.until(whole, timeout_s=timeout_s, what=what)
        assert status.call is not None, "`whole` saw it"
        return status.call.participants

    async def until_over(self, *, timeout_s: float | None = None) -> None:
        """Wait until the session is not in it any more, however that comes.

        Raises:
            NotFoundError: It still goes on.

        """
        await self._session.until(
            lambda status: status.call is None or status.call.id != self.id,
            timeout_s=timeout_s,
            what="the end of the call",
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave it, if the session is still in it."""
        with contextlib.suppress(NoSessionError):  # a session that has ended has left
            if isinstance(await self.state(), CurrentCall):
                await self._session.ask(LeaveCall())

    def _not_in_it(self) -> StateError:
        return StateError(
            f"This session is not in call {self.id[:8]}.", hint="`session.calls()` tells what goes on."
        )

"""Carries out what a user asks about calls, and waits for what was asked to be waited for."""

import time
from typing import Final

from blink_cli.app.call_runner import CallRunner
from blink_cli.app.call_waiting import until
from blink_cli.app.event_hub import EventHub
from blink_cli.app.neighbourhood import Neighbourhood
from blink_cli.core.errors import NotFoundError, StateError
from blink_cli.core.events import IncomingCall, LinkState
from blink_cli.core.names import CallId, Did
from blink_cli.core.replies import CallAccepted, OfferPlaced
from blink_cli.core.requests import AcceptCall, PlaceOffer, RejectCall

ACCEPT_LINK_S: Final = 3.0
"""How long `accept --wait` waits for audio at least, when the offer came in its last moment: a link takes 0.1 s, and a second when
packets of its handshake are lost."""


class CallRequests:
    """Belongs to the event loop. Cancelling a request stops the waiting; what it began stays."""

    def __init__(self, runner: CallRunner, neighbourhood: Neighbourhood, hub: EventHub) -> None:
        self._runner = runner
        self._neighbourhood = neighbourhood
        self._hub = hub

    async def offer(self, request: PlaceOffer) -> OfferPlaced:
        """Invite; with `wait_s`, until the first link stands.

        Raises:
            NotFoundError: Nobody of that name, or nobody came in time.

        """
        dids = [await self._find(name, request.discover_s) for name in request.peers]
        call = self._runner.offer(dids)
        if request.wait_s is None:
            return OfferPlaced(call=call, connected=())
        connected = await until(self._hub, lambda: self._connected_or_over(call), request.wait_s)
        if not connected:
            raise self._nobody(call, request)
        return OfferPlaced(call=call, connected=connected)

    def _nobody(self, call: CallId, request: PlaceOffer) -> NotFoundError:
        snapshot = self._runner.snapshot().call
        if snapshot is None or snapshot.call_id != call:
            return NotFoundError("The call is over: nobody came.", hint="`blink events` tells who declined.")
        busy = [view.did for view in snapshot.participants if view.busy]
        if busy:
            names = ", ".join(self._neighbourhood.name_of(did) for did in busy)
            return NotFoundError(
                f"Nobody answered in {request.wait_s:g} s. In another call: {names}.",
                hint="The offer rings there all the same; `blink leave` withdraws it.",
            )
        delivered = any(view.delivered and view.link is not LinkState.SELF for view in snapshot.participants)
        hint = (
            "The offer has reached them and still rings; `blink leave` withdraws it."
            if delivered
            else "The offer has reached nobody yet; it is repeated until you `blink leave`. Does `blink peers` show them alive?"
        )
        return NotFoundError(
            f"Nobody answered in {request.wait_s:g} s: {', '.join(dict.fromkeys(request.peers))}.", hint=hint
        )

    async def accept(self, request: AcceptCall) -> CallAccepted:
        """Join; with `wait_s`, a call that has not come yet too, and until the first link stands.

        Raises:
            NotFoundError: There is no such call, or it or its audio did not come in time.

        """
        deadline_s = None if request.wait_s is None else time.monotonic() + request.wait_s
        if request.wait_s is None:
            call = self._pending(request.call, ringing=False)
        else:
            found = await until(self._hub, lambda: self._pending_or_none(request.call), request.wait_s)
            if found is None:
                raise NotFoundError(
                    f"No call came in {request.wait_s:g} s.",
                    hint="Is the caller on the same network and group? `blink peers` shows who is heard.",
                )
            call = found
        self._runner.accept(call)
        if deadline_s is None:
            return CallAccepted(call=call, connected=())
        patience_s = max(deadline_s - time.monotonic(), ACCEPT_LINK_S)
        connected = await until(self._hub, lambda: self._connected_or_over(call), patience_s)
        if not connected:
            raise NotFoundError(
                "The call is accepted, but no audio link to anybody came up.",
                hint="`blink participants` shows the links. Does a firewall stop UDP between the machines?",
            )
        return CallAccepted(call=call, connected=connected)

    def reject(self, request: RejectCall) -> None:
        """Decline a call that rings."""
        self._runner.reject(self._pending(request.call, ringing=True))

    async def accept_all(self) -> None:
        """Join whatever rings while there is no other call; until cancelled, or the session ends."""
        listener = self._hub.listen()
        try:
            while (event := await listener.next_event()) is not None:
                match event:
                    case IncomingCall(call_id=call) if self._runner.current is None:
                        if call in self._runner.ringing:
                            self._runner.accept(call)
                    case _:
                        pass
        finally:
            self._hub.forget(listener)

    # inside

    def _connected_or_over(self, call: CallId) -> tuple[Did, ...] | None:
        """Whose links stand; empty when the call is over; None while there is hope."""
        snapshot = self._runner.snapshot().call
        if snapshot is None or snapshot.call_id != call:
            return ()
        connected = tuple(view.did for view in snapshot.participants if view.link is LinkState.CONNECTED)
        return connected or None

    async def _find(self, name: str, patience_s: float) -> Did:
        """The peer of this name; one that has not been seen yet may still appear."""
        try:
            return self._neighbourhood.resolve(name)
        except NotFoundError:
            found = await until(self._hub, lambda: self._neighbourhood.resolve_or_none(name), patience_s)
            return self._neighbourhood.resolve(name) if found is None else found

    def _pending(self, name: str | None, *, ringing: bool) -> CallId:
        found = self._pending_or_none(name, ringing=ringing)
        if found is not None:
            return found
        if name is not None and self._runner.current is not None and self._runner.current.startswith(name):
            raise StateError("This session is already in that call.", hint="`blink leave` leaves it.")
        raise NotFoundError(
            "No call is waiting." if name is None else f"No waiting call's id begins with {name!r}.",
            hint="`blink calls` lists what can be joined; `blink accept --wait 30` waits for one.",
        )

    def _pending_or_none(self, name: str | None, *, ringing: bool = False) -> CallId | None:
        found = self._fitting(name, ringing=ringing)
        if len(found) > 1:
            raise NotFoundError(
                "Several calls fit: " + ", ".join(call[:8] for call in found) + ".",
                hint="Name one by the first digits of its id; `blink calls` lists them.",
            )
        return found[0] if found else None

    def _fitting(self, name: str | None, *, ringing: bool) -> tuple[CallId, ...]:
        pending = self._runner.snapshot().pending
        if name is None:
            # What rings comes before what was already refused or left.
            rings = self._runner.ringing
            return rings if rings or ringing else tuple(view.call_id for view in pending)
        return tuple(view.call_id for view in pending if view.call_id.startswith(name.lower()))

"""Carries out what a user asks about calls, and waits for what was asked to be waited for."""

import time
from collections.abc import Sequence
from typing import Final

from blink_cli.app.call.call_runner import CallRunner
from blink_cli.app.call.call_waiting import until
from blink_cli.app.call.peer_directory import PeerDirectory
from blink_cli.app.event_hub import EventHub
from blink_cli.app.media.peer_links import PeerLinks
from blink_cli.app.request_table import RequestTable
from blink_cli.core.api.address_book import UnseenPeerError
from blink_cli.core.api.events import LinkState
from blink_cli.core.api.replies.calls import CallAccepted, OfferPlaced
from blink_cli.core.api.replies.document import Done
from blink_cli.core.api.requests import AcceptCall, LeaveCall, PlaceOffer, RejectCall
from blink_cli.core.call.snapshot import ParticipantView
from blink_cli.core.errors import NotFoundError, StateError
from blink_cli.core.ids import CallId, Did
from blink_cli.core.presence.addresses_told import addresses_tried
from blink_cli.core.text.clock_words import clock_sentence

ACCEPT_LINK_S: Final = 3.0
"""How long `--wait` of `accept` and `offer` waits for audio at least, when the offer or the peer came in its last moment: a link takes 0.1 s, and a second when
packets of its handshake are lost."""


class CallRequests:
    """Belongs to the event loop. Cancelling a request stops the waiting; what it began stays."""

    def __init__(self, runner: CallRunner, links: PeerLinks, directory: PeerDirectory, hub: EventHub) -> None:
        self._runner = runner
        self._links = links
        self._directory = directory
        self._hub = hub

    def add_to(self, table: RequestTable) -> None:
        """Carry out the requests about calls."""
        table.add(PlaceOffer, self.offer)
        table.add(AcceptCall, self.accept)
        table.add(RejectCall, self.reject)
        table.add(LeaveCall, self.leave)

    async def offer(self, request: PlaceOffer) -> OfferPlaced:
        """Invite; with `wait_s`, until the first link stands: a peer that has not been seen yet has as long to come.

        Raises:
            NotFoundError: Nobody of that name, or nobody came in time.

        """
        begun_s = time.monotonic()
        dids = [await self._find(name, request, begun_s) for name in request.peers]
        left = self._runner.current
        call = self._runner.offer(dids, request.via)
        if request.wait_s is None:
            return OfferPlaced(call=call, connected=(), left=left)
        left_s = max(begun_s + request.wait_s - time.monotonic(), min(request.wait_s, ACCEPT_LINK_S))
        connected = await until(self._hub, lambda: self._connected_or_over(call), left_s)
        if not connected:
            refusal = self._nobody(call, request)
            if request.withdraw and self._runner.current == call:
                self._runner.leave()
            raise refusal
        return OfferPlaced(call=call, connected=connected, left=left)

    def _nobody(self, call: CallId, request: PlaceOffer) -> NotFoundError:
        snapshot = self._runner.snapshot().call
        if snapshot is None or snapshot.call_id != call:
            return NotFoundError("The call ended: nobody joined.", hint="`blink events` tells who declined.")
        unreached = self._unreached(call)
        if unreached:
            return NotFoundError(
                f"{self._names(unreached)} accepted, but in {request.wait_s:g} s no path for audio was found.",
                hint="The call has been left." if request.withdraw else self._search_told(unreached),
            )
        busy = [view.did for view in snapshot.participants if view.busy]
        if busy:
            names = ", ".join(self._directory.name_of(did) for did in busy)
            return NotFoundError(
                f"Nobody answered in {request.wait_s:g} s. In another call: {names}.",
                hint="The offer has been withdrawn."
                if request.withdraw
                else "The offer rings there all the same; `blink leave` withdraws it.",
            )
        return NotFoundError(
            f"Nobody answered in {request.wait_s:g} s: {', '.join(dict.fromkeys(request.peers))}.",
            hint=self._what_became_of(snapshot.participants, withdrawn=request.withdraw),
        )

    def _unreached(self, call: CallId) -> list[Did]:
        """Who is in the call, and not connected."""
        snapshot = self._runner.snapshot().call
        if snapshot is None or snapshot.call_id != call:
            return []
        unlinked = (LinkState.CONNECTING, LinkState.LOST)
        return [view.did for view in snapshot.participants if view.present and view.link in unlinked]

    def _search_told(self, unreached: Sequence[Did]) -> str:
        """Say where a path is looked for."""
        said = []
        for did in unreached:
            tried = self._links.addresses_tried(did)
            if tried is not None:
                said.append(addresses_tried(tried.ours, tried.left_out, tried.theirs))
        where = "".join(f" {words[0].upper()}{words[1:]}." for words in dict.fromkeys(said))
        return f"The search goes on; `blink leave` ends it.{where} Does a firewall stop UDP between the machines?"

    def _what_became_of(self, invited: Sequence[ParticipantView], *, withdrawn: bool) -> str:
        """Say whom an offer has reached, whether it rings there now, and what to do."""
        others = [view.did for view in invited if view.link is not LinkState.SELF]
        delivered = {view.did for view in invited if view.delivered}
        vanished = {peer.did for peer in self._directory.peers() if not peer.alive}
        ringing = [did for did in others if did in delivered and did not in vanished]
        gone = [did for did in others if did in delivered and did in vanished]
        if ringing:
            fate = "has been withdrawn" if withdrawn else "still rings; `blink leave` withdraws it"
            return f"The offer has reached {self._names(ringing)} and {fate}."
        repeated = "It has been withdrawn." if withdrawn else "It is repeated until you `blink leave`."
        if gone:
            return f"The offer had reached {self._names(gone)}, who {'has' if len(gone) == 1 else 'have'} gone since. {repeated}"
        clocks = self._wrong_clocks(others)
        if clocks:
            return f"The offer has reached nobody yet. {repeated} {clocks}"
        return f"The offer has reached nobody yet. {repeated} `blink peers` tells whether {self._names(others)} {'is' if len(others) == 1 else 'are'} on the network."

    def _wrong_clocks(self, dids: Sequence[Did]) -> str:
        wrong = self._directory.wrong_clocks
        name_of = self._directory.name_of
        return " ".join(
            clock_sentence(name_of(did), wrong[did].ahead_s, proved=wrong[did].proved) + "."
            for did in dids
            if did in wrong
        )

    def _names(self, dids: Sequence[Did]) -> str:
        return ", ".join(self._directory.name_of(did) for did in dids)

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
                    hint="Is the caller on the same network and group? `blink peers` lists who is on the network.",
                )
            call = found
        left = self._runner.current
        self._runner.accept(call)
        if deadline_s is None:
            return CallAccepted(call=call, connected=(), left=left)
        patience_s = max(deadline_s - time.monotonic(), ACCEPT_LINK_S)
        connected = await until(self._hub, lambda: self._connected_or_over(call), patience_s)
        if not connected:
            raise NotFoundError(
                "The call is accepted, but no audio link to anybody came up.",
                hint=self._search_told(self._unreached(call))
                if self._runner.current == call
                else "The call has ended.",
            )
        return CallAccepted(call=call, connected=connected, left=left)

    async def reject(self, request: RejectCall) -> Done:
        """Decline a call that rings."""
        self._runner.reject(self._pending(request.call, ringing=True))
        return Done()

    async def leave(self, _: LeaveCall) -> Done:
        """Leave the call of this session."""
        self._runner.leave()
        return Done()

    # inside

    def _connected_or_over(self, call: CallId) -> tuple[Did, ...] | None:
        """Whose links stand; empty when the call is over; None while there is hope."""
        snapshot = self._runner.snapshot().call
        if snapshot is None or snapshot.call_id != call:
            return ()
        connected = tuple(view.did for view in snapshot.participants if view.link is LinkState.CONNECTED)
        return connected or None

    async def _find(self, name: str, request: PlaceOffer, begun_s: float) -> Did:
        """The peer of this name; one that has not been seen yet may still appear."""
        try:
            return self._directory.resolve(name)
        except UnseenPeerError:
            patience_s = max(request.discover_s, request.wait_s or 0.0)
        except NotFoundError:
            patience_s = request.discover_s
        left_s = max(0.0, begun_s + patience_s - time.monotonic())
        found = await until(self._hub, lambda: self._directory.resolve_or_none(name), left_s)
        return self._directory.resolve(name) if found is None else found

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

"""Who is around: presence and DNS-SD at work, and what everyone is called here."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

from blink_cli.app.contacts import Contacts
from blink_cli.app.wake_timer import WakeTimer
from blink_cli.core.address_book import name_of, resolve
from blink_cli.core.call_effects import Emit
from blink_cli.core.errors import NotFoundError
from blink_cli.core.events import Event
from blink_cli.core.gossip import Address
from blink_cli.core.names import CallId, Did
from blink_cli.core.presence import PresenceEffect, PresenceTable
from blink_cli.core.replies import Peer
from blink_cli.core.session_options import SessionOptions
from blink_cli.core.signals import DirectSignal, Presence
from blink_cli.net.discovery import Discovery


class PresencePost(Protocol):
    """What presence needs of the gossip."""

    def send_to_peer(self, peer: Did, signal: DirectSignal, call_id: CallId | None) -> None:
        """Send a presence, once."""


class Neighbourhood:
    """Belongs to the event loop."""

    def __init__(
        self,
        *,
        contacts: Contacts,
        own: Did,
        nickname: str,
        post: PresencePost,
        publish: Callable[[Event], None],
        call_claims: Callable[[], dict[Did, str]],
    ) -> None:
        """Know nobody but the contacts.

        Args:
            contacts: The profile's petnames.
            own: This session.
            nickname: What it calls itself.
            post: Sends presences.
            publish: Takes events.
            call_claims: What the participants of known calls call themselves, whom presence may not have met.

        """
        self._own = own
        self._nickname = nickname
        self._post = post
        self._publish = publish
        self._call_claims = call_claims
        self._contacts_file = contacts
        self._contacts: dict[str, Did] = {}
        self._table = PresenceTable(own)
        self._wake = WakeTimer(self._woken)

    @asynccontextmanager
    async def running(self, port: int, options: SessionOptions) -> AsyncIterator[None]:
        """Look for others, and be seen, for as long as the context lasts.

        Args:
            port: Of this session's own socket, for DNS-SD.
            options: The session's.

        """
        self.reload_contacts()
        async with AsyncExitStack() as stack:
            stack.callback(self._wake.cancel)
            if options.discovery:
                discovery = Discovery(
                    self._own,
                    self._nickname,
                    port,
                    group=options.group,
                    found=self._found,
                    gone=self._gone,
                    interfaces=options.interfaces,
                )
                await stack.enter_async_context(discovery)
            yield

    def peers(self) -> tuple[Peer, ...]:
        """Everyone found or heard."""
        known = set(self._contacts.values())
        return tuple(
            Peer(
                did=view.did,
                nickname=self.name_of(view.did),
                address=view.address,
                alive=view.alive,
                last_seen_ms=view.last_seen_ms,
                in_contacts=view.did in known,
            )
            for view in self._table.snapshot(time.monotonic())
        )

    def name_of(self, did: Did) -> str:
        """What a peer, or this session itself, is called here."""
        if did == self._own:
            return self._nickname
        return name_of(did, self._contacts, self._claims())

    def resolve(self, name: str) -> Did:
        """The peer that a user means.

        Raises:
            NotFoundError: Nobody, or more than one, fits.

        """
        try:
            return resolve(name, self._contacts, self._claims())
        except NotFoundError:
            # A peer that is not there may still be named: in a call, or to be called when it comes.
            absent = self._table.claims(alive=False)
            if not absent:
                raise
            return resolve(name, self._contacts, {**absent, **self._claims()})

    def resolve_or_none(self, name: str) -> Did | None:
        """The peer that a user means, once it is known."""
        try:
            return self.resolve(name)
        except NotFoundError:
            return None

    def reload_contacts(self) -> None:
        """Read the contacts again.

        Raises:
            BlinkError: The file is damaged or cannot be read.

        """
        self._contacts = {contact.nickname: contact.did for contact in self._contacts_file.list()}
        self._perform(self._table.contacts(frozenset(self._contacts.values()), time.monotonic()))

    def heard(self, did: Did) -> None:
        """Something that this peer signed has arrived."""
        self._perform(self._table.heard(did, time.monotonic()))

    def presence(self, did: Did, presence: Presence, source: Address) -> None:
        """A presence of this peer has arrived."""
        address = f"{source[0]}:{source[1]}"
        self._perform(
            self._table.presence(
                did, presence.nickname, address, time.monotonic(), reply_wanted=presence.reply_wanted
            )
        )

    def _claims(self) -> dict[Did, str]:
        return {**self._call_claims(), **self._table.claims(alive=True)}

    def _found(self, did: Did, nickname: str, address: str) -> None:
        self._perform(self._table.found(did, nickname, address, time.monotonic()))

    def _gone(self, did: Did) -> None:
        self._perform(self._table.gone(did, time.monotonic()))

    def _woken(self) -> None:
        self._perform(self._table.wake(time.monotonic()))

    def _perform(self, effects: Sequence[PresenceEffect]) -> None:
        for effect in effects:
            if isinstance(effect, Emit):
                self._publish(effect.event)
            else:
                presence = Presence(self._nickname, effect.reply_wanted)
                self._post.send_to_peer(effect.peer, presence, None)
        self._wake.set(self._table.next_wake())

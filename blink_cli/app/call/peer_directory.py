"""Who is around: presence and DNS-SD at work, and what everyone is called here."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

import msgspec

from blink_cli.app.profile.contacts import Contacts
from blink_cli.core.api.address_book import Names, Petnames, resolve
from blink_cli.core.api.events import (
    Event,
    IncomingCall,
    MulticastResumed,
    MulticastStopped,
    ParticipantJoined,
    PeerAppeared,
    PeerClockAgrees,
    PeerClockDiffers,
    PeerVanished,
    ProtocolDiffers,
)
from blink_cli.core.api.replies.peers import Peer
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.endpoint import endpoint_text
from blink_cli.core.errors import NotFoundError
from blink_cli.core.fact import Emit
from blink_cli.core.gossip import Address, ClockRead, OtherVersion, Path
from blink_cli.core.gossip.versions import SPOKEN
from blink_cli.core.ids import CallId, Did
from blink_cli.core.presence.other_versions import OtherSession, OtherVersions
from blink_cli.core.presence.presence import PeerClock, PresenceEffect, PresenceTable
from blink_cli.core.signaling.signals import DirectSignal, Presence
from blink_cli.core.text.clock_words import TOLD_FROM_S
from blink_cli.net.host.interfaces import list_interfaces
from blink_cli.net.signaling.discovery import Discovery
from blink_cli.runtime.wake_timer import WakeTimer


class PresencePost(Protocol):
    """What presence needs of the gossip."""

    def send_to_peer(
        self, peer: Did, signal: DirectSignal, call_id: CallId | None, *, off_pace: bool = False
    ) -> None:
        """Send a presence, once."""

    def greet_as(self, nickname: str) -> None:
        """Say now and then who this session is, and hear of others who do."""

    def set_contacts(self, dids: frozenset[Did]) -> None:
        """Keep places for them."""

    def expect_at(self, peer: Did, address: Address) -> None:
        """Send presences there too until the peer is heard: DNS-SD says that it is there."""


class KnownCalls(Protocol):
    """What the directory shares with the rules of calls."""

    def claims(self) -> dict[Did, str]:
        """What the participants of known calls call themselves, whom presence may not have met."""

    def participants(self) -> frozenset[Did]:
        """Who is in the current call."""

    def set_contacts(self, dids: frozenset[Did]) -> None:
        """These are the contacts now."""


class PeerDirectory:
    """Belongs to the event loop."""

    def __init__(
        self,
        *,
        contacts: Contacts,
        own: Did,
        nickname: str,
        post: PresencePost,
        publish: Callable[[Event], None],
    ) -> None:
        """Know nobody but the contacts.

        Args:
            contacts: The profile's petnames.
            own: This session.
            nickname: What it calls itself.
            post: Sends presences.
            publish: Takes events.

        """
        self._own = own
        self._nickname = nickname
        self._post = post
        self._publish = publish
        self._calls: KnownCalls | None = None
        self._contacts_file = contacts
        self._contacts = Petnames({})
        self._table = PresenceTable(own)
        self._other_versions = OtherVersions(SPOKEN)
        self._wake = WakeTimer(self._woken)

    @asynccontextmanager
    async def running(
        self, port: int | None, options: SessionOptions, calls: KnownCalls
    ) -> AsyncIterator[None]:
        """Look for others, and be seen, for as long as the context lasts.

        Args:
            port: Of this session's own socket, for DNS-SD; None: it has none, and is not announced.
            options: The session's.
            calls: The session's.

        """
        self._calls = calls
        self.reload_contacts()
        async with AsyncExitStack() as stack:
            stack.callback(self._wake.cancel)
            if options.discovery and port is not None:
                discovery = Discovery(
                    self._own,
                    self._nickname,
                    port,
                    group=options.group,
                    found=self._found,
                    gone=self._gone,
                    differs=self._differs,
                    is_there=self._table.is_there,
                    interfaces=options.interfaces,
                )
                await stack.enter_async_context(discovery)
                self._post.greet_as(self._nickname)
            yield

    def peers(self) -> tuple[Peer, ...]:
        """Everyone found or heard."""
        names = self._names()
        return tuple(
            Peer(
                did=view.did,
                nickname=names.name_of(view.did),
                address=view.address,
                alive=view.alive,
                last_seen_ms=view.last_seen_ms,
                in_contacts=self.is_contact(view.did),
                via=("broker" if view.overheard else "network") if view.alive else None,
                clock_ahead_s=None if view.clock is None else round(view.clock.ahead_s, 3),
                clock_proved=None if view.clock is None else view.clock.proved,
            )
            for view in self._table.snapshot(time.monotonic())
        )

    def name_of(self, did: Did) -> str:
        """What a peer, or this session itself, is called here."""
        if did == self._own:
            return self._nickname
        return self._names().name_of(did)

    def named(self, event: Event) -> Event:
        """The event with its peer's name as it is shown here, in the place of what that peer calls itself."""
        if isinstance(event, IncomingCall):
            caller = event.caller
            return msgspec.structs.replace(
                event, nickname=self._shown(caller, event.nickname), in_contacts=self.is_contact(caller)
            )
        if isinstance(
            event, PeerAppeared | PeerVanished | PeerClockDiffers | PeerClockAgrees | ParticipantJoined
        ):
            return msgspec.structs.replace(event, nickname=self._shown(event.did, event.nickname))
        if isinstance(event, ProtocolDiffers) and event.did is not None:
            return msgspec.structs.replace(event, nickname=self.name_of_claim(event.did, event.nickname))
        return event

    def name_of_claim(self, did: Did, claim: str) -> str:
        """What to call somebody who only says who it is: a contact's name, else the claim where nobody has that name here."""
        if self.is_contact(did) or did == self._own:
            return self.name_of(did)
        return Names(self._contacts, {**self._claims(), did: claim}, self._nickname).name_of(did)

    def _shown(self, did: Did, claim: str) -> str:
        return self.name_of(did) if claim or self.is_contact(did) else ""

    def _names(self) -> Names:
        # One that is gone keeps its name, as long as nobody who is here uses it for itself.
        claims = {**self._table.claims(alive=False), **self._claims()}
        return Names(self._contacts, claims, self._nickname)

    def is_there(self, did: Did) -> bool:
        """Whether a peer is heard."""
        return self._table.is_there(did)

    def is_contact(self, did: Did) -> bool:
        """Whether this profile has a name for the peer."""
        return did in self._contacts.names

    def resolve(self, name: str) -> Did:
        """The peer that a user means.

        Raises:
            NotFoundError: Nobody, or more than one, fits.

        """
        return self._resolve(name, frozenset())

    def resolve_participant(self, name: str) -> Did:
        """The peer that a user means who hears and sees the current call: its participants come before strangers elsewhere of the same name.

        Never for whom to call: a participant who took somebody's name would be taken for that one.

        Raises:
            NotFoundError: Nobody, or more than one, fits.

        """
        return self._resolve(name, frozenset() if self._calls is None else self._calls.participants())

    def _resolve(self, name: str, rather: frozenset[Did]) -> Did:
        try:
            return resolve(name, self._contacts, self._claims(), own=self._nickname, rather=rather)
        except NotFoundError:
            # A peer that is not there may still be named: in a call, or to be called when it comes.
            absent = self._table.claims(alive=False)
            if not absent:
                raise
            claims = {**absent, **self._claims()}
            return resolve(name, self._contacts, claims, own=self._nickname, rather=rather)

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
        self._contacts = Petnames({one.nickname: one.did for one in self._contacts_file.list()})
        dids = frozenset(self._contacts.names)
        self._post.set_contacts(dids)
        if self._calls is not None:
            self._calls.set_contacts(dids)
        self._perform(self._table.contacts(dids, time.monotonic()))

    def broker_changed(self, *, works: bool) -> None:
        """A server carries signals from now on, or none does any more."""
        if works:
            self._perform(self._table.broker_found(time.monotonic()))
        else:
            self._table.broker_lost(time.monotonic())
            self._perform([])

    def heard(self, did: Did, *, expected: bool, overheard: bool) -> None:
        """Something that this peer signed has arrived; `expected` and `overheard` as in `PresenceTable.heard`."""
        self._perform(self._table.heard(did, time.monotonic(), expected=expected, overheard=overheard))

    def acknowledged(self, did: Did) -> None:
        """A session of this peer has answered."""
        self._perform(self._table.answered(did, time.monotonic()))

    def clock_read(self, effect: ClockRead) -> None:
        """How a peer's clock differs from ours."""
        clock = PeerClock(effect.ahead_s, effect.proved)
        address = None if effect.route.overheard else effect.route.name
        self._perform(self._table.clock_read(effect.peer, clock, address, time.monotonic()))

    @property
    def wrong_clocks(self) -> dict[Did, PeerClock]:
        """Whose clocks differ from ours by so much that it is worth a word."""
        views = self._table.snapshot(time.monotonic())
        clocks = ((view.did, view.clock) for view in views)
        return {
            did: clock for did, clock in clocks if clock is not None and abs(clock.ahead_s) >= TOLD_FROM_S
        }

    def heard_by_multicast(self, did: Did, path: Path) -> None:
        """Something that this peer signed came by multicast."""
        self._perform(self._table.heard_by_multicast(did, path.link or path.name, time.monotonic()))

    def media_heard(self, did: Did) -> None:
        """Media of this peer arrives."""
        self._table.media_heard(did, time.monotonic())

    def presence(
        self, did: Did, presence: Presence, source: Address, *, expected: bool, overheard: bool
    ) -> None:
        """A presence of this peer has arrived."""
        address = endpoint_text(source)
        self._perform(
            self._table.presence(
                did,
                presence.nickname,
                address,
                time.monotonic(),
                reply_wanted=presence.reply_wanted,
                expected=expected,
                overheard=overheard,
            )
        )

    def other_version(self, effect: OtherVersion) -> None:
        """A session that is heard speaks another version of the protocol."""
        address = endpoint_text(effect.source)
        now_s = time.monotonic()
        self._other_versions.heard(
            address, effect.lowest, effect.highest, did=effect.peer, nickname=effect.nickname, now_s=now_s
        )
        self._perform(self._other_versions.handle_timeout(now_s))

    def _differs(self, did: Did, nickname: str, address: str, version: int) -> None:
        now_s = time.monotonic()
        self._other_versions.heard(address, version, version, did=did, nickname=nickname, now_s=now_s)
        self._perform(self._other_versions.handle_timeout(now_s))

    def other_versions(self) -> tuple[OtherSession, ...]:
        """Who was heard of lately and speaks another version of the protocol."""
        return self._other_versions.snapshot(time.monotonic())

    def _claims(self) -> dict[Did, str]:
        claims = {} if self._calls is None else self._calls.claims()
        return {**claims, **self._table.claims(alive=True)}

    def _found(self, did: Did, nickname: str, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._post.expect_at(did, (host.strip("[]"), int(port)))
        self._perform(self._table.found(did, nickname, address, time.monotonic()))

    def noticed(self, did: Did, nickname: str, source: Address) -> None:
        """A session says, unsigned, that it is there."""
        self._post.expect_at(did, source)
        self._perform(self._table.noticed(did, nickname, endpoint_text(source), time.monotonic()))

    def _gone(self, did: Did) -> None:
        self._perform(self._table.gone(did, time.monotonic()))

    def _woken(self) -> None:
        now_s = time.monotonic()
        self._perform([*self._table.handle_timeout(now_s), *self._other_versions.handle_timeout(now_s)])

    def _perform(self, effects: Sequence[PresenceEffect]) -> None:
        for effect in effects:
            if isinstance(effect, Emit):
                self._publish(_with_interface_name(effect.event))
            else:
                presence = Presence(self._nickname, effect.reply_wanted)
                self._post.send_to_peer(effect.peer, presence, None, off_pace=effect.off_pace)
        due_s = (self._table.next_timeout(), self._other_versions.next_timeout())
        self._wake.set(min((due for due in due_s if due is not None), default=None))


def _with_interface_name(event: Event) -> Event:
    """Presence knows interfaces by their address; people know them by name."""
    if not isinstance(event, MulticastStopped | MulticastResumed) or event.interface is None:
        return event
    names = (
        interface.name
        for interface in list_interfaces()
        if any(own.address == event.interface for own in interface.addresses)
    )
    return msgspec.structs.replace(event, interface=next(names, event.interface))

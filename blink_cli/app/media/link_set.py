"""The links of the current call: one per participant, replaced as a whole after a drop, whatever is sent over them.

dial, answer, apply, hang_up --> LinkSet --> LinkedParticipant, each with its MediaLink
MediaOwner                   <-- LinkSet <-- descriptions, states

A session that hears nobody has no use for what links are made of: aiortc with all below it takes as long to import as the rest of the session, and a third of its
memory. It is imported on a thread once the first signal of a peer comes, long before anybody can be called.
"""

import asyncio
import importlib
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from msgspec.structs import replace

from blink_cli.app.media.expected_links import MAX_EXPECTED, ExpectedLinks
from blink_cli.app.media.impaired_peers import ImpairedPeers
from blink_cli.app.media.linked_participant import LinkedParticipant, PathSearch
from blink_cli.core.api.events import Event, PathNotFound
from blink_cli.core.call.inputs import Connected, Described, Ended, MediaInput, Refused
from blink_cli.core.errors import BlinkError
from blink_cli.core.ids import Did
from blink_cli.core.media.reception_statistics import ReceptionStatistics
from blink_cli.net.ice.ice_servers import REPETITION_S, GatheringPlan, IceServers
from blink_cli.net.link.link_events import LinkEvents
from blink_cli.net.link_settings import (
    AddressesTried,
    LinkCertificate,
    LinkClosed,
    LinkConnected,
    LinkConnecting,
    LinkFailed,
    LinkSettings,
    LinkState,
)
from blink_cli.runtime.clock import Clock
from blink_cli.runtime.tasks import TaskOwner

if TYPE_CHECKING:
    from blink_cli.net.ice.ice_connection import Way
    from blink_cli.net.link.media_link import MediaLink
    from blink_cli.net.link.media_round import MediaRound

P = TypeVar("P", bound=LinkedParticipant)

PATH_PATIENCE_S: Final = 4.0
"""For so long a way is looked for before it is said that there is none: a network connects in 0.1 s, a relay far away in 2 s."""

MAX_HEARD_FROM: Final = 4
"""Of one peer: the addresses of its signals change with the networks it is on, and relays pass some on."""

MAX_PEERS_HEARD: Final = 256


class LinkSet(Generic[P]):
    """Makes links and ends them. Belongs to the event loop."""

    def __init__(
        self,
        settings: LinkSettings,
        certificate: LinkCertificate,
        tasks: TaskOwner,
        *,
        new_participant: Callable[[Did], P],
        tell: Callable[[MediaInput], None],
        publish: Callable[[Event], None],
        clock: Clock,
        ice_servers: IceServers | None = None,
        media_round: "MediaRound | None" = None,
    ) -> None:
        """Have no link yet.

        Args:
            settings: How links are made.
            certificate: The session's.
            tasks: Owns what takes time.
            new_participant: Makes what the call has of a peer when a link to it is needed first.
            tell: Told what happens to links.
            publish: Takes events.
            clock: Time.
            ice_servers: Those that are known to answer.
            media_round: Reads the sockets of links by which voice comes; None: the event loop does.

        """
        self._round = media_round
        self._settings = settings
        self._ice_servers = ice_servers or IceServers()
        self._certificate = certificate
        self._tasks = tasks
        self._new_participant = new_participant
        self._tell = tell
        self._publish = publish
        self._clock = clock
        self.impaired: Final = ImpairedPeers()
        """What is done on purpose to links."""

        self._expected = ExpectedLinks(tasks, self._lapsed)
        self._heard_from: dict[Did, tuple[str, ...]] = {}
        self._peers: dict[Did, P] = {}
        self._connected: tuple[P, ...] = ()
        self.when_connected_changes: Callable[[], None] | None = None
        """Called when media begin or cease to flow to somebody."""

    @property
    def peers(self) -> dict[Did, P]:
        """Everyone who has or had a link in this call."""
        return self._peers

    @property
    def connected(self) -> tuple[P, ...]:
        """Those to whom media flows."""
        return self._connected

    def reception(self, peer: Did, ssrc: int) -> ReceptionStatistics | None:
        """How the link to a peer counts one of its streams; None when nothing of it came over the present link."""
        link = self._link(peer)
        return None if link is None else link.streams.get(ssrc)

    def addresses_tried(self, peer: Did) -> AddressesTried | None:
        """Between what a way to a peer is looked for now; None when there is no search."""
        link = self._link(peer)
        return None if link is None else link.addresses_tried

    def heard_from(self, peer: Did, host: str) -> None:
        """A signal of this peer came from this address: it may be reached there."""
        if not self._heard_from:
            self._tasks.start(asyncio.to_thread(self._load), name="load what links are made of")
        known = self._heard_from.pop(peer, ())
        if len(self._heard_from) >= MAX_PEERS_HEARD:
            del self._heard_from[next(iter(self._heard_from))]
        latest = host, *(other for other in known if other != host)
        self._heard_from[peer] = latest[:MAX_HEARD_FROM]

    # what the rules of the call ask for

    def expect(self, peer: Did) -> None:
        """A connection to this peer may be wanted soon: ask the servers for our addresses now. Without servers there is nothing to ask."""
        plan = self._ice_servers.plan()
        if plan.servers and peer not in self._peers:
            # Nobody waits for it yet, so that a lost datagram has time to be said again.
            patient = GatheringPlan(plan.servers, plan.patience_s + REPETITION_S)
            self._expected.expect(
                peer, lambda: self._new_link(peer, patient, PathSearch(), None, LinkEvents())
            )

    def expect_few(self, peers: Sequence[Did]) -> None:
        """These are offered a call: as `expect`, if there is room for all. The servers have answered by the time at which it rings, and a machine accepts at once."""
        if len(peers) <= MAX_EXPECTED:
            for peer in peers:
                self.expect(peer)

    def describe_early(self, peer: Did, epoch: int) -> None:
        """Tell the offer of a connection while it rings; only with servers: on one network there is nothing to gain."""
        self.expect(peer)
        link = self._expected.describe(peer, epoch)
        if link is not None:
            self._tasks.start(self._describe_early(peer, epoch, link), name=f"describe to {_short(peer)}")

    def dial(self, peer: Did, epoch: int) -> None:
        """Make a connection and tell its offer."""
        participant, link = self._begin(peer, epoch)
        self._tasks.start(self._describe(participant, link, link.create_offer()), name=f"dial {_short(peer)}")

    def answer(self, peer: Did, epoch: int, sdp: str) -> None:
        """Make a connection from the peer's offer and tell the answer."""
        participant, link = self._begin(peer, epoch)
        self._tasks.start(
            self._describe(participant, link, link.accept_offer(sdp)), name=f"answer {_short(peer)}"
        )

    def apply(self, peer: Did, epoch: int, sdp: str) -> None:
        """Give the peer's answer to the connection of this epoch, if it still stands."""
        if self._expected.is_described(peer, epoch) and not self._take_described(peer, epoch):
            self._tell(Ended(peer, epoch, "what was described while it rang is not so any more"))
            return
        participant = self._peers.get(peer)
        if participant is None or participant.link is None or participant.epoch != epoch:
            return
        link = participant.link
        self._tasks.start(
            self._apply(participant, link, link.accept_answer(sdp)), name=f"connect {_short(peer)}"
        )

    def hang_up(self, peer: Did, epoch: int) -> None:
        """Close the connection of this epoch, if it still stands."""
        participant = self._peers.get(peer)
        if participant is not None and participant.epoch == epoch:
            self._end(participant)
        elif self._expected.is_described(peer, epoch):
            self._expected.give_up(peer)

    def hang_up_all(self) -> None:
        """Close everything and forget the call's peers; closing goes on in the background."""
        for participant in self._peers.values():
            self._end(participant)
        self._peers = {}
        self.impaired.end_call()

    def look(self, now_s: float) -> None:
        """Tell what is looked for in vain; to be called a few times a second."""
        for participant in self._peers.values():
            search, link = participant.search, participant.link
            if (
                search.since_s is None
                or search.no_path is not None
                or now_s - search.since_s < PATH_PATIENCE_S
            ):
                continue
            tried = None if link is None else link.addresses_tried
            if link is None or link.way is not None or tried is None:
                continue  # found, and the handshake goes on; or between two links
            search.no_path = tried
            self._publish(
                PathNotFound(
                    did=participant.peer, ours=tried.ours, left_out=tried.left_out, theirs=tried.theirs
                )
            )

    # inside

    def _load(self) -> None:
        importlib.import_module("blink_cli.net.library_parts")  # before aioice, which imports more of it
        importlib.import_module("blink_cli.net.link.media_link")
        _ = self._certificate.rtc

    def _link(self, peer: Did) -> "MediaLink | None":
        participant = self._peers.get(peer)
        return None if participant is None else participant.link

    def participant(self, peer: Did) -> P:
        """What the call has of a peer, made when it is needed first."""
        participant = self._peers.get(peer)
        if participant is None:
            participant = self._peers[peer] = self._new_participant(peer)
            participant.when_link_changes = self._link_changed
        return participant

    def _begin(self, peer: Did, epoch: int) -> "tuple[P, MediaLink]":
        participant = self._without_link(peer, epoch)
        plan = self._ice_servers.plan()
        link = self._expected.take(peer, lambda link: self._still_fits(peer, participant, link, plan))
        if link is None:
            link = self._new_link(peer, plan, participant.search, participant.died_on, participant)
        link.tell(participant)
        participant.link = link
        return participant, link

    def _take_described(self, peer: Did, epoch: int) -> bool:
        """Go on with the connection that was described while it rang, if it still fits."""
        participant = self._without_link(peer, epoch)
        plan = self._ice_servers.plan()
        link = self._expected.take_described(
            peer, lambda link: self._still_fits(peer, participant, link, plan)
        )
        if link is not None:
            link.tell(participant)
            participant.link = link
        return link is not None

    def _without_link(self, peer: Did, epoch: int) -> P:
        """What the call has of a peer, whose connection of this epoch is about to begin."""
        participant = self.participant(peer)
        self._end(participant)
        participant.forget_line()
        participant.epoch = epoch
        return participant

    def _still_fits(self, peer: Did, participant: P, link: "MediaLink", plan: GatheringPlan) -> bool:
        """Whether a link that was expected is as one that would be made now."""
        urls = [server.url for server in link.settings.ice_servers]
        return (
            participant.died_on is None
            and not participant.search.tried_local
            and urls == [server.url for server in plan.servers]
            and link.impairment is self.impaired.link_impairment(peer)
            and link.has_fresh_addresses
        )

    def _new_link(
        self, peer: Did, plan: GatheringPlan, search: PathSearch, died_on: "Way | None", events: LinkEvents
    ) -> "MediaLink":
        from blink_cli.net.link.media_link import MediaLink  # noqa: PLC0415 - see the head of this file

        return MediaLink(
            replace(
                self._settings,
                heard_from=self._heard_from.get(peer, ()),
                avoid_local=() if died_on is None or died_on.local is None else (died_on.local.address,),
                tried_local=search.tried_local,
                tried_remote=search.tried_remote,
                avoid_remote=() if died_on is None else (died_on.remote[0].partition("%")[0],),
                ice_servers=plan.servers,
                gathering_timeout_s=plan.patience_s,
            ),
            self._certificate,
            self._tasks,
            name=_short(peer),
            events=events,
            impairment=self.impaired.link_impairment(peer),
            media_round=self._round,
        )

    async def aclose(self) -> None:
        """Give back what was expected."""
        await self._expected.aclose()

    def _end(self, participant: P) -> None:
        link = participant.link_down()
        self._renew_connected()
        if link is not None:
            self._tasks.start(link.aclose(), name=f"hang up {_short(participant.peer)}")

    def _renew_connected(self) -> None:
        connected = tuple(one for one in self._peers.values() if one.connected)
        if connected != self._connected:
            self._connected = connected
            if self.when_connected_changes is not None:
                self.when_connected_changes()

    async def _describe(self, participant: P, link: "MediaLink", making: Coroutine[Any, Any, str]) -> None:
        peer, epoch = participant.peer, participant.epoch
        try:
            sdp = await making
        except (BlinkError, OSError) as failure:
            if participant.link is link:
                self._ice_servers.doubt()
                self._tell(Refused(peer, epoch, str(failure)))
            return
        if not link.servers_answered:
            self._ice_servers.doubt()
        if participant.link is link:
            self._tell(Described(peer, epoch, sdp))

    async def _describe_early(self, peer: Did, epoch: int, link: "MediaLink") -> None:
        if not self._expected.is_described(peer, epoch):
            return  # who is called accepted at the same moment, and the link was dialled by
        try:
            sdp = await link.create_offer()
        except (BlinkError, OSError) as failure:
            if self._expected.is_described(peer, epoch):
                self._expected.give_up(peer)
                self._tell(Refused(peer, epoch, str(failure)))
            return
        if self._expected.is_described(peer, epoch):
            self._tell(Described(peer, epoch, sdp))

    def _lapsed(self, peer: Did, epoch: int) -> None:
        self._tell(Ended(peer, epoch, "nobody accepted while its addresses were kept"))

    async def _apply(self, participant: P, link: "MediaLink", applying: Coroutine[Any, Any, None]) -> None:
        try:
            await applying
        except BlinkError as failure:
            if participant.link is link:
                self._tell(Refused(participant.peer, participant.epoch, str(failure)))

    def _link_changed(self, changed: LinkedParticipant, state: LinkState) -> None:
        participant = self._peers[changed.peer]
        link, peer, epoch = participant.link, participant.peer, participant.epoch
        now_s = self._clock.now_s()
        match state:
            case LinkConnecting() if participant.search.since_s is None:
                participant.search.since_s = now_s
            case LinkConnected():
                assert link is not None, "a link that has ended is silent"
                assert link.media_format is not None, "a connected link has agreed on its media"
                participant.link_up(link.media_format, now_s)
                self._renew_connected()
                self._tell(Connected(peer, epoch))
            case LinkClosed(reason=reason) | LinkFailed(reason=reason):
                self._end(participant)
                if isinstance(state, LinkFailed):
                    self._ice_servers.doubt()
                self._tell(Ended(peer, epoch, reason))
            case _:
                pass


def _short(peer: Did) -> str:
    return peer[-8:]

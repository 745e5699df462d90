"""By which paths what this session says goes out: multicast, neighbours, and straight to peers who hear no multicast.

Multicast may be what loses a signal (Wi-Fi does not repeat it, a switch may stop passing it): a repetition, and a question to a peer that
is not heard, go to the peer's own address as well.
"""

from collections.abc import Callable
from heapq import heappop, heappush

import msgspec

from blink_cli.core.gossip.counters import GossipCounters
from blink_cli.core.gossip.datagram import not_to_be_relayed
from blink_cli.core.gossip.delivery import Outgoing
from blink_cli.core.gossip.effects import Arrival, Transmit
from blink_cli.core.gossip.neighbours import Neighbours
from blink_cli.core.gossip.paths import Path
from blink_cli.core.gossip.routes import Routes
from blink_cli.core.gossip.said import Said
from blink_cli.core.gossip.settings import GossipSettings
from blink_cli.core.ids import Did
from blink_cli.core.signaling.signals import Presence


class _Copy(msgspec.Struct, frozen=True, order=True):
    """One more time that a signal to a call goes out."""

    due_s: float
    number: int
    datagrams: tuple[bytes, ...]
    participants: tuple[Did, ...]


class Outbox:
    """Of one session."""

    def __init__(
        self,
        settings: GossipSettings,
        neighbours: Neighbours,
        routes: Routes,
        counters: GossipCounters,
        is_contact: Callable[[Did], bool],
    ) -> None:
        """Begin without copies."""
        self._is_contact = is_contact
        self._settings = settings
        self._neighbours = neighbours
        self._routes = routes
        self._counters = counters
        self._copies: list[_Copy] = []
        self._copies_made = 0

    def to_peer(self, outgoing: Outgoing, said: Said, now_s: float) -> list[Transmit]:
        """One attempt of a signal to one peer, as it was sealed for one channel."""
        signal = outgoing.signal
        asks = isinstance(signal, Presence) and signal.reply_wanted
        # Who was not heard lately may be behind an interface, or of a family, on which nobody was.
        searches = outgoing.in_doubt or self._routes.to(outgoing.peer, now_s) is None
        paths = self._neighbours.all_paths(now_s) if searches else self._neighbours.usual_paths(now_s)
        more = self._straight_to((outgoing.peer,), now_s, also_who_hears=outgoing.in_doubt)
        datagrams = said.datagrams(ttl=self._settings.ttl, attempt=outgoing.attempt)
        if not isinstance(signal, Presence):
            # Its address may be that of a relay, which passes it on.
            return self._send(datagrams, (*paths, *more))
        # Who is no contact is heard by what it says in the call: in one of `n` strangers `n` messages a second, not `n` times `n`.
        if said.public or outgoing.off_pace or not self._is_contact(outgoing.peer):
            paths = tuple(path for path in paths if not path.overheard)
        claimed = self._routes.to_claimed(outgoing.peer, now_s) if asks else None
        if claimed is not None and claimed not in (*paths, *more):
            more = (*more, claimed)
        return self._send(datagrams, paths, more)

    def to_stranger(self, said: Said, route: Path, now_s: float) -> list[Transmit]:
        """A signal to a peer of which nothing needs to be known: everywhere, and straight."""
        paths = self._neighbours.all_paths(now_s)
        datagrams = said.datagrams(ttl=self._settings.ttl, attempt=0)
        return self._send(datagrams, paths, () if route in paths else (route,))

    def to_call(
        self, said: Said, participants: tuple[Did, ...], copies: int, now_s: float, *, straight: bool
    ) -> list[Transmit]:
        """A signal to a call, now and `copies` more times.

        Args:
            said: The sealed signal.
            participants: Those of them who hear no multicast get it by unicast.
            copies: How many more times, at short distances, then to the addresses of all participants too.
            now_s: Monotonic seconds.
            straight: To the addresses of all participants the first time too.

        """
        for attempt in range(1, copies + 1):
            self._copies_made += 1
            if len(self._copies) < self._settings.max_copies_waiting:
                due_s = now_s + attempt * self._settings.copy_distance_s
                datagrams = said.datagrams(ttl=self._settings.ttl, attempt=attempt)
                heappush(self._copies, _Copy(due_s, self._copies_made, datagrams, participants))
        more = self._straight_to(participants, now_s, also_who_hears=straight)
        datagrams = said.datagrams(ttl=self._settings.ttl, attempt=0)
        return self._send(datagrams, self._neighbours.usual_paths(now_s), more)

    def acknowledge(self, said: Said, arrival: Arrival) -> list[Transmit]:
        """Answer where the signal came from: by the same path, and straight to the address, whichever arrives."""
        self._counters.acknowledgements_sent += 1
        back = arrival.back
        paths = (arrival.path,) if arrival.path == back else (arrival.path, back)
        return self._send(said.datagrams(ttl=self._settings.ttl, attempt=0), paths)

    def next_due_s(self) -> float | None:
        """When a copy goes out."""
        return self._copies[0].due_s if self._copies else None

    def handle_timeout(self, now_s: float) -> list[Transmit]:
        """The copies that are due."""
        transmits: list[Transmit] = []
        while self._copies and self._copies[0].due_s <= now_s:
            transmits += self._copy(heappop(self._copies), now_s)
        return transmits

    def flush(self, now_s: float) -> list[Transmit]:
        """The copies that wait, all at once."""
        waiting = sorted(self._copies)
        self._copies.clear()
        return [transmit for copy in waiting for transmit in self._copy(copy, now_s)]

    def _copy(self, copy: _Copy, now_s: float) -> list[Transmit]:
        more = self._straight_to(copy.participants, now_s, also_who_hears=True)
        return self._send(copy.datagrams, self._neighbours.usual_paths(now_s), more)

    def _straight_to(self, peers: tuple[Did, ...], now_s: float, *, also_who_hears: bool) -> tuple[Path, ...]:
        """The addresses of those of these peers who hear no multicast, or of all of them, but where things go anyway.

        None behind a broker: whoever listens to a topic there is brought what is said on it, by the same connection. It would be a message to
        each participant beside the one to all, and whoever forged the reply of a message would be sent them.
        """
        anyway = self._neighbours.all_paths(now_s)
        paths: list[Path] = []
        for peer in peers:
            route = self._routes.to(peer, now_s) if also_who_hears else None
            more = (*self._routes.to_deaf(peer, now_s), *(() if route is None else (route,)))
            paths += [
                path for path in more if not path.overheard and path not in paths and path not in anyway
            ]
        return tuple(paths)

    def _send(
        self, datagrams: tuple[bytes, ...], paths: tuple[Path, ...], straight: tuple[Path, ...] = ()
    ) -> list[Transmit]:
        """Send on all paths; what goes straight to peers as well is not relayed by them: the others get it as we send it."""
        if not paths and not straight:
            return []
        self._counters.transmitted += len(datagrams)
        regular = [Transmit(datagram, paths) for datagram in datagrams] if paths else []
        if not straight:
            return regular
        return regular + [Transmit(not_to_be_relayed(datagram), straight) for datagram in datagrams]

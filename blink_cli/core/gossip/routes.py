"""Unicast addresses of peers: whence they were heard, who of them hears no multicast, and where DNS-SD says that they are.

    heard        the source of a peer's last signed message                    repetitions, and what is urgent, go there too
    deaf         the source of a presence that asks for a reply                everything that is for this peer goes there too
    claimed      what DNS-SD says of a peer that has not been heard            presences go there too, less and less often

Who asks for a reply does not hear our multicast; who says a presence without asking does. So where multicast passes nothing is sent
twice, and where it does not, whichever side is deaf, the other one learns of it. Addresses that were heard are the source of a signed
message: of its sender, or of a relay that passes things on.
"""

from dataclasses import dataclass

from blink_cli.core.gossip.effects import Arrival
from blink_cli.core.gossip.paths import Address, Path, unicast_path
from blink_cli.core.gossip.settings import GossipSettings
from blink_cli.core.ids import Did


@dataclass(slots=True)
class _Claim:
    path: Path
    uses: int = 0
    not_before_s: float = float("-inf")


class Routes:
    """Of one session. Bounded: the oldest makes room."""

    def __init__(self, settings: GossipSettings) -> None:
        """Know no address."""
        self._settings = settings
        self._heard: dict[Did, tuple[Path, float]] = {}
        self._deaf: dict[tuple[Did, Path], float] = {}
        """Until when each is taken to be deaf."""

        self._claims: dict[Did, _Claim] = {}

    def learn(self, peer: Did, arrival: Arrival) -> None:
        """A new signed message of this peer came this way."""
        self._claims.pop(peer, None)
        self._heard.pop(peer, None)
        if len(self._heard) >= self._settings.max_routes:
            del self._heard[next(iter(self._heard))]
        self._heard[peer] = (arrival.back, arrival.now_s)

    def presence(self, peer: Did, arrival: Arrival, *, reply_wanted: bool) -> None:
        """A presence of this peer came: it hears us, or asks because it does not."""
        key = (peer, arrival.back)
        self._deaf.pop(key, None)
        if not reply_wanted:
            return
        of_peer = [other for other in self._deaf if other[0] == peer]
        if len(of_peer) >= self._settings.max_deaf_of_peer:
            del self._deaf[of_peer[0]]
        elif len(self._deaf) >= self._settings.max_deaf:
            del self._deaf[next(iter(self._deaf))]
        self._deaf[key] = arrival.now_s + self._settings.deaf_for_s

    def claim(self, peer: Did, address: Address) -> None:
        """DNS-SD says that this peer is there."""
        if peer in self._heard:
            return
        known = self._claims.pop(peer, None)
        if len(self._claims) >= self._settings.max_routes:
            del self._claims[next(iter(self._claims))]
        path = unicast_path(address)
        self._claims[peer] = known if known is not None and known.path == path else _Claim(path)

    def to(self, peer: Did, now_s: float) -> Path | None:
        """The address by which this peer's last signed message came, if that was lately."""
        route = self._heard.get(peer)
        if route is None or now_s - route[1] > self._settings.route_age_s:
            return None
        return route[0]

    def heard_since(self, since_s: float) -> list[tuple[Did, Path]]:
        """Who spoke since then, and from where."""
        return [(did, path) for did, (path, heard_s) in self._heard.items() if heard_s >= since_s]

    def to_deaf(self, peer: Did, now_s: float) -> tuple[Path, ...]:
        """The addresses of this peer's sessions that do not hear our multicast."""
        if not self._deaf:
            return ()
        return tuple(path for (did, path), until_s in self._deaf.items() if did == peer and now_s < until_s)

    def to_claimed(self, peer: Did, now_s: float) -> Path | None:
        """Where DNS-SD says that it is, if it is time to try that again: anybody can name anybody's address there."""
        claim = self._claims.get(peer)
        if claim is None or now_s < claim.not_before_s:
            return None
        waits_s = self._settings.claimed_after_s
        claim.not_before_s = now_s + waits_s[min(claim.uses, len(waits_s) - 1)]
        claim.uses += 1
        return claim.path

"""Which paths exist, and what was learned of unicast addresses.

A session that was given a neighbour says hello to it every now and then. Who hears a hello from an address that it does
not know sends a challenge there; the echo proves that the address is real and wants to hear from us, and from then on it
is sent whatever the multicast paths are. So one side's `--neighbour` serves both, also for what other sessions on the
same machine or LAN have to say; and nobody can make us send to an address that did not ask.

    hello      00 | 16 zero bytes     all in a datagram on the topic of 16 zero bytes, never relayed
    challenge  01 | 16 bytes of keyed hash of the address
    echo       02 | the same 16 bytes

All three have the same size: a spoofed hello makes us send no more than it cost.
"""

import math
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

from blink_cli.core.endpoint import endpoint_text, ipv6
from blink_cli.core.gossip.budget import TokenBucket
from blink_cli.core.gossip.datagram import MESSAGE_ID_BYTES, Datagram, write_datagrams
from blink_cli.core.gossip.effects import Arrival, Transmit
from blink_cli.core.gossip.lively_paths import LivelyPaths
from blink_cli.core.gossip.paths import Address, Path, PathKind, relay_targets, unicast_path
from blink_cli.core.gossip.settings import GossipSettings
from blink_cli.core.signaling.topics import TOPIC_BYTES, Topic

NEIGHBOUR_TOPIC: Final = Topic(bytes(TOPIC_BYTES))
"""No hash with a key comes out as this."""

_COOKIE_BYTES: Final = 16
_HELLO: Final = 0
_CHALLENGE: Final = 1
_ECHO: Final = 2


class Neighbours:
    """Of one session."""

    def __init__(self, settings: GossipSettings, entropy: Callable[[int], bytes]) -> None:
        """Begin without any path."""
        self._settings = settings
        self._secret = entropy(32)
        self._answers = TokenBucket(settings.link_answers_per_s)
        self._paths: tuple[Path, ...] = ()
        self._learned: dict[Path, float] = {}
        """When each was last heard, seconds; in that order."""

        self._all: tuple[Path, ...] | None = None
        self._has_unicast = False
        self._lively = LivelyPaths(settings)
        self._usual: tuple[Path, ...] = ()
        self._targets: dict[Path, tuple[Path, ...]] = {}
        self._next_hello_s: float | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """Those that the transport has."""
        return self._paths

    def set_paths(self, paths: tuple[Path, ...]) -> None:
        """Replace the paths that the transport has, and greet the neighbours among them at the next wake."""
        self._paths = paths
        self._lively.set_paths(paths)
        self._forget_derived()
        has_neighbours = any(path.kind is PathKind.UNICAST for path in paths)
        self._next_hello_s = float("-inf") if has_neighbours else None

    def all_paths(self, now_s: float) -> tuple[Path, ...]:
        """Every path that a message of ours can go out on."""
        if self._learned:
            too_old_s = now_s - self._settings.learned_path_age_s
            for path in [path for path, heard_s in self._learned.items() if heard_s < too_old_s]:
                del self._learned[path]
                self._forget_derived()
        if self._all is None:
            self._all = self._paths + tuple(path for path in self._learned if path not in self._paths)
            self._has_unicast = any(path.kind is PathKind.UNICAST for path in self._all)
        return self._all

    def usual_paths(self, now_s: float) -> tuple[Path, ...]:
        """The paths that every message of ours goes out on (core/gossip/lively_paths.py)."""
        usual = self._lively.usual(self.all_paths(now_s), now_s)
        if usual != self._usual:
            self._usual = usual
            self._targets.clear()
        return self._usual

    def came(self, fingerprint: int, arrival: Arrival) -> None:
        """A datagram of another session came; again by each path."""
        self._lively.came(fingerprint, arrival.path, arrival.now_s)

    def relay_targets(self, arrival: Arrival) -> tuple[Path, ...]:
        """Where a datagram that came this way is passed on (core/gossip/paths.py has the table)."""
        paths = self.usual_paths(arrival.now_s)
        targets = self._targets.get(arrival.path)
        if targets is None:
            targets = relay_targets(arrival.path, paths)
            if arrival.path.kind is not PathKind.UNICAST:  # of those there are as many as strangers like
                self._targets[arrival.path] = targets
        if self._has_unicast and targets:
            back = unicast_path(arrival.source)
            return tuple(path for path in targets if path != back)
        return targets

    def _forget_derived(self) -> None:
        self._all = None
        self._targets.clear()

    def next_due_s(self) -> float | None:
        """When the neighbours are to be greeted; minus infinity: at once."""
        return self._next_hello_s

    def handle_timeout(self, now_s: float) -> list[Transmit]:
        """Greet the configured neighbours, if it is time."""
        if self._next_hello_s is None or self._next_hello_s > now_s:
            return []
        self._next_hello_s = now_s + self._settings.hello_every_s
        neighbours = tuple(path for path in self._paths if path.kind is PathKind.UNICAST)
        return [_control(_HELLO, bytes(_COOKIE_BYTES), neighbours)]

    def receive(self, datagram: Datagram, arrival: Arrival) -> list[Transmit]:
        """Take a datagram on the link topic; anything that makes no sense is ignored."""
        if arrival.path.kind is not PathKind.UNICAST or len(datagram.fragment) != 1 + _COOKIE_BYTES:
            return []
        kind, cookie = datagram.fragment[0], datagram.fragment[1:]
        back = unicast_path(arrival.source)
        if kind == _HELLO and back in self._learned:
            self._learn(back, arrival.now_s)
            return []
        if kind == _ECHO:
            if cookie == self._cookie(arrival.source):
                self._learn(back, arrival.now_s)
            return []
        if kind not in (_HELLO, _CHALLENGE) or not self._answers.take(arrival.now_s):
            return []
        if kind == _HELLO:
            return [_control(_CHALLENGE, self._cookie(arrival.source), (back,))]
        return [_control(_ECHO, cookie, (back,))]

    def is_neighbour(self, path: Path, now_s: float) -> bool:
        """Whether what comes this way is what neighbours send: a path that we use anyway, or another port of the same host."""
        paths = self.all_paths(now_s)
        if not self._has_unicast:
            return False
        host = _host(path)
        return any(other.kind is PathKind.UNICAST and _host(other) == host for other in paths)

    def _cookie(self, address: Address) -> bytes:
        name = endpoint_text(address).encode()
        return blake2b(name, key=self._secret, digest_size=_COOKIE_BYTES).digest()

    def _learn(self, path: Path, now_s: float) -> None:
        known = self._learned.pop(path, None)
        if known is None:
            if not self._make_room(_machine(path), now_s):
                return
            self._forget_derived()
        self._learned[path] = now_s

    def _make_room(self, host: str, now_s: float) -> bool:
        """Have a place for another path to this host: one that fell silent goes, or for a host that the user named any other's."""
        of_host = [path for path in self._learned if _machine(path) == host]
        if len(of_host) >= self._settings.learned_paths_per_host:
            return self._displace(of_host, now_s)
        if len(self._learned) < self._settings.learned_paths:
            return True
        if self._displace(list(self._learned), now_s):
            return True
        named = {_machine(path) for path in self._paths if path.kind is PathKind.UNICAST}
        others = [path for path in self._learned if _machine(path) not in named]
        return host in named and self._displace(others, math.inf)

    def _displace(self, paths: list[Path], now_s: float) -> bool:
        """Forget the one of them that was silent longest, if that was for long enough."""
        if not paths or now_s - self._learned[paths[0]] < self._settings.displace_path_after_s:
            return False
        del self._learned[paths[0]]
        return True


def _control(kind: int, cookie: bytes, paths: tuple[Path, ...]) -> Transmit:
    (datagram,) = write_datagrams(
        NEIGHBOUR_TOPIC, bytes(MESSAGE_ID_BYTES), (bytes((kind,)) + cookie,), ttl=0, attempt=0
    )
    return Transmit(datagram, paths)


def _host(path: Path) -> str:
    return path.name.rpartition(":")[0]


def _machine(path: Path) -> str:
    """What one machine has all of: an IPv4 address, a link-local IPv6 address, or the /64 of another IPv6 address."""
    host = _host(path)
    address = ipv6(host.strip("[]"))
    if address is None or address.is_link_local:
        return host
    return (int(address) >> 64).to_bytes(8).hex()

"""Being found without DNS-SD: every session says now and then, to everyone, who it is.

    greeting   03 | 32 bytes, Ed25519 public key | nickname, UTF-8     on the topic of 16 zero bytes, never relayed

Multicast DNS may be switched off on a network, taken by another program, or not reach all interfaces of a machine; where signals pass,
greetings pass. What a greeting says is a claim, like DNS-SD's: its receiver sends a presence to that identity, and only the answer, signed,
counts. A flood of them costs no more than a share of the public-key operations of a core (GossipSettings.greetings_per_s).
"""

from collections.abc import Callable
from typing import Final

from blink_cli.core.errors import UsageError
from blink_cli.core.gossip.budget import SharedBudget
from blink_cli.core.gossip.datagram import MESSAGE_ID_BYTES, Datagram, write_datagrams
from blink_cli.core.gossip.effects import Arrival, Noticed, Transmit
from blink_cli.core.gossip.neighbours import NEIGHBOUR_TOPIC
from blink_cli.core.gossip.paths import Path
from blink_cli.core.gossip.settings import GossipSettings
from blink_cli.core.identity.did import did_of, public_key_of
from blink_cli.core.identity.nickname import harmless_nickname

GREETING: Final = b"\x03"
_KEY_BYTES: Final = 32
_MAX_NICKNAME_BYTES: Final = 256


class Greeting:
    """Of one session; silent until `begin`."""

    def __init__(self, settings: GossipSettings, public_key: bytes, entropy: Callable[[int], bytes]) -> None:
        """Know who greets."""
        self._settings = settings
        self._public_key = public_key
        self._entropy = entropy
        self._budget = SharedBudget(
            per_s=settings.greetings_per_s,
            per_source_per_s=settings.greetings_per_source_per_s,
            sources=settings.sources,
        )
        self._nickname: bytes | None = None
        self._due_s: float | None = None
        self._waits_s: list[float] = []

    def begin(self, nickname: str) -> None:
        """Greet from now on, and take the greetings of others."""
        self._nickname = nickname.encode(errors="replace")[:_MAX_NICKNAME_BYTES]
        self.paths_changed()

    def paths_changed(self) -> None:
        """Somebody else may be reached now."""
        if self._nickname is not None:
            self._due_s = float("-inf")
            self._waits_s = list(self._settings.first_greetings_after_s)

    def next_due_s(self) -> float | None:
        """When `handle_timeout` has something to do; minus infinity: at once."""
        return self._due_s

    def handle_timeout(self, now_s: float, paths: tuple[Path, ...]) -> list[Transmit]:
        """Greet on all paths, if it is time."""
        if self._due_s is None or self._nickname is None or now_s < self._due_s:
            return []
        wait_s = self._waits_s.pop(0) if self._waits_s else self._settings.greet_every_s
        # Sessions that began together do not stay together.
        self._due_s = now_s + wait_s * (0.9 + 0.2 * self._entropy(1)[0] / 255)
        paths = tuple(path for path in paths if not path.overheard)
        if not paths:
            return []
        said = GREETING + self._public_key + self._nickname
        message_id = self._entropy(MESSAGE_ID_BYTES)
        return [
            Transmit(datagram, paths)
            for datagram in write_datagrams(NEIGHBOUR_TOPIC, message_id, (said,), ttl=0, attempt=0)
        ]

    def receive(self, datagram: Datagram, arrival: Arrival) -> list[Noticed]:
        """Take a datagram on the link topic that begins as a greeting; one that makes no sense is ignored."""
        key = datagram.fragment[1 : 1 + _KEY_BYTES]
        nickname = datagram.fragment[1 + _KEY_BYTES :]
        if self._nickname is None or len(key) != _KEY_BYTES or len(nickname) > _MAX_NICKNAME_BYTES:
            return []
        if key == self._public_key or not self._budget.take(arrival.source, arrival.now_s):
            return []
        peer = did_of(key)
        try:
            public_key_of(peer)
        except UsageError:
            return []  # no key that anything could be sealed to
        return [Noticed(peer, harmless_nickname(nickname.decode(errors="replace")), arrival.source)]

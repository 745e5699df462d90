"""Two builds of different versions of the protocol say so to each other.

    word    BF 62 6c 6e 6b | lowest version spoken | highest | flags | with flag 1: Ed25519 public key (32), length (1), nickname in UTF-8
            any bytes behind that are ignored, and so are flags that are not known

The word belongs to no version: every build understands it, the datagram of which begins with B0 + version (versions 2 to 14). Who hears a
datagram of a version that it does not speak answers with its word, without a name, straight to the address; nobody answers a word. While such
are heard, the named word goes out with the greetings. Version 1 knows no word; what it greets and says is recognised by its own form.
Pure; monotonic `now_s`.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from blink_cli.core.errors import UsageError
from blink_cli.core.gossip.budget import TokenBucket
from blink_cli.core.gossip.datagram import VERSION
from blink_cli.core.gossip.effects import Arrival, OtherVersion, Transmit
from blink_cli.core.gossip.paths import Address, Path
from blink_cli.core.gossip.settings import GossipSettings
from blink_cli.core.identity.did import did_of, public_key_of
from blink_cli.core.identity.nickname import harmless_nickname
from blink_cli.core.ids import Did

BASE: Final = 0xB0
SPOKEN: Final = VERSION - BASE
"""The one version of this build."""

WORD: Final = b"\xbfblnk"
_FLAGS_OFFSET: Final = len(WORD) + 2
_NAMED: Final = 1
_KEY_BYTES: Final = 32
_MAX_NICKNAME_BYTES: Final = 255
_OLD_HEADER_BYTES: Final = 37
_OLD_GREETING: Final = 37
_OLD_NICKNAME: Final = _OLD_GREETING + 1 + _KEY_BYTES


@dataclass(slots=True)
class _Heard:
    told_named: bool = False
    told: bool = False
    told_s: float = float("-inf")
    answered_s: float = float("-inf")


class Versions:
    """Of one session. Bounded: who was heard longest ago is forgotten."""

    def __init__(self, settings: GossipSettings, public_key: bytes) -> None:
        """Have heard no other version."""
        self._settings = settings
        self._public_key = public_key
        self._nickname: str | None = None
        self._heard: OrderedDict[Address, _Heard] = OrderedDict()
        self._answers = TokenBucket(settings.version_answers_per_s)
        self._tells = TokenBucket(settings.versions_told_per_s)
        self._last_s = float("-inf")
        self._due_s: float | None = None

    def greet_as(self, nickname: str) -> None:
        """Say who speaks this version, when another one is heard."""
        self._nickname = nickname

    def next_due_s(self) -> float | None:
        """When `handle_timeout` has something to do."""
        return self._due_s

    def handle_timeout(self, now_s: float, paths: tuple[Path, ...]) -> list[Transmit]:
        """Say the named word, if it is time, on the paths that nobody else overhears."""
        if self._due_s is None or now_s < self._due_s:
            return []
        if now_s - self._last_s > self._settings.version_lasts_s:
            self._due_s = None
            return []
        self._due_s = now_s + self._settings.greet_every_s
        paths = tuple(path for path in paths if not path.overheard)
        if self._nickname is None or not paths:
            return []
        nickname = self._nickname.encode(errors="replace")[:_MAX_NICKNAME_BYTES]
        word = _word(_NAMED) + self._public_key + bytes((len(nickname),)) + nickname
        return [Transmit(word, paths)]

    def receive(self, encoded: bytes, arrival: Arrival) -> list[OtherVersion | Transmit]:
        """Take what is no datagram of our version; mostly it is of no version at all."""
        if encoded.startswith(WORD):
            return [*self._receive_word(encoded, arrival)]
        version = encoded[0] - BASE if encoded else 0
        if len(encoded) < _OLD_HEADER_BYTES or not 1 <= version < WORD[0] - BASE:
            return []
        if version == 1 and not _is_old_header(encoded):
            return []
        heard = self._know(arrival)
        effects: list[OtherVersion | Transmit] = []
        if (
            arrival.now_s - heard.answered_s >= self._settings.version_lasts_s
            and self._answers.take(arrival.now_s)
        ):  # fmt: skip
            heard.answered_s = arrival.now_s
            effects.append(Transmit(_word(0), (arrival.back,)))
        if version == 1:  # a later one answers with its word: a byte alone may be anybody's
            effects += self._tell(heard, arrival, (1, 1), _old_greeting(encoded))
        return effects

    def _receive_word(self, encoded: bytes, arrival: Arrival) -> list[OtherVersion]:
        if len(encoded) <= _FLAGS_OFFSET:
            return []
        lowest, highest, flags = encoded[_FLAGS_OFFSET - 2 : _FLAGS_OFFSET + 1]
        if not 1 <= lowest <= highest or lowest <= SPOKEN <= highest:
            return []
        key = nickname = b""
        if flags & _NAMED:
            rest = encoded[_FLAGS_OFFSET + 1 :]
            key = rest[:_KEY_BYTES]
            length = rest[_KEY_BYTES] if len(rest) > _KEY_BYTES else 0
            nickname = rest[_KEY_BYTES + 1 : _KEY_BYTES + 1 + length]
            if key == self._public_key:
                return []
        return self._tell(self._know(arrival), arrival, (lowest, highest), (key, nickname))

    def _know(self, arrival: Arrival) -> _Heard:
        if self._due_s is None:
            self._due_s = arrival.now_s
        self._last_s = arrival.now_s
        heard = self._heard.pop(arrival.source, None) or _Heard()
        if len(self._heard) >= self._settings.versions_heard:
            self._heard.popitem(last=False)
        self._heard[arrival.source] = heard
        return heard

    def _tell(
        self, heard: _Heard, arrival: Arrival, spoken: tuple[int, int], claim: tuple[bytes, bytes]
    ) -> list[OtherVersion]:
        """Once for an address, and once more when its name is known; again while it lasts, for who shows it. Only what may be told is looked at: a key costs 0.2 ms."""
        key, nickname = claim
        if arrival.now_s - heard.told_s >= self._settings.version_lasts_s:
            heard.told = heard.told_named = False
        if heard.told_named or (heard.told and not key) or not self._tells.take(arrival.now_s):
            return []
        peer = _did(key)
        if peer is None and heard.told:
            return []
        heard.told, heard.told_named, heard.told_s = True, peer is not None, arrival.now_s
        return [OtherVersion(arrival.source, *spoken, peer, _harmless(nickname) if peer else "")]


def _word(flags: int) -> bytes:
    return WORD + bytes((SPOKEN, SPOKEN, flags))


def _is_old_header(encoded: bytes) -> bool:
    """Whether these bytes begin as a datagram of version 1: what is random does so once in ten million times."""
    _, ttl, _, index, count = encoded[:5]
    return ttl <= 8 and 1 <= count <= 12 and index < count


def _old_greeting(encoded: bytes) -> tuple[bytes, bytes]:
    """The key and the nickname that a datagram of version 1 claims; empty when it is no greeting."""
    if encoded[5:21] != bytes(16) or encoded[_OLD_GREETING : _OLD_GREETING + 1] != b"\x03":
        return b"", b""
    return encoded[_OLD_GREETING + 1 : _OLD_NICKNAME], encoded[_OLD_NICKNAME:]


def _did(key: bytes) -> Did | None:
    if len(key) != _KEY_BYTES:
        return None
    peer = did_of(key)
    try:
        public_key_of(peer)
    except UsageError:
        return None
    return peer


def _harmless(nickname: bytes) -> str:
    return harmless_nickname(nickname[:_MAX_NICKNAME_BYTES].decode(errors="replace"))

"""Prekeys: short-lived X25519 keys, so that who steals an identity later cannot open what was sealed to it before.

    OwnPrekeys    this session's: one that is told, and those that were told before and still open what is under way
    PeerPrekeys   what peers told of theirs, in signed messages: one for each session that an identity runs

A session has its first prekey when it begins and another every hour. Its secret is never written anywhere. It is forgotten `KEEP_S` after its
successor is there, and with the process. Whatever is sealed to a prekey needs the long-term secret as well (core/signaling/sealing.py).
Models: X3DH's signed prekeys (Marlinspike and Perrin, 2016). Here the envelope in which a prekey is told is what is signed. Pure.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from typing_extensions import override

from blink_cli.core.identity.curve25519 import is_of_small_order
from blink_cli.core.signaling.sender_class import SenderClass

PREKEY_BYTES: Final = 32

CHANGE_S: Final = 3_600.0
"""What a thief of the running process can open of the past is at most this much and `KEEP_S`."""

KEEP_S: Final = 420.0
"""After its successor a prekey still opens what was sealed to it: the replay window (300 s), a minute of repetitions, and a minute for those who
have not heard of the successor."""

CONFIRMED_S: Final = 2.0
"""A prekey that was told so lately is still that of the peer's session: presences come every second. Of an older one its owner is asked while
the first attempt is under way."""

OTHER_SESSION_S: Final = 15.0
"""A prekey that was not told for so much longer than another of its identity belongs to a session that has gone."""

MAX_SESSIONS: Final = 3
"""Prekeys of one identity that a message is sealed to. More sessions of one identity hear each other's calls only when they are told."""

MAX_PEERS: Final = 512

MAX_VALID_S: Final = 7 * 86_400


class Prekey(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """As it is told."""

    public_key: Annotated[bytes, msgspec.Meta(min_length=PREKEY_BYTES, max_length=PREKEY_BYTES)]
    valid_s: Annotated[int, msgspec.Meta(ge=0, le=MAX_VALID_S)]
    """For so long from now its owner can open what is sealed to it, if its session lives."""


class PrekeySecret(msgspec.Struct, frozen=True):
    """One that opens."""

    public_key: bytes
    secret: X25519PrivateKey
    forget_at_s: float

    @override
    def __repr__(self) -> str:
        return "PrekeySecret(…)"


class OwnPrekeys:
    """Of one session. Two or three secrets at a time."""

    def __init__(self, entropy: Callable[[int], bytes]) -> None:
        """Make the first one when it is first needed; `entropy` gives secrets of 32 bytes."""
        self._entropy = entropy
        self._made_at_s = -math.inf
        self._current: PrekeySecret | None = None
        self._former: list[PrekeySecret] = []

    def tell(self, now_s: float) -> Prekey:
        """What peers may seal to from now on."""
        current = self._look(now_s)
        return Prekey(current.public_key, math.floor(self._made_at_s + CHANGE_S + KEEP_S - now_s))

    def secrets(self, now_s: float) -> tuple[PrekeySecret, ...]:
        """Those that open, the newest first."""
        return (self._look(now_s), *reversed(self._former))

    def next_due_s(self) -> float | None:
        """When a secret is to be forgotten: call `secrets` then. A change waits for the next one who asks."""
        return min((former.forget_at_s for former in self._former), default=None)

    def _look(self, now_s: float) -> PrekeySecret:
        current = self._current
        if current is None or now_s - self._made_at_s >= CHANGE_S:
            if current is not None:
                self._former.append(PrekeySecret(current.public_key, current.secret, now_s + KEEP_S))
            secret = X25519PrivateKey.from_private_bytes(self._entropy(PREKEY_BYTES))
            current = PrekeySecret(secret.public_key().public_bytes_raw(), secret, math.inf)
            self._current, self._made_at_s = current, now_s
        if self._former and self._former[0].forget_at_s <= now_s:
            self._former = [former for former in self._former if former.forget_at_s > now_s]
        return current


@dataclass(slots=True)
class _Known:
    told_at_s: float
    valid_until_s: float


class PeerPrekeys:
    """Those that peers told this session. Bounded; of the lowest class the one that has been known longest goes first."""

    def __init__(self, class_of: Callable[[bytes], SenderClass]) -> None:
        """Know none; `class_of` says what a peer is to this session, by its public key."""
        self._class_of = class_of
        self._peers: dict[bytes, dict[bytes, _Known]] = {}

    def learn(self, peer: bytes, prekey: Prekey, now_s: float) -> bool:
        """A peer told its prekey in a message that it signed just now; returns whether messages are sealed to others than before."""
        if is_of_small_order(prekey.public_key):
            return False  # it would be sealed to everybody
        before = self.of(peer, now_s)
        known = self._peers.get(peer)
        if known is None:
            if len(self._peers) >= MAX_PEERS:
                del self._peers[min(self._peers, key=self._class_of)]
            known = self._peers[peer] = {}
        known.pop(prekey.public_key, None)
        known[prekey.public_key] = _Known(now_s, now_s + prekey.valid_s)
        while len(known) > MAX_SESSIONS:
            del known[next(iter(known))]
        return frozenset(self.of(peer, now_s)) != frozenset(before)

    def of(self, peer: bytes, now_s: float) -> tuple[bytes, ...]:
        """To which prekeys a message to this peer is sealed now: one for each of its sessions, the one that was told last first; none: it must be asked."""
        known = self._peers.get(peer)
        if not known:
            return ()
        newest_s = max(one.told_at_s for one in known.values())
        return tuple(
            public_key
            for public_key, one in reversed(known.items())
            if one.valid_until_s > now_s and newest_s - one.told_at_s <= OTHER_SESSION_S
        )

    def is_doubtful(self, peer: bytes, now_s: float) -> bool:
        """Whether none of them was told lately, so that its session may have gone."""
        return not self.told_since(peer, now_s - CONFIRMED_S)

    def told_since(self, peer: bytes, at_s: float) -> bool:
        """Whether one of them was told later than that."""
        return any(one.told_at_s > at_s for one in self._peers.get(peer, {}).values())

# ruff: noqa: SLF001 - part of the seam, which may touch private names
"""Stands before aioice: which STUN it is given, and which addresses have proved that the peer is behind them.

    request   names us, and the peer as far as it is known -> MESSAGE-INTEGRITY -> not said before from elsewhere -> aioice answers it
    response  answers a check that is under way            -> MESSAGE-INTEGRITY                                  -> aioice takes it
    all else is refused without a word: aioice would read it whole and answer strangers with 400 and 401, one datagram for each

What passes has been signed with a password of the two descriptions (RFC 8445, section 7.3; RFC 8489, section 9.1.3). Such a request can still be
a recorded one: a transaction counts for the first address that it came from, and is answered a limited number of times.

A part of the seam to aioice; see ice_connection.py and docs/rtp_seam.md.
"""

import hashlib
import hmac
import struct
from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from aioice.ice import Connection, StunProtocol

from blink_cli.core.gossip.budget import TokenBucket

HEADER_BYTES: Final = 20
MAGIC_COOKIE: Final = 0x2112A442
BINDING_REQUEST: Final = 0x0001
USERNAME: Final = 0x0006

MAX_STUN_BYTES: Final = 1_280
"""A check has about a hundred; a browser's may carry more attributes."""

MAX_ATTRIBUTES: Final = 24

ANSWERS_A_TRANSACTION: Final = 32
"""A check is said up to 26 times by this program, and 7 times by aioice alone."""

MAX_TRANSACTIONS: Final = 1_024
"""Remembered checks of the peer's. A link that stands sees one every few seconds."""

MAX_LEARNED: Final = 32
"""Addresses of the peer that its description does not name (peer-reflexive, RFC 8445, section 7.3.1.3)."""

CHECKS_PER_S: Final = 200.0
"""New checks from addresses that the peer named; up to 192 pairs are checked at once, some of them twice."""

LEARNED_CHECKS_PER_S: Final = 20.0
"""New checks from all other addresses."""

_HEADER: Final = struct.Struct("!HHI12s")
_ATTRIBUTE: Final = struct.Struct("!HH")
_BINDING_METHOD: Final = 0x0001
_METHOD_BITS: Final = 0x3EEF
_IS_ANSWER: Final = 0x0100
_IS_INDICATION: Final = 0x0010
_MESSAGE_INTEGRITY: Final = 0x0008
_INTEGRITY_BYTES: Final = 20

Address = tuple[str, int]


class Verdict(Enum):
    """What becomes of a datagram."""

    PASSES = auto()
    """aioice shall see it."""

    IDLE = auto()
    """The peer's, and there is nothing to do: a second answer to a check that was said twice, or a keepalive."""

    REFUSED = auto()


@dataclass(slots=True)
class _Check:
    """One transaction of the peer's."""

    came_by: tuple[StunProtocol, Address]
    answers: int = 0


class StunGuard:
    """Of one link. Belongs to the event loop."""

    def __init__(self, connection: Connection) -> None:
        """Stand before this connection of aioice's."""
        self._connection = connection
        self._named_us = f"{connection.local_username}:".encode()
        self._spoke: set[tuple[StunProtocol, Address]] = set()
        self._answered: set[tuple[StunProtocol, Address]] = set()
        self._learned: set[Address] = set()
        self._checks: OrderedDict[bytes, _Check] = OrderedDict()
        self._told_budget = TokenBucket(CHECKS_PER_S)
        self._learned_budget = TokenBucket(LEARNED_CHECKS_PER_S)

    @property
    def named_us(self) -> bytes:
        """How the user name of each check of the peer's begins."""
        return self._named_us

    def trusts(self, protocol: StunProtocol, source: Address) -> bool:
        """Whether the peer is known to speak from this address to this socket.

        A signed answer to a check of ours proves it. A signed check may be a recorded one, and so it proves an address only that the
        peer named itself.
        """
        came_by = (protocol, source)
        return came_by in self._answered or (came_by in self._spoke and self.is_told(source))

    def is_told(self, source: Address) -> bool:
        """Whether the peer's description, or a later candidate, names this address."""
        return any(
            candidate.type != "prflx" and (candidate._network_host, candidate.port) == source
            for candidate in self._connection._remote_candidates
        )

    def judge(self, data: bytes, protocol: StunProtocol, source: Address, now_s: float) -> Verdict:
        """Look at a datagram that begins like STUN."""
        size = len(data)
        if not HEADER_BYTES <= size <= MAX_STUN_BYTES or size % 4:
            return Verdict.REFUSED
        kind, length, cookie, transaction = _HEADER.unpack_from(data)
        if cookie != MAGIC_COOKIE or length != size - HEADER_BYTES or kind & _METHOD_BITS != _BINDING_METHOD:
            return Verdict.REFUSED
        if kind & _IS_ANSWER:
            return self._judge_answer(data, transaction, protocol, source)
        if kind & _IS_INDICATION:  # RFC 8445, section 11
            return Verdict.IDLE if self.trusts(protocol, source) else Verdict.REFUSED
        admitted = self._admits_check(data, transaction, (protocol, source), now_s)
        return Verdict.PASSES if admitted else Verdict.REFUSED

    def _judge_answer(
        self, data: bytes, transaction: bytes, protocol: StunProtocol, source: Address
    ) -> Verdict:
        password = self._connection.remote_password
        is_awaited = transaction in protocol.transactions
        if password is None or not (is_awaited or self.is_told(source) or self.trusts(protocol, source)):
            return Verdict.REFUSED
        found = _find(data, _MESSAGE_INTEGRITY)
        if found is None or not _is_signed(data, found, password):
            return Verdict.REFUSED
        if not is_awaited:
            return Verdict.IDLE
        self._answered.add((protocol, source))  # as many as checks of ours
        return Verdict.PASSES

    def _admits_check(
        self, data: bytes, transaction: bytes, came_by: tuple[StunProtocol, Address], now_s: float
    ) -> bool:
        name = _find(data, USERNAME)
        if name is None or not self._is_name(_value(data, name)):
            return False
        found = _find(data, _MESSAGE_INTEGRITY)
        if found is None or not _is_signed(data, found, self._connection.local_password):
            return False
        check = self._checks.get(transaction)
        if check is None:
            check = self._new_check(came_by, now_s)
            if check is None:
                return False
            if len(self._checks) >= MAX_TRANSACTIONS:
                self._checks.popitem(last=False)
            self._checks[transaction] = check
        if check.came_by != came_by or check.answers >= ANSWERS_A_TRANSACTION:
            return False
        check.answers += 1
        if self._connection.remote_username is not None:
            self._spoke.add(came_by)
        return True

    def _is_name(self, name: bytes) -> bool:
        remote = self._connection.remote_username
        if remote is None:
            return name.startswith(self._named_us)
        return name == self._named_us + remote.encode()

    def _new_check(self, came_by: tuple[StunProtocol, Address], now_s: float) -> _Check | None:
        protocol, source = came_by
        # Until the answer to our offer is here the peer has named nothing; its checks wait in aioice, which keeps a hundred.
        unanswered = self._connection.remote_username is None
        if unanswered or self.is_told(source) or self.trusts(protocol, source):
            return _Check(came_by) if self._told_budget.take(now_s) else None
        if source not in self._learned:
            if len(self._learned) >= MAX_LEARNED:
                return None
            self._learned.add(source)
        return _Check(came_by) if self._learned_budget.take(now_s) else None


def _find(data: bytes, wanted: int) -> int | None:
    """Where an attribute of a STUN message begins; None when it has none, or is broken."""
    position, size = HEADER_BYTES, len(data)
    for _ in range(MAX_ATTRIBUTES):
        if position + 4 > size:
            return None
        kind, length = _ATTRIBUTE.unpack_from(data, position)
        if position + 4 + length > size:
            return None
        if kind == wanted:
            return position
        position += 4 + (length + 3 & ~3)
    return None


def _value(data: bytes, position: int) -> bytes:
    _, length = _ATTRIBUTE.unpack_from(data, position)
    return data[position + 4 : position + 4 + length]


def _is_signed(data: bytes, position: int, password: str) -> bool:
    """Whether the MESSAGE-INTEGRITY at this place is that of the password (RFC 8489, section 14.5)."""
    covered_bytes = position - HEADER_BYTES + 4 + _INTEGRITY_BYTES
    covered = data[:2] + covered_bytes.to_bytes(2, "big") + data[4:position]
    signature = hmac.digest(password.encode(), covered, hashlib.sha1)
    return hmac.compare_digest(_value(data, position), signature)

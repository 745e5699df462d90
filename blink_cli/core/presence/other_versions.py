"""Who on the network speaks another version of the protocol, told once for each address.

A session is often named a moment after it was first heard: so long it is waited with what is told. Pure; monotonic `now_s`.
"""

import math
from dataclasses import dataclass
from typing import Final

import msgspec

from blink_cli.core.fact import Emit
from blink_cli.core.ids import Did
from blink_cli.core.presence.facts import PresenceFact, ProtocolDiffers

WAIT_FOR_NAME_S: Final = 2.0
LASTS_S: Final = 120.0
"""So long after it was last heard of it is shown: twelve greetings, or the life of its records."""

MAX_ADDRESSES: Final = 64
"""Full: further ones are not told before one was not heard of for so long. Anybody can invent addresses."""


class OtherSession(msgspec.Struct, frozen=True):
    """One session that cannot be talked to."""

    address: str
    did: Did | None
    nickname: str
    lowest: int
    highest: int
    newer: bool
    """Than this one; else older."""


@dataclass(slots=True)
class _Known:
    session: OtherSession
    heard_s: float
    due_s: float
    """When it is told; infinity: it was."""


class OtherVersions:
    """Of one session."""

    def __init__(self, spoken: int) -> None:
        """Speak this version."""
        self._spoken = spoken
        self._known: dict[str, _Known] = {}

    def heard(
        self, address: str, lowest: int, highest: int, *, did: Did | None, nickname: str, now_s: float
    ) -> None:
        """A session at this address speaks these versions and not ours; `did` and `nickname` if it says so."""
        known = self._known.get(address)
        if known is None and len(self._known) >= MAX_ADDRESSES:
            longest = min(self._known, key=lambda other: self._known[other].heard_s)
            if now_s - self._known[longest].heard_s <= LASTS_S:
                return
            del self._known[longest]
        if known is not None and did is None:
            did, nickname = known.session.did, known.session.nickname
        session = OtherSession(address, did, nickname, lowest, highest, lowest > self._spoken)
        due_s = now_s + (WAIT_FOR_NAME_S if did is None else 0.0)
        if known is not None:
            due_s = known.due_s if known.due_s == math.inf else min(known.due_s, due_s)
        self._known[address] = _Known(session, now_s, due_s)

    def next_timeout(self) -> float | None:
        """When `handle_timeout` has something to do."""
        due_s = min((known.due_s for known in self._known.values()), default=math.inf)
        return None if due_s == math.inf else due_s

    def handle_timeout(self, now_s: float) -> list[Emit[PresenceFact]]:
        """Tell who is new."""
        effects: list[Emit[PresenceFact]] = []
        for known in self._known.values():
            if known.due_s <= now_s:
                known.due_s = math.inf
                session = known.session
                event = ProtocolDiffers(
                    address=session.address,
                    did=session.did,
                    nickname=session.nickname,
                    lowest=session.lowest,
                    highest=session.highest,
                    newer=session.newer,
                )
                effects.append(Emit(event))
        return effects

    def snapshot(self, now_s: float) -> tuple[OtherSession, ...]:
        """Who was heard of lately."""
        return tuple(known.session for known in self._known.values() if now_s - known.heard_s <= LASTS_S)

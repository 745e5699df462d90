"""Whose fault it is that a voice was damaged: the sender's microphone or machine, the network, the receiver's machine, speaker or buffer.

    damage (made up, left out, unheard) ──┐
    what came: lost, held up, jumps ──────┼──> CulpritFinder, once a second ──> Disturbance(culprit, reason)
    own health, the other side's word ────┘

Who is asked first is who can be sure. One's own machine and speaker are known. Numbers that are missing were lost on the way. What the other side says of itself is
believed. Packets that were held up and came all at once look the same whether its machine or the network held them: so a verdict on the network waits for the other side's word, which
comes within a second. What nothing of all this explains is the buffer's: it waited too little.
"""

import enum
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from blink_cli.core.media.side_health import SideHealth

DAMAGE_MS: Final = 60.0
"""Within `WINDOW_READINGS`; three frames. Less is no degradation but an accident."""

WINDOW_READINGS: Final = 3
"""Readings, a second apart, that are judged together: what happened, its echo in the buffer, and the other side's word of it."""

MACHINE_MS: Final = 50
"""A machine that stands still for less is made up for by the buffer that its lateness has made."""

DEVICE_MS: Final = 30
LOST_SHARE: Final = 0.02
"""Of the packets that were expected."""

LOST_EXPLAINS: Final = 0.25
"""Loss is the cause when what was lost is at least such a part of the damage: repair and concealment of whole frames blur the figure."""

LOST_OUTWEIGHS: Final = 0.5
"""Loss that explains so much of the damage outweighs a machine that was late for less than that: on a busy one, that is always so."""

HELD_MS: Final = 30.0
"""A packet that is so much later than the earliest of the last seconds was held up."""

WORD_READINGS: Final = 2
"""Of damage that may be the network's, until the other side must have spoken."""

STARVED_MS: Final = 500.0
"""A second in which less sound than that was sent and came is one in which the way, or the sender, stood still."""

STARVED_READINGS: Final = 3
"""So many such seconds are the network's until the other side says otherwise: a machine seldom stands still for as long."""

QUIET_READINGS: Final = 5
"""Without damage, after which the next one is told anew."""


class Culprit(enum.StrEnum):
    """Who damaged a voice."""

    SENDER_CAPTURE = "sender_capture"
    SENDER_MACHINE = "sender_machine"
    NETWORK_OUT = "network_out"
    """From this session to the peer."""

    NETWORK_IN = "network_in"
    """From the peer to this session."""

    RECEIVER_MACHINE = "receiver_machine"
    RECEIVER_DEVICE = "receiver_device"
    BUFFER = "buffer"
    """The playout waited too little, or dropped what it need not have."""


class Evidence(msgspec.Struct, frozen=True):
    """One second of a peer's voice as it was heard here."""

    damage_ms: float
    """Made up, or left out."""

    packets_lost: int
    packets_expected: int
    frame_ms: float
    """How much sound a packet has."""

    held_ms: float
    """How much later than the earliest of the last seconds the latest packet came."""

    jumped_ms: float
    """Media time that no packet has, though no number is missing, and not behind a pause."""

    own: SideHealth
    other: SideHealth
    """The last word of the other side."""


class Disturbance(msgspec.Struct, frozen=True):
    """What is to be told."""

    culprit: Culprit
    reason: str
    damage_ms: float


class CulpritFinder:
    """Of one peer's voice here. Pure; ask it once a second."""

    def __init__(self) -> None:
        self._window: deque[Evidence] = deque(maxlen=WINDOW_READINGS)
        self._waited = 0
        self._quiet = 0
        self._starved = 0
        self.current: Disturbance | None = None
        """The last verdict, until it has been quiet for `QUIET_READINGS`."""

    def update(self, evidence: Evidence) -> Disturbance | None:
        """Take a second; return what is new: damage by somebody who was not blamed yet."""
        self._window.append(evidence)
        own_ms = evidence.own.speaker_missing_ms
        damage_ms = sum(one.damage_ms for one in self._window) + own_ms
        if damage_ms < DAMAGE_MS:
            self._waited = self._starved = 0
            self._quiet += 1
            if self._quiet >= QUIET_READINGS:
                self.current = None
            return None
        self._quiet = 0
        # While nothing comes, the other side's word does not come either.
        starves = evidence.packets_expected * evidence.frame_ms < STARVED_MS
        self._starved = self._starved + 1 if starves else 0
        self._waited += not starves
        verdict = self._verdict(damage_ms)
        if verdict is None:
            return None
        # What a standstill leaves in the buffer is made up for, or skipped, seconds later: that is its aftermath.
        if self.current is not None and verdict.culprit in {self.current.culprit, Culprit.BUFFER}:
            return None
        self.current = verdict
        return verdict

    def _verdict(self, damage_ms: float) -> Disturbance | None:
        facts = _Facts.of(self._window)
        found = next(_certain(facts, damage_ms), None)
        if found is None and self._starved >= STARVED_READINGS:
            found = Culprit.NETWORK_IN, "nothing comes any more"
        if found is None and self._waited >= WORD_READINGS:
            found = _left(facts)
        return None if found is None else Disturbance(*found, round(damage_ms, 1))


class _Facts(msgspec.Struct, frozen=True):
    """Of all readings of the window."""

    own: SideHealth
    other: SideHealth
    lost: int
    expected: int
    lost_ms: float
    held_ms: float
    jumped_ms: float

    @classmethod
    def of(cls, window: Sequence[Evidence]) -> "_Facts":
        lost = sum(one.packets_lost for one in window)
        return cls(
            own=_worst([one.own for one in window]),
            other=_worst([one.other for one in window]),
            lost=lost,
            expected=sum(one.packets_expected for one in window),
            lost_ms=lost * window[-1].frame_ms,
            held_ms=max(one.held_ms for one in window),
            jumped_ms=sum(one.jumped_ms for one in window),
        )


def _certain(facts: _Facts, damage_ms: float) -> Iterator[tuple[Culprit, str]]:
    """Who did it, of those of whom that is known; who is surest first."""
    own, other = facts.own, facts.other
    lost = f"{facts.lost} of {facts.expected} packets were lost on the way here"
    if facts.lost_ms >= LOST_OUTWEIGHS * damage_ms > own.machine_late_ms:
        yield Culprit.NETWORK_IN, lost
    if own.machine_late_ms >= MACHINE_MS:
        yield (
            Culprit.RECEIVER_MACHINE,
            f"this machine stood still for {own.machine_late_ms} ms, or was too slow",
        )
    if own.speaker_missing_ms >= DEVICE_MS:
        yield (
            Culprit.RECEIVER_DEVICE,
            f"the speaker here stood still: {own.speaker_missing_ms} ms were not heard",
        )
    if (
        facts.expected
        and facts.lost >= LOST_SHARE * facts.expected
        and facts.lost_ms >= LOST_EXPLAINS * damage_ms
    ):
        yield Culprit.NETWORK_IN, lost
    if other.machine_late_ms >= MACHINE_MS:
        yield (
            Culprit.SENDER_MACHINE,
            f"its machine stood still for {other.machine_late_ms} ms, or was too slow",
        )
    missing_ms = max(other.capture_missing_ms, round(facts.jumped_ms))
    if missing_ms >= DEVICE_MS:
        yield Culprit.SENDER_CAPTURE, f"its microphone stood still: {missing_ms} ms are missing"


def _left(facts: _Facts) -> tuple[Culprit, str]:
    """Who is left when nobody is known to have done it."""
    if facts.held_ms >= HELD_MS:
        return Culprit.NETWORK_IN, f"packets came up to {facts.held_ms:.0f} ms late"
    return Culprit.BUFFER, "the playout waited too little, or dropped what had come"


def culprit_of_sending(own: SideHealth, other: SideHealth) -> Culprit:
    """Whose fault it is that the other side gets our voice badly, by its reports of what came there."""
    if own.machine_late_ms >= MACHINE_MS:
        return Culprit.SENDER_MACHINE
    if own.capture_missing_ms >= DEVICE_MS:
        return Culprit.SENDER_CAPTURE
    return Culprit.RECEIVER_MACHINE if other.machine_late_ms >= MACHINE_MS else Culprit.NETWORK_OUT


def _worst(healths: list[SideHealth]) -> SideHealth:
    return SideHealth(
        max((one.machine_late_ms for one in healths), default=0),
        max((one.capture_missing_ms for one in healths), default=0),
        max((one.speaker_missing_ms for one in healths), default=0),
    )

"""Direct signals under way from one simulated session: the delivery rules of core/gossip without their cryptography.

Waits, patience and stopping are the gossip's own figures; tests/core/gossip holds the real thing to them.
"""

from dataclasses import dataclass

from blink_cli.core.gossip.settings import GossipSettings
from blink_cli.core.ids import CallId, Did
from blink_cli.core.signaling.signals import DirectSignal, NewKey, Offer, Redial, SessionDescription

_GOSSIP = GossipSettings()


@dataclass(slots=True)
class Letter:
    """One signal to one peer."""

    number: int
    peer: Did
    signal: DirectSignal
    call_id: CallId
    began_at: float
    due_at: float
    attempt: int = 0


class Courier:
    """What one life of a session has said and not heard acknowledged."""

    def __init__(self) -> None:
        self.letters: dict[int, Letter] = {}

    def send(self, number: int, peer: Did, signal: DirectSignal, call_id: CallId, now: float) -> Letter:
        """Begin; the caller transmits the first time. An offer or key takes the place of an older one."""
        if isinstance(signal, Offer | NewKey):
            self._drop(
                [
                    n
                    for n, to in self.letters.items()
                    if (to.peer, to.call_id) == (peer, call_id) and type(to.signal) is type(signal)
                ]
            )
        letter = Letter(number, peer, signal, call_id, now, now + _GOSSIP.repeat_after_s[0])
        self.letters[number] = letter
        return letter

    def acknowledged(self, number: int) -> Letter | None:
        """The letter that arrived, the first time this is heard."""
        return self.letters.pop(number, None)

    def stop(self, call_id: CallId, peer: Did | None) -> None:
        """Forget the letters of a call, to one peer or to all."""
        self._drop([n for n, to in self.letters.items() if to.call_id == call_id and peer in (None, to.peer)])

    def close_topics(self, call_id: CallId) -> None:
        """Forget what needs the call's key."""
        needing = SessionDescription | Redial
        self._drop(
            [n for n, to in self.letters.items() if to.call_id == call_id and isinstance(to.signal, needing)]
        )

    def next_due(self) -> float | None:
        """When something is to be said again."""
        return min((letter.due_at for letter in self.letters.values()), default=None)

    def due(self, now: float) -> list[Letter]:
        """What is to be said again now."""
        again = []
        waits = _GOSSIP.repeat_after_s
        for letter in list(self.letters.values()):
            if letter.due_at <= now:
                letter.attempt += 1
                letter.due_at = now + waits[min(letter.attempt, len(waits) - 1)]
                again.append(letter)
        return again

    def _drop(self, numbers: list[int]) -> None:
        for number in numbers:
            del self.letters[number]

"""What callers are to this session: its contacts, those whom it was in a call with or invited, strangers."""

from typing import Final

from blink_cli.core.ids import Did
from blink_cli.core.signaling.sender_class import SenderClass

MAX_MET: Final = 256


class Acquaintances:
    """Of one session, for as long as it lives."""

    def __init__(self) -> None:
        """Know nobody."""
        self._contacts: frozenset[Did] = frozenset()
        self._met: dict[Did, None] = {}
        """Who was met last comes last."""

    def set_contacts(self, dids: frozenset[Did]) -> None:
        """These are the contacts now."""
        self._contacts = dids

    def meet(self, did: Did) -> None:
        """We called it, or its audio link stood."""
        self._met.pop(did, None)
        if len(self._met) >= MAX_MET:
            del self._met[next(iter(self._met))]
        self._met[did] = None

    def class_of(self, did: Did) -> SenderClass:
        """What a caller is to us. Nobody is invited to a call that has not begun."""
        if did in self._contacts:
            return SenderClass.CONTACT
        return SenderClass.HEARD if did in self._met else SenderClass.STRANGER

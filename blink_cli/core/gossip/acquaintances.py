"""Whom the gossip of this session knows: the contacts, and who is invited to the calls that are open."""

from blink_cli.core.errors import UsageError
from blink_cli.core.identity.did import public_key_of
from blink_cli.core.ids import CallId, Did
from blink_cli.core.signaling.sender_class import SenderClass


class Acquaintances:
    """Of one session. By public key, as messages name their sender."""

    def __init__(self) -> None:
        """Know nobody."""
        self._contacts: frozenset[bytes] = frozenset()
        self._invited: dict[CallId, frozenset[bytes]] = {}

    def set_contacts(self, dids: frozenset[Did]) -> None:
        """These are the contacts now."""
        self._contacts = _keys(dids)

    def open_call(self, call_id: CallId, participants: tuple[Did, ...]) -> None:
        """These are invited."""
        self._invited[call_id] = _keys(frozenset(participants))

    def close_call(self, call_id: CallId) -> None:
        """Nobody is, any more."""
        self._invited.pop(call_id, None)

    def keys(self) -> frozenset[bytes]:
        """Everyone of them."""
        return self._contacts.union(*self._invited.values())

    def is_contact(self, did: Did) -> bool:
        """Whether this is one of the contacts."""
        return public_key_of(did) in self._contacts

    def class_of(self, sender: bytes) -> SenderClass:
        """What this sender is to us; in the gossip nobody is merely `HEARD`."""
        if sender in self._contacts:
            return SenderClass.CONTACT
        if any(sender in invited for invited in self._invited.values()):
            return SenderClass.INVITED
        return SenderClass.STRANGER


def _keys(dids: frozenset[Did]) -> frozenset[bytes]:
    keys = set()
    for did in dids:
        try:
            keys.add(public_key_of(did))
        except UsageError:  # a key that nothing could be sealed to, so nobody's
            continue
    return frozenset(keys)

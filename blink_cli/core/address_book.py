"""From the name that a user types to the one peer that it can mean.

A petname of one's own contacts wins. What a peer calls itself is a claim: one that two DIDs make is refused, showing both.
A DID, or a prefix of one DID or one name, means that peer.
"""

from collections.abc import Mapping

from blink_cli.core.did import public_key_of
from blink_cli.core.errors import NotFoundError, UsageError
from blink_cli.core.names import Did

_SHORTEST_PREFIX = 2


def resolve(name: str, contacts: Mapping[str, Did], claims: Mapping[Did, str]) -> Did:
    """The peer that `name` means.

    Args:
        name: A petname, a claimed nickname, a DID, or a beginning that fits one only. Letter case does not matter, except in DIDs.
        contacts: Petname to DID.
        claims: DID to what that peer calls itself.

    Raises:
        NotFoundError: Nobody, or more than one peer, fits; the sentence shows them.

    """
    wanted = name.strip()
    if wanted.startswith("did:"):
        return _by_did(wanted, {*contacts.values(), *claims})
    folded = wanted.casefold()
    known = set(contacts.values())
    # A contact's own claim does not count: the petname is what it is called here.
    strangers = {did: nickname for did, nickname in claims.items() if did not in known}
    for fits in (str.__eq__, str.startswith):
        if fits is str.startswith and len(folded) < _SHORTEST_PREFIX:
            break
        by_contact = {did for petname, did in contacts.items() if fits(petname.casefold(), folded)}
        if len(by_contact) == 1:
            return by_contact.pop()
        by_claim = {did for did, nickname in strangers.items() if fits(nickname.casefold(), folded)}
        found = by_contact or by_claim
        if len(found) == 1:
            return found.pop()
        if found:
            raise _ambiguous(wanted, found, contacts, claims)
    raise NotFoundError(
        f"No peer called {wanted!r} is known.",
        hint="`blink peers` lists who is heard; `blink contacts add NICK DID` names somebody for good.",
    )


def name_of(did: Did, contacts: Mapping[str, Did], claims: Mapping[Did, str]) -> str:
    """What to call a peer: its petname, else its claim, else the end of its DID.

    A claim that is somebody else's petname is shown with the end of the DID, so that nobody passes for a contact.
    """
    for petname, known in contacts.items():
        if known == did:
            return petname
    claim = claims.get(did, "")
    if not claim:
        return f"…{did[-6:]}"
    folded = claim.casefold()
    claimed_twice = any(other != did and name.casefold() == folded for other, name in claims.items())
    if claimed_twice or any(petname.casefold() == folded for petname in contacts):
        return f"{claim} (…{did[-6:]})"
    return claim


def _by_did(wanted: str, known: set[Did]) -> Did:
    try:
        public_key_of(wanted)
    except UsageError:
        fitting = sorted(did for did in known if did.startswith(wanted))
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise NotFoundError(
                f"{wanted} fits several peers: {', '.join(fitting)}.", hint="Give more of the DID."
            ) from None
        raise NotFoundError(
            f"{wanted} is neither a whole DID nor the beginning of one that is known.",
            hint="`blink peers` lists who is heard; a whole DID may be called without having been seen.",
        ) from None
    return Did(wanted)


def _ambiguous(
    wanted: str, found: set[Did], contacts: Mapping[str, Did], claims: Mapping[Did, str]
) -> NotFoundError:
    petnames = {did: petname for petname, did in contacts.items()}
    shown = ", ".join(f"{petnames.get(did) or claims.get(did, '')} = {did}" for did in sorted(found))
    return NotFoundError(
        f"{wanted!r} could be several peers: {shown}.",
        hint="Give the DID, or name the right one: `blink contacts add NICK DID`.",
    )

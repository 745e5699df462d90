"""From the name that a user types to the one peer that it can mean.

A petname of one's own contacts wins. What a peer calls itself is a claim: one that two DIDs make, or that looks like another's or like a
contact's name, is refused, showing both. Of several strangers of one name the only one in the call is meant where only who is heard or seen can be.
A DID, or a prefix of one DID or one name, means that peer. So does a DID as tables show it, `z6MkpTHR8VNs…`, and the end of one, `…AbCdEf`.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from blink_cli.core.errors import NotFoundError, UsageError
from blink_cli.core.identity.did import public_key_of
from blink_cli.core.identity.nickname import looks_of, poses
from blink_cli.core.ids import Did

_SHORTEST_PREFIX = 2

_SHOWN_BEGINNING = re.compile(r"(z6Mk[1-9A-HJ-NP-Za-km-z]{4,})(?:…|\.\.\.)?")
_SHOWN_END = re.compile(r"(?:.* \()?(?:…|\.\.\.)([1-9A-HJ-NP-Za-km-z]{6})\)?")
"""As `Names` has it, with what a peer calls itself in front or not; three dots are on every keyboard."""


class Petnames:
    """The contacts, and what their names look like: made when they change, for every question from then on."""

    def __init__(self, contacts: Mapping[str, Did]) -> None:
        """Take petname to DID."""
        self.dids = dict(contacts)
        self.names = {did: petname for petname, did in contacts.items()}
        self.looks: defaultdict[str, set[Did]] = defaultdict(set)
        for petname, did in contacts.items():
            for look in looks_of(petname):
                self.looks[look].add(did)


class UnseenPeerError(NotFoundError):
    """No peer of that name was seen yet: it may still come. Scripts and other processes see a `NotFoundError`."""


def resolve(
    name: str,
    contacts: Petnames,
    claims: Mapping[Did, str],
    *,
    own: str = "",
    rather: AbstractSet[Did] = frozenset(),
) -> Did:
    """The peer that `name` means.

    Args:
        name: A petname, a claimed nickname, a DID, or a beginning that fits one only. Letter case does not matter, except in DIDs.
        contacts: The profile's.
        claims: DID to what that peer calls itself.
        own: What this session calls itself, which is nobody to call.
        rather: Who is meant before other strangers of the same name: the participants of the call, by a command about what one hears and sees
            of them. A name that looks like a contact's stays refused.

    Raises:
        NotFoundError: More than one peer fits, or this session itself; the sentence shows them.
        UnseenPeerError: Nobody fits.

    """
    wanted = name.strip()
    if wanted.startswith("did:"):
        wanted = wanted.removesuffix("…")
        return _by_did(wanted, {*contacts.names, *claims})
    folded = wanted.casefold()
    if folded not in (petname.casefold() for petname in contacts.dids):
        shown = _as_shown(wanted, {*contacts.names, *claims})
        if len(shown) == 1:
            return shown.pop()
        if shown:
            raise _ambiguous(wanted, shown, contacts, claims)
    # A contact's own claim does not count: the petname is what it is called here.
    strangers = {did: nickname for did, nickname in claims.items() if did not in contacts.names}
    for fits in (str.__eq__, str.startswith):
        if fits is str.startswith and len(folded) < _SHORTEST_PREFIX:
            break
        by_contact = {did for petname, did in contacts.dids.items() if fits(petname.casefold(), folded)}
        if len(by_contact) == 1:
            return by_contact.pop()
        by_claim = {did for did, nickname in strangers.items() if fits(nickname.casefold(), folded)}
        found = by_contact or by_claim
        if not by_contact:
            found = found | _look_alikes(found, contacts, strangers)
        if len(found) == 1:
            return found.pop()
        nearer = found & rather
        if len(nearer) == 1 and nearer <= by_claim and found.isdisjoint(contacts.names):
            return nearer.pop()
        if found:
            raise _ambiguous(wanted, found, contacts, claims)
    if own and folded == own.casefold():
        raise NotFoundError(
            f"{own!r} is you: no peer is called so.",
            hint="`blink peers` lists who else is on the network; `--nickname` gives this session another name.",
        )
    raise UnseenPeerError(
        f"No peer called {wanted!r} is known.",
        hint="`blink peers` lists who is on the network; `blink contacts add NICK DID` gives a peer a name that stays.",
    )


class Names:
    """What peers are called at one moment: by petname, else by claim, else by the end of the DID.

    A claim that a reader may take for a contact, for another peer or for this session itself is shown with the end of its DID, so that nobody
    passes for somebody else; so is one that reads like what is added to names here.
    """

    def __init__(self, contacts: Petnames, claims: Mapping[Did, str], own: str = "") -> None:
        """Take what is known.

        Args:
            contacts: The profile's.
            claims: DID to what that peer calls itself, made harmless.
            own: What this session calls itself; may be empty.

        """
        self._contacts = contacts
        self._claims = claims
        self._own = looks_of(own) if own else frozenset[str]()
        self._claimants: defaultdict[str, set[Did]] = defaultdict(set)
        for did, claim in claims.items():
            for look in looks_of(claim):
                self._claimants[look].add(did)

    def name_of(self, did: Did) -> str:
        """What to call this one."""
        if did in self._contacts.names:
            return self._contacts.names[did]
        claim = self._claims.get(did, "")
        if not claim:
            return f"…{did[-6:]}"
        return f"{claim} (…{did[-6:]})" if poses(claim) or self._is_taken(claim, did) else claim

    def _is_taken(self, claim: str, did: Did) -> bool:
        return any(
            look in self._own or look in self._contacts.looks or self._claimants[look] - {did}
            for look in looks_of(claim)
        )


def _look_alikes(found: set[Did], contacts: Petnames, strangers: Mapping[Did, str]) -> set[Did]:
    """Whom a reader may take these strangers for."""
    looks = {look for did in found for look in looks_of(strangers[did])}
    others = {did for did, claim in strangers.items() if not looks.isdisjoint(looks_of(claim))}
    return others.union(*(contacts.looks[look] for look in looks if look in contacts.looks))


def _as_shown(wanted: str, known: set[Did]) -> set[Did]:
    """Whom a DID means that was shortened for a table."""
    if beginning := _SHOWN_BEGINNING.fullmatch(wanted):
        return {did for did in known if did.startswith(f"did:key:{beginning[1]}")}
    if end := _SHOWN_END.fullmatch(wanted):
        return {did for did in known if did.endswith(end[1])}
    return set()


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
        raise UnseenPeerError(
            f"{wanted} is neither a whole DID nor the beginning of one that is known.",
            hint="`blink peers` lists who is on the network; a whole DID can be called even if it was never seen.",
        ) from None
    return Did(wanted)


def _ambiguous(wanted: str, found: set[Did], contacts: Petnames, claims: Mapping[Did, str]) -> NotFoundError:
    shown = ", ".join(f"{contacts.names.get(did) or claims.get(did, '')} = {did}" for did in sorted(found))
    return NotFoundError(
        f"{wanted!r} could be several peers: {shown}.",
        hint="Give the DID, or name the right one: `blink contacts add NICK DID`.",
    )

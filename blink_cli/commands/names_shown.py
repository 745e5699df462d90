"""How peers, calls, times and counts are shown to people."""

from collections.abc import Iterable, Mapping

from blink_cli.core.names import Did
from blink_cli.core.replies import Participant, PendingCall, Status

SHOWN_CALL_DIGITS = 8
"""Of 32; a prefix that fits one only names the call."""


def short_did(did: str) -> str:
    """Return a DID short enough for a table and long enough to name it: `z6MkhaXg`.

    All DIDs begin with `did:key:z6Mk`, so what follows is what tells them apart.
    """
    key = printable(did.removeprefix("did:key:"))
    return f"{key[:12]}…" if len(key) > 13 else key


def short_call(call_id: str) -> str:
    """Return enough of a call's id to name it."""
    return call_id[:SHOWN_CALL_DIGITS]


def printable(text: str) -> str:
    """Return text from a stranger without what could move the cursor or change colours."""
    return "".join(c if c.isprintable() else "?" for c in text)


def counted(count: int, thing: str) -> str:
    """Return a number of things, `1 row` or `3 rows`."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def shown_name(nickname: str, did: str) -> str:
    """Return a peer's nickname, or its short DID when it has none."""
    return printable(nickname) or short_did(did)


def nicknames_of(status: Status) -> dict[Did, str]:
    """Return what a snapshot says of who is called what."""
    names: dict[Did, str] = {status.did: status.nickname}
    for pending in status.pending_calls:
        people = (pending.caller, *pending.participants, *pending.joined)
        names.update({person.did: person.nickname for person in people})
    if status.call is not None:
        names.update({participant.did: participant.nickname for participant in status.call.participants})
    return names


def name_of(did: Did, names: Mapping[Did, str]) -> str:
    """Return what a DID is called, or its short form."""
    return shown_name(names.get(did, ""), did)


def people_in(call: PendingCall) -> str:
    """Return the names of those who are in a pending call."""
    return ", ".join(shown_name(person.nickname, person.did) for person in call.joined) or "nobody yet"


def pending_state(call: PendingCall) -> str:
    """Return where a pending call stands, in a word."""
    if call.rejected:
        return "rejected"
    return "left" if call.left else "rings"


def flags_of(participant: Participant) -> str:
    """Return what a participant shows to all, in words: `muted, recording`."""
    return ", ".join(_flags(participant))


def _flags(participant: Participant) -> Iterable[str]:
    if participant.busy:
        yield "in another call"
    if participant.muted:
        yield "muted"
    if participant.deafened:
        yield "deafened"
    if participant.recording:
        yield "recording"


def duration_text(seconds: float) -> str:
    """Return a duration as people say it: `0.4 s`, `12 s`, `3 min`, `2 h`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h"

"""How peers, calls, times and counts are shown to people."""

from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from blink_cli.core.api.replies.calls import Participant, PendingCall
from blink_cli.core.api.replies.loudness import RecordedLoudness
from blink_cli.core.api.replies.peers import CallPeer, OtherVersion
from blink_cli.core.api.replies.status import Status
from blink_cli.core.call.facts import LinkState
from blink_cli.core.identity.shown_name import printable, shown_name
from blink_cli.core.ids import Did
from blink_cli.core.presence.facts import ProtocolDiffers
from blink_cli.core.text.path_text import shown
from blink_cli.core.text.version_words import version_sentence

CONTACT = " (contact)"
"""Stands behind the name of one."""

SHOWN_CALL_DIGITS = 8
"""Of 32; a prefix that fits one only names the call."""

_SENTENCE_STARTS = frozenset(("A", "An", "Another", "It", "No", "The", "There", "This"))
"""Words that are capital at the beginning of a sentence only; a name stays as it is."""


class RefusedCounts(Protocol):
    """Of a reply, or of an event, which is not imported for a reply."""

    @property
    def malformed(self) -> int:
        """No sealed packets."""

    @property
    def unknown(self) -> int:
        """Under an unknown key."""

    @property
    def forged(self) -> int:
        """Changed."""

    @property
    def replayed(self) -> int:
        """Came before."""


def short_call(call_id: str) -> str:
    """Return enough of a call's id to name it."""
    return call_id[:SHOWN_CALL_DIGITS]


def clause(sentence: str) -> str:
    """Return a sentence as it stands inside of another one: `There is no file x.` becomes `there is no file x`."""
    told = printable(sentence).strip().removesuffix(".")
    first, space, rest = told.partition(" ")
    return f"{first.lower()}{space}{rest}" if first in _SENTENCE_STARTS else told


def counted(count: int, thing: str) -> str:
    """Return a number of things, `1 row` or `3 rows`."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def refused_in_room(refused: RefusedCounts) -> str | None:
    """Return what was not opened of what came through a room, `12 packets (10 replayed, 2 changed)`; None: nothing."""
    kinds = (
        (refused.replayed, "replayed"),
        (refused.forged, "changed"),
        (refused.unknown, "under an unknown key"),
        (refused.malformed, "not sealed"),
    )
    if not any(count for count, _ in kinds):
        return None
    return f"{counted(sum(count for count, _ in kinds), 'packet')} ({', '.join(f'{count} {kind}' for count, kind in kinds if count)})"


def other_version(session: OtherVersion | ProtocolDiffers) -> str:
    """Say who speaks another version of the protocol, without a full stop."""
    name = "" if session.did is None else shown_name(session.nickname, session.did)
    return version_sentence(session, name)


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


def caller_text(caller: CallPeer) -> str:
    """Return who calls; a contact is marked as one. Nobody can write the mark into a name: see `core.nickname.poses`."""
    return f"{shown_name(caller.nickname, caller.did)}{CONTACT if caller.in_contacts else ''}"


def link_of(participant: Participant) -> str:
    """Return how audio with a participant stands, in a word; of who has not come yet, whether it rings there."""
    return (
        "ringing" if participant.ringing and participant.link is LinkState.ABSENT else participant.link.value
    )


def flags_of(participant: Participant) -> str:
    """Return what a participant shows to all, in words: `muted, recording`."""
    return ", ".join(_flags(participant))


def _flags(participant: Participant) -> Iterable[str]:
    if participant.busy:
        yield "in another call"
    if participant.muted:
        yield "muted"
    if participant.muted_here:
        yield "muted here"
    if participant.deafened:
        yield "deafened"
    if participant.recording:
        yield "recording"
    if participant.video:
        yield "video"


def volume_words(gain_db: float, *, muted_here: bool) -> str:
    """Return how loud a peer is played here: `muted here`, `+6 dB`, `muted here, +6 dB`; `as it comes` where nothing was set."""
    words = ["muted here"] if muted_here else []
    if gain_db:
        words.append(f"{gain_db:+g} dB")
    return ", ".join(words) or "as it comes"


SILENT_BELOW_LUFS: Final = -70.0
"""What integrated loudness leaves out as silence (ITU-R BS.1770-4, absolute gate): nobody hears it, whatever its figure."""


def lufs_text(lufs: float | None) -> str:
    """Return a loudness with its unit, `silent` of what nobody hears; nothing where nothing was measured."""
    if lufs is None:
        return ""
    return "silent" if lufs < SILENT_BELOW_LUFS else f"{lufs:.1f} LUFS"


def loudness_text(track: RecordedLoudness) -> str:
    """Return how loud a track of a recording is: `-23.4 LUFS, range 6.2 LU, peak -5.1 dBTP`."""
    words = [lufs_text(track.integrated_lufs) or "silent"]
    if track.range_lu is not None:
        words.append(f"range {track.range_lu:.1f} LU")
    if track.true_peak_dbtp is not None:
        words.append(f"peak {track.true_peak_dbtp:.1f} dBTP")
    return ", ".join(words)


def picture_codec(mime_type: str) -> str:
    """Return what people call a codec of pictures: `H.264` for `video/H264`."""
    name = mime_type.removeprefix("video/")
    return "H.264" if name == "H264" else printable(name)


def duration_text(seconds: float) -> str:
    """Return a duration as people say it: `0.4 s`, `12 s`, `3 min`, `2 h`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h"


DEVICE_WORDS: Final = {"input": "microphone", "output": "speaker"}
"""What a device of a direction is called in sentences."""


def described_device(name: str, description: str | None) -> str:
    """A device as people call it, with the name that a command takes."""
    if description in (None, "", name):
        return shown(name)
    return f"{printable(description or '')} ({shown(name)})"


def milliseconds_text(milliseconds: float) -> str:
    """Return a short time with its unit, as exact as anybody needs it: `0.4 ms`, `413 ms`."""
    exact = 0 < abs(milliseconds) < 9.95
    return f"{milliseconds:.1f} ms" if exact else f"{milliseconds:.0f} ms"

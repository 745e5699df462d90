"""What an announce says, in a size that hardly grows with the call: written, and read back into an `Announce`.

Each place of the offer has three bytes: how its participant is received, and the end of the incarnation in which it is. So everybody sees
whether it is counted in, and in its present life; who is not, or announces a life that is over, is named one by one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from blink_cli.core.call.facts import LinkState
from blink_cli.core.call.membership import CallRecord, Counted, Member, RoomShown
from blink_cli.core.call.room_policy import Via
from blink_cli.core.ids import Did
from blink_cli.core.media.room import MAX_URL_CHARS, RoomFeed, is_sfu_url
from blink_cli.core.signaling.signals import (
    COUNTED_BYTES,
    MAX_EXCEPTIONS,
    Announce,
    Out,
    PeerReception,
    PlaceLoss,
    RoomAnnounce,
)

MUTED: Final = 1
DEAFENED: Final = 2
RECORDING: Final = 4
TALKING: Final = 8
WANTS: Final = 16
"""By its own judgement the call is to go through a room."""

TAKES: Final = 32
"""It enters rooms."""

VIA_SFU: Final = 64
"""As far as it knows, the caller chose so."""

VIA_MESH: Final = 128
VIDEO: Final = 256
"""Its camera is on. Who shows one says it so, whether it knows rooms or not."""

_STATES: Final = (
    None,
    LinkState.CONNECTING.value,
    LinkState.CONNECTED.value,
    LinkState.CONNECTED.value,
    LinkState.LOST.value,
)
_IN_ROOM: Final = 3
_IN_ROOM_BYTE: Final = bytes((_IN_ROOM,))
_CODES: Final = {LinkState.CONNECTING.value: 1, LinkState.CONNECTED.value: 2, LinkState.LOST.value: 4}


class OwnRoom(msgspec.Struct, frozen=True):
    """What this session says of itself and the room."""

    talking: bool
    wants: bool
    takes: bool
    url: str | None
    feed: RoomFeed | None
    video: bool = False
    """Whether its camera is on."""


def write_room_announce(
    call: CallRecord,
    announce: Announce,
    heard_in_room: frozenset[Did],
    passed_over: Sequence[Did],
    room: OwnRoom,
) -> RoomAnnounce:
    """Say the same as this announce, and how this session stands to the room.

    Args:
        call: Whose participants are meant.
        announce: With everybody who is counted in.
        heard_in_room: Who of them is heard through the room.
        passed_over: Who announces a life that is not the newest known here.
        room: This session's part.

    """
    counted = bytearray(COUNTED_BYTES * len(call.participants))
    losses: list[PlaceLoss] = []
    for hearing in announce.hears:
        code = _CODES.get(hearing.link)
        if code is None:
            continue
        place = call.places[hearing.did]
        at = COUNTED_BYTES * place
        counted[at] = _IN_ROOM if code == 2 and hearing.did in heard_in_room else code
        counted[at + 1 : at + COUNTED_BYTES] = _tag(hearing.incarnation)
        if hearing.loss_permille:
            losses.append(PlaceLoss(place, hearing.loss_permille, hearing.longest_burst_packets))
    losses.sort(key=lambda loss: -loss.loss_permille)
    flags = (
        (MUTED, announce.muted),
        (DEAFENED, announce.deafened),
        (RECORDING, announce.recording),
        (TALKING, room.talking),
        (WANTS, room.wants),
        (TAKES, room.takes),
        (VIA_SFU, call.via is Via.SFU),
        (VIA_MESH, call.via is Via.MESH),
        (VIDEO, room.video),
    )
    return RoomAnnounce(
        announce.incarnation,
        announce.sequence,
        announce.nickname,
        sum(bit for bit, is_so in flags if is_so),
        bytes(counted),
        tuple(Out(call.places[did], call.members[did].incarnation) for did in passed_over[:MAX_EXCEPTIONS]),
        tuple(losses[:MAX_EXCEPTIONS]),
        None if room.url is None or len(room.url) > MAX_URL_CHARS else room.url,
        room.feed,
    )


def read_room_announce(call: CallRecord, by: Member, said: RoomAnnounce) -> tuple[Announce, RoomShown]:
    """Read what it says as an announce, and how its sender stands to the room: nowhere, if what it names is no address of an SFU.

    The incarnation of who is counted in is the one known here if its end fits, else the one that is named, else 0.
    """
    by.counted = counted = _read_counted(call, said, by.counted)
    announce = Announce(
        said.incarnation,
        said.sequence,
        said.nickname,
        muted=bool(said.flags & MUTED),
        deafened=bool(said.flags & DEAFENED),
        recording=bool(said.flags & RECORDING),
        hears=counted.hears,
    )
    url = said.url if said.url is not None and is_sfu_url(said.url) else None
    via = Via.SFU if said.flags & VIA_SFU else Via.MESH if said.flags & VIA_MESH else Via.AUTO
    shown = RoomShown(
        url=url,
        feed=None if url is None else said.feed,
        wants=bool(said.flags & WANTS),
        takes=bool(said.flags & TAKES),
        talking=bool(said.flags & TALKING),
        hears_us_there=counted.hears_us_there,
        via=via,
        video=bool(said.flags & VIDEO),
    )
    return announce, shown


def _read_counted(call: CallRecord, said: RoomAnnounce, before: Counted | None) -> Counted:
    """Whom it counts in, and whether it hears this session's present life in the room.

    Each of many hears each of many, and most say what they said before, or the same of all but one: no more than that is read.
    """
    beside = said.passed_over, said.losses, call.own_incarnation
    if before is None or before.beside != beside or len(before.table) != len(said.counted):
        by_place: list[PeerReception | None] = [None] * len(call.participants)
        places: Iterable[int] = range(len(by_place))
    elif before.table == said.counted:
        return before
    else:
        by_place = list(before.by_place)
        places = _differing(before.table, said.counted, len(by_place))
    losses = {loss.place: loss for loss in said.losses}
    exact = {one.place: one.incarnation for one in said.passed_over}
    for place in places:
        by_place[place] = _read_place(call, said.counted, place, exact, losses)
    ours, at = by_place[call.own_place], COUNTED_BYTES * call.own_place
    return Counted(
        said.counted,
        beside,
        tuple(by_place),
        tuple(one for one in by_place if one is not None),
        ours is not None
        and ours.incarnation == call.own_incarnation
        and said.counted[at : at + 1] == _IN_ROOM_BYTE,
    )


def _differing(table: bytes, other: bytes, places: int) -> Iterator[int]:
    """At which places two tables of one length differ."""
    bits = 8 * COUNTED_BYTES
    difference = int.from_bytes(table, "little") ^ int.from_bytes(other, "little")
    place = 0
    while difference:
        skipped = ((difference & -difference).bit_length() - 1) // bits
        place += skipped
        if place >= places:
            return
        yield place
        place += 1
        difference >>= bits * (skipped + 1)


def _read_place(
    call: CallRecord,
    table: bytes,
    place: int,
    exact: Mapping[int, int],
    losses: Mapping[int, PlaceLoss],
) -> PeerReception | None:
    did, at = call.participants[place], COUNTED_BYTES * place
    code = table[at] if at + COUNTED_BYTES <= len(table) else 0
    state = _STATES[code] if code < len(_STATES) else None
    if state is None:
        return PeerReception(did, LinkState.ABSENT.value, exact[place]) if place in exact else None
    known = call.own_incarnation if did == call.own else call.members[did].incarnation
    fits = table[at + 2] == known & 0xFF and table[at + 1] == known >> 8 & 0xFF
    named = exact.get(place)
    incarnation = known if fits and named in (None, known) else named or 0
    loss = losses.get(place)
    if loss is None:
        return PeerReception(did, state, incarnation)
    return PeerReception(did, state, incarnation, loss.loss_permille, loss.longest_burst_packets)


def _tag(incarnation: int) -> bytes:
    return (incarnation & 0xFFFF).to_bytes(COUNTED_BYTES - 1)

"""What an announce says in few bytes is read back as it was said, and what a build to come adds is passed over."""

import random

import msgspec

from blink_cli.core.call.membership import CallRecord, RoomShown
from blink_cli.core.call.room_announcing import OwnRoom, read_room_announce, write_room_announce
from blink_cli.core.call.room_policy import Via
from blink_cli.core.ids import MAX_PARTICIPANTS, CallId, Did
from blink_cli.core.media.room import RoomFeed
from blink_cli.core.signaling.signals import Announce, PeerReception, RoomAnnounce, Signal

NAMES = tuple(Did(f"did:key:z6Mk{n:02}") for n in range(MAX_PARTICIPANTS))
ANN, BOB, CARL, DAVE = NAMES[:4]
LIFE = 1_800_000_000_000
FEED = RoomFeed(7, b"s" * 16, 111, 63)
ROOM = OwnRoom(talking=True, wants=True, takes=True, url="wss://sfu.example", feed=FEED)


def call_of(own: Did, participants: tuple[Did, ...] = NAMES, own_life: int = LIFE) -> CallRecord:
    call = CallRecord(
        call_id=CallId("ab" * 16),
        group_key=b"k" * 32,
        participants=participants,
        caller=participants[0],
        nickname="",
        began_at=0.0,
        own=own,
        hearsay_s=3.0,
    )
    for member in call.members.values():
        member.incarnation, member.present = LIFE, True
    call.own_incarnation = own_life
    return call


def announce_of(*hears: PeerReception) -> Announce:
    return Announce(5, 9, "ann", muted=True, deafened=False, recording=True, hears=hears)


def over_the_wire(signal: RoomAnnounce) -> RoomAnnounce:
    read = msgspec.msgpack.decode(msgspec.msgpack.encode(signal), type=Signal, strict=True)
    assert isinstance(read, RoomAnnounce)
    return read


def test_states_lives_and_losses_come_back() -> None:
    at_ann, at_bob = call_of(ANN), call_of(BOB)
    said = announce_of(
        PeerReception(BOB, "connected", LIFE),
        PeerReception(CARL, "connecting", LIFE),
        PeerReception(DAVE, "lost", LIFE, 250, 7),
    )
    compact = over_the_wire(write_room_announce(at_ann, said, frozenset({BOB}), (), ROOM))
    announce, shown = read_room_announce(at_bob, at_bob.members[ANN], compact)
    assert announce == said
    assert shown == RoomShown("wss://sfu.example", FEED, True, True, True, True, Via.AUTO)  # noqa: FBT003


def test_who_is_heard_directly_is_not_heard_in_the_room() -> None:
    said = announce_of(PeerReception(BOB, "connected", LIFE))
    at_bob = call_of(BOB)
    compact = write_room_announce(call_of(ANN), said, frozenset(), (), ROOM)
    assert not read_room_announce(at_bob, at_bob.members[ANN], compact)[1].hears_us_there


def test_another_life_does_not_count_one_in_and_a_passed_over_one_is_named() -> None:
    at_ann, at_bob = call_of(ANN), call_of(BOB, own_life=LIFE + 1)
    said = announce_of(PeerReception(BOB, "connected", LIFE))
    compact = write_room_announce(at_ann, said, frozenset({BOB}), (), ROOM)
    announce, shown = read_room_announce(at_bob, at_bob.members[ANN], compact)
    assert announce.hears == (PeerReception(BOB, "connected", 0),)
    assert not shown.hears_us_there
    named, _ = read_room_announce(
        at_bob, at_bob.members[ANN], write_room_announce(at_ann, said, frozenset({BOB}), (BOB,), ROOM)
    )
    assert named.hears == (PeerReception(BOB, "connected", LIFE),)
    absent, _ = read_room_announce(
        at_bob, at_bob.members[ANN], write_room_announce(at_ann, announce_of(), frozenset(), (BOB,), ROOM)
    )
    assert absent.hears == (PeerReception(BOB, "absent", LIFE),)


def test_a_broken_table_and_places_that_are_not_there_are_passed_over() -> None:
    at_bob = call_of(BOB, NAMES[:3])
    compact = write_room_announce(
        call_of(ANN), announce_of(PeerReception(DAVE, "lost", 1)), frozenset(), (), ROOM
    )
    assert read_room_announce(at_bob, at_bob.members[ANN], compact)[0].hears == ()
    for table in (b"", b"\x09\x00\x00" * 3, b"\x02"):
        broken = msgspec.structs.replace(compact, counted=table)
        assert read_room_announce(at_bob, at_bob.members[ANN], broken)[0].hears == ()


def test_of_a_table_that_changed_the_rest_is_known() -> None:
    at_ann, at_bob, drawn = call_of(ANN), call_of(BOB), random.Random(13)
    states = dict.fromkeys(NAMES[1:40], "connecting")
    for _ in range(60):
        for did in drawn.sample(NAMES[1:], drawn.randrange(4)):
            states[did] = drawn.choice(("connecting", "connected", "lost", "absent"))
        losses = drawn.choice((0, 0, 0, 250))
        said = announce_of(
            *(PeerReception(did, states[did], LIFE, losses, 0) for did in NAMES if did in states)
        )
        heard = frozenset(drawn.sample(NAMES[1:], 20))
        compact = write_room_announce(at_ann, said, heard, drawn.sample(NAMES[1:9], drawn.randrange(2)), ROOM)
        afresh = call_of(BOB)
        assert read_room_announce(at_bob, at_bob.members[ANN], compact) == read_room_announce(
            afresh, afresh.members[ANN], compact
        )


def test_what_a_build_to_come_says_behind_the_last_field_is_passed_over() -> None:
    compact = write_room_announce(call_of(ANN), announce_of(), frozenset(), (), ROOM)
    words = [*msgspec.msgpack.decode(msgspec.msgpack.encode(compact)), "more", 17]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(words), type=Signal, strict=True) == compact

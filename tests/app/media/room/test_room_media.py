"""Voice through a real Janus between sessions' media in this process."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from blink_cli.core.call.group_key import GroupKey
from blink_cli.core.call.inputs import Connected, Heard, RoomLost
from blink_cli.lab.janus_server import JanusServer
from blink_cli.net.link_settings import LinkCertificate
from blink_cli.runtime.tasks import TaskOwner
from tests.app.media.room.room_members import CALL, FIRST_KEY, Member, meet

SECOND_KEY = GroupKey(2, b"2" * 32)


@pytest.fixture(scope="module")
def janus() -> Iterator[JanusServer]:
    with JanusServer(debug_level=7) as server:  # it logs every message
        yield server
        log = server.log
    assert '"publish"' in log
    for known in (*(f"did:key:{name}" for name in ("ann", "bob", "cat")), CALL, 'blink"'):
        assert known not in log, "the server learns nobody's name, and no call's"


@pytest_asyncio.fixture
async def tasks() -> AsyncIterator[TaskOwner]:
    owner = TaskOwner("test")
    yield owner
    # Connections close by themselves, as at the end of a session. Cut short they would leave tasks of their libraries behind.
    await owner.aclose(patience_s=15.0)


def heard(listener: Member, speaker: Member) -> int:
    """Packets of the speaker that came."""
    return listener.of_peer(speaker).totals.packets_received


def certificate_of(member: Member) -> LinkCertificate:
    """What the server is shown."""
    visit = member.media.room.visit
    assert visit is not None
    return visit.certificate


async def more_heard(listener: Member, speaker: Member, packets: int = 10) -> None:
    """So many more packets come."""
    before = heard(listener, speaker)
    await listener.until(lambda: heard(listener, speaker) >= before + packets)


async def test_a_voice_goes_through_a_room_and_a_new_key_changes_nothing(
    janus: JanusServer, tasks: TaskOwner
) -> None:
    ann, bob = Member("ann", tasks), Member("bob", tasks, says="silence")
    try:
        await meet(janus.url, ann, bob)
        await more_heard(bob, ann)
        await bob.until(lambda: any(isinstance(one, Heard) and one.epoch == 100 for one in bob.told))
        assert any(isinstance(one, Connected) and one.peer == ann.did for one in bob.told)
        ann.media.room.use_keys(SECOND_KEY, (FIRST_KEY,))
        bob.media.room.use_keys(SECOND_KEY, (FIRST_KEY,))
        await more_heard(bob, ann)
        of_ann = bob.of_peer(ann)
        assert of_ann.totals.packets_lost <= 2
        assert of_ann.link is None
        # Who has no key of the call hears nothing, and that is counted.
        bob.media.room.use_keys(GroupKey(3, b"3" * 32), ())
        before = heard(bob, ann)
        await ann.until(lambda: bob.media.room.refused.counters.of_unknown_key >= 10)
        assert heard(bob, ann) <= before + 1
    finally:
        await ann.aclose()
        await bob.aclose()


async def test_who_talks_gets_a_slot_and_all_of_the_gap_is_no_loss(
    janus: JanusServer, tasks: TaskOwner
) -> None:
    ann, cat = Member("ann", tasks, says="silence"), Member("cat", tasks, says="silence")
    bob = Member("bob", tasks, says="silence", heard_at_once=1)
    try:
        await meet(janus.url, ann, bob, cat)
        await more_heard(bob, ann)
        bob.media.room.talks(cat.did, talking=True)
        await more_heard(bob, cat)
        came = heard(bob, ann)
        await more_heard(bob, cat, 25)
        assert heard(bob, ann) <= came + 1
        bob.media.room.talks(cat.did, talking=False)
        bob.media.room.talks(ann.did, talking=True)
        await more_heard(bob, ann)
        assert bob.of_peer(ann).totals.packets_lost == 0
        bob.media.room.hear_everybody(everybody=True)
        await more_heard(bob, cat)
        await more_heard(bob, ann)
    finally:
        for member in (ann, bob, cat):
            await member.aclose()


async def test_a_room_that_is_gone_is_told_and_another_is_entered(tasks: TaskOwner) -> None:
    with JanusServer() as janus:
        ann, bob = Member("ann", tasks), Member("bob", tasks)
        try:
            await meet(janus.url, ann, bob)
            await more_heard(bob, ann)
            first = certificate_of(ann)
            janus.kill()
            await bob.until(lambda: any(isinstance(one, RoomLost) for one in bob.told))
            assert bob.of_peer(ann).room is None
            await ann.until(lambda: any(isinstance(one, RoomLost) for one in ann.told))
            janus.start()
            await meet(janus.url, ann, bob)
            await more_heard(bob, ann)
            assert certificate_of(ann) is not first, "the server does not know it again by that"
        finally:
            await ann.aclose()
            await bob.aclose()


async def test_from_connections_to_a_room_and_back_one_of_both_is_played(
    janus: JanusServer, tasks: TaskOwner
) -> None:
    ann, bob = Member("ann", tasks), Member("bob", tasks, says="silence")
    ann.others, bob.others = [bob], [ann]
    try:
        ann.media.links.dial(bob.did, 1)
        await bob.until(lambda: any(isinstance(one, Connected) for one in bob.told))
        await more_heard(bob, ann, 50)
        await meet(janus.url, ann, bob)
        of_ann = bob.of_peer(ann)
        await bob.until(lambda: of_ann.source is of_ann.room)
        await more_heard(bob, ann, 50)
        playout = of_ann.playout
        assert playout is not None
        assert playout.playout.concealed_samples <= 9_600, "at most 200 ms are lost"
        ann.media.links.hang_up(bob.did, 1)
        bob.media.links.hang_up(ann.did, 1)
        await more_heard(bob, ann, 25)
        assert of_ann.room is not None
    finally:
        await ann.aclose()
        await bob.aclose()

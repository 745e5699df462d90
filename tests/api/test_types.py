"""What a type checker says of programs. `scripts/check` is what holds these: mypy, strict, for which an ignored error that is none is one.

Nothing here is run but the last function.
"""

from typing import assert_type

import pytest

import blink_cli as blink
from blink_cli.core.ids import CallId, Did

pytestmark = pytest.mark.no_clock


async def right(session: blink.Session) -> None:
    assert_type(await session.ask(blink.requests.PlaceOffer(peers=("bob",))), blink.replies.OfferPlaced)
    assert_type(await session.ask(blink.requests.GetPeers()), blink.replies.Peers)
    assert_type(await session.mute(), blink.replies.Done)
    assert_type(await session.mute("bob"), blink.replies.PeerVolumeSet)
    assert_type(await session.wait_for(blink.events.CallJoined), blink.events.CallJoined)
    call = await session.offer("bob")
    assert_type(call, blink.Call)
    assert_type(call.id, CallId)
    assert_type(await call.participants(), tuple[blink.replies.Participant, ...])
    async for event in session.events():
        if isinstance(event, blink.events.LinkChanged):
            assert_type(event.did, Did)
    async for frame in session.tap("mix"):
        assert_type(frame, blink.SoundFrame)
    async with blink.connect() as far:
        assert_type(far, blink.Session)


async def wrong(session: blink.Session) -> None:
    await session.gain("bob", "loud")  # type: ignore[arg-type]
    await session.ask("status")  # type: ignore[arg-type]
    await session.wait_for(blink.Session)  # type: ignore[type-var]
    session.tap("speaker")  # type: ignore[arg-type]
    await session.record.start(formats=("mp3",))  # type: ignore[arg-type]
    async with blink.open_session(profil="alice"):  # type: ignore[call-arg]
        pass
    async with blink.open_session(auto_accept="everybody"):  # type: ignore[arg-type]
        pass
    blink.opensession()  # type: ignore[attr-defined]


def test_the_package_says_that_it_is_typed() -> None:
    assert right.__annotations__["session"] is wrong.__annotations__["session"] is blink.Session

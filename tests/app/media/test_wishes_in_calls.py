"""What a foreign participant says of the stream that it wants counts in a call, for as long as it is there."""

import asyncio
from typing import Any

import pytest

from blink_cli.app.session import Session
from blink_cli.core.api.events import ParticipantLeft
from blink_cli.core.api.replies.codec import CodecInUse
from blink_cli.core.api.requests import GetCodec, LeaveCall, SetCodec
from blink_cli.core.api.session_options import CodecOptions
from blink_cli.net.link import media_link, sdp
from tests.app.conftest import OpenSession
from tests.app.test_session import Ear, ask, connect

pytestmark = pytest.mark.in_pairs

WISHES = "minptime=10;stereo=0;maxaveragebitrate=20000"
"""As a program says them that has one loudspeaker and a thin line."""


async def shown(session: Session) -> CodecInUse:
    return (await ask(session, GetCodec())).codec


async def until_sent(session: Session, wanted: tuple[float, int]) -> CodecInUse:
    """Wait until packets of so many ms, with so many channels, are encoded."""
    async with asyncio.timeout(10):
        while True:
            codec = await shown(session)
            if codec.now is not None and (codec.now.frame_ms, codec.now.channels) == wanted:
                return codec
            await asyncio.sleep(0.02)


async def test_a_participant_that_takes_less_is_sent_less(
    open_session: OpenSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, wishes = sdp.write_description, True

    def wishing(*words: Any, **named: Any) -> str:
        return write(*words, **named).replace("minptime=3;", f"{WISHES};" if wishes else "minptime=3;")

    monkeypatch.setattr(media_link, "write_description", wishing)
    async with open_session("alice") as alice, open_session("bob") as bob, open_session("carol") as carol:
        await alice.ask(SetCodec(changes=CodecOptions(frame_ms=2.5, stereo=True, bitrate=64_000)))
        await connect(alice, bob)
        codec = await until_sent(alice, (10, 1))
        assert (codec.chosen.frame_ms, codec.chosen.stereo, codec.chosen.bitrate) == (2.5, True, 64_000)
        assert codec.remarks == (
            "packets of 10 ms are sent: a participant wants none that are shorter",
            "20 kb/s are sent: a participant wants no more",
            "one channel is sent: a participant wants no stereo",
        )
        await alice.ask(SetCodec(changes=CodecOptions(frame_ms=40)))
        await until_sent(alice, (40, 1))
        await alice.ask(SetCodec(changes=CodecOptions(frame_ms=2.5)))
        await until_sent(alice, (10, 1))
        ear = Ear(alice)
        await ear.first()
        await bob.ask(LeaveCall())
        await ear.until(ParticipantLeft, did=bob.did)
        assert not [said for said in (await shown(alice)).remarks if "participant wants" in said]
        wishes = False
        await connect(alice, carol)
        await until_sent(alice, (2.5, 2))

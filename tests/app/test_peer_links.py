"""The links of a call as the session uses them, between two ends on real loopback sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from blink_cli.app import peer_links
from blink_cli.app.peer_links import PeerLinks
from blink_cli.core.codec_settings import CodecSettings
from blink_cli.core.names import Did
from blink_cli.core.rtp import SentPacket
from blink_cli.net.sdp import MediaFormat
from blink_cli.net.tasks import TaskOwner
from tests.net.gossip_parts import eventually
from tests.support.links import LOOPBACK, certificate, frame

PEER = Did("did:key:z6MkPeer")


class Clock:
    """Stands still but for what a test adds: the `time` of `peer_links`."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def monotonic(self) -> float:
        return self.now_s


class Observer:
    """What one end was told that these tests wait for; the rest is not remembered."""

    def __init__(self) -> None:
        self.described: asyncio.Queue[str] = asyncio.Queue()
        self.connected = asyncio.Event()
        self.sent: list[SentPacket] = []

    def link_described(self, peer: Did, epoch: int, sdp: str) -> None:
        self.described.put_nowait(sdp)

    def link_connected(self, peer: Did, epoch: int, media: MediaFormat) -> None:
        self.connected.set()

    def packet_sent(self, peer: Did, packet: SentPacket) -> None:
        self.sent.append(packet)

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


@asynccontextmanager
async def ends() -> AsyncIterator[tuple[PeerLinks, Observer, PeerLinks, Observer]]:
    """Two sides of one call; neither has dialled."""
    async with TaskOwner("test") as tasks:
        ears = Observer(), Observer()
        dialling, answering = (
            PeerLinks(LOOPBACK, certificate(), CodecSettings(), tasks, ear) for ear in ears
        )
        try:
            yield dialling, ears[0], answering, ears[1]
        finally:
            dialling.hang_up_all()
            answering.hang_up_all()
            await eventually(lambda: not tasks.running)  # a closed owner would start no closing


async def stand(
    dialling: PeerLinks, dialler: Observer, answering: PeerLinks, answerer: Observer, epoch: int
) -> None:
    """Bring the link up that was dialled."""
    async with asyncio.timeout(10):
        answering.answer(PEER, epoch, await dialler.described.get())
        dialling.apply_answer(PEER, epoch, await answerer.described.get())
        await dialler.connected.wait()
        await answerer.connected.wait()


async def test_however_long_a_link_takes_to_stand_its_first_frames_carry_a_copy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    monkeypatch.setattr(peer_links, "time", clock)
    async with ends() as (dialling, dialler, answering, answerer):
        for epoch in (1, 2):
            dialler.connected.clear()
            answerer.connected.clear()
            dialler.sent.clear()
            dialling.dial(PEER, epoch)
            clock.now_s += 8.0
            await stand(dialling, dialler, answering, answerer, epoch)
            assert dialling.peers[PEER].plan.red_levels == 1
            for index in range(3):
                dialling.send_frame(frame(index))
                clock.now_s += 0.02
            assert [packet.redundancy for packet in dialler.sent] == [0, 1, 1]
            # The opening ends half a second after the link stood, also when nobody reports.
            clock.now_s += 0.5
            dialling.send_frame(frame(3))
            assert dialler.sent[-1].redundancy == 0


async def test_what_a_peer_sends_without_agreement_is_counted_as_refused_also_after_its_link() -> None:
    async with ends() as (dialling, dialler, answering, answerer):
        dialling.dial(PEER, 1)
        await stand(dialling, dialler, answering, answerer, 1)
        link = dialling.peers[PEER].link
        assert link is not None
        assert link._sender is not None
        link._sender._media = MediaFormat(opus=13, red=None, audio_level_id=None)  # comfort noise (RFC 3389)
        dialling.send_frame(frame(0))
        heard = answering.peers[PEER]
        await eventually(lambda: heard.totals.datagrams_refused == 1)
        answering.hang_up(PEER, 1)
        assert heard.totals.datagrams_refused == 1


async def test_until_the_link_stands_nothing_is_planned() -> None:
    async with ends() as (dialling, dialler, _, _):
        dialling.dial(PEER, 1)
        await asyncio.wait_for(dialler.described.get(), 10)
        assert dialling.peers[PEER].plan.red_levels == 0
        assert dialling.fec_loss_percent is None

"""The links of a call as the session uses them, between two ends on real loopback sockets."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from blink_cli.app.media.media_taps import MediaTaps
from blink_cli.app.media.participant_media import MediaParts
from blink_cli.app.media.peer_links import PeerLinks
from blink_cli.app.media.talkers import Talkers
from blink_cli.app.media.voice_path import VoicePath
from blink_cli.audio.devices.opener import DeviceOpener
from blink_cli.core.call.inputs import Connected, Described, Ended, MediaInput
from blink_cli.core.ids import Did
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.media_format import MediaFormat
from blink_cli.core.media.media_tap import MediaTap
from blink_cli.core.media.rtp import EncodedFrame, SentPacket
from blink_cli.core.media.rtp_header import RtpHeaderWriter
from blink_cli.core.media.talking import TalkingChange
from blink_cli.lab.links import LOOPBACK, certificate, frame
from blink_cli.net.link.sdp import OPUS_PAYLOAD_TYPE
from blink_cli.net.link_settings import LinkClosed, LinkConnected
from blink_cli.runtime.clock import Clock, MonotonicClock
from blink_cli.runtime.tasks import TaskOwner
from tests.net.gossip_parts import eventually

pytestmark = pytest.mark.real_time

OWN, PEER = Did("did:key:z6MkOwn"), Did("did:key:z6MkPeer")


class FixedClock:
    """Stands still but for what a test adds."""

    at_s = 1_000.0

    def now_s(self) -> float:
        return self.at_s

    def wait_until(self, when_s: float) -> None:
        raise AssertionError("links wait on the event loop")


class End:
    """One side of a call, without rules and devices."""

    def __init__(self, tasks: TaskOwner, clock: Clock) -> None:
        self.described: asyncio.Queue[str] = asyncio.Queue()
        self.connected = asyncio.Event()
        self.sent: list[SentPacket] = []
        self.ended = False
        self.taps = MediaTaps()
        self._clock = clock
        opener = DeviceOpener()
        voice = VoicePath(
            opener=opener,
            input_device=opener.open_input("silence"),
            output_device=opener.open_output("null"),
            codec=CodecSettings(),
            tasks=tasks,
            events=self,
        )
        parts = MediaParts(voice, self.taps, Talkers(OWN, lambda _: None), lambda _: None, clock)
        self.links = PeerLinks(LOOPBACK, certificate(), tasks, parts, self._told)

    def _told(self, event: MediaInput) -> None:
        match event:
            case Described(sdp=sdp):
                self.described.put_nowait(sdp)
            case Connected():
                self.connected.set()
            case Ended():
                self.ended = True

    def frame_encoded(self, frame: EncodedFrame) -> None:
        raise AssertionError("no media run")

    def talking_changed(self, change: TalkingChange, at_s: float) -> None:
        raise AssertionError("no media run")

    def device_failed(self, direction: str, reason: str) -> None:
        raise AssertionError("no media run")

    def send(self, frame: EncodedFrame) -> None:
        sent = (one.send(frame) for one in self.links.connected)
        self.sent += [packet for packet in sent if packet is not None]


@asynccontextmanager
async def ends(clock: Clock | None = None) -> AsyncIterator[tuple[End, End]]:
    """Two sides of one call; neither has dialled."""
    async with TaskOwner("test") as tasks:
        dialler, answerer = (End(tasks, clock or MonotonicClock()) for _ in range(2))
        try:
            yield dialler, answerer
        finally:
            dialler.links.hang_up_all()
            answerer.links.hang_up_all()
            await eventually(lambda: not tasks.running)  # a closed owner would start no closing


async def stand(dialler: End, answerer: End, epoch: int) -> None:
    """Bring the link up that was dialled."""
    async with asyncio.timeout(10):
        answerer.links.answer(PEER, epoch, await dialler.described.get())
        dialler.links.apply(PEER, epoch, await answerer.described.get())
        await dialler.connected.wait()
        await answerer.connected.wait()


async def test_however_long_a_link_takes_to_stand_its_first_frames_carry_copies() -> None:
    clock = FixedClock()
    async with ends(clock) as (dialler, answerer):
        for epoch in (1, 2):
            dialler.connected.clear()
            answerer.connected.clear()
            dialler.sent.clear()
            dialler.links.dial(PEER, epoch)
            clock.at_s += 8.0
            await stand(dialler, answerer, epoch)
            assert dialler.links.peers[PEER].plan.red_levels == 2
            for index in range(3):
                dialler.send(frame(index))
                clock.at_s += 0.02
            assert [packet.redundancy for packet in dialler.sent] == [0, 1, 2]
            # The opening ends half a second after the link stood, also when nobody reports.
            clock.at_s += 0.5
            dialler.links.peers[PEER].look_at_line(clock.at_s)
            dialler.send(frame(3))
            assert dialler.sent[-1].redundancy == 0


async def test_what_a_peer_sends_without_agreement_is_counted_as_refused_also_after_its_link() -> None:
    async with ends() as (dialler, answerer):
        dialler.links.dial(PEER, 1)
        await stand(dialler, answerer, 1)
        link = dialler.links.peers[PEER].link
        assert link is not None
        assert link.sending is not None
        link.sending.sender._media = MediaFormat(
            opus=13, red=None, audio_level_id=None
        )  # comfort noise (RFC 3389)
        dialler.send(frame(0))
        heard = answerer.links.peers[PEER]
        await eventually(lambda: heard.totals.datagrams_refused == 1)
        answerer.links.hang_up(PEER, 1)
        assert heard.totals.datagrams_refused == 1


async def test_until_the_link_stands_nothing_is_planned() -> None:
    async with ends() as (dialler, _):
        dialler.links.dial(PEER, 1)
        await asyncio.wait_for(dialler.described.get(), 10)
        plan = dialler.links.peers[PEER].plan
        assert (plan.red_levels, plan.fec) == (0, False)


async def test_of_a_link_that_was_ended_nothing_is_told_any_more() -> None:
    async with ends() as (dialler, answerer):
        dialler.links.dial(PEER, 1)
        await stand(dialler, answerer, 1)
        participant, sender = answerer.links.peers[PEER], dialler.links.peers[PEER].link
        old = participant.link
        assert old is not None
        assert sender is not None
        heard: list[int] = []
        tap = MediaTap()
        tap.packet_received = lambda peer, packet: heard.append(packet.sequence_number)  # type: ignore[method-assign]
        answerer.taps.add(tap)
        writer = RtpHeaderWriter(sender.local_ssrc, None)

        def arrives(number: int) -> None:
            header = writer.header(
                payload_type=OPUS_PAYLOAD_TYPE,
                sequence_number=number,
                timestamp=960 * number,
                marker=False,
                audio_level_dbov=-30,
                voice=False,
            )
            old.receiving.received(header + bytes(20), time.monotonic())

        arrives(1)
        answerer.links.hang_up(PEER, 1)
        assert isinstance(old.state, LinkConnected), (
            "it is closed in a task, and what comes before that is opened"
        )
        arrives(2)
        await eventually(lambda: isinstance(old.state, LinkClosed))
        assert heard == [1]
        assert not answerer.ended

"""A participant without its signaling: the session's own media links, voice path and talkers, for measuring what they cost.

What the call machine and the gossip do once a second is left out; what happens for every packet, frame, tick and 0.1 s is the session's
own code, called in the order in which `app/call_runner` calls it.
"""

import asyncio
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from blink_cli.app.peer_links import PeerLinks
from blink_cli.app.talkers import Talkers
from blink_cli.app.voice_path import VoicePath
from blink_cli.audio.devices.opener import DeviceOpener
from blink_cli.audio.samples import Samples
from blink_cli.core.codec_settings import CodecSettings
from blink_cli.core.loss_reporter import LossReporter
from blink_cli.core.names import Did
from blink_cli.core.rtp import EncodedFrame, RtpPacket, SenderReport
from blink_cli.core.talking import TalkingChange
from blink_cli.net.link_settings import LinkSettings, new_certificate
from blink_cli.net.sdp import MediaFormat
from blink_cli.net.tasks import TaskOwner
from tests.support.voices import write_mono

PULSE_S: Final = 0.1


class Participant:
    """Someone who says `sound` again and again to everyone and hears everyone. Belongs to the event loop."""

    def __init__(self, sound: Samples, settings: LinkSettings, tasks: TaskOwner) -> None:
        self.packets_received = 0
        self.other: Participant | None = None
        self.connected = asyncio.Event()
        self._tasks = tasks
        self._folder = TemporaryDirectory(prefix="blink-bench-")
        speech = write_mono(Path(self._folder.name) / "says.wav", sound)
        codec = CodecSettings()
        self.links = PeerLinks(settings, new_certificate(), codec, tasks, self)
        opener = DeviceOpener()
        self.voice = VoicePath(
            opener=opener,
            input_device=opener.open_input(f"file:{speech}?loop=1"),
            output_device=opener.open_output("null"),
            codec=codec,
            tasks=tasks,
            observer=self,
        )
        self._talkers = Talkers(Did("did:key:self"), lambda _: None)
        self._levels_dbov: dict[Did, int | None] = {}
        self._reporters: dict[Did, LossReporter] = {}
        self._expected = 0

    def begin(self, peers: int) -> None:
        """Start speaker and microphone; links to so many peers will come."""
        self._expected = peers
        self.voice.begin()
        self._tasks.start(self._beat(), name="beat")

    async def aclose(self) -> None:
        """Hang up and stop the devices."""
        self.links.hang_up_all()
        await self.voice.aclose()
        self._folder.cleanup()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(PULSE_S)
            now_s = time.monotonic()
            self._talkers.check(now_s)
            for entry in self.links.connected:
                figures = self.voice.stream_figures(entry.peer)
                if figures is not None and self._reporters[entry.peer].due(figures.loss, now_s):
                    self.links.send_loss_report(entry.peer, figures.loss)

    # LinkObserver

    def link_described(self, peer: Did, epoch: int, sdp: str) -> None:
        """Hand our half to the other side, as the gossip would."""
        assert self.other is not None, "joined before it dials"
        if peer in self.other.links.peers:
            self.other.links.apply_answer(peer, epoch, sdp)
        else:
            self.other.links.answer(peer, epoch, sdp)

    def link_refused(self, peer: Did, epoch: int, reason: str) -> None:
        """Cannot happen on loopback."""
        raise AssertionError(f"{peer} {epoch}: {reason}")

    def link_connected(self, peer: Did, epoch: int, media: MediaFormat) -> None:
        """Hear the peer."""
        del epoch
        self._reporters[peer] = LossReporter()
        self.voice.peer_connected(peer, media)
        if len(self.links.connected) == self._expected:
            self.connected.set()

    def link_ended(self, peer: Did, epoch: int, reason: str) -> None:
        """The other side hung up first."""

    def packet_received(self, peer: Did, packet: RtpPacket) -> None:
        """As the call runner does."""
        self.packets_received += 1
        self.voice.receive(peer, packet)
        level_dbov = packet.audio_level_dbov
        self._levels_dbov[peer] = level_dbov
        if level_dbov is not None:
            self._talkers.peer_heard(peer, level_dbov, voice=packet.voice, now_s=packet.arrival_s)

    def sender_reported(self, peer: Did, report: SenderReport) -> None:
        """Nothing plays by it."""

    # VoiceObserver

    def frame_encoded(self, frame: EncodedFrame) -> None:
        """As the call runner does."""
        self.links.send_frame(frame)
        self.voice.set_fec_loss(self.links.fec_loss_percent)

    def own_voice(self, change: TalkingChange) -> None:
        """Nobody listens."""

    def device_failed(self, direction: str, device: str, reason: str) -> None:
        """Cannot happen with a file and `null`."""
        raise AssertionError(f"{direction} {device}: {reason}")


async def join(one: Participant, other: Participant, links: int) -> None:
    """Connect two participants by so many links, as if each were so many peers to the other."""
    one.other, other.other = other, one
    one.begin(links)
    other.begin(links)
    for number in range(links):
        one.links.dial(Did(f"did:key:peer{number}"), 1)
    await asyncio.gather(one.connected.wait(), other.connected.wait())

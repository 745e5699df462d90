"""A participant without its signaling, who talks to itself over N links: for measuring what a call costs.

    capture thread -> encode once -> N links' sending ends -> sockets -> N links' receiving ends -> N playout buffers -> playout thread

So all work of someone who sends to N peers and hears N peers is done once, with the threads that a session has. What the call machine and
the gossip do once a second is left out; what happens for every packet, frame, tick and 0.1 s is the session's own code, called in the
order in which `app/call_runner` calls it.
"""

import asyncio
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from blink_cli.app.media_taps import MediaTaps
from blink_cli.app.peer_links import PeerLinks
from blink_cli.app.quality_watch import QualityWatch
from blink_cli.app.talkers import Talkers
from blink_cli.app.voice_path import VoicePath
from blink_cli.audio.devices.opener import DeviceOpener
from blink_cli.audio.samples import Samples
from blink_cli.core.codec_settings import CodecSettings
from blink_cli.core.loss_reporter import LossReporter
from blink_cli.core.names import Did
from blink_cli.core.rtp import (
    EncodedFrame,
    ReceptionReport,
    RepeatedPacket,
    RtpPacket,
    SenderReport,
    SentPacket,
)
from blink_cli.core.talking import TalkingChange
from blink_cli.net.link_settings import LinkSettings, new_certificate
from blink_cli.net.sdp import MediaFormat
from blink_cli.net.tasks import TaskOwner
from tests.support.voices import write_mono

PULSE_S: Final = 0.1


class Participant:
    """Says `sound` again and again and hears itself over every link. Belongs to the event loop."""

    def __init__(self, sound: Samples, settings: LinkSettings, tasks: TaskOwner) -> None:
        self.packets_received = 0
        self._tasks = tasks
        self._taps = MediaTaps()
        self._folder = TemporaryDirectory(prefix="blink-bench-")
        speech = write_mono(Path(self._folder.name) / "says.wav", sound)
        codec = CodecSettings()
        opener = DeviceOpener()
        self.voice = VoicePath(
            opener=opener,
            input_device=opener.open_input(f"file:{speech}?loop=1"),
            output_device=opener.open_output("null"),
            codec=codec,
            tasks=tasks,
            observer=self,
            taps=self._taps,
        )
        certificate = new_certificate()
        self._mouth = PeerLinks(settings, certificate, codec, tasks, _Mouth(self))
        self._ear = PeerLinks(settings, certificate, codec, tasks, _Ear(self))
        self._quality = QualityWatch(Did("did:key:self"), lambda _: None, self._ear.reception)
        self._taps.add(self._quality)
        self._talkers = Talkers(Did("did:key:self"), lambda _: None)
        self._levels_dbov: dict[Did, int | None] = {}
        self._reporters: dict[Did, LossReporter] = {}
        self._up = asyncio.Event()

    async def connect(self, links: int) -> None:
        """Start speaker and microphone, and so many links; return when all of them stand."""
        self.voice.begin()
        self._tasks.start(self._beat(), name="beat")
        for number in range(links):
            self._mouth.dial(Did(f"did:key:peer{number}"), 1)
        while len(self._mouth.connected) < links or len(self._ear.connected) < links:
            self._up.clear()
            await self._up.wait()

    async def aclose(self) -> None:
        """Hang up and stop the devices."""
        self._mouth.hang_up_all()
        self._ear.hang_up_all()
        await self.voice.aclose()
        self._folder.cleanup()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(PULSE_S)
            now_s = time.monotonic()
            self._talkers.check(now_s)
            self._quality.look((), None, now_s)
            for entry in self._ear.connected:
                figures = self.voice.stream_figures(entry.peer)
                if figures is not None and self._reporters[entry.peer].due(figures.loss, now_s):
                    self._ear.send_loss_report(entry.peer, figures.loss)

    def offered(self, peer: Did, sdp: str) -> None:
        """The mouth's half of a link."""
        self._ear.answer(peer, 1, sdp)

    def answered(self, peer: Did, sdp: str) -> None:
        """The ear's half of a link."""
        self._mouth.apply_answer(peer, 1, sdp)

    def linked(self, peer: Did, media: MediaFormat) -> None:
        """Hear the peer, as the call runner does."""
        self._reporters[peer] = LossReporter()
        self._taps.link_connected(peer, media.opus, media.red)
        self.voice.peer_connected(peer, media)
        self._up.set()

    def spoken_to(self) -> None:
        """The sending end of a link stands."""
        self._up.set()

    def packet_received(self, peer: Did, packet: RtpPacket) -> None:
        """As the call runner does."""
        self.packets_received += 1
        self._taps.packet_received(peer, packet)
        self.voice.receive(peer, packet)
        level_dbov = packet.audio_level_dbov
        self._levels_dbov[peer] = level_dbov
        if level_dbov is not None:
            self._talkers.peer_heard(peer, level_dbov, voice=packet.voice, now_s=packet.arrival_s)

    # VoiceObserver

    def frame_encoded(self, frame: EncodedFrame) -> None:
        """As the call runner does."""
        self._taps.frame_encoded(frame, time.monotonic())
        self._mouth.send_frame(frame)
        self.voice.set_fec_loss(self._mouth.fec_loss_percent)

    def packet_sent(self, peer: Did, packet: SentPacket) -> None:
        """As the call runner does."""
        self._taps.packet_sent(peer, packet)

    def own_voice(self, change: TalkingChange) -> None:
        """Nobody listens."""

    def device_failed(self, direction: str, reason: str) -> None:
        """Cannot happen with a file and `null`."""
        raise AssertionError(f"{direction}: {reason}")


class _Mouth:
    """Observes the sending ends."""

    def __init__(self, owner: Participant) -> None:
        self._owner = owner

    def link_described(self, peer: Did, epoch: int, sdp: str) -> None:
        del epoch
        self._owner.offered(peer, sdp)

    def link_refused(self, peer: Did, epoch: int, reason: str) -> None:
        raise AssertionError(f"{peer} {epoch}: {reason}")

    def link_connected(self, peer: Did, epoch: int, media: MediaFormat) -> None:
        del peer, epoch, media
        self._owner.spoken_to()

    def link_ended(self, peer: Did, epoch: int, reason: str) -> None:
        """Both ends are closed by their owner."""

    def media_stopped(self, peer: Did) -> None:
        """The measuring is over."""

    def packet_received(self, peer: Did, packet: RtpPacket) -> None:
        """The ear says nothing."""

    def sender_reported(self, peer: Did, report: SenderReport) -> None:
        """Nothing plays by it."""

    def reception_reported(self, peer: Did, report: ReceptionReport) -> None:
        """The link's own policy has heard it."""

    def packet_sent(self, peer: Did, packet: SentPacket) -> None:
        self._owner.packet_sent(peer, packet)

    def packet_repeated(self, peer: Did, packet: RepeatedPacket) -> None:
        """Nobody listens in."""


class _Ear(_Mouth):
    """Observes the receiving ends."""

    def link_described(self, peer: Did, epoch: int, sdp: str) -> None:
        del epoch
        self._owner.answered(peer, sdp)

    def link_connected(self, peer: Did, epoch: int, media: MediaFormat) -> None:
        del epoch
        self._owner.linked(peer, media)

    def packet_received(self, peer: Did, packet: RtpPacket) -> None:
        self._owner.packet_received(peer, packet)

"""A participant without its signaling, who talks to itself over links in pairs: for measuring what a call costs.

    capture thread -> encode once -> N links -> sockets -> the same N links -> N playout buffers -> playout thread

The two ends of each pair are participants of the same media, so that all work of someone who sends to N peers and hears N peers is done once,
by the session's own code and threads. What the call machine and the gossip do once a second is left out.
"""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import assert_never

from blink_cli.app.media.first_devices import FirstDevices
from blink_cli.app.media.media_taps import MediaTaps
from blink_cli.app.media.mesh_media import MeshMedia
from blink_cli.app.media.quality_watch import QualityWatch
from blink_cli.audio.devices.opener import DeviceOpener
from blink_cli.audio.samples import Samples
from blink_cli.core.call.inputs import (
    Connected,
    Described,
    Ended,
    Heard,
    MediaInput,
    OwnTalk,
    Reception,
    Refused,
    RoomEntered,
    RoomLost,
    RoomSilent,
)
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.lab.voices import write_mono
from blink_cli.net.link_settings import LinkCertificate, LinkSettings
from blink_cli.runtime.tasks import TaskOwner

OWN = Did("did:key:self")


class Participant:
    """Says `sound` again and again and hears itself over every link. Belongs to the event loop."""

    def __init__(self, sound: Samples, settings: LinkSettings, tasks: TaskOwner) -> None:
        self._folder = TemporaryDirectory(prefix="blink-bench-")
        speech = write_mono(Path(self._folder.name) / "says.wav", sound)
        opener = DeviceOpener()
        said, heard = opener.open_input(f"file:{speech}?loop=1"), opener.open_output("null")
        names = said.parameters.name, heard.parameters.name
        taps = MediaTaps()
        self._media = MeshMedia(
            own=OWN,
            opener=opener,
            devices=FirstDevices(said, heard, names, ()),
            codec=CodecSettings(),
            link_settings=settings,
            certificate=LinkCertificate(),
            taps=taps,
            publish=lambda _: None,
            tasks=tasks,
        )
        taps.add(QualityWatch(OWN, lambda _: None, self._media.links.reception))
        self._up = asyncio.Event()

    @property
    def packets_received(self) -> int:
        """Of all peers."""
        return sum(one.totals.packets_received for one in self._media.links.connected)

    async def connect(self, peers: int) -> None:
        """Start speaker and microphone, and link so many peers, an even number; return when all links stand."""
        self._media.begin(CallId("be" * 16), self)
        for number in range(0, peers, 2):
            self._media.links.dial(_peer(number), 1)
        while len(self._media.links.connected) < peers:
            self._up.clear()
            await self._up.wait()

    async def aclose(self) -> None:
        """Hang up and stop the devices."""
        self._media.end()
        await self._media.aclose()
        self._folder.cleanup()

    # MediaOwner

    def media_told(self, event: MediaInput) -> None:
        """Carry descriptions from one end of a pair to the other."""
        match event:
            case Described(peer, epoch, sdp):
                number = int(peer.rpartition("peer")[2])
                if number % 2:
                    self._media.links.apply(_peer(number - 1), epoch, sdp)
                else:
                    self._media.links.answer(_peer(number + 1), epoch, sdp)
            case Connected():
                self._up.set()
            case Refused() | Ended() | RoomEntered() | RoomLost() | RoomSilent():
                raise AssertionError(event)
            case Heard() | Reception() | OwnTalk():
                pass
            case _:
                assert_never(event)

    def our_losses_permille(self) -> dict[Did, int]:
        """Nobody says anything."""
        return {}

    @property
    def standing(self) -> frozenset[Did]:
        """Everyone."""
        return frozenset(one.peer for one in self._media.links.connected)


def _peer(number: int) -> Did:
    return Did(f"did:key:peer{number}")

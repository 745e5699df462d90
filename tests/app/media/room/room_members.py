"""Sessions' media in one process, that tell each other what the rules of a call would."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from blink_cli.app.media.first_devices import FirstDevices
from blink_cli.app.media.media_taps import MediaTaps
from blink_cli.app.media.mesh_media import MeshMedia
from blink_cli.app.media.participant_media import ParticipantMedia
from blink_cli.audio.devices.opener import DeviceOpener
from blink_cli.core.api.events import Event
from blink_cli.core.call.group_key import GroupKey
from blink_cli.core.call.inputs import Described, MediaInput, OwnTalk, RoomEntered, RoomLost
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.room import room_place
from blink_cli.net.link_settings import LinkCertificate, LinkSettings
from blink_cli.runtime.tasks import TaskOwner

PATIENCE_S = 15.0
"""Nothing waits so long but a test that fails: a machine that has far more to do loads what media need for seconds."""
CALL = CallId("be" * 16)
INVITATION = b"i" * 32
FIRST_KEY = GroupKey(1, b"1" * 32)


class Member:
    """One session's media, and what they told."""

    def __init__(
        self,
        name: str,
        tasks: TaskOwner,
        *,
        says: str = "tone:440",
        hears: str = "null",
        heard_at_once: int = 4,
    ) -> None:
        self.did = Did(f"did:key:{name}")
        opener = DeviceOpener()
        said, heard = opener.open_input(says), opener.open_output(hears)
        self.events: list[Event] = []
        self.told: list[MediaInput] = []
        self.others: list[Member] = []
        self.media = MeshMedia(
            own=self.did,
            opener=opener,
            devices=FirstDevices(said, heard, (said.parameters.name, heard.parameters.name), ()),
            codec=CodecSettings(),
            link_settings=LinkSettings(),
            certificate=LinkCertificate(),
            taps=MediaTaps(),
            publish=self.events.append,
            tasks=tasks,
            heard_at_once=heard_at_once,
        )
        self.media.begin(CALL, self)
        self._changed = asyncio.Event()

    def our_losses_permille(self) -> dict[Did, int]:
        """Nobody says anything."""
        return {}

    @property
    def standing(self) -> frozenset[Did]:
        return frozenset(other.did for other in self.others)

    def media_told(self, event: MediaInput) -> None:
        self.told.append(event)
        self._changed.set()
        if isinstance(event, OwnTalk):
            for other in self.others:
                other.media.room.talks(self.did, talking=event.talking)
        if isinstance(event, Described):
            other = next(one for one in self.others if one.did == event.peer)
            answers = any(isinstance(one, Described) and one.peer == self.did for one in other.told)
            (other.media.links.apply if answers else other.media.links.answer)(
                self.did, event.epoch, event.sdp
            )

    def enter(self, url: str) -> None:
        self.told.clear()
        self.media.room.use_keys(FIRST_KEY, ())
        self.media.room.enter(room_place(url, INVITATION))

    async def entered(self) -> RoomEntered:
        await self.until(lambda: any(isinstance(event, RoomEntered | RoomLost) for event in self.told))
        return next(event for event in reversed(self.told) if isinstance(event, RoomEntered))

    def of_peer(self, other: "Member") -> ParticipantMedia:
        return self.media.links.peers[other.did]

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    async def aclose(self) -> None:
        self.media.end()
        await self.media.aclose()


async def meet(url: str, *members: Member) -> None:
    """All are in the room, and hear all."""
    for member in members:
        member.others = [other for other in members if other is not member]
        member.enter(url)
    for member in members:
        await member.entered()
    for member in members:
        for other in member.others:
            member.media.room.hear(other.did, 100, (await other.entered()).feed)


def heard_file(folder: Path, name: str) -> str:
    """Where somebody's speaker is written."""
    return f"wav:{folder / name}.wav"

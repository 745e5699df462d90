"""Carries out what a user asks about how loud single peers are played, and remembers it.

`gain PEER DB`, `mute PEER` --> VolumeRequests --> PeerLinks (this call and later ones), then the profile's VolumeMemory (later sessions)
"""

import msgspec

from blink_cli.app.call.peer_directory import PeerDirectory
from blink_cli.app.media.peer_links import PeerLinks
from blink_cli.app.profile.remembering import why_not_remembered
from blink_cli.app.profile.volume_memory import VolumeMemory
from blink_cli.app.request_table import RequestTable
from blink_cli.core.api.replies.peers import HeardPeer, PeerVolumeSet
from blink_cli.core.api.requests import SetGain, SetPeerMuted
from blink_cli.core.errors import UsageError
from blink_cli.core.ids import Did
from blink_cli.core.media.peer_volume import PeerVolume


class VolumeRequests:
    """Belongs to the event loop."""

    def __init__(self, own: Did, links: PeerLinks, directory: PeerDirectory, memory: VolumeMemory) -> None:
        self._own = own
        self._links = links
        self._directory = directory
        self._memory = memory

    def add_to(self, table: RequestTable) -> None:
        """Carry out the requests about volumes."""
        table.add(SetGain, self.set_gain)
        table.add(SetPeerMuted, self.set_muted)

    async def set_gain(self, request: SetGain) -> PeerVolumeSet:
        """Play a peer louder or softer, whether it is there or not.

        Raises:
            UsageError: It is this session itself.
            NotFoundError: Nobody, or more than one, is called so.

        """
        peer = self._peer(request.peer, "its own voice has no gain", "`blink mute` silences it.")
        volume = msgspec.structs.replace(self._links.volume(peer), gain_db=request.gain_db)
        return await self._set(peer, volume)

    async def set_muted(self, request: SetPeerMuted) -> PeerVolumeSet:
        """Do not play a peer, or play it again. Raises as `set_gain`."""
        peer = self._peer(
            request.peer,
            "there is nothing of it to silence",
            "`blink mute` without a name stops the microphone.",
        )
        volume = msgspec.structs.replace(self._links.volume(peer), muted=request.muted)
        return await self._set(peer, volume)

    def heard_peers(self) -> tuple[HeardPeer, ...]:
        """Everybody who is not played as they come."""
        return tuple(
            HeardPeer(
                did=did,
                nickname=self._directory.name_of(did),
                gain_db=volume.gain_db,
                muted_here=volume.muted,
            )
            for did, volume in self._links.volumes.items()
        )

    def _peer(self, name: str, consequence: str, hint: str) -> Did:
        peer = self._directory.resolve_participant(name)
        if peer == self._own:
            raise UsageError(f"A session does not hear itself, so {consequence}.", hint=hint)
        return peer

    async def _set(self, peer: Did, volume: PeerVolume) -> PeerVolumeSet:
        self._links.set_volume(peer, volume)
        not_remembered = await why_not_remembered(self._memory.remember, self._links.volumes)
        return PeerVolumeSet(
            did=peer,
            nickname=self._directory.name_of(peer),
            gain_db=volume.gain_db,
            muted_here=volume.muted,
            not_remembered=not_remembered,
        )

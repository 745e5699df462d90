"""The links of the current call that carry voice: how loud each peer is played, and what is agreed on with each.

dial, answer, apply, hang_up --> LinkSet --> ParticipantMedia, each with its MediaLink
"""

import gc
import importlib
from collections.abc import Callable

from msgspec.structs import replace
from typing_extensions import override

from blink_cli.app.media.link_set import LinkSet
from blink_cli.app.media.participant_media import MediaParts, ParticipantMedia
from blink_cli.core.call.inputs import MediaInput
from blink_cli.core.ids import Did
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.extended_report import VoipMetrics
from blink_cli.core.media.peer_volume import AS_IT_COMES, PeerVolume
from blink_cli.core.media.receiver_wishes import ReceiverWishes
from blink_cli.net.ice.ice_servers import IceServers
from blink_cli.net.link.media_round import MediaRound
from blink_cli.net.link_settings import LinkCertificate, LinkSettings
from blink_cli.runtime.garbage import not_collecting
from blink_cli.runtime.math_threads import on_one_thread
from blink_cli.runtime.tasks import TaskOwner


class PeerLinks(LinkSet[ParticipantMedia]):
    """Of one session. Belongs to the event loop."""

    def __init__(
        self,
        settings: LinkSettings,
        certificate: LinkCertificate,
        tasks: TaskOwner,
        parts: MediaParts,
        tell: Callable[[MediaInput], None],
        *,
        ice_servers: IceServers | None = None,
        media_round: MediaRound | None = None,
    ) -> None:
        """Have no link yet.

        Args:
            settings: How links are made.
            certificate: The session's.
            tasks: Owns what takes time.
            parts: What the participants share.
            tell: Told what happens to links.
            ice_servers: Those that are known to answer.
            media_round: Reads the sockets of links by which voice comes; None: the event loop does.

        """
        super().__init__(
            settings,
            certificate,
            tasks,
            new_participant=lambda peer: ParticipantMedia(peer, parts, volume=self.volume(peer)),
            tell=tell,
            publish=parts.publish,
            clock=parts.clock,
            ice_servers=ice_servers,
            media_round=media_round,
        )
        self._volumes: dict[Did, PeerVolume] = {}
        """What the user chose, in this call and for later ones; the newest choice last."""

    @override
    def _load(self) -> None:
        with on_one_thread(), not_collecting():
            importlib.import_module("blink_cli.app.media.call_sound")
            super()._load()
            gc.freeze()  # as at the start: a later look through all of this would hold the voice thread

    @property
    def wishes(self) -> tuple[ReceiverWishes, ...]:
        """What everyone connected wishes of the stream that is sent."""
        return tuple(one.link.wishes for one in self._connected if one.link is not None)

    @property
    def formats(self) -> tuple[tuple[Did, int, int | None], ...]:
        """Everyone of whom media can come, with the payload types of Opus and RED."""
        formats = ((one.peer, one.media_format) for one in self._peers.values())
        return tuple((peer, media.opus, media.red) for peer, media in formats if media is not None)

    @property
    def volumes(self) -> dict[Did, PeerVolume]:
        """How loud everybody is played who is not played as they come, in the call or not; a copy."""
        return dict(self._volumes)

    def volume(self, peer: Did) -> PeerVolume:
        """How loud this peer is played."""
        return self._volumes.get(peer, AS_IT_COMES)

    def set_volume(self, peer: Did, volume: PeerVolume) -> None:
        """Play a peer louder, softer or not at all, now and in later calls."""
        self._volumes.pop(peer, None)
        if volume != AS_IT_COMES:
            self._volumes[peer] = volume
        if peer in self._peers:
            self._peers[peer].set_volume(volume)

    def tell_heard(self, peer: Did, metrics: VoipMetrics) -> None:
        """Tell a peer, if it asked for it, how its voice is heard here."""
        link = self._link(peer)
        if link is not None:
            link.tell_heard(metrics)

    def codec_changed(self, codec: CodecSettings) -> None:
        """Plan redundancy by other settings from the next frame on; later links are described by them."""
        self._settings = replace(self._settings, dtx=codec.dtx, stereo=codec.stereo, packet_ms=codec.frame_ms)
        for participant in self._peers.values():
            participant.codec_changed(codec)

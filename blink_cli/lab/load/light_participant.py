"""One light participant: an identity, its own signals on the shared socket, its own call machine, its own links."""

import secrets
from collections.abc import Callable, Sequence
from typing import Final

from blink_cli.app.call.call_runner import CallRunner
from blink_cli.app.event_hub import EventHub
from blink_cli.core.api.sfu_server import NamedSfus
from blink_cli.core.call.room_policy import RoomPolicy
from blink_cli.core.gossip import Acknowledged, Gossip, GossipSettings, Received, Told
from blink_cli.core.identity.identity import SEED_BYTES, Identity
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.rtp import EncodedFrame
from blink_cli.core.media.rtp_sender import SendCounters
from blink_cli.core.signaling.replay_memory import ReplayMemory
from blink_cli.core.signaling.signals import Announce, Attending, Leave, Presence, RoomAnnounce
from blink_cli.lab.load.light_media import LightLink, LightMedia
from blink_cli.net.link_settings import LinkCertificate, LinkSettings
from blink_cli.net.signaling.gossip_driver import GossipDriver
from blink_cli.net.signaling.transport import Transport
from blink_cli.runtime.tasks import TaskOwner

_RELAYS_NOTHING: Final = GossipSettings(max_relays_waiting=0)


class LightParticipant:
    """Belongs to one event loop."""

    def __init__(
        self,
        *,
        nickname: str,
        frames: Sequence[EncodedFrame],
        transport: Transport,
        settings: LinkSettings,
        tasks: TaskOwner,
        hear_for_all: Callable[[Received], None],
        rooms: RoomPolicy | None = None,
        sfus: NamedSfus = NamedSfus(),  # noqa: B008 - a value, and frozen
    ) -> None:
        """Be somebody new, in no call.

        Args:
            nickname: What it calls itself.
            frames: What it says.
            transport: Its share of the group's.
            settings: How links are made.
            tasks: Owns what takes time.
            rooms: Through rooms on which SFUs it may speak; None: on none.
            sfus: How those are reached.
            hear_for_all: Takes what was said to the call as a whole: this participant may be the only one who heard it.

        """
        identity = Identity(secrets.token_bytes(SEED_BYTES))
        self.did: Final = identity.did
        self.nickname: Final = nickname
        self.frames: Final = frames
        self.hub: Final = EventHub()
        self._hear_for_all = hear_for_all
        # Nobody of this name was there before: nothing that anybody said to it can be old.
        gossip = Gossip(identity, secrets.token_bytes, _RELAYS_NOTHING, memory=ReplayMemory())
        self.post: Final = GossipDriver(gossip, transport, self._hear)
        self.media: Final = LightMedia(identity.did, settings, LinkCertificate(), tasks, sfus=sfus)
        self.runner: Final = CallRunner(
            own=identity.did,
            nickname=nickname,
            post=self.post,
            media=self.media,
            publish=self.hub.publish,
            media_heard=lambda _: None,
            rooms=rooms,
        )

    @property
    def connected(self) -> frozenset[Did]:
        """To whom its links stand, and carry something: a peer that was killed is missed within three seconds."""
        return self.runner.standing

    @property
    def links(self) -> tuple[LightLink, ...]:
        """Everybody to whom it had a link."""
        return self.media.counted

    @property
    def sent_to_rooms(self) -> tuple[tuple[int, SendCounters], ...]:
        """What went out in each room that it was in, with the SSRC."""
        return tuple(self.media.sent_to_rooms)

    def accept(self, call: CallId) -> bool:
        """Join the call if its offer has come."""
        if call not in self.runner.ringing:
            return False
        self.runner.accept(call)
        return True

    def send(self, frame: EncodedFrame) -> None:
        """See `send_pace.Speaker`."""
        self.media.send(frame)

    def hear_in_call(self, told: Received) -> None:
        """Take what was said to the call as a whole, whoever of the group opened it."""
        if told.sender != self.did:
            self.media.links.heard_from(told.sender, told.source[0])
            self.runner.signal(told.sender, told.signal, told.call_id, told.key_id)

    def _hear(self, told: Told) -> None:
        if isinstance(told, Acknowledged):
            self.runner.acknowledged(told.peer, told.signal)
        elif isinstance(told, Received):
            if isinstance(told.signal, Announce | RoomAnnounce | Attending | Leave):
                self._hear_for_all(told)
            elif isinstance(told.signal, Presence):
                if told.signal.reply_wanted:  # unanswered, it would be asked eight times a second
                    self.post.send_to_peer(told.sender, Presence(self.nickname, reply_wanted=False), None)
            else:
                self.media.links.heard_from(told.sender, told.source[0])
                self.runner.signal(told.sender, told.signal, told.call_id, told.key_id)

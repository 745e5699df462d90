"""What every connection of one visit to a room needs: the session at the SFU, the place, and how links are made."""

from collections.abc import Coroutine
from typing import Any

import msgspec
from msgspec.structs import replace

from blink_cli.core.media.room import RoomPlace
from blink_cli.net.link.link_events import LinkEvents
from blink_cli.net.link.media_link import MediaLink
from blink_cli.net.link.media_round import MediaRound
from blink_cli.net.link_settings import LinkCertificate, LinkSettings
from blink_cli.net.sfu.janus_session import JanusSession
from blink_cli.runtime.tasks import TaskOwner


class RoomDoor(msgspec.Struct, frozen=True):
    """Of one visit."""

    session: JanusSession
    place: RoomPlace
    settings: LinkSettings
    certificate: LinkCertificate
    tasks: TaskOwner
    media_round: MediaRound | None
    """The session's, which reads the sockets by which voice comes; None: the event loop does."""

    def new_link(self, name: str, events: LinkEvents) -> MediaLink:
        """Make a connection to the SFU, which is to be told nothing of what is sent: neither copies nor how loud it is."""
        host = self.session.remote_host
        settings = replace(
            self.settings,
            redundancy=False,
            audio_level=False,
            retransmission=False,
            counts_reception=False,
            heard_from=() if host is None else (host,),  # its media are most likely where it answers
        )
        return MediaLink(
            settings, self.certificate, self.tasks, name=name, events=events, media_round=self.media_round
        )

    def later(self, ending: Coroutine[Any, Any, None], name: str) -> None:
        """Let something end by itself."""
        if self.tasks.closed:
            ending.close()
        else:
            self.tasks.start(ending, name=name)

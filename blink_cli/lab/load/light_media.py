"""The media of a light participant: real links, on which encoded frames go out, and of which packets are counted and nothing is decoded.

CallRunner --> LightMedia (CallMedia) --> LinkSet --> LightLink, each with its MediaLink
                                      '-> RoomMedia -> what its slots bring
SendPace ----> LightMedia --frame------> each connected LightLink, and the room
"""

import copy
import time
from array import array
from typing import Final

from typing_extensions import override

from blink_cli.app.media.call_media import MediaOwner
from blink_cli.app.media.link_set import LinkSet
from blink_cli.app.media.linked_participant import LinkedParticipant
from blink_cli.app.media.room.room_media import RoomMedia
from blink_cli.core.api.sfu_server import NamedSfus
from blink_cli.core.call.inputs import Heard, MediaInput, RoomEntered
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.media_format import MediaFormat
from blink_cli.core.media.reception_statistics import ReceptionStatistics
from blink_cli.core.media.room_stream import RoomStream
from blink_cli.core.media.rtp import EncodedFrame, ReceptionReport, RtpPacket, SenderReport
from blink_cli.core.media.rtp_sender import SendCounters
from blink_cli.lab.load.step_counts import StepCounts
from blink_cli.net.link.link_events import RtcpReport
from blink_cli.net.link.media_link import MediaLink
from blink_cli.net.link_settings import LinkCertificate, LinkSettings
from blink_cli.runtime.clock import MonotonicClock
from blink_cli.runtime.tasks import TaskOwner

INTERVAL_STEP_MS: Final = 0.5
INTERVAL_STEPS: Final = 4_000
"""Two seconds of times between arrivals; longer ones count as so long."""


def interval_counts() -> StepCounts:
    """Counts of times between arrivals, of nothing yet."""
    return StepCounts(step_ms=INTERVAL_STEP_MS, steps=INTERVAL_STEPS)


class LightLink(LinkedParticipant):
    """What a light participant has of one peer, over all links to it."""

    __slots__ = (
        "_last_arrival_s",
        "delays_in_ms",
        "delays_out_ms",
        "intervals",
        "met_in_room",
        "no_delay",
        "receptions",
        "remote",
        "room",
        "round_trips_ms",
        "sent",
        "setup_s",
        "told",
        "wanted_s",
    )

    def __init__(self, peer: Did) -> None:
        """Have no link yet."""
        super().__init__(peer)
        self.wanted_s = time.monotonic()
        """When the call needed the first link."""

        self.setup_s: float | None = None
        """From then until it stood."""

        self.receptions: list[tuple[int, ReceptionStatistics]] = []
        """Of links that have ended, with their SSRCs."""

        self.sent: list[tuple[int, SendCounters]] = []
        """Likewise, of what was sent."""

        self.remote: ReceptionReport | None = None
        """The peer's last word on how what is sent arrives."""

        self.room: RoomStream | None = None
        """By what it is heard in a room."""

        self.met_in_room = False
        """Whether it ever was: then what was sent to the room was sent to it."""

        self.intervals = interval_counts()
        """How long packets came after the one before."""

        self.round_trips_ms = array("d")
        self.delays_in_ms = array("d")
        self.delays_out_ms = array("d")
        """Looked at once a second, a day at most: 0.7 MB each."""

        self.no_delay: str | None = "no link stood"
        """Why the last look found no one-way delay."""

        self.told = 0.0
        """The last arrival of which the call was told."""

        self._last_arrival_s: float | None = None

    @override
    def link_up(self, media: MediaFormat, now_s: float) -> None:
        super().link_up(media, now_s)
        self._last_arrival_s = None
        if self.setup_s is None:
            self.setup_s = now_s - self.wanted_s

    @override
    def link_down(self) -> MediaLink | None:
        link = super().link_down()
        if link is not None:
            # As they are now: what comes until the link is closed is told to nobody any more.
            self.receptions += copy.deepcopy(link.streams).items()
            self.sent.append((link.local_ssrc, link.send_counters))
        return link

    @override
    def packet_received(self, packet: RtpPacket) -> None:
        if packet.retransmitted:
            return  # asked for and counted by the link; no interval of the stream
        arrival_s, last_s = packet.arrival_s, self._last_arrival_s
        self._last_arrival_s = arrival_s
        if last_s is not None:
            self.intervals.take(1000 * (arrival_s - last_s))

    @override
    def reported(self, report: RtcpReport) -> None:
        if isinstance(report, ReceptionReport):
            self.remote = report

    # RoomListener

    def room_up(self, stream: RoomStream, now_s: float) -> None:
        """It may come through the room."""
        self.room = stream
        self.met_in_room = True
        self._last_arrival_s = None
        if self.setup_s is None:
            self.setup_s = now_s - self.wanted_s

    def room_down(self) -> None:
        """It comes there no more: keep what was counted."""
        room, self.room = self.room, None
        if room is not None:
            self.receptions += copy.deepcopy(room.streams).items()

    def room_slot_given(self, *, talking: bool) -> None:
        """See `RoomListener`. Nothing is played."""

    def room_slot_lost(self) -> None:
        """The time until it has a slot again is no interval."""
        self._last_arrival_s = None

    def play_from_room(self, packet: RtpPacket) -> None:
        """See `RoomListener`. Nothing is played."""

    def heard_in_room(self, packet: RtpPacket) -> None:
        """Count it."""
        self.packet_received(packet)

    def reported_in_room(self, report: SenderReport | ReceptionReport) -> None:
        """Remember how what is sent arrives."""
        if isinstance(report, ReceptionReport):
            self.remote = report

    def look(self, now_s: float) -> None:
        """Take the delays as they are now; once a second."""
        link = self.link
        if link is None or not self.connected:
            return
        if link.rtt_s is not None:
            self.round_trips_ms.append(1000 * link.rtt_s)
        delay = link.one_way_delay(now_s)
        self.no_delay = delay.why
        if delay.incoming_s is not None:
            self.delays_in_ms.append(1000 * delay.incoming_s)
        if delay.outgoing_s is not None:
            self.delays_out_ms.append(1000 * delay.outgoing_s)


class LightMedia:
    """Implements `CallMedia`. Belongs to the event loop."""

    def __init__(
        self,
        own: Did,
        settings: LinkSettings,
        certificate: LinkCertificate,
        tasks: TaskOwner,
        *,
        sfus: NamedSfus,
    ) -> None:
        """Have no call yet.

        Args:
            own: Who it is.
            settings: How links are made.
            certificate: The participant's.
            tasks: Owns what takes time.
            sfus: How the servers of rooms are reached.

        """
        self.links: Final = LinkSet(
            settings,
            certificate,
            tasks,
            new_participant=LightLink,
            tell=self._told,
            publish=lambda _: None,  # of the search for a way the report tells what came of it
            clock=MonotonicClock(),
        )
        self.room: Final = RoomMedia(
            own,
            settings,
            tasks,
            listener=self.links.participant,
            tell=self._told,
            publish=lambda _: None,
            codec=CodecSettings(),
            clock=MonotonicClock(),
            sfus=sfus,
        )
        self._owner: MediaOwner | None = None
        self._ended: list[LightLink] = []
        self.sent_to_rooms: Final[list[tuple[int, SendCounters]]] = []
        """What went out in each room that was entered, once for all who hear it there, with the SSRC."""

    @property
    def counted(self) -> tuple[LightLink, ...]:
        """Everybody to whom there was a link."""
        return (*self._ended, *self.links.peers.values())

    def send(self, frame: EncodedFrame) -> None:
        """Send a frame on every link that stands, and in the room."""
        if self.room.upload is not None:
            self.room.upload.send(frame)
        for link in self.links.connected:
            if link.link is not None:
                link.link.send_frame(frame)

    def beat(self) -> None:
        """Tell the call who is heard; to be called twice a second or so."""
        self.room.look(time.monotonic())
        for link in self.links.connected:
            heard_s = None if link.link is None else link.link.last_heard_s
            if heard_s is not None and heard_s != link.told:
                link.told = heard_s
                self._told(Heard(link.peer, link.epoch, heard_s))

    def look(self, now_s: float) -> None:
        """Take the delays as they are now; once a second."""
        for link in self.links.connected:
            link.look(now_s)

    # CallMedia

    def begin(self, call: CallId, owner: MediaOwner) -> None:
        """See `CallMedia`."""
        del call
        self._owner = owner

    def end(self) -> None:
        """See `CallMedia`."""
        self.room.leave()
        self._ended += self.links.peers.values()
        self.links.hang_up_all()
        self._owner = None

    def set_muted(self, *, muted: bool) -> None:
        """See `CallMedia`. Light participants are not muted."""

    def set_deafened(self, *, deafened: bool) -> None:
        """See `CallMedia`. They hear nobody anyway."""

    def _told(self, event: MediaInput) -> None:
        if isinstance(event, RoomEntered) and self.room.upload is not None:
            sender = self.room.upload.sender
            self.sent_to_rooms.append((sender.ssrc, sender.counters))
        if self._owner is not None:
            self._owner.media_told(event)

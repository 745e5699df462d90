"""The media of a light participant: real links, on which encoded frames go out, and of which packets are counted and nothing is decoded.

CallRunner --> LightMedia (CallMedia) --> LinkSet --> LightLink, each with its MediaLink
SendPace ----> LightMedia --frame------> each connected LightLink
"""

import copy
import time
from typing import Final

from typing_extensions import override

from blink_cli.app.media.call_media import MediaOwner
from blink_cli.app.media.link_set import LinkSet
from blink_cli.app.media.linked_participant import LinkedParticipant
from blink_cli.core.call.inputs import Heard, MediaInput
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.media_format import MediaFormat
from blink_cli.core.media.reception_statistics import ReceptionStatistics
from blink_cli.core.media.rtp import EncodedFrame, ReceptionReport, RtpPacket
from blink_cli.core.media.rtp_sender import SendCounters
from blink_cli.net.link.link_events import RtcpReport
from blink_cli.net.link.media_link import MediaLink
from blink_cli.net.link_settings import LinkCertificate, LinkSettings
from blink_cli.runtime.clock import MonotonicClock
from blink_cli.runtime.tasks import TaskOwner

INTERVAL_STEP_S: Final = 0.0005
"""Times between arrivals are counted in steps of this length."""

INTERVAL_STEPS: Final = 4_000
"""Two seconds; longer ones count as so long."""


class LightLink(LinkedParticipant):
    """What a light participant has of one peer, over all links to it."""

    __slots__ = (
        "_last_arrival_s",
        "counters",
        "delays_in_ms",
        "delays_out_ms",
        "intervals",
        "no_delay",
        "receptions",
        "remote",
        "round_trips_ms",
        "setup_s",
        "ssrcs",
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

        self.counters: list[SendCounters] = []
        """Likewise, of what was sent."""

        self.ssrcs: list[int] = []
        """Of what was sent, the link of now included."""

        self.remote: ReceptionReport | None = None
        """The peer's last word on how what is sent arrives."""

        self.intervals = [0] * INTERVAL_STEPS
        """How many packets came so many steps after the one before."""

        self.round_trips_ms: list[float] = []
        self.delays_in_ms: list[float] = []
        self.delays_out_ms: list[float] = []
        """Looked at once a second."""

        self.no_delay: str | None = "no link stood"
        """Why the last look found no one-way delay."""

        self.told = 0.0
        """The last arrival of which the call was told."""

        self._last_arrival_s: float | None = None

    @override
    def link_up(self, media: MediaFormat, now_s: float) -> None:
        super().link_up(media, now_s)
        assert self.link is not None, "a link that stands is there"
        self.ssrcs.append(self.link.local_ssrc)
        self._last_arrival_s = None
        if self.setup_s is None:
            self.setup_s = now_s - self.wanted_s

    @override
    def link_down(self) -> MediaLink | None:
        link = super().link_down()
        if link is not None:
            # As they are now: what comes until the link is closed is told to nobody any more.
            self.receptions += copy.deepcopy(link.streams).items()
            self.counters.append(link.send_counters)
        return link

    @override
    def packet_received(self, packet: RtpPacket) -> None:
        arrival_s, last_s = packet.arrival_s, self._last_arrival_s
        self._last_arrival_s = arrival_s
        if last_s is not None:
            steps = int((arrival_s - last_s) / INTERVAL_STEP_S)
            self.intervals[min(max(steps, 0), INTERVAL_STEPS - 1)] += 1

    @override
    def reported(self, report: RtcpReport) -> None:
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

    def __init__(self, settings: LinkSettings, certificate: LinkCertificate, tasks: TaskOwner) -> None:
        """Have no call yet.

        Args:
            settings: How links are made.
            certificate: The participant's.
            tasks: Owns what takes time.

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
        self._owner: MediaOwner | None = None
        self._ended: list[LightLink] = []

    @property
    def counted(self) -> tuple[LightLink, ...]:
        """Everybody to whom there was a link."""
        return (*self._ended, *self.links.peers.values())

    def send(self, frame: EncodedFrame) -> None:
        """Send a frame on every link that stands."""
        for link in self.links.connected:
            if link.link is not None:
                link.link.send_frame(frame)

    def beat(self) -> None:
        """Tell the call who is heard; to be called twice a second or so."""
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
        self._ended += self.links.peers.values()
        self.links.hang_up_all()
        self._owner = None

    def expect(self, peer: Did) -> None:
        """See `CallMedia`."""
        self.links.expect(peer)

    def dial(self, peer: Did, epoch: int) -> None:
        """See `CallMedia`."""
        self.links.dial(peer, epoch)

    def answer(self, peer: Did, epoch: int, sdp: str) -> None:
        """See `CallMedia`."""
        self.links.answer(peer, epoch, sdp)

    def apply(self, peer: Did, epoch: int, sdp: str) -> None:
        """See `CallMedia`."""
        self.links.apply(peer, epoch, sdp)

    def hang_up(self, peer: Did, epoch: int) -> None:
        """See `CallMedia`."""
        self.links.hang_up(peer, epoch)

    def set_muted(self, *, muted: bool) -> None:
        """See `CallMedia`. Light participants are not muted."""

    def set_deafened(self, *, deafened: bool) -> None:
        """See `CallMedia`. They hear nobody anyway."""

    def _told(self, event: MediaInput) -> None:
        if self._owner is not None:
            self._owner.media_told(event)

"""The media links of the current call: one per peer, replaced as a whole after a drop.

Dial, Answer, ApplyAnswer, Hangup --> PeerLinks --> MediaLink per peer
encoded frames                    --> PeerLinks --> every connected link, with the redundancy that its peer needs
LinkObserver                      <-- PeerLinks <-- descriptions, states, packets, reports
"""

import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from blink_cli.core.codec_settings import CodecSettings
from blink_cli.core.errors import BlinkError
from blink_cli.core.loss_report import LossReport
from blink_cli.core.names import Did
from blink_cli.core.redundancy import RedundancyPlan, RedundancyPolicy
from blink_cli.core.rtp import (
    EncodedFrame,
    ReceptionReport,
    RepeatedPacket,
    RtpPacket,
    SenderReport,
    SentPacket,
)
from blink_cli.core.rtp_statistics import ReceptionStatistics
from blink_cli.net.ice_servers import IceServers
from blink_cli.net.link_settings import (
    LinkCertificate,
    LinkClosed,
    LinkConnected,
    LinkFailed,
    LinkSettings,
    LinkState,
)
from blink_cli.net.media_link import MediaLink
from blink_cli.net.sdp import MediaFormat
from blink_cli.net.tasks import TaskOwner

PLAN_LASTS_S: Final = 0.1
"""Between two reports a plan changes by time alone, and slowly: it is made anew this often, and at once when a report has come."""

BITRATE_WINDOW_S: Final = 1.0
"""The sent bit rate is that of the last whole window, so that it is steady enough to read."""

_NOTHING_ADDED: Final = RedundancyPlan(red_levels=0, fec=False, fec_loss_percent=0)


class LinkObserver(Protocol):
    """Who hears what happens to the links. Called on the event loop; must not block."""

    def link_described(self, peer: Did, epoch: int, sdp: str) -> None:
        """Our offer or answer is ready for the peer."""

    def link_refused(self, peer: Did, epoch: int, reason: str) -> None:
        """No description could be made, or the peer's was not acceptable."""

    def link_connected(self, peer: Did, epoch: int, media: MediaFormat) -> None:
        """Media can flow."""

    def link_ended(self, peer: Did, epoch: int, reason: str) -> None:
        """It failed or was closed, and not by us."""

    def media_stopped(self, peer: Did) -> None:
        """Media flowed, and do not any more, whoever ended that; after every `link_connected` once."""

    def packet_received(self, peer: Did, packet: RtpPacket) -> None:
        """An authentic packet, not a duplicate."""

    def sender_reported(self, peer: Did, report: SenderReport) -> None:
        """What the peer says of its clock."""

    def reception_reported(self, peer: Did, report: ReceptionReport) -> None:
        """What the peer says of our stream."""

    def packet_sent(self, peer: Did, packet: SentPacket) -> None:
        """A packet went out."""

    def packet_repeated(self, peer: Did, packet: RepeatedPacket) -> None:
        """A copy of a packet that had come before."""


@dataclass(slots=True)
class LinkTotals:
    """Figures of one peer over all of its links, so that a reconnect does not begin them anew."""

    packets_received: int = 0
    packets_lost: int = 0
    packets_duplicated: int = 0
    packets_reordered: int = 0
    datagrams_refused: int = 0
    packets_sent: int = 0
    bytes_sent: int = 0

    def add(self, link: MediaLink) -> None:
        """Count what this link has counted."""
        for stream in link.streams.values():
            self.packets_received += stream.packets_received
            self.packets_lost += stream.packets_lost
            self.packets_duplicated += stream.packets_duplicated
            self.packets_reordered += stream.packets_reordered
        refused, dropped = link.transport_counters, link.receive_counters
        self.datagrams_refused += (
            refused.datagrams_malformed
            + refused.datagrams_unauthenticated
            + refused.datagrams_overflowed
            + dropped.packets_malformed
            + dropped.packets_of_unknown_type
            + dropped.packets_of_unknown_source
        )
        sent = link.send_counters
        self.packets_sent += sent.packets_sent
        self.bytes_sent += sent.bytes_sent


@dataclass(slots=True)
class PeerLink:
    """The link to one peer now, and what is remembered of those before it."""

    peer: Did
    codec: CodecSettings
    link: MediaLink | None = None
    epoch: int = 0
    connected: bool = False
    past: LinkTotals = field(default_factory=LinkTotals)
    policy: RedundancyPolicy = field(init=False)
    plan: RedundancyPlan = _NOTHING_ADDED
    remote: ReceptionReport | None = None
    bitrate_bps: float | None = None
    _planned_s: float = float("-inf")
    _window_s: float = 0.0
    _window_bytes: int = 0

    def __post_init__(self) -> None:
        self.forget_line()

    def forget_line(self) -> None:
        """Begin anew with what is known of the network path: another link may take another one."""
        self.policy = RedundancyPolicy(self.codec.redundancy, fec=self.codec.fec)
        self.plan = _NOTHING_ADDED
        self.remote = None

    def line_stands(self, now_s: float) -> None:
        """Make the first plan. Not before the link stands: the policy's opening copies are for its first frames."""
        self.plan = self.policy.plan(now_s)
        self.reconsider()

    def reconsider(self) -> None:
        """Make a new plan before the next frame: a report has come."""
        self._planned_s = float("-inf")

    @property
    def totals(self) -> LinkTotals:
        """Figures up to now."""
        totals = LinkTotals(**{name: getattr(self.past, name) for name in LinkTotals.__slots__})
        if self.link is not None:
            totals.add(self.link)
        return totals

    def send(self, frame: EncodedFrame, now_s: float) -> None:
        """Send one frame, with the copies that the line needs."""
        assert self.link is not None, "only a connected link sends"
        if now_s - self._planned_s >= PLAN_LASTS_S:
            self._planned_s = now_s
            self.plan = self.policy.plan(now_s)
            self.link.set_redundancy(self.plan.red_levels)
        self.link.send_frame(frame)
        if now_s - self._window_s >= BITRATE_WINDOW_S:
            sent = self.link.send_counters.bytes_sent
            if self._window_s and sent >= self._window_bytes:
                self.bitrate_bps = 8 * (sent - self._window_bytes) / (now_s - self._window_s)
            self._window_s, self._window_bytes = now_s, sent


class PeerLinks:
    """Carries out what the call machine decides about links. Belongs to the event loop."""

    def __init__(
        self,
        settings: LinkSettings,
        certificate: LinkCertificate,
        codec: CodecSettings,
        tasks: TaskOwner,
        observer: LinkObserver,
        *,
        ice_servers: IceServers | None = None,
    ) -> None:
        self._settings = settings
        self._ice_servers = ice_servers or IceServers()
        self._certificate = certificate
        self._codec = codec
        self._tasks = tasks
        self._observer = observer
        self._peers: dict[Did, PeerLink] = {}
        self._connected: tuple[PeerLink, ...] = ()

    @property
    def peers(self) -> dict[Did, PeerLink]:
        """Everyone who has or had a link in this call."""
        return self._peers

    @property
    def connected(self) -> tuple[PeerLink, ...]:
        """Those to whom media flows."""
        return self._connected

    @property
    def formats(self) -> tuple[tuple[Did, int, int | None], ...]:
        """Everyone connected, with the payload types of Opus and RED."""
        links = ((entry.peer, entry.link) for entry in self._connected if entry.link is not None)
        formats = ((peer, link.media_format) for peer, link in links)
        return tuple((peer, media.opus, media.red) for peer, media in formats if media is not None)

    def reception(self, peer: Did, ssrc: int) -> ReceptionStatistics | None:
        """How the link to a peer counts one of its streams; None when nothing of it came over the present link."""
        entry = self._peers.get(peer)
        return None if entry is None or entry.link is None else entry.link.streams.get(ssrc)

    @property
    def fec_loss_percent(self) -> int | None:
        """The loss that the one encoder should prepare for: the worst line's; None when nobody needs FEC."""
        wanted = [peer.plan.fec_loss_percent for peer in self._connected if peer.plan.fec]
        return max(wanted, default=None)

    # what the call machine asks for

    def dial(self, peer: Did, epoch: int) -> None:
        """Make a connection and report its offer."""
        entry, link = self._begin(peer, epoch)
        self._tasks.start(self._describe(entry, epoch, link.create_offer()), name=f"dial {_short(peer)}")

    def answer(self, peer: Did, epoch: int, sdp: str) -> None:
        """Make a connection from the peer's offer and report the answer."""
        entry, link = self._begin(peer, epoch)
        self._tasks.start(self._describe(entry, epoch, link.accept_offer(sdp)), name=f"answer {_short(peer)}")

    def apply_answer(self, peer: Did, epoch: int, sdp: str) -> None:
        """Give the peer's answer to the connection of this epoch, if it still stands."""
        entry = self._peers.get(peer)
        if entry is None or entry.link is None or entry.epoch != epoch:
            return
        self._tasks.start(
            self._apply(entry, epoch, entry.link.accept_answer(sdp)), name=f"connect {_short(peer)}"
        )

    def hang_up(self, peer: Did, epoch: int) -> None:
        """Close the connection of this epoch, if it still stands."""
        entry = self._peers.get(peer)
        if entry is not None and entry.epoch == epoch:
            self._end(entry)

    def hang_up_all(self) -> None:
        """Close everything and forget the call's peers; closing goes on in the background."""
        for entry in self._peers.values():
            self._end(entry)
        self._peers = {}

    # media

    def send_frame(self, frame: EncodedFrame) -> None:
        """Send one frame to everyone connected."""
        now_s = time.monotonic()
        for entry in self._connected:
            entry.send(frame, now_s)

    def send_loss_report(self, peer: Did, report: LossReport) -> None:
        """Tell a peer how its stream was lost."""
        entry = self._peers.get(peer)
        if entry is not None and entry.link is not None and entry.connected:
            entry.link.send_loss_report(report)

    # inside

    def _begin(self, peer: Did, epoch: int) -> tuple[PeerLink, MediaLink]:
        entry = self._peers.get(peer)
        if entry is None:
            entry = self._peers[peer] = PeerLink(peer, self._codec)
        else:
            self._end(entry)
            entry.forget_line()
        entry.epoch = epoch
        events = _LinkEvents(entry, epoch, self._observer, self._link_changed)
        plan = self._ice_servers.plan()
        entry.link = MediaLink(
            replace(self._settings, ice_servers=plan.servers, gathering_timeout_s=plan.patience_s),
            self._certificate,
            self._tasks,
            name=_short(peer),
            on_packet=events.packet_received,
            on_state=events.state_changed,
            on_sender_report=events.sender_reported,
            on_reception_report=events.reception_reported,
            on_loss_report=events.loss_reported,
            on_sent=events.packet_sent,
            on_repeated=events.packet_repeated,
        )
        return entry, entry.link

    def _end(self, entry: PeerLink) -> None:
        link, entry.link = entry.link, None
        if entry.connected:
            entry.connected = False
            self._renew_connected()
            self._observer.media_stopped(entry.peer)
        if link is not None:
            entry.past.add(link)
            self._tasks.start(link.aclose(), name=f"hang up {_short(entry.peer)}")

    def _renew_connected(self) -> None:
        self._connected = tuple(entry for entry in self._peers.values() if entry.connected)

    async def _describe(self, entry: PeerLink, epoch: int, making: Coroutine[Any, Any, str]) -> None:
        link = entry.link
        try:
            sdp = await making
        except (BlinkError, OSError) as failure:
            if entry.epoch == epoch and entry.link is not None:
                self._ice_servers.doubt()
                self._observer.link_refused(entry.peer, epoch, str(failure))
            return
        if link is not None and not link.servers_answered:
            self._ice_servers.doubt()
        if entry.epoch == epoch and entry.link is not None:
            self._observer.link_described(entry.peer, epoch, sdp)

    async def _apply(self, entry: PeerLink, epoch: int, applying: Coroutine[Any, Any, None]) -> None:
        try:
            await applying
        except BlinkError as failure:
            if entry.epoch == epoch and entry.link is not None:
                self._observer.link_refused(entry.peer, epoch, str(failure))

    def _link_changed(self, entry: PeerLink, epoch: int, state: LinkState) -> None:
        link = entry.link
        if entry.epoch != epoch or link is None:
            return  # an older link's last words
        match state:
            case LinkConnected():
                media = link.media_format
                assert media is not None, "a connected link has agreed on its media"
                entry.connected = True
                entry.line_stands(time.monotonic())
                self._renew_connected()
                self._observer.link_connected(entry.peer, epoch, media)
            case LinkClosed(reason=reason) | LinkFailed(reason=reason):
                self._end(entry)
                if isinstance(state, LinkFailed):
                    self._ice_servers.doubt()
                self._observer.link_ended(entry.peer, epoch, reason)
            case _:
                pass


class _LinkEvents:
    """Callbacks of one link that know whose it is, without a closure per packet."""

    __slots__ = ("_changed", "_entry", "_epoch", "_observer", "_peer")

    def __init__(
        self,
        entry: PeerLink,
        epoch: int,
        observer: LinkObserver,
        changed: Callable[[PeerLink, int, LinkState], None],
    ) -> None:
        self._entry = entry
        self._peer = entry.peer
        self._epoch = epoch
        self._observer = observer
        self._changed = changed

    def packet_received(self, packet: RtpPacket) -> None:
        self._observer.packet_received(self._peer, packet)

    def packet_sent(self, packet: SentPacket) -> None:
        self._observer.packet_sent(self._peer, packet)

    def packet_repeated(self, packet: RepeatedPacket) -> None:
        self._observer.packet_repeated(self._peer, packet)

    def state_changed(self, state: LinkState) -> None:
        self._changed(self._entry, self._epoch, state)

    def sender_reported(self, report: SenderReport) -> None:
        self._observer.sender_reported(self._peer, report)

    def reception_reported(self, report: ReceptionReport) -> None:
        if self._entry.epoch == self._epoch:
            self._entry.remote = report
            self._entry.policy.on_reception_report(report, time.monotonic())
            self._entry.reconsider()
            self._observer.reception_reported(self._peer, report)

    def loss_reported(self, report: LossReport) -> None:
        if self._entry.epoch == self._epoch:
            self._entry.policy.on_loss_report(report, time.monotonic())
            self._entry.reconsider()


def _short(peer: Did) -> str:
    return peer[-8:]

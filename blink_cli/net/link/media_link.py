"""The media link to one peer: what the session sees of WebRTC.

    offerer                                answerer
    create_offer()  --- offer text --->    accept_offer() -> answer text
    accept_answer() <-- answer text ---
    both: LinkConnecting -> LinkConnected -> frames and reports both ways -> LinkClosed or LinkFailed

Who offers and how texts travel is decided elsewhere. One link, one peer, one connection: after a drop a new link is
made. Everything runs on the event loop, and its `LinkEvents` are called on it.
"""

import asyncio
import contextlib
import functools
import secrets
import time
from collections.abc import Collection
from types import TracebackType
from typing import Final, Self

from blink_cli.core.errors import StateError, WireError
from blink_cli.core.media.copy_brake import MOST_COPIES, RedLevels
from blink_cli.core.media.extended_report import VoipMetrics
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.media_format import MediaFormat
from blink_cli.core.media.one_way_delay import ClockExchange, OneWayDelay
from blink_cli.core.media.receiver_wishes import NO_WISHES, ReceiverWishes
from blink_cli.core.media.reception_statistics import ReceptionStatistics
from blink_cli.core.media.retransmission_asker import RetransmissionAsker
from blink_cli.core.media.rtcp import write_goodbye, write_loss_report
from blink_cli.core.media.rtcp_exchange import RtcpExchange
from blink_cli.core.media.rtp import EncodedFrame, SentPacket
from blink_cli.core.media.rtp_receiver import PassingReceiver, ReceiveCounters, RtpReceiver
from blink_cli.core.media.rtp_sender import RetransmissionStream, RtpSender, SendCounters
from blink_cli.net.host.machine_clock import ClockReader
from blink_cli.net.ice.ice_connection import Way
from blink_cli.net.link.addresses_tried import addresses_tried, until_others_are_better
from blink_cli.net.link.asking_again import AskingAgain
from blink_cli.net.link.format_agreement import accepted_format, answered_format, offered_format
from blink_cli.net.link.frame_sending import FrameSending
from blink_cli.net.link.link_events import LinkEvents, RtcpReport
from blink_cli.net.link.media_round import MediaRound
from blink_cli.net.link.packet_receiving import PacketReceiving
from blink_cli.net.link.picture_demultiplexer import PictureDemultiplexer
from blink_cli.net.link.rtcp_reporting import RtcpReporting
from blink_cli.net.link.sdp import RemoteDescription, read_candidate, read_description, write_description
from blink_cli.net.link.secure_transport import LocalTransport, SecureTransport, TransportError
from blink_cli.net.link.video_doors import VideoDoors
from blink_cli.net.link_impairment import LinkImpairment
from blink_cli.net.link_settings import (
    AddressesTried,
    LinkCertificate,
    LinkClosed,
    LinkConnected,
    LinkConnecting,
    LinkFailed,
    LinkNew,
    LinkSettings,
    LinkState,
)
from blink_cli.net.transport_counters import TransportCounters
from blink_cli.runtime.tasks import TaskOwner

CLOSE_PATIENCE_S: Final = 0.5
"""How long `aclose` waits for sockets to be given back before it leaves the rest to a background task."""


class MediaLink:
    """One peer's WebRTC connection: encoded frames out, RTP packets in, RTCP both ways.

    `aclose` may be called at any time, also during set-up, and more than once.
    """

    def __init__(
        self,
        settings: LinkSettings,
        certificate: LinkCertificate,
        tasks: TaskOwner,
        *,
        name: str,
        events: LinkEvents,
        impairment: LinkImpairment | None = None,
        media_round: MediaRound | None = None,
    ) -> None:
        """Prepare a link; opens no socket.

        Args:
            settings: Shared by all links.
            certificate: The session's.
            tasks: Owns the connecting and the closing; outlives the link.
            name: For task names and logs, such as the peer's nickname.
            events: Told what happens, until `silence`.
            impairment: What is done on purpose to its datagrams.
            media_round: The session's, which reads the sockets in place of the event loop once voice comes.

        """
        self.description = ""
        """Our side as it was described when the link was made; empty before."""

        self._is_offerer = False
        self.name = name
        self.state: LinkState = LinkNew()
        self.settings: Final = settings
        self.impairment: Final = impairment or LinkImpairment()
        self._tasks = tasks
        self._events = events
        self.pictures: Final = PictureDemultiplexer(self._video_doors)
        """What carries the pictures of this link, and gets what comes of them."""

        self.receiving: Final = PacketReceiving(events, self.pictures, media_round)
        """What takes packets on whatever thread has read them."""

        self._transport = SecureTransport(
            settings,
            certificate,
            impairment=self.impairment,
            on_rtp=self.receiving.received,
            on_rtcp=self._rtcp_received,
            on_voice=self.receiving.read,
            on_replayed=self.receiving.replayed,
            on_closed=lambda reason: self._end(LinkClosed(reason, by_peer=True)),
            on_lost=lambda reason: self._end(LinkFailed(reason)),
            on_moved=self._moved,
            media_round=media_round,
            may_join_round=self.receiving.may_join_round,
        )
        self._ssrc = secrets.randbits(32)
        self._rtx_ssrc = self._ssrc ^ 1  # another one, as random as that
        self._cname = secrets.token_hex(4)
        self._described = functools.partial(
            write_description,
            ssrc=self._ssrc,
            rtx_ssrc=self._rtx_ssrc,
            cname=self._cname,
            dtx=settings.dtx,
            stereo=settings.stereo,
            packet_ms=settings.packet_ms,
        )
        self._offered: MediaFormat | None = None
        self._format: MediaFormat | None = None
        self._wishes = NO_WISHES
        self.sending: FrameSending | None = None
        """What sends frames on whatever thread asks it; None before both descriptions are known."""

        self._wanted_redundancy: tuple[RedLevels, RedLevels, RedLevels] = 0, MOST_COPIES, 0
        self._tried: AddressesTried | None = None
        self._reporting: RtcpReporting | None = None
        self._clocks: ClockExchange | None = None
        self._ice_password = ""
        self._prepared: asyncio.Future[LocalTransport | TransportError] | None = None
        self._wall_offset_s = time.time() - time.monotonic()
        """Of this link's beginning: a wall clock that is set in a call would tear the sender reports' time from the RTP time."""

        self._connecting: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    # what is known

    @property
    def local_ssrc(self) -> int:
        """SSRC of the stream that we send."""
        return self._ssrc

    @property
    def media_format(self) -> MediaFormat | None:
        """What was agreed; None before both descriptions are known."""
        return self._format

    @property
    def wishes(self) -> ReceiverWishes:
        """What the other side wishes of our stream; nothing before both descriptions are known."""
        return self._wishes

    @property
    def remote_address(self) -> tuple[str, int] | None:
        """IP address and port that packets go to; None while there is none."""
        return self._transport.remote_address

    @property
    def way(self) -> Way | None:
        """How packets go now; None while no way is known to work."""
        return self._transport.way

    @property
    def addresses_tried(self) -> AddressesTried | None:
        """Between what a way is, or was, looked for; None before both descriptions are known."""
        return self._tried

    @property
    def servers_answered(self) -> bool:
        """Whether, once our side is described, each kind of server in the settings has yielded a candidate."""
        return self._transport.servers_answered

    @property
    def last_heard_s(self) -> float | None:
        """Monotonic arrival of the last authentic RTP or RTCP packet; None before the first."""
        return self.receiving.last_heard_s

    @property
    def rtt_s(self) -> float | None:
        """The last measured round trip in seconds; None before the first."""
        return self._reporting.exchange.rtt_s if self._reporting is not None else None

    @property
    def checked_rtt_s(self) -> float | None:
        """The round trip as ICE's checks found it, which is known before the first report; None where none was answered at once."""
        return self._transport.checked_rtt_s

    def one_way_delay(self, now_s: float) -> OneWayDelay:
        """How long each direction takes at this moment (monotonic), as far as that can be known."""
        return OneWayDelay() if self._clocks is None else self._clocks.delay(now_s)

    @property
    def send_counters(self) -> SendCounters:
        """Counts of the stream that we send."""
        return self.sending.sender.counters if self.sending is not None else SendCounters()

    def packets_expected_by(self, highest_sequence: int) -> int | None:
        """How many packets of our stream a receiver missed or got that names this extended sequence number as the highest; None before the link."""
        return None if self.sending is None else highest_sequence - self.sending.sender.first_sequence + 1

    @property
    def receive_counters(self) -> ReceiveCounters:
        """Authentic packets that were dropped."""
        receiver = self.receiving.receiver
        return receiver.counters if receiver is not None else ReceiveCounters()

    @property
    def transport_counters(self) -> TransportCounters:
        """Datagrams that were refused."""
        return self._transport.counters

    @property
    def reception(self) -> ReceptionStatistics | None:
        """Statistics of the stream that was heard last; None before its first packet."""
        receiver = self.receiving.receiver
        return receiver.current if receiver is not None else None

    @property
    def streams(self) -> dict[int, ReceptionStatistics]:
        """Statistics of every stream of this peer, by SSRC."""
        receiver = self.receiving.receiver
        return dict(receiver.streams) if receiver is not None else {}

    # set-up

    async def prepare(self) -> None:
        """Open sockets and ask the servers ahead: the description then waits for nothing, and tells what failed.

        Raises:
            StateError: The link was already used or closed.

        """
        self._require_new()
        prepared = self._prepared = asyncio.get_running_loop().create_future()
        found: LocalTransport | TransportError = TransportError("its set-up was given up")
        try:
            found = await self._transport.gather(controlling=True)
        except TransportError as failure:
            found = failure
        finally:
            prepared.set_result(found)

    @property
    def is_prepared(self) -> bool:
        """Whether `prepare` has ended."""
        return self._prepared is not None and self._prepared.done()

    def tell(self, events: LinkEvents) -> None:
        """Tell these what happens from now on."""
        self._events = self.receiving.events = events

    @property
    def has_fresh_addresses(self) -> bool:
        """Whether, of a link that was prepared, the machine's addresses are those that it is bound to."""
        with contextlib.suppress(OSError):  # it does not tell now
            return self._transport.choose_addresses().bindable == self._transport.addresses.bindable
        return False

    async def create_offer(self) -> str:
        """Open sockets and describe our side, all candidates included.

        Raises:
            StateError: The link was already used or closed, or may use a relay only and has none.

        """
        self._require_new()
        self._is_offerer = True
        offered = self._offered = offered_format(self.settings)
        local = await self._gather(controlling=True)
        self.description = self._described(local, offered, session_id=secrets.randbits(48), setup="actpass")
        return self.description

    def withdraw_offer(self) -> None:
        """Forget an offer to which no answer was taken: the link is as new, with the addresses that were found."""
        if isinstance(self.state, LinkNew):
            self._offered = None

    async def accept_offer(self, offer: str) -> str:
        """Take the other side's offer, answer it, and begin to connect.

        Raises:
            WireError: The offer is not one that we accept.
            StateError: The link was already used or closed, or may use a relay only and has none.

        """
        self._require_new()
        remote = read_description(offer, is_answer=False, loopback=self._transport.uses_loopback)
        towards = [candidate.ip for candidate in remote.transport.candidates if candidate.type == "host"]
        local = await self._gather(controlling=remote.transport.ice.iceLite, towards=towards)
        agreed = answered_format(remote.format, self.settings)
        # An offer that already is the DTLS client leaves us the server; else we go first, which saves a flight.
        dtls_role = "server" if remote.setup == "client" else "client"
        answer = self.description = self._described(
            local,
            agreed,
            session_id=secrets.randbits(48),
            setup="passive" if dtls_role == "server" else "active",
            mid=remote.mid,
            bundled=remote.bundled,
            direction=_REVERSED.get(remote.direction, "sendrecv"),
        )
        self._begin(remote, agreed, dtls_role=dtls_role)
        return answer

    async def accept_answer(self, answer: str) -> None:
        """Take the answer to our offer and begin to connect.

        Raises:
            WireError: The answer is not one to our offer. The link can still take another one.
            StateError: There is no offer, or it was answered.

        """
        if self._offered is None or not isinstance(self.state, LinkNew):
            raise StateError(f"the link to {self.name} waits for no answer")
        remote = read_description(answer, is_answer=True, loopback=self._transport.uses_loopback)
        agreed = accepted_format(remote.format, self._offered)
        self._begin(remote, agreed, dtls_role="server" if remote.setup == "client" else "client")

    async def add_remote_candidate(self, candidate: str | None) -> None:
        """Add a candidate that came after the description; None says that no more will come.

        Raises:
            WireError: It is not a candidate. One that we do not use is ignored instead.

        """
        if candidate is None:
            await self._transport.add_remote_candidate(None)
            return
        checked = read_candidate(candidate, loopback=self._transport.uses_loopback)
        if checked is not None:
            await self._transport.add_remote_candidate(checked)

    async def _gather(self, *, controlling: bool, towards: Collection[str] = ()) -> LocalTransport:
        try:
            if self._prepared is None:
                local = await self._transport.gather(controlling=controlling, towards=towards)
            else:
                local = await self._take_prepared(self._prepared, controlling=controlling)
        except TransportError as failure:
            raise StateError(f"There is no way out for the link to {self.name}: {failure}.") from failure
        self._ice_password = local.ice.password or ""
        return local

    async def _take_prepared(
        self, prepared: asyncio.Future[LocalTransport | TransportError], *, controlling: bool
    ) -> LocalTransport:
        found = await asyncio.shield(prepared)
        if isinstance(found, TransportError):
            raise found
        self._transport.take_role(controlling=controlling)
        return found

    def _require_new(self) -> None:
        if self._offered is not None or not isinstance(self.state, LinkNew) or self._closing is not None:
            raise StateError(f"the link to {self.name} was already used")

    def _known_rtt_s(self) -> float | None:
        return self.checked_rtt_s if self.rtt_s is None else self.rtt_s

    def _begin(self, remote: RemoteDescription, agreed: MediaFormat, *, dtls_role: str) -> None:
        self._format = agreed
        self._wishes = remote.wishes
        # The lower half of the range: SRTP guesses the rollover counter from the first packet that arrives.
        first = secrets.randbelow(0x8000)
        again = RetransmissionStream(self._rtx_ssrc, secrets.randbelow(0x8000))
        sender = RtpSender(self._ssrc, first, agreed, retransmissions=again)
        sender.redundancy, sender.full_copies, sender.sent_twice = self._wanted_redundancy
        sending = self.sending = FrameSending(
            sender, self._transport, keeps_sealed=agreed.nack and agreed.rtx is None
        )
        receives = RtpReceiver if self.settings.counts_reception else PassingReceiver
        receiver = receives(agreed, remote.ssrcs)
        asker = RetransmissionAsker(self._ssrc, receiver, agreed)
        asking = AskingAgain(asker, self._transport, self._known_rtt_s)
        self.receiving.begin(receiver, asking, self._transport)
        shared = "".join(sorted((self._ice_password, remote.transport.ice.password or "")))
        clocks = self._clocks = ClockExchange(ClockReader(shared.encode()).read)
        exchange = RtcpExchange(
            sender,
            receiver,
            self._cname,
            clocks,
            on_sender_report=self._reported,
            on_reception_report=self._reported,
            on_loss_report=self._reported,
            on_extended_report=self._reported,
            on_request=sending.send_again,
            extended=remote.extended_reports,
        )
        self._reporting = RtcpReporting(
            exchange,
            sending,
            self.receiving,
            self._transport,
            interval_s=self.settings.report_interval_s,
            wall_offset_s=self._wall_offset_s,
        )
        self._tried = addresses_tried(self._transport, remote.transport.candidates, self.settings)
        self._enter(LinkConnecting())
        self._connecting = self._tasks.start(
            self._connect(remote, dtls_role=dtls_role, encrypted_extension_id=agreed.encrypted_level_id),
            name=f"connect {self.name}",
        )

    async def _connect(
        self, remote: RemoteDescription, *, dtls_role: str, encrypted_extension_id: int | None
    ) -> None:
        begun_s = time.monotonic()
        limit_s = self.settings.connect_timeout_s
        watching = None
        if not self.settings.relay_only:
            watching = self._tasks.start(self._yield_to_others(), name=f"watch addresses for {self.name}")
        try:
            async with asyncio.timeout(limit_s):
                await self._transport.connect(
                    remote.transport,
                    dtls_role=dtls_role,
                    ssrcs=remote.ssrcs,
                    encrypted_extension_id=encrypted_extension_id,
                )
        except TransportError as failure:
            self._end(LinkFailed(str(failure)))
        except TimeoutError:
            self._end(LinkFailed(f"no connection within {limit_s:g} s"))
        except Exception:
            self._end(LinkFailed("setting up the connection failed"))
            raise  # a surprise: the owner of the task reports it
        finally:
            if watching is not None:
                watching.cancel()
        if isinstance(self.state, LinkConnecting):
            address = self._transport.remote_address or ("", 0)
            if self.sending is not None:
                self.sending.open()
            self._enter(LinkConnected(address, time.monotonic() - begun_s))
            self._transport.hand_early_on()  # now that whoever plays them knows of the link
            if self._reporting is not None:
                self._reporting.begin(time.monotonic() + self.settings.first_report_s)

    async def _yield_to_others(self) -> None:
        """Give up once another link is more promising."""
        reason = await until_others_are_better(self._transport, self.settings)
        self._end(LinkFailed(reason))

    # media

    def send_frame(self, frame: EncodedFrame) -> SentPacket | None:
        """Send one frame to this peer now: no task, no waiting, no encoder. Any thread. Frames before the link is up are dropped.

        Returns:
            What went out; None when nothing did.

        """
        sending = self.sending
        return None if sending is None else sending.send(frame)

    def answer_requests(self, *, wanted: bool) -> None:
        """Send packets again that the peer asks for, or do not, from now on."""
        if self.sending is not None:
            self.sending.answers_requests = wanted

    def set_redundancy(
        self, levels: RedLevels, full_copies: RedLevels = MOST_COPIES, sent_twice: RedLevels = 0
    ) -> None:
        """From the next frame on carry the last zero to four frames too, so many of them as they were sent; nothing changes for a peer without RED.

        The last `sent_twice` go in packets of their own besides, where a stream for what goes again was agreed.
        """
        self._wanted_redundancy = levels, full_copies, sent_twice
        if self.sending is not None:
            sender = self.sending.sender
            sender.redundancy, sender.full_copies, sender.sent_twice = levels, full_copies, sent_twice

    def set_dred(self, *, enabled: bool) -> None:
        """From the next frame on carry what was said before it as DRED, where both sides read it and the frame has it."""
        if self.sending is not None:
            self.sending.sender.dred = enabled

    # pictures

    def _video_doors(self) -> VideoDoors | None:
        """What the pictures may use; None while the link does not stand."""
        if not isinstance(self.state, LinkConnected):
            return None
        return VideoDoors(
            send_rtp=self._transport.send_rtp,
            send_rtcp=self._transport.send_rtcp,
            expect=self._expect_video,
            rtt_s=lambda: self.rtt_s,
            voice_sent=lambda: None if self.sending is None else self.sending.voice_sent,
            voice_ssrc=self._ssrc,
            cname=self._cname,
            wall_offset_s=self._wall_offset_s,
            is_offerer=self._is_offerer,
        )

    def _expect_video(self, ssrcs: Collection[int]) -> None:
        self._transport.expect_also(ssrcs)
        self.pictures.expect(ssrcs)

    # reports

    def send_loss_report(self, report: LossReport) -> None:
        """Tell the peer, if it is blink, how its stream was lost; at most a few times a second."""
        if isinstance(self.state, LinkConnected):
            self._transport.send_rtcp(write_loss_report(self._ssrc, report))

    def tell_heard(self, metrics: VoipMetrics) -> None:
        """Tell the peer with one of the next reports, if it asked for it, how its voice is heard."""
        if self._reporting is not None:
            self._reporting.exchange.voip_metrics = metrics

    def _rtcp_received(self, data: bytes, arrival_s: float) -> None:
        self.receiving.last_heard_s = arrival_s
        try:
            if self.pictures.rtcp_received(data, arrival_s):
                return
        except WireError:
            self._transport.counters.datagrams_malformed += 1
            return
        if self._reporting is not None and self._reporting.exchange.received(data, arrival_s):
            self._end(LinkClosed("the other side said goodbye", by_peer=True))

    def _reported(self, report: RtcpReport) -> None:
        self._events.reported(report)

    def _moved(self, left: Way, taken: Way) -> None:
        self._events.path_changed(left, taken)

    # the end

    def silence(self) -> None:
        """Tell nothing any more: whoever made the link has done with it, and what still comes until it is closed is nobody's."""
        if self.sending is not None:
            self.sending.close()
        self.tell(_NOBODY)
        self.receiving.hear = None

    def _enter(self, state: LinkState) -> None:
        self.state = state
        self._events.state_changed(state)

    def _end(self, state: LinkClosed | LinkFailed) -> None:
        """Enter a final state once, say goodbye if the other side can hear it, and give everything back."""
        self.receiving.count_read()  # what was heard up to here is told of a link that still is one
        before = self.state
        if isinstance(before, LinkClosed | LinkFailed):
            return
        self.state = state  # first of all: what follows may come back here
        self.receiving.close()
        self.pictures.close()
        if self._reporting is not None:
            self._reporting.close()
        if self.sending is not None:
            self.sending.close()
        if isinstance(before, LinkConnected) and isinstance(state, LinkClosed) and not state.by_peer:
            self._transport.send_rtcp(write_goodbye(self._ssrc))
        if not self._tasks.closed:  # else the session is gone, and its event loop takes the sockets along
            self._closing = self._tasks.start(self._close_transport(), name=f"close {self.name}")
        self._events.state_changed(state)

    async def _close_transport(self) -> None:
        connecting = self._connecting
        if connecting is not None and not connecting.done() and connecting is not asyncio.current_task():
            connecting.cancel()
            await asyncio.wait((connecting,))
        await self._transport.aclose()

    async def aclose(self) -> None:
        """Say goodbye and close. Returns within half a second; what takes longer ends in a task of the owner.

        Safe to call twice and during set-up. Cancelling it does not stop the closing.
        """
        self._end(LinkClosed("closed here", by_peer=False))
        if self._closing is not None:
            await asyncio.wait((self._closing,), timeout=CLOSE_PATIENCE_S)


_NOBODY: Final = LinkEvents()

_REVERSED: Final = {"sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}

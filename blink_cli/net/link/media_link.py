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
import random
import secrets
import time
from collections import deque
from collections.abc import Callable, Collection
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import msgspec

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
from blink_cli.core.media.rtp import EncodedFrame, RtpPacket, SentPacket
from blink_cli.core.media.rtp_header import clear_ssrc
from blink_cli.core.media.rtp_receiver import PassingReceiver, ReceiveCounters, RtpReceiver
from blink_cli.core.media.rtp_sender import RetransmissionStream, RtpSender, SendCounters
from blink_cli.core.media.rtx import RTX_PAYLOAD_TYPE
from blink_cli.core.media.unwrapper import SEQUENCE_MASK
from blink_cli.net.host.machine_clock import ClockReader
from blink_cli.net.ice.ice_connection import Way
from blink_cli.net.link import header_encryption
from blink_cli.net.link.asking_again import AskingAgain
from blink_cli.net.link.frame_sending import FrameSending
from blink_cli.net.link.link_events import LinkEvents, RtcpReport
from blink_cli.net.link.media_round import MediaRound
from blink_cli.net.link.sdp import (
    AUDIO_LEVEL_ID,
    ENCRYPTED_LEVEL_ID,
    OPUS_PAYLOAD_TYPE,
    RED_PAYLOAD_TYPE,
    RemoteDescription,
    read_candidate,
    read_description,
    write_description,
)
from blink_cli.net.link.secure_transport import (
    LocalTransport,
    SecureTransport,
    TransportError,
)
from blink_cli.net.link.srtp import CameBy
from blink_cli.net.link.video_doors import VideoDoors, is_video_message
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
from blink_cli.runtime.wake_timer import LEAST_DELAY_S, WakeTimer, next_beat_s

if TYPE_CHECKING:  # a link that carries a voice alone needs none of it
    from blink_cli.core.media.video.video_format import VideoSources
    from blink_cli.net.link.link_video import LinkVideo

CLOSE_PATIENCE_S: Final = 0.5
"""How long `aclose` waits for sockets to be given back before it leaves the rest to a background task."""


ADDRESSES_LOOK_S: Final = 0.5
"""How often, while a way is looked for, the machine's addresses are."""

LATE_ADDRESS_S: Final = 1.0
"""A link that stands by then does not need an address that came meanwhile."""


MOST_READ: Final = 1_024
"""Packets that wait to be counted by an event loop that does not come: twenty seconds of voice. The oldest goes, and counts as lost."""

BEAT_S: Final = 0.1
"""Slow things of a call happen at multiples of this."""

WAY_TOLD_EVERY_S: Final = 0.1
"""How often it is said that the way in use carries voice: it is left for another one after a second without."""

OTHERS_TURN_S: Final = 3.0
"""A first dialling that found no way for so long leaves the field to the addresses for which it had no room."""


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
        self.hear: Callable[[RtpPacket], object] | None = None
        """Takes each packet that is to be played, before anybody is told of it, on the thread that read its datagram; it must not wait."""

        self.open_video: Callable[[VideoDoors], LinkVideo | None] | None = None
        """Makes what carries the pictures of this link, when somebody wants some; None: the other side hears nothing of video."""

        self.description = ""
        """Our side as it was described when the link was made; empty before."""

        self._video: LinkVideo | None = None
        self._video_ssrcs: frozenset[int] = frozenset()
        self._is_offerer = False
        self.name = name
        self.state: LinkState = LinkNew()
        self.settings: Final = settings
        self.impairment: Final = impairment or LinkImpairment()
        self._settings = settings
        self._tasks = tasks
        self._events = events
        self._transport = SecureTransport(
            settings,
            certificate,
            impairment=self.impairment,
            on_rtp=self._rtp_received,
            on_rtcp=self._rtcp_received,
            on_voice=self._voice_read,
            on_replayed=self._rtp_replayed,
            on_closed=lambda reason: self._end(LinkClosed(reason, by_peer=True)),
            on_lost=lambda reason: self._end(LinkFailed(reason)),
            on_moved=self._moved,
            media_round=media_round,
            may_join_round=self._may_join_round,
        )
        self._round = media_round
        self._ssrc = secrets.randbits(32)
        self._rtx_ssrc = self._ssrc ^ 1  # another one, as random as that
        self._cname = secrets.token_hex(4)
        self._offered: MediaFormat | None = None
        self._format: MediaFormat | None = None
        self._wishes = NO_WISHES
        self.sending: FrameSending | None = None
        """What sends frames on whatever thread asks it; None before both descriptions are known."""

        self._receiver: RtpReceiver | None = None
        self._wanted_redundancy: tuple[RedLevels, RedLevels] = 0, MOST_COPIES
        self._last_heard_s: float | None = None
        self._way_told_s = 0.0
        self._tried: AddressesTried | None = None
        self._reports: RtcpExchange | None = None
        self._clocks: ClockExchange | None = None
        self._ice_password = ""
        self._prepared: asyncio.Future[LocalTransport | TransportError] | None = None
        self._report_timer = WakeTimer(self._report, slack_s=LEAST_DELAY_S)
        self._asking: AskingAgain | None = None
        self._next_read: tuple[int, bool] | None = None
        """With which number and voice bit the next packet comes while all is as usual. The round's."""

        self._came_by: CameBy | None = None
        """By which way the last one came. The round's."""

        self._read: deque[RtpPacket] = deque(maxlen=MOST_READ)
        """What the round has read and the event loop has not counted."""

        self._is_told_of_read = False

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
        return self._last_heard_s

    @property
    def rtt_s(self) -> float | None:
        """The last measured round trip in seconds; None before the first."""
        return self._reports.rtt_s if self._reports is not None else None

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
        return self._receiver.counters if self._receiver is not None else ReceiveCounters()

    @property
    def transport_counters(self) -> TransportCounters:
        """Datagrams that were refused."""
        return self._transport.counters

    @property
    def reception(self) -> ReceptionStatistics | None:
        """Statistics of the stream that was heard last; None before its first packet."""
        return self._receiver.current if self._receiver is not None else None

    @property
    def streams(self) -> dict[int, ReceptionStatistics]:
        """Statistics of every stream of this peer, by SSRC."""
        return dict(self._receiver.streams) if self._receiver is not None else {}

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
        self._events = events

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
        offered = self._offered = MediaFormat(
            OPUS_PAYLOAD_TYPE,
            RED_PAYLOAD_TYPE if self._settings.redundancy else None,
            AUDIO_LEVEL_ID if self._settings.audio_level else None,
            encrypted_level_id=ENCRYPTED_LEVEL_ID
            if self._settings.audio_level and header_encryption.is_available()
            else None,
            nack=self._settings.retransmission,
            rtx=RTX_PAYLOAD_TYPE if self._settings.retransmission else None,
            dred=self._settings.dred,
        )
        local = await self._gather(controlling=True)
        self.description = write_description(
            local,
            offered,
            session_id=secrets.randbits(48),
            ssrc=self._ssrc,
            rtx_ssrc=self._rtx_ssrc,
            cname=self._cname,
            setup="actpass",
            dtx=self._settings.dtx,
            stereo=self._settings.stereo,
            packet_ms=self._settings.packet_ms,
        )
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
        encrypted_level_id = remote.format.encrypted_level_id if header_encryption.is_available() else None
        agreed = MediaFormat(
            remote.format.opus,
            remote.format.red if self._settings.redundancy else None,
            None if encrypted_level_id is not None else remote.format.audio_level_id,
            encrypted_level_id=encrypted_level_id,
            red_first=remote.format.red_first and self._settings.redundancy,
            nack=remote.format.nack and self._settings.retransmission,
            rtx=remote.format.rtx if remote.format.nack and self._settings.retransmission else None,
            dred=remote.format.dred if remote.format.dred == self._settings.dred else None,
        )
        # An offer that already is the DTLS client leaves us the server; else we go first, which saves a flight.
        dtls_role = "server" if remote.setup == "client" else "client"
        answer = self.description = write_description(
            local,
            agreed,
            session_id=secrets.randbits(48),
            ssrc=self._ssrc,
            rtx_ssrc=self._rtx_ssrc,
            cname=self._cname,
            setup="passive" if dtls_role == "server" else "active",
            dtx=self._settings.dtx,
            stereo=self._settings.stereo,
            packet_ms=self._settings.packet_ms,
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
        theirs = remote.format
        if theirs.opus != self._offered.opus or (theirs.red is not None and theirs.red != self._offered.red):
            raise WireError("the answer uses payload types that were not offered")
        if theirs.rtx not in (None, self._offered.rtx):
            raise WireError("the answer uses a payload type for retransmissions that was not offered")
        if theirs.audio_level_id not in (None, self._offered.audio_level_id):
            raise WireError("the answer uses a header extension that was not offered")
        if theirs.encrypted_level_id not in (None, self._offered.encrypted_level_id):
            raise WireError("the answer uses an encrypted header extension that was not offered")
        if theirs.encrypted_level_id is not None and theirs.audio_level_id is not None:
            raise WireError("the answer has the audio level twice")
        if theirs.dred != self._offered.dred:
            theirs = msgspec.structs.replace(theirs, dred=None)
        self._begin(remote, theirs, dtls_role="server" if remote.setup == "client" else "client")

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
        sender.redundancy, sender.full_copies = self._wanted_redundancy
        sending = self.sending = FrameSending(
            sender, self._transport, keeps_sealed=agreed.nack and agreed.rtx is None
        )
        receiver = RtpReceiver if self._settings.counts_reception else PassingReceiver
        self._receiver = receiver(agreed, remote.ssrcs)
        asker = RetransmissionAsker(self._ssrc, self._receiver, agreed)
        self._asking = AskingAgain(asker, self._transport, self._known_rtt_s)
        shared = "".join(sorted((self._ice_password, remote.transport.ice.password or "")))
        self._clocks = ClockExchange(ClockReader(shared.encode()).read)
        self._reports = RtcpExchange(
            sender,
            self._receiver,
            self._cname,
            self._clocks,
            on_sender_report=self._reported,
            on_reception_report=self._reported,
            on_loss_report=self._reported,
            on_extended_report=self._reported,
            on_request=sending.send_again,
            extended=remote.extended_reports,
        )
        chosen = self._transport.addresses
        checked = self._transport.worth_checking(remote.transport.candidates)
        self._tried = AddressesTried(
            used=frozenset(own.address for own in chosen.used),
            ours=() if self._settings.relay_only else tuple(map(str, chosen.used)),
            left_out=() if self._settings.relay_only else tuple(map(str, chosen.left_out)),
            theirs=tuple(dict.fromkeys(candidate.ip.partition("%")[0] for candidate in checked)),
        )
        self._enter(LinkConnecting())
        self._connecting = self._tasks.start(
            self._connect(remote, dtls_role=dtls_role, encrypted_extension_id=agreed.encrypted_level_id),
            name=f"connect {self.name}",
        )

    async def _connect(
        self, remote: RemoteDescription, *, dtls_role: str, encrypted_extension_id: int | None
    ) -> None:
        begun_s = time.monotonic()
        limit_s = self._settings.connect_timeout_s
        watching = None
        if not self._settings.relay_only:
            watching = self._tasks.start(self._watch_addresses(), name=f"watch addresses for {self.name}")
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
            self._report_timer.set(time.monotonic() + self._settings.first_report_s)

    async def _watch_addresses(self) -> None:
        """Give up once another link is more promising: it would have addresses that our description does not name."""
        chosen = self._transport.addresses
        known = chosen.bindable
        others_wait = bool(chosen.left_out) and not self._settings.tried_local
        begun_s = time.monotonic()
        await asyncio.sleep(LATE_ADDRESS_S)
        while True:
            with contextlib.suppress(OSError):  # it does not tell now
                if self._transport.choose_addresses().bindable - known:
                    reason = "this machine has new addresses, and no way was found over the others"
                    break
            if others_wait and self.way is None and time.monotonic() - begun_s >= OTHERS_TURN_S:
                reason = "no way was found over the addresses that were tried first"
                break
            await asyncio.sleep(ADDRESSES_LOOK_S)
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

    def set_redundancy(self, levels: RedLevels, full_copies: RedLevels = MOST_COPIES) -> None:
        """From the next frame on carry the last zero to four frames too, so many of them as they were sent; nothing changes for a peer without RED."""
        self._wanted_redundancy = levels, full_copies
        if self.sending is not None:
            sender = self.sending.sender
            sender.redundancy, sender.full_copies = levels, full_copies

    def set_dred(self, *, enabled: bool) -> None:
        """From the next frame on carry what was said before it as DRED, where both sides read it and the frame has it."""
        if self.sending is not None:
            self.sending.sender.dred = enabled

    # pictures

    @property
    def video(self) -> "LinkVideo | None":
        """What carries the pictures of this link; None while nobody wanted any."""
        return self._video

    def with_video(self) -> "LinkVideo | None":
        """What carries the pictures of this link, made now if nobody wanted any before; None where there can be none."""
        if self._video is None and self.open_video is not None and isinstance(self.state, LinkConnected):
            self._video = self.open_video(
                VideoDoors(
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
            )
        return self._video

    def _expect_video(self, sources: "VideoSources") -> None:
        ssrcs = (sources.ssrc,) if sources.rtx_ssrc is None else (sources.ssrc, sources.rtx_ssrc)
        self._transport.expect_also(ssrcs)
        self._video_ssrcs = frozenset(ssrcs)

    def _is_picture(self, data: bytes) -> bool:
        return bool(self._video_ssrcs) and clear_ssrc(data) in self._video_ssrcs

    def _picture_received(self, data: bytes, arrival_s: float) -> None:
        """On the event loop."""
        self._last_heard_s = max(arrival_s, self._last_heard_s or arrival_s)
        if self._video is not None:
            self._video.rtp_received(data, arrival_s)

    # voice in

    def _rtp_received(self, data: bytes, arrival_s: float) -> None:
        if self._is_picture(data):
            self._picture_received(data, arrival_s)
            return
        self._last_heard_s = arrival_s
        if self._receiver is not None:
            packet = self._receiver.received(data, arrival_s)
            if packet is not None:
                if self.hear is not None:
                    self.hear(packet)
                self._count_in(packet)

    def _count_in(self, packet: RtpPacket) -> None:
        """Tell of a packet that was counted and is in its inbox."""
        if self._asking is not None:
            self._asking.packet(packet)
        self._events.packet_received(packet)

    def _may_join_round(self) -> bool:
        return self._asking is None or self._asking.lets_round_read

    def _voice_read(self, data: bytes, arrival_s: float, came_by: CameBy) -> None:
        """On the thread that goes the round."""
        receiver, media_round = self._receiver, self._round
        assert receiver is not None and media_round is not None, "the link has joined a round"  # noqa: PT018
        if self._video_ssrcs and clear_ssrc(data) in self._video_ssrcs:
            media_round.tell_soon(self._picture_received, data, arrival_s)
            return
        packet = receiver.read(data, arrival_s)
        if packet is None:
            return
        if packet.payload_type == receiver.rtx_type:
            media_round.tell_soon(self._retransmission_read, packet)
            return
        # A copy with the same number has not passed libsrtp, which remembers as many numbers as the statistics do.
        if self.hear is not None:
            self.hear(packet)
        if came_by != self._came_by:
            self._came_by = came_by
            media_round.tell(self._transport.heard, *came_by)
        # What is as usual is counted when the event loop is awake anyway. A number that is missing is to be asked for, and who begins to talk, to be told.
        self._read.append(packet)
        usual, number, voice = self._next_read, packet.sequence_number, packet.voice
        self._next_read = (number + 1) & SEQUENCE_MASK, voice
        if usual != (number, voice):
            media_round.tell_soon(self._count_read)
        elif not self._is_told_of_read:
            self._is_told_of_read = True
            media_round.tell(self._count_read)

    def _retransmission_read(self, packet: RtpPacket) -> None:
        """On the event loop."""
        again = None if self._receiver is None else self._receiver.repaired(packet)
        if again is not None:
            if self.hear is not None:
                self.hear(again)
            self._count_in(again)

    def _count_read(self) -> None:
        """Count what the round has read. On the event loop, a little later."""
        self._is_told_of_read = False  # first: what is read from now on is told of anew
        read, receiver = self._read, self._receiver
        if not read or receiver is None:
            return
        count, count_in = receiver.count, self._count_in
        while read:
            packet = read.popleft()
            if count(packet):
                count_in(packet)
        arrival_s = self._last_heard_s = packet.arrival_s
        came_by = self._came_by
        if came_by is not None and arrival_s - self._way_told_s >= WAY_TOLD_EVERY_S:
            self._way_told_s = arrival_s
            self._transport.heard(*came_by)

    def _rtp_replayed(self, data: bytes, sealing_bytes: int, arrival_s: float) -> None:
        # A copy is not authentic: it says nothing about who is there.
        if self._receiver is not None:
            copy = self._receiver.replayed(data, sealing_bytes, arrival_s)
            if copy is not None:
                self._events.packet_repeated(copy)

    # reports

    def send_loss_report(self, report: LossReport) -> None:
        """Tell the peer, if it is blink, how its stream was lost; at most a few times a second."""
        if isinstance(self.state, LinkConnected):
            self._transport.send_rtcp(write_loss_report(self._ssrc, report))

    def tell_heard(self, metrics: VoipMetrics) -> None:
        """Tell the peer with one of the next reports, if it asked for it, how its voice is heard."""
        if self._reports is not None:
            self._reports.voip_metrics = metrics

    def _report(self) -> None:
        reports, sending = self._reports, self.sending
        if reports is None or sending is None or not isinstance(self.state, LinkConnected):
            return
        self._transport.look_for_strangers()
        self._count_read()
        now_s = time.monotonic()
        with sending.held:
            report = reports.report(now_s, now_s + self._wall_offset_s)
        self._transport.send_rtcp(report)
        # Spread, so that the links of a call do not fall into step (RFC 3550, section 6.2), over moments at which the event loop wakes anyway.
        interval_s = self._settings.report_interval_s
        beat_s = min(BEAT_S, interval_s / 4)
        due_s = now_s + interval_s * random.uniform(0.75, 1.25) - beat_s / 2
        self._report_timer.set(next_beat_s(due_s, beat_s))

    def _rtcp_received(self, data: bytes, arrival_s: float) -> None:
        self._last_heard_s = arrival_s
        if self._is_for_video(data, arrival_s):
            return
        if self._reports is not None and self._reports.received(data, arrival_s):
            self._end(LinkClosed("the other side said goodbye", by_peer=True))

    def _is_for_video(self, data: bytes, arrival_s: float) -> bool:
        """Whether RTCP is about pictures alone, which have read it."""
        if is_video_message(data):
            video = self.with_video()
            if video is not None:
                try:
                    video.message(data)
                except WireError:
                    self._transport.counters.datagrams_malformed += 1
            return True
        return self._video is not None and self._video.rtcp_received(data, arrival_s)

    def _reported(self, report: RtcpReport) -> None:
        self._events.reported(report)

    def _moved(self, left: Way, taken: Way) -> None:
        self._events.path_changed(left, taken)

    # the end

    def silence(self) -> None:
        """Tell nothing any more: whoever made the link has done with it, and what still comes until it is closed is nobody's."""
        if self.sending is not None:
            self.sending.close()
        self._events = _NOBODY
        self.hear = None

    def _enter(self, state: LinkState) -> None:
        self.state = state
        self._events.state_changed(state)

    def _end(self, state: LinkClosed | LinkFailed) -> None:
        """Enter a final state once, say goodbye if the other side can hear it, and give everything back."""
        self._count_read()  # what was heard up to here is told of a link that still is one
        before = self.state
        if isinstance(before, LinkClosed | LinkFailed):
            return
        self.state = state  # first of all: what follows may come back here
        self._report_timer.cancel()
        if self._asking is not None:
            self._asking.close()
        if self.sending is not None:
            self.sending.close()
        if self._video is not None:
            self._video.close()
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

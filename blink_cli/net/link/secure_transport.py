"""ICE, DTLS and SRTP of one link, and nothing of aiortc's media path.

    send_rtp   -> SRTP protect -> the nominated pair's socket        no task, no queue, no await
    datagram   -> link_socket.py -> STUN, DTLS: ice_connection.py    and SRTP: srtp.py -> on_rtp, on_rtcp

aiortc's ORTC classes (RTCIceGatherer, RTCIceTransport, RTCDtlsTransport) are public and are used without RTCPeerConnection, so its
sender, receiver, decoder thread and RTCP tasks never exist. Private names of aiortc and aioice are touched by net/ice, link_socket.py and dtls.py alone;
they are listed in docs/rtp_seam.md, and tests/net/link/test_rtp_seam_contract.py says which one is missing when a new version drops it.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Collection
from typing import Any, Final

import msgspec
from aioice.ice import CandidatePair, StunProtocol

from blink_cli.core.media.rtp_header import is_rtcp
from blink_cli.net.handed_on import handed_on
from blink_cli.net.host.interfaces import list_interfaces
from blink_cli.net.host.own_address import is_own_address
from blink_cli.net.ice.ice_connection import IceConnection, IceGatherer, Way
from blink_cli.net.ice.local_addresses import ChosenAddresses
from blink_cli.net.ice.stranger_filter import SourceFilter
from blink_cli.net.ice.udp_endpoint import UdpEndpoint
from blink_cli.net.library_parts import RTCDtlsParameters, RTCIceCandidate, RTCIceParameters, RTCIceTransport
from blink_cli.net.link.dtls import DtlsTransport
from blink_cli.net.link.handshake_copies import DtlsRetransmitter
from blink_cli.net.link.link_socket import LinkSocket, MediaReceivers
from blink_cli.net.link.media_round import MediaRound
from blink_cli.net.link.srtp import CameBy, Srtp
from blink_cli.net.link_impairment import LinkImpairment
from blink_cli.net.link_settings import LinkCertificate, LinkSettings
from blink_cli.net.transport_counters import TransportCounters
from blink_cli.runtime.loop_bridge import LoopBridge

ADDRESS_LOOK_S: Final = 0.2
"""How often, while sending fails, the machine's addresses are looked at; that takes a third of a millisecond."""


class LocalTransport(msgspec.Struct, frozen=True):
    """What the other side must know of our transport."""

    ice: RTCIceParameters
    candidates: tuple[RTCIceCandidate, ...]
    dtls: RTCDtlsParameters


class RemoteTransport(msgspec.Struct, frozen=True):
    """What we must know of the other side's transport; checked before it comes here."""

    ice: RTCIceParameters
    candidates: tuple[RTCIceCandidate, ...]
    candidates_complete: bool
    dtls: RTCDtlsParameters


class TransportError(Exception):
    """The transport did not come up; its text is the reason."""


class SecureTransport:
    """One ICE, DTLS and SRTP association. Everything happens on the event loop that made it, but for sending, which any thread may ask for."""

    def __init__(
        self,
        settings: LinkSettings,
        certificate: LinkCertificate,
        *,
        impairment: LinkImpairment,
        on_rtp: Callable[[bytes, float], None],
        on_rtcp: Callable[[bytes, float], None],
        on_voice: Callable[[bytes, float, CameBy], None],
        on_replayed: Callable[[bytes, int, float], None],
        on_closed: Callable[[str], None],
        on_lost: Callable[[str], None],
        on_moved: Callable[[Way, Way], None],
        media_round: MediaRound | None = None,
        may_join_round: Callable[[], bool] = lambda: True,
    ) -> None:
        """Prepare; opens no socket.

        Args:
            settings: Addresses, servers and timeouts.
            certificate: The session's.
            impairment: What is done on purpose to its datagrams.
            on_rtp: Told each decrypted RTP packet and its monotonic arrival.
            on_rtcp: Told each decrypted RTCP compound packet and its monotonic arrival.
            on_voice: Told each decrypted RTP packet that the round reads in place of the event loop, its arrival and by which way it came, on
                the thread that goes the round; `heard` is to be told the way.
            on_replayed: Told an RTP packet that had come before, still sealed and therefore not authentic, the bytes that sealing added
                to it, and its arrival.
            on_closed: Told, with a reason, when the other side ended a connected transport.
            on_lost: Told, with a reason, when the network ended it. One of the two, and once.
            on_moved: Told which way was left for which, when nothing came any more by the one in use.
            media_round: The session's; None to have the event loop read everything.
            may_join_round: Whether its sockets may be left to the round now.

        """
        self.counters = TransportCounters()
        self._impairment = impairment
        self._on_rtp = on_rtp
        self._on_rtcp = on_rtcp
        self._receivers = MediaReceivers(on_rtp, on_rtcp, on_voice)
        self._round = media_round
        self._may_join_round = may_join_round
        self._settings = settings
        self._on_closed = on_closed
        self._on_lost = on_lost
        self._on_moved = on_moved
        self._copies = DtlsRetransmitter(self._send_copy)
        self._gatherer = IceGatherer(
            settings,
            lambda stock: IceConnection(
                stock,
                settings,
                self.counters,
                self._copies,
                new_socket=self._new_socket,
                on_moved=self._moved,
                on_silent=self._look_for_own_address,
            ),
        )
        self._connection = self._gatherer.connection
        self._srtp = Srtp(
            self.counters,
            self._connection.guard,
            on_replayed=on_replayed,
            on_heard=self._connection.paths.heard,
        )
        self.seal = self._srtp.seal
        """Protects one RTP packet of at most 1,340 bytes; None before there are keys. One number of a stream is sealed once (RFC 3711, section 9.1)."""

        self._ice = RTCIceTransport(self._gatherer)
        self.heard = self._connection.paths.heard
        """To be told by which way something authentic came, of what the round has read."""

        self._dtls = DtlsTransport(self._ice, [certificate.rtc])
        self._bridge = LoopBridge()
        self._thread = threading.get_ident()
        self._closing = False
        self._stranger_filters: list[SourceFilter] = []
        self._look_again_s = 0.0
        self._remote: tuple[CandidatePair | None, tuple[str, int]] = None, ("", 0)
        """The pair of candidates in use, and its other end, which is put together anew each time that it is asked."""

    @property
    def addresses(self) -> ChosenAddresses:
        """The local addresses that sockets are bound to, or would be now."""
        return self._connection.addresses

    def choose_addresses(self) -> ChosenAddresses:
        """What would be bound if the link were made now.

        Raises:
            OSError: The system does not tell its addresses now.

        """
        return self._connection.choose_addresses()

    @property
    def uses_loopback(self) -> bool:
        """Whether a loopback address is among the local ones."""
        return self.addresses.loopback

    @property
    def way(self) -> Way | None:
        """How packets go now; None while no way is known to work."""
        return self._connection.way

    @property
    def remote_address(self) -> tuple[str, int] | None:
        """IP address and port in use; None while there is none."""
        way = self._connection.way
        return None if way is None else way.remote

    @property
    def servers_answered(self) -> bool:
        """Whether, once gathered, each kind of server that was given has yielded a candidate."""
        return self._gatherer.servers_answered

    # set-up

    async def gather(self, *, controlling: bool, towards: Collection[str] = ()) -> LocalTransport:
        """Open the sockets and say where they can be reached. Cancelling it leaves the transport to be closed.

        Args:
            controlling: Our ICE role: the offerer's, unless the other side is ICE Lite. Needed from the first moment: the
                answerer's checks can arrive before its answer, and one that meets the wrong role is answered with a role
                conflict (487). Both sides then swap roles, and the nomination is lost.
            towards: Where the other side says that it can be reached, for a peer whose signals were not heard.

        Raises:
            TransportError: It was closed meanwhile, or may use a relay only and has none.

        """
        connection = self._connection
        connection.ice_controlling = controlling
        await connection.bind_addresses(towards)
        await self._gatherer.gather()
        for socket in connection.sockets:
            assert isinstance(socket, LinkSocket), "the connection makes no others"
            socket.open()
            if socket.strangers is not None:
                self._stranger_filters.append(socket.strangers)
        connection.open()
        if self._closing:
            await connection.close()  # what was opened since it was closed
            raise TransportError("it was closed while it was set up")
        candidates = tuple(self._gatherer.getLocalCandidates())
        if not candidates:
            raise TransportError(
                "only a relay may be used, and no TURN server gave one"
                if self._settings.relay_only
                else "none of its addresses can be used now"
            )
        return LocalTransport(
            ice=self._gatherer.getLocalParameters(),
            candidates=candidates,
            dtls=self._dtls.getLocalParameters(),
        )

    def take_role(self, *, controlling: bool) -> None:
        """Take this ICE role, once gathered and before the other side learns of it: so no check can have met another one."""
        self._connection.ice_controlling = controlling

    def _new_socket(self, connection: IceConnection) -> LinkSocket:
        return LinkSocket(
            connection,
            self._srtp,
            self.counters,
            self._receivers,
            self._refused,
            impairment=self._impairment,
            media_round=self._round,
            may_join_round=self._may_join_round,
        )

    def _moved(self, left: Way, taken: Way) -> None:
        self._on_moved(left, taken)

    async def connect(
        self,
        remote: RemoteTransport,
        *,
        dtls_role: str,
        ssrcs: Collection[int],
        encrypted_extension_id: int | None,
    ) -> None:
        """Bring ICE, DTLS and SRTP up.

        Args:
            remote: The other side.
            dtls_role: Ours: `client` or `server`.
            ssrcs: The sources that the other side announces; empty to learn a few of its packets.
            encrypted_extension_id: The RTP header extension whose value is encrypted; None for none.

        Raises:
            TransportError: It did not work, with the reason.

        """
        self._dtls.take_role(dtls_role)
        self._srtp.expect(ssrcs)
        for candidate in self._connection.worth_checking(remote.candidates):
            await self._ice.addRemoteCandidate(candidate)
        # Without a single usable candidate, the end would be a failure at once; their checks may still reach us.
        if remote.candidates_complete and remote.candidates:
            await self._ice.addRemoteCandidate(None)
        self._let_named_in()
        await self._ice.start(remote.ice)
        if self._ice.state != "completed":
            raise TransportError("no network path to the other side was found")
        self._connection.checks.go_on()
        await self._dtls.start(remote.dtls)
        self._copies.finish()
        if self._dtls.state != "connected":
            raise TransportError("the encryption handshake (DTLS) failed")
        self._srtp.begin(*self._dtls.srtp_sessions(encrypted_extension_id))
        self._dtls.on("statechange", self._dtls_changed)
        self._connection.paths.begin()

    def expect_also(self, ssrcs: Collection[int]) -> None:
        """Let packets of further sources in, which were agreed on while the link stands."""
        self._srtp.expect_also(ssrcs)

    def worth_checking(self, candidates: Collection[RTCIceCandidate]) -> list[RTCIceCandidate]:
        """Of the other side's candidates those to which a way is looked for, once gathered."""
        return self._connection.worth_checking(tuple(candidates))

    def hand_early_on(self) -> None:
        """Pass on the packets that overtook the end of the handshake; to be called once, right after `connect`."""
        for opened, arrival_s in self._srtp.early():
            with handed_on():
                (self._on_rtcp if is_rtcp(opened) else self._on_rtp)(opened, arrival_s)

    async def add_remote_candidate(self, candidate: RTCIceCandidate | None) -> None:
        """Add a candidate that came later, or None when no more will come."""
        for scoped in (None,) if candidate is None else self._connection.in_our_zones(candidate):
            await self._ice.addRemoteCandidate(scoped)
        self._let_named_in()

    def leave_round(self) -> None:
        """Have the event loop read its sockets again, as they come."""
        for link_socket in self._connection.sockets:
            assert isinstance(link_socket, LinkSocket), "the connection makes no others"
            link_socket.leave_round()

    # the end

    def _dtls_changed(self) -> None:
        if self._closing or self._dtls.state != "closed":
            return
        self._closing = True
        if self._connection.is_closing:
            self._on_lost("the network path was lost")
        else:
            self._on_closed("the other side closed the connection")

    def _refused(self, protocol: StunProtocol, refusal: Exception) -> None:
        """The system did not send or deliver a datagram. One that says so because our address is gone will say so for ever."""
        del refusal  # Linux says "network is unreachable", others "cannot assign requested address"
        pair = self._connection.nominated.get(1)
        if pair is not None and pair.protocol is protocol:
            self._look_for_own_address()

    def _look_for_own_address(self) -> None:
        """End the link if the address that it speaks from is gone, and others are there to make another one from."""
        loop = asyncio.get_running_loop()
        pair = self._connection.nominated.get(1)
        if self._closing or not self._srtp.has_keys or pair is None or loop.time() < self._look_again_s:
            return
        self._look_again_s = loop.time() + ADDRESS_LOOK_S
        own = self._connection.own_address(pair.protocol)
        if own is None or is_own_address(own):
            return
        with contextlib.suppress(OSError):  # it does not tell now
            if any(found.addresses for found in list_interfaces() if not found.loopback):
                self._closing = True
                # Not from within the sending that was refused, which counts on the link.
                loop.call_soon(
                    self._on_lost, "the network path was lost: this machine has another address now"
                )

    async def aclose(self) -> None:
        """Say close_notify and give the sockets back; takes up to `RELAY_FAREWELL_S` when a TURN server died.

        Safe to call twice, and while `gather` runs, which then fails and closes what it opens.
        """
        self._closing = True
        self._copies.close()
        await self._connection.paths.aclose()
        await self._dtls.stop()
        await self._ice.stop()
        await self._connection.close()  # RTCIceTransport.stop() leaves a transport alone that never started

    # strangers

    def _let_named_in(self) -> None:
        for strangers in self._stranger_filters:
            with contextlib.suppress(OSError):  # the socket is gone
                strangers.look_at_known()

    def look_for_strangers(self) -> None:
        """Hear everybody again when a flood may be over; to be called every second or so while the link stands."""
        for strangers in self._stranger_filters:
            # A socket that is gone has no filter left to take off; the caller's reports go on over the others.
            with contextlib.suppress(OSError):
                strangers.look(time.monotonic())

    # datagrams out

    def _send_copy(self, datagram: bytes) -> None:
        self.send_sealed(datagram)

    def send_rtp(self, packet: bytes) -> bool:
        """Protect and send one RTP packet of at most 1,340 bytes. Returns whether it went out; never waits. Any thread."""
        sealed = self._srtp.seal(packet)
        return sealed is not None and self.send_sealed(sealed)

    @property
    def checked_rtt_s(self) -> float | None:
        """The round trip of ICE's last check of the way in use, where one was answered before it was repeated."""
        pair = self._connection.nominated.get(1)
        if pair is None or not isinstance(pair.protocol, LinkSocket):
            return None
        return pair.protocol.round_trip_s(pair.remote_addr)

    def send_rtcp(self, packet: bytes) -> bool:
        """Protect and send one RTCP compound packet. Returns whether it went out; never waits. Any thread."""
        sealed = self._srtp.seal_rtcp(packet)
        return sealed is not None and self.send_sealed(sealed)

    def send_sealed(self, datagram: bytes) -> bool:
        """Send what `seal` returned, for the first time or again. Returns whether it went out; never waits. Any thread."""
        pair = self._connection.nominated.get(1)
        if pair is None:
            return False
        socket = pair.protocol.transport
        if self._impairment.outgoing is not None or not isinstance(socket, UdpEndpoint):
            self._on_loop(self._send_from_loop, pair, datagram)
        elif socket.is_closed:
            return False
        else:
            known, remote = self._remote
            if known is not pair:
                remote = pair.remote_addr
                self._remote = pair, remote
            try:
                socket.socket.sendto(datagram, remote)
            except (BlockingIOError, InterruptedError):
                # Its buffer is full: voice that would go out later is of no use.
                self.counters.packets_discarded_on_send += 1
                return False
            except OSError as refusal:
                socket.tell_refused(refusal)
        return True

    def _on_loop(self, callback: Callable[..., None], *arguments: Any) -> None:
        """Call this now on the event loop's thread, from others soon."""
        if threading.get_ident() == self._thread:
            callback(*arguments)
        elif self._round is not None:
            self._round.tell_soon(callback, *arguments)
        else:
            self._bridge.call(callback, *arguments)

    def _send_from_loop(self, pair: Any, datagram: bytes) -> None:
        """Send what waits on purpose, or goes to a relay."""
        outgoing = self._impairment.outgoing
        if outgoing is not None:
            outgoing.put(datagram, time.monotonic(), pair.protocol.let_out(pair.remote_addr))
        elif pair.protocol.transport is not None:
            pair.protocol.transport.sendto(datagram, pair.remote_addr)

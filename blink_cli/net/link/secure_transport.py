"""ICE, DTLS and SRTP of one link, and nothing of aiortc's media path.

    send_rtp   -> SRTP protect -> the nominated pair's socket        no task, no queue, no await
    datagram   -> link_socket.py -> STUN, DTLS: ice_connection.py    and SRTP: srtp.py -> on_rtp, on_rtcp

aiortc's ORTC classes (RTCIceGatherer, RTCIceTransport, RTCDtlsTransport) are public and are used without RTCPeerConnection, so its
sender, receiver, decoder thread and RTCP tasks never exist. Private names of aiortc and aioice are touched by net/ice, link_socket.py and dtls.py alone;
they are listed in docs/rtp_seam.md, and tests/net/link/test_rtp_seam_contract.py says which one is missing when a new version drops it.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from aioice.ice import StunProtocol
from aiortc import RTCDtlsParameters, RTCIceCandidate, RTCIceParameters, RTCIceTransport

from blink_cli.core.media.rtp_header import is_rtcp
from blink_cli.net.handed_on import handed_on
from blink_cli.net.host.interfaces import list_interfaces
from blink_cli.net.ice.ice_connection import IceConnection, IceGatherer, Way
from blink_cli.net.ice.local_addresses import ChosenAddresses
from blink_cli.net.ice.stranger_filter import SourceFilter
from blink_cli.net.link.dtls import DtlsTransport
from blink_cli.net.link.handshake_copies import DtlsRetransmitter
from blink_cli.net.link.link_socket import LinkSocket
from blink_cli.net.link.srtp import Srtp
from blink_cli.net.link_impairment import LinkImpairment
from blink_cli.net.link_settings import LinkCertificate, LinkSettings
from blink_cli.net.transport_counters import TransportCounters

MAX_UNSENT_BYTES: Final = 65_536
"""What the operating system did not take yet and asyncio holds. Voice older than that is of no use: it is dropped."""

ADDRESS_LOOK_S: Final = 0.2
"""How often, while sending fails, the machine's addresses are looked at; that takes a third of a millisecond."""


@dataclass(frozen=True, slots=True)
class LocalTransport:
    """What the other side must know of our transport."""

    ice: RTCIceParameters
    candidates: tuple[RTCIceCandidate, ...]
    dtls: RTCDtlsParameters


@dataclass(frozen=True, slots=True)
class RemoteTransport:
    """What we must know of the other side's transport; checked before it comes here."""

    ice: RTCIceParameters
    candidates: tuple[RTCIceCandidate, ...]
    candidates_complete: bool
    dtls: RTCDtlsParameters


class TransportError(Exception):
    """The transport did not come up; its text is the reason."""


class SecureTransport:
    """One ICE, DTLS and SRTP association. Everything happens on the event loop that made it."""

    def __init__(
        self,
        settings: LinkSettings,
        certificate: LinkCertificate,
        *,
        impairment: LinkImpairment,
        on_rtp: Callable[[bytes, float], None],
        on_rtcp: Callable[[bytes, float], None],
        on_replayed: Callable[[bytes, int, float], None],
        on_closed: Callable[[str], None],
        on_lost: Callable[[str], None],
        on_moved: Callable[[Way, Way], None],
    ) -> None:
        """Prepare; opens no socket.

        Args:
            settings: Addresses, servers and timeouts.
            certificate: The session's.
            impairment: What is done on purpose to its datagrams.
            on_rtp: Told each decrypted RTP packet and its monotonic arrival.
            on_rtcp: Told each decrypted RTCP compound packet and its monotonic arrival.
            on_replayed: Told an RTP packet that had come before, still sealed and therefore not authentic, the bytes that sealing added
                to it, and its arrival.
            on_closed: Told, with a reason, when the other side ended a connected transport.
            on_lost: Told, with a reason, when the network ended it. One of the two, and once.
            on_moved: Told which way was left for which, when nothing came any more by the one in use.

        """
        self.counters = TransportCounters()
        self._impairment = impairment
        self._on_rtp = on_rtp
        self._on_rtcp = on_rtcp
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
            ),
        )
        self._connection = self._gatherer.connection
        self._srtp = Srtp(
            self.counters,
            self._connection.guard,
            on_replayed=on_replayed,
            on_heard=self._connection.paths.heard,
        )
        self._ice = RTCIceTransport(self._gatherer)
        self._dtls = DtlsTransport(self._ice, [certificate.rtc])
        self._pair: Any = None
        self._protocol: Any = None
        self._socket: Any = None
        self._has_buffer = False
        self._remote_address: tuple[str, int] = ("", 0)
        self._closing = False
        self._stranger_filters: list[SourceFilter] = []
        self._look_again_s = 0.0

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
            (self._on_rtp, self._on_rtcp),
            self._refused,
            impairment=self._impairment,
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
        loop = asyncio.get_running_loop()
        pair = self._connection.nominated.get(1)
        if (
            self._closing
            or self._srtp.protect is None
            or pair is None
            or pair.protocol is not protocol
            or loop.time() < self._look_again_s
        ):
            return
        self._look_again_s = loop.time() + ADDRESS_LOOK_S
        own = self._connection.local_of.get(protocol)
        try:
            addresses = {
                found.address
                for interface in list_interfaces()
                if not interface.loopback
                for found in interface.addresses
            }
        except OSError:
            return
        if (
            own is not None
            and addresses
            and own.address not in addresses
            and not own.address.startswith("127.")
        ):
            self._closing = True
            # Not from within the sending that was refused, which counts on the link.
            loop.call_soon(self._on_lost, "the network path was lost: this machine has another address now")

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
        self._send(datagram)

    def send_rtp(self, packet: bytes) -> bool:
        """Protect and send one RTP packet of at most 1,340 bytes. Returns whether it went out; never waits."""
        protect = self._srtp.protect
        return protect is not None and self._send(protect(packet))

    def send_rtcp(self, packet: bytes) -> bool:
        """Protect and send one RTCP compound packet. Returns whether it went out; never waits."""
        protect = self._srtp.protect_rtcp
        return protect is not None and self._send(protect(packet))

    def _send(self, datagram: bytes) -> bool:
        pair = self._connection.nominated.get(1)
        if pair is None:
            return False
        if pair is not self._pair:  # nominated anew, at most a few times in a link's life
            self._pair = pair
            self._protocol = pair.protocol
            self._socket = pair.protocol.transport
            self._remote_address = pair.remote_addr
            self._has_buffer = hasattr(self._socket, "get_write_buffer_size")  # a relay's has not
        socket = self._socket
        if self._has_buffer:
            if socket.is_closing():
                return False
            if socket.get_write_buffer_size() > MAX_UNSENT_BYTES:
                self.counters.packets_discarded_on_send += 1
                return False
        outgoing = self._impairment.outgoing
        if outgoing is None:
            socket.sendto(datagram, self._remote_address)
        else:
            outgoing.put(datagram, time.monotonic(), self._protocol.let_out(self._remote_address))
        return True

# ruff: noqa: SLF001 - the seam may touch private names, which is why it is modules of its own
"""The seam to aiortc and aioice: ICE, DTLS and SRTP of one link, and nothing of their media path.

    send_rtp   -> SRTP protect -> the nominated pair's socket        no task, no queue, no await
    datagram   -> STUN, DTLS   -> aioice and aiortc, as they are
               -> SRTP, SRTCP  -> unprotect -> on_rtp, on_rtcp       in the datagram's own callback

Only this module and connectivity_checks.py touch private names of aiortc and aioice; they are listed in docs/rtp_seam.md, and
tests/net/test_rtp_seam_contract.py says which one is missing when a new version drops it. aiortc's ORTC classes
(RTCIceGatherer, RTCIceTransport, RTCDtlsTransport) are public and are used without RTCPeerConnection, so its sender,
receiver, decoder thread and RTCP tasks never exist.
"""

import asyncio
import contextlib
import functools
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import pylibsrtp
from aioice import Candidate
from aioice.ice import Connection, StunProtocol, get_host_addresses
from aioice.turn import TurnTransport
from aiortc import (
    RTCDtlsParameters,
    RTCDtlsTransport,
    RTCIceCandidate,
    RTCIceGatherer,
    RTCIceParameters,
    RTCIceServer,
    RTCIceTransport,
    RTCIceTransportPolicy,
)

from blink_cli.core.rtp_header import RTP_HEADER_BYTES, is_rtcp
from blink_cli.net.arrival import ArrivalClock
from blink_cli.net.connectivity_checks import ConnectivityChecks
from blink_cli.net.handshake_copies import HandshakeCopies
from blink_cli.net.link_settings import LinkCertificate, LinkSettings
from blink_cli.net.shadow import shadow
from blink_cli.net.stranger_filter import StrangerFilter, is_available
from blink_cli.net.stun_failures import STUN_FAILURES
from blink_cli.net.tasks import TaskOwner

MAX_LOCAL_ADDRESSES: Final = 6
"""A machine with many bridges would otherwise make descriptions that do not fit a few datagrams."""

MAX_QUEUED_DTLS: Final = 64
"""Datagrams that wait for aiortc's DTLS; aioice's queue has no end of its own. A handshake is about six."""

MAX_EARLY_SRTP: Final = 32
"""SRTP that overtook the last handshake message, kept for the moment after it: 640 ms of voice. The oldest goes."""

MAX_UNSENT_BYTES: Final = 65_536
"""What the operating system did not take yet and asyncio holds. Voice older than that is of no use: it is dropped."""

RELAY_FAREWELL_S: Final = 0.8
"""How long a TURN server has to confirm the end of an allocation: one repetition of the request, after 0.5 s, included.
aioice would ask a dead one for 63 s. An allocation that is not given back expires by itself."""

ADDRESS_LOOK_S: Final = 0.2
"""How often, while sending fails, the machine's addresses are looked at; that takes a third of a millisecond."""

_REPLAYED: Final = "replay check failed (bad index)"


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


@dataclass(slots=True)
class TransportCounters:
    """Datagrams that were refused, by reason."""

    datagrams_malformed: int = 0
    """Neither STUN nor DTLS nor SRTP, or broken."""

    datagrams_unauthenticated: int = 0
    """SRTP or SRTCP with a wrong tag, or older than the replay window."""

    datagrams_overflowed: int = 0
    """Came faster than the handshake could take them."""

    packets_discarded_on_send: int = 0
    """Not taken by the operating system (W3C `packetsDiscardedOnSend`)."""


def give_back_relay(relay: TurnTransport) -> asyncio.Task[None]:
    """End a TURN allocation, within `RELAY_FAREWELL_S` whatever the server does.

    Returns:
        aioice's own task, which ends when the socket is closed; cancelling it closes the socket at once.

    """
    TurnTransport.close(relay)  # the class's: on a link's relay the instance's is this function
    names: Any = vars(relay)
    closing: asyncio.Task[None] = names["_TurnTransport__close_task"]

    def give_up() -> None:
        for task in (closing, *names["_TurnTransport__send_tasks"]):
            task.cancel()

    timer = asyncio.get_running_loop().call_later(RELAY_FAREWELL_S, give_up)
    closing.add_done_callback(lambda _: timer.cancel())
    return closing


class SecureTransport:
    """One ICE, DTLS and SRTP association. Everything happens on the event loop that made it."""

    def __init__(
        self,
        settings: LinkSettings,
        certificate: LinkCertificate,
        *,
        on_rtp: Callable[[bytes, float], None],
        on_rtcp: Callable[[bytes, float], None],
        on_replayed: Callable[[bytes, int, float], None],
        on_closed: Callable[[str], None],
        on_lost: Callable[[str], None],
    ) -> None:
        """Prepare; opens no socket.

        Args:
            settings: Addresses, servers and timeouts.
            certificate: The session's.
            on_rtp: Told each decrypted RTP packet and its monotonic arrival.
            on_rtcp: Told each decrypted RTCP compound packet and its monotonic arrival.
            on_replayed: Told an RTP packet that had come before, still sealed and therefore not authentic, the bytes that sealing added
                to it, and its arrival.
            on_closed: Told, with a reason, when the other side ended a connected transport.
            on_lost: Told, with a reason, when the network ended it. One of the two, and once.

        """
        self.counters = TransportCounters()
        self._settings = settings
        self._on_rtp = on_rtp
        self._on_rtcp = on_rtcp
        self._on_replayed = on_replayed
        self._on_closed = on_closed
        self._on_lost = on_lost
        self._gatherer = RTCIceGatherer(
            iceServers=[RTCIceServer(s.url, s.username, s.credential) for s in settings.ice_servers],
            iceTransportPolicy=RTCIceTransportPolicy.RELAY
            if settings.relay_only
            else RTCIceTransportPolicy.ALL,
        )
        self._ice = RTCIceTransport(self._gatherer)
        self._dtls = RTCDtlsTransport(self._ice, [certificate])
        self._connection: Connection = self._gatherer._connection
        self._protect: Callable[[bytes], bytes] | None = None
        self._protect_rtcp: Callable[[bytes], bytes] | None = None
        self._unprotect: Callable[[bytes], bytes] | None = None
        self._unprotect_rtcp: Callable[[bytes], bytes] | None = None
        self._early: deque[tuple[bytes, float]] = deque(maxlen=MAX_EARLY_SRTP)
        self._sealing_bytes = 0  # what SRTP adds to a packet: its tag
        self._pair: Any = None
        self._socket: Any = None
        self._has_buffer = False
        self._remote_address: tuple[str, int] = ("", 0)
        self._closing = False
        self._stranger_filters: list[StrangerFilter] = []
        self._look_again_s = 0.0
        self._addresses = settings.addresses
        # aioice says int; asyncio.wait takes fractions.
        self._gather_component: Callable[[int, list[str], float], Awaitable[list[Candidate]]] = (
            self._connection.get_component_candidates  # type: ignore[assignment]
        )
        self._queue_data = self._connection.data_received
        shadow(self._connection, "get_component_candidates", self._gather_on_chosen_addresses)
        shadow(self._connection, "data_received", self._queue_dtls)
        self._copies = HandshakeCopies(self._send_copy)
        self._sendto = self._connection.sendto
        shadow(self._connection, "sendto", self._send_handshake)
        self._checks = ConnectivityChecks(self._connection)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The local addresses that sockets are bound to: the chosen ones, or all, or loopback when there is no other."""
        if not self._addresses:
            found = get_host_addresses(use_ipv4=True, use_ipv6=True)[:MAX_LOCAL_ADDRESSES]
            self._addresses = tuple(found) or ("127.0.0.1",)
        return self._addresses

    @property
    def uses_loopback(self) -> bool:
        """Whether a loopback address is among the local ones."""
        return any(address.startswith("127.") or address == "::1" for address in self.addresses)

    @property
    def remote_address(self) -> tuple[str, int] | None:
        """IP address and port in use; None while there is none."""
        pair = self._connection._nominated.get(1)
        return None if pair is None else pair.remote_addr

    @property
    def servers_answered(self) -> bool:
        """Whether, once gathered, each kind of server that was given has yielded a candidate."""
        found = {candidate.type for candidate in self._gatherer.getLocalCandidates()}
        connection = self._connection
        return not (
            (connection.turn_server is not None and "relay" not in found)
            or (connection.stun_server is not None and not self._settings.relay_only and "srflx" not in found)
        )

    # set-up

    async def gather(self, *, controlling: bool) -> LocalTransport:
        """Open the sockets and say where they can be reached. Cancelling it leaves the transport to be closed.

        Args:
            controlling: Our ICE role: the offerer's, unless the other side is ICE Lite. Needed from the first moment: the
                answerer's checks can arrive before its answer, and one that meets the wrong role is answered with a role
                conflict (487). Both sides then swap roles, and the nomination is lost.

        Raises:
            TransportError: It was closed meanwhile, or may use a relay only and has none.

        """
        self._connection.ice_controlling = controlling
        await self._gatherer.gather()
        for protocol in self._connection._protocols:
            self._take_datagrams_of(protocol)
        if self._closing:
            await self._connection.close()  # what was opened since it was closed
            raise TransportError("it was closed while it was set up")
        candidates = tuple(self._gatherer.getLocalCandidates())
        if self._settings.relay_only and not candidates:
            raise TransportError("only a relay may be used, and no TURN server gave one")
        return LocalTransport(
            ice=self._gatherer.getLocalParameters(),
            candidates=candidates,
            dtls=self._dtls.getLocalParameters(),
        )

    async def _gather_on_chosen_addresses(
        self,
        component: int,
        addresses: list[str],
        timeout: float = 5,  # noqa: ASYNC109 - the signature is aioice's
    ) -> list[Candidate]:
        # aioice would leave loopback out, and wait 5 s for a server that does not answer.
        del addresses, timeout
        chosen = [] if self._settings.relay_only else list(self.addresses)
        gathering = self._gather_component(component, chosen, self._settings.gathering_timeout_s)
        if not self._settings.ice_servers:
            return await gathering
        # aioice's own tasks would outlive a cancelled gathering, an allocation and its refreshing with them: so it
        # ends in its time, which is short, and what it found is closed with the rest.
        async with TaskOwner("transport", on_failure=_read_by_caller) as owner:
            task = owner.start(_awaited(gathering), name="gather candidates")
            try:
                return await asyncio.shield(task)
            except asyncio.CancelledError:
                await asyncio.wait((task,))
                raise

    async def connect(self, remote: RemoteTransport, *, dtls_role: str) -> None:
        """Bring ICE, DTLS and SRTP up.

        Args:
            remote: The other side.
            dtls_role: Ours: `client` or `server`.

        Raises:
            TransportError: It did not work, with the reason.

        """
        self._dtls._set_role(dtls_role)
        for candidate in remote.candidates:
            await self._ice.addRemoteCandidate(candidate)
        # Without a single usable candidate, the end would be a failure at once; their checks may still reach us.
        if remote.candidates_complete and remote.candidates:
            await self._ice.addRemoteCandidate(None)
        await self._ice.start(remote.ice)
        if self._ice.state != "completed":
            raise TransportError("no network path to the other side was found")
        await self._dtls.start(remote.dtls)
        self._copies.finish()
        if self._dtls.state != "connected":
            raise TransportError("the encryption handshake (DTLS) failed")
        self._protect = self._dtls._tx_srtp.protect
        self._protect_rtcp = self._dtls._tx_srtp.protect_rtcp
        self._unprotect = self._dtls._rx_srtp.unprotect
        self._unprotect_rtcp = self._dtls._rx_srtp.unprotect_rtcp
        self._dtls.on("statechange", self._dtls_changed)
        while self._early:
            self._handle_srtp(*self._early.popleft())

    async def add_remote_candidate(self, candidate: RTCIceCandidate | None) -> None:
        """Add a candidate that came later, or None when no more will come."""
        await self._ice.addRemoteCandidate(candidate)

    def _dtls_changed(self) -> None:
        if self._closing or self._dtls.state != "closed":
            return
        self._closing = True
        if self._connection._closing:
            self._on_lost("the network path was lost")
        else:
            self._on_closed("the other side closed the connection")

    async def aclose(self) -> None:
        """Say close_notify and give the sockets back; takes up to `RELAY_FAREWELL_S` when a TURN server died.

        Safe to call twice, and while `gather` runs, which then fails and closes what it opens.
        """
        self._closing = True
        self._copies.close()
        await self._dtls.stop()
        await self._ice.stop()
        await self._connection.close()  # RTCIceTransport.stop() leaves a transport alone that never started

    # datagrams in

    def _take_datagrams_of(self, protocol: StunProtocol) -> None:
        # asyncio, uvloop and aioice's TURN all look the method up for each datagram, so that the shadow is found.
        if isinstance(protocol.transport, TurnTransport):
            shadow(protocol.transport, "close", functools.partial(give_back_relay, protocol.transport))
        self._checks.repeat_requests_of(protocol)
        shadow(protocol, "error_received", functools.partial(self._refused, protocol))
        handle_rest = protocol.datagram_received
        socket = protocol.transport.get_extra_info("socket")
        arrival_clock = ArrivalClock(None if socket is None else socket.fileno())
        counters = self.counters
        strangers: StrangerFilter | None = None
        if socket is not None and is_available():
            strangers = StrangerFilter(socket.fileno(), functools.partial(self._known_to, protocol))
            self._stranger_filters.append(strangers)

        def datagram_received(data: bytes, address: tuple[Any, ...]) -> None:
            if data and 127 < data[0] < 192:  # RFC 7983, section 7
                if not self._handle_srtp(data, arrival_clock.now_s()):
                    self._count_stranger(strangers)
                return
            refused = counters.datagrams_malformed + counters.datagrams_overflowed
            try:
                handle_rest(data, address)
            except STUN_FAILURES:
                counters.datagrams_malformed += 1
            if counters.datagrams_malformed + counters.datagrams_overflowed != refused:
                self._count_stranger(strangers)

        shadow(protocol, "datagram_received", datagram_received)

    def _known_to(self, protocol: StunProtocol) -> list[tuple[str, int]]:
        """Where the peer may speak from to this socket: every way that was ever found to work, or may yet."""
        connection = self._connection
        pairs = [*connection._check_list, *connection._nominated.values()]
        return sorted({pair.remote_addr for pair in pairs if pair.protocol is protocol})

    def _count_stranger(self, strangers: StrangerFilter | None) -> None:
        if strangers is None or self._protect is None:  # before the link stands, nobody is a stranger
            return
        with contextlib.suppress(OSError):  # not allowed here: a flood then costs what it costs
            strangers.refused(time.monotonic())

    def look_for_strangers(self) -> None:
        """Hear everybody again when a flood may be over; to be called every second or so while the link stands."""
        for strangers in self._stranger_filters:
            # A socket that is gone has no filter left to take off; the caller's reports go on over the others.
            with contextlib.suppress(OSError):
                strangers.look(time.monotonic())

    def _refused(self, protocol: StunProtocol, refusal: Exception) -> None:
        """The system did not send or deliver a datagram. One that says so because our address is gone will say so for ever."""
        del refusal  # Linux says "network is unreachable", others "cannot assign requested address"
        loop = asyncio.get_running_loop()
        pair = self._connection._nominated.get(1)
        if (
            self._closing
            or self._protect is None
            or pair is None
            or pair.protocol is not protocol
            or self._settings.addresses  # only these: a change would not help
            or loop.time() < self._look_again_s
        ):
            return
        self._look_again_s = loop.time() + ADDRESS_LOOK_S
        addresses = get_host_addresses(use_ipv4=True, use_ipv6=True)
        host = protocol.local_candidate.host
        if addresses and host not in addresses and not host.startswith("127."):
            self._closing = True
            # Not from within the sending that was refused, which counts on the link.
            loop.call_soon(self._on_lost, "the network path was lost: this machine has another address now")

    def _queue_dtls(self, data: bytes, component: int) -> None:
        # What is not STUN comes here from aioice, whose queue would take everything that anyone sends.
        if not data or not 19 < data[0] < 64:
            self.counters.datagrams_malformed += 1
        elif self._connection._queue.qsize() >= MAX_QUEUED_DTLS:
            self.counters.datagrams_overflowed += 1
        else:
            self._copies.heard()
            self._queue_data(data, component)

    def _handle_srtp(self, data: bytes, arrival_s: float) -> bool:
        """Decrypt and pass on. Returns whether it was the peer's."""
        if self._unprotect is None or self._unprotect_rtcp is None:
            self._early.append((data, arrival_s))
            return True
        try:
            if is_rtcp(data):
                self._on_rtcp(self._unprotect_rtcp(data), arrival_s)
            else:
                opened = self._unprotect(data)
                self._sealing_bytes = len(data) - len(opened)
                self._on_rtp(opened, arrival_s)
        except pylibsrtp.Error as refusal:
            if str(refusal) == _REPLAYED and not is_rtcp(data) and len(data) >= RTP_HEADER_BYTES:
                self._on_replayed(data, self._sealing_bytes, arrival_s)
            else:
                self.counters.datagrams_unauthenticated += 1
                return False
        except ValueError:  # longer than libsrtp's buffer
            self.counters.datagrams_malformed += 1
            return False
        return True

    # datagrams out

    async def _send_handshake(self, data: bytes, component: int) -> None:
        self._copies.said(data)  # also what could not go out now
        await self._sendto(data, component)

    def _send_copy(self, datagram: bytes) -> None:
        self._send(datagram)

    def send_rtp(self, packet: bytes) -> bool:
        """Protect and send one RTP packet of at most 1,340 bytes. Returns whether it went out; never waits."""
        if self._protect is None:
            return False
        return self._send(self._protect(packet))

    def send_rtcp(self, packet: bytes) -> bool:
        """Protect and send one RTCP compound packet. Returns whether it went out; never waits."""
        if self._protect_rtcp is None:
            return False
        return self._send(self._protect_rtcp(packet))

    def _send(self, datagram: bytes) -> bool:
        pair = self._connection._nominated.get(1)
        if pair is None:
            return False
        if pair is not self._pair:  # nominated anew, at most a few times in a link's life
            self._pair = pair
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
        socket.sendto(datagram, self._remote_address)
        return True


async def _awaited(gathering: Awaitable[list[Candidate]]) -> list[Candidate]:
    return await gathering


def _read_by_caller(name: str, failure: BaseException) -> None:
    """Say nothing of a failure that is raised where the task is awaited."""

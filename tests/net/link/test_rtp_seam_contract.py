"""The contract with aiortc and aioice: every name of theirs that the seam uses and they do not promise.

When one of these fails after an update, only blink_cli/net/ice, and link_socket.py, dtls.py and header_encryption.py of blink_cli/net/link change, and
docs/rtp_seam.md says what each name is used for.
"""

import asyncio
import inspect

import aioice
import aiortc
import pylibsrtp
import pytest
from aioice.ice import CandidatePair, Connection, StunProtocol
from aioice.stun import Transaction
from aioice.turn import TurnClientUdpProtocol, TurnTransport
from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceGatherer, RTCIceTransport

from blink_cli.net.ice.ice_connection import IceConnection
from blink_cli.net.ice.stun_socket import StunSocket
from blink_cli.net.ice.turn_relay import give_back_relay
from blink_cli.net.link.link_socket import LinkSocket

pytestmark = pytest.mark.no_clock(sockets=True)

VERSIONS = {"aiortc": "1.16", "aioice": "0.13", "pylibsrtp": "1.0"}


def dropped(owner: str, name: str, use: str) -> str:
    return f"{owner} no longer has {name}, which the seam needs {use}"


@pytest.mark.parametrize(
    ("module", "version"),
    [(aiortc, aiortc.__version__), (aioice, aioice.__version__), (pylibsrtp, pylibsrtp.__version__)],
)
def test_versions_are_those_that_the_seam_was_read_against(module: object, version: str) -> None:
    name = module.__name__  # type: ignore[attr-defined]
    assert version.startswith(VERSIONS[name] + "."), (
        f"{name} is {version}; read its changes to ICE, DTLS and SRTP, run this file, then raise the version here"
    )


async def test_gatherer_and_ice_transport_share_one_connection() -> None:
    gatherer = RTCIceGatherer(iceServers=[])
    ice = RTCIceTransport(gatherer)
    assert isinstance(getattr(gatherer, "_connection", None), Connection), dropped(
        "RTCIceGatherer", "_connection", "to reach the sockets"
    )
    assert ice._connection is gatherer._connection
    assert ice._recv == gatherer._connection.recv, (
        "RTCIceTransport no longer reads from its Connection's recv"
    )
    assert ice._send == gatherer._connection.send, "RTCIceTransport no longer writes to its Connection's send"


@pytest.mark.parametrize(
    ("name", "kind", "use"),
    [
        ("_check_list", list, "to start the connectivity checks together"),
        ("_check_list_done", bool, "to know when checks have ended"),
        ("_closing", bool, "to tell a lost network from a closed connection"),
        ("_nominated", dict, "to send without its coroutines"),
        ("_protocols", list, "to take datagrams as they come"),
        ("_queue", asyncio.Queue, "to bound what waits for DTLS"),
        ("_remote_candidates", list, "to know every way to the peer"),
        ("ice_controlling", bool, "to set the ICE role"),
        ("local_username", str, "to know checks that name us"),
        ("local_password", str, "to know checks that are signed"),
    ],
)
async def test_connection_attributes(name: str, kind: type, use: str) -> None:
    connection = RTCIceGatherer(iceServers=[])._connection
    assert isinstance(getattr(connection, name, None), kind), dropped("aioice.Connection", name, use)


@pytest.mark.parametrize(
    ("owner", "name", "parameters", "use"),
    [
        (Connection, "_check_periodic", [], "to start the connectivity checks together"),
        (Connection, "_remote_candidates_expected", [], "to know whether checks go on"),
        (Connection, "check_complete", ["pair"], "to keep the best of several nominated pairs"),
        (Connection, "check_incoming", ["message", "addr", "protocol"], "to repeat a check that was dropped"),
        (Connection, "check_start_task", ["pair"], "to start a connectivity check"),
        (Connection, "build_request", ["pair", "nominate"], "to check a way while the link stands"),
        (Connection, "_find_pair", ["protocol", "remote_candidate"], "to know the ways that were checked"),
        (
            Connection,
            "_pair_remote_candidate",
            ["remote_candidate"],
            "to keep to the zones of link-local addresses",
        ),
        (Connection, "data_received", ["data", "component"], "to bound what waits for DTLS"),
        (
            Connection,
            "get_component_candidates",
            ["component", "addresses", "timeout"],
            "to choose the addresses",
        ),
        (Connection, "close", [], "to give the sockets back"),
        (Connection, "sendto", ["data", "component"], "to repeat what a handshake said last"),
        (
            Connection,
            "request_received",
            ["message", "addr", "protocol"],
            "to answer nobody before the guard stands",
        ),
        (StunProtocol, "error_received", ["exc"], "to notice that its address is gone"),
        (StunProtocol, "send_stun", ["message", "addr"], "to repeat a check sooner"),
        (StunProtocol, "datagram_received", ["data", "addr"], "to take SRTP before its queue"),
        (RTCDtlsTransport, "_set_role", ["role"], "to set the DTLS role"),
    ],
)
def test_methods_and_their_parameters(owner: type, name: str, parameters: list[str], use: str) -> None:
    method = getattr(owner, name, None)
    assert method is not None, dropped(owner.__name__, name, use)
    found = list(inspect.signature(method).parameters)[1:]
    assert found == parameters, f"{owner.__name__}.{name} now takes {found}; the seam needs it {use}"


def test_connection_calls_the_methods_that_ours_stand_before() -> None:
    source = inspect.getsource(Connection)
    for call in (
        "self._check_periodic()",
        "self.check_complete(pair)",
        "self.check_incoming(",
        "self.get_component_candidates(",
        "self._pair_remote_candidate(",
    ):
        assert call in source, f"aioice.Connection no longer calls {call}, so the seam's own would never run"
    assert "self.receiver.request_received(" in inspect.getsource(StunProtocol.datagram_received)
    assert "self.sendto(" in inspect.getsource(Connection.send)
    assert "send_stun(" in inspect.getsource(Transaction), "aioice repeats checks in another way"
    assert "self.receiver.data_received(" in inspect.getsource(StunProtocol.datagram_received)
    assert "await asyncio.sleep(0.02)" in inspect.getsource(Connection.connect), (
        "aioice paces its checks in another way; see whether connectivity_checks.py still has to start them"
    )


def test_candidate_pair() -> None:
    for name in ("remote_addr", "local_candidate"):
        assert isinstance(inspect.getattr_static(CandidatePair, name, None), property), dropped(
            "CandidatePair", name, "to know where to send"
        )
    assert "self.remote_nominated = " in inspect.getsource(CandidatePair.__init__), dropped(
        "CandidatePair", "remote_nominated", "to use the way that the other side nominates at once"
    )
    names = {state.name for state in CandidatePair.State}
    assert {"FROZEN", "WAITING", "IN_PROGRESS"} <= names, dropped(
        "CandidatePair.State", "FROZEN, WAITING and IN_PROGRESS", "to find checks to start and to repeat"
    )


async def test_connection_knows_its_servers_and_the_other_sides_credentials() -> None:
    connection = RTCIceGatherer(iceServers=[])._connection
    assert (connection.stun_server, connection.turn_server) == (None, None)
    assert (connection.remote_username, connection.remote_password) == (None, None)


async def test_a_remote_candidate_tells_the_address_that_its_datagrams_come_from() -> None:
    connection = RTCIceGatherer(iceServers=[])._connection
    await connection.add_remote_candidate(aioice.Candidate("1", 1, "udp", 1, "192.0.2.1", 9, "host"))
    (candidate,) = connection._remote_candidates
    assert (candidate._network_host, candidate.port, candidate.type) == ("192.0.2.1", 9, "host")


async def test_closing_a_relay_makes_a_task_that_can_be_cancelled() -> None:
    inner = TurnClientUdpProtocol(("127.0.0.1", 9), "", "", 600, 500)
    inner.connection_made(asyncio.DatagramTransport())
    relay = TurnTransport(inner)
    for name in (
        "_TurnTransport__close_task",
        "_TurnTransport__inner_protocol",
        "_TurnTransport__send_tasks",
    ):
        assert name in vars(relay), dropped("TurnTransport", name, "to give a dead server's allocation up")
    for name in (
        "peer_to_channel",
        "channel_to_peer",
        "peer_to_failed_channel",
        "channel_refresh_at",
        "channel_number",
        "transactions",
    ):
        assert name in vars(inner), dropped("TurnClientMixin", name, "to use a channel at once")
    assert hasattr(inner, "_send"), dropped("TurnClientMixin", "_send", "to send without a task")
    never = asyncio.get_running_loop().create_future()
    inner.delete = lambda: never  # type: ignore[method-assign, assignment, return-value]
    closing = give_back_relay(relay)
    assert give_back_relay(relay) is closing
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait((closing,))
    assert never.cancelled()


def test_a_connection_closes_a_relay_through_its_transport() -> None:
    assert "self.transport.close()" in inspect.getsource(StunProtocol.close), (
        "StunProtocol.close goes another way, so the seam's give_back_relay would not be called"
    )


async def test_dtls_transport_keeps_its_srtp_sessions() -> None:
    dtls = RTCDtlsTransport(
        RTCIceTransport(RTCIceGatherer(iceServers=[])), [RTCCertificate.generateCertificate()]
    )
    for name in ("_rx_srtp", "_tx_srtp"):
        assert hasattr(dtls, name), dropped("RTCDtlsTransport", name, "to protect and unprotect packets")
    for name in ("_srtp_profiles", "_role"):
        assert hasattr(dtls, name), dropped("RTCDtlsTransport", name, "to encrypt the level")
    assert "self._ssl = SSL.Connection(" in inspect.getsource(RTCDtlsTransport.start), dropped(
        "RTCDtlsTransport", "_ssl", "to encrypt the level"
    )
    assert dtls.state == "new"
    for name in ("protect", "unprotect", "protect_rtcp", "unprotect_rtcp"):
        assert callable(getattr(pylibsrtp.Session, name, None)), dropped(
            "pylibsrtp.Session", name, "for SRTP"
        )


def test_srtp_tells_a_replay_by_its_sentence() -> None:
    policy = pylibsrtp.Policy(key=bytes(30), ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
    packet = pylibsrtp.Session(policy).protect(bytes([0x80, 111]) + bytes(30))
    incoming = pylibsrtp.Session(pylibsrtp.Policy(key=bytes(30), ssrc_type=pylibsrtp.Policy.SSRC_ANY_INBOUND))
    incoming.unprotect(packet)
    with pytest.raises(pylibsrtp.Error, match=r"^replay check failed \(bad index\)$"):
        incoming.unprotect(packet)


async def test_a_stun_protocol_knows_its_open_transactions() -> None:
    protocol = StunProtocol(RTCIceGatherer(iceServers=[])._connection)
    assert protocol.transactions == {}, dropped(
        "StunProtocol", "transactions", "to repeat only what is unanswered"
    )


@pytest.mark.parametrize("ours", [IceConnection, StunSocket, LinkSocket])
def test_each_method_of_ours_stands_before_one_of_theirs_that_is_there(ours: type) -> None:
    theirs = {name for base in ours.__mro__ if base.__module__.startswith("aioice") for name in vars(base)}
    marked = {name for name, found in vars(ours).items() if getattr(found, "__override__", False)}
    hidden = {name for name in vars(ours) if not (name.startswith("__") and name.endswith("__"))} & theirs
    assert marked, "this class changes nothing"
    assert marked <= theirs, dropped("aioice", ", ".join(marked - theirs), "to act otherwise")
    assert hidden == marked, f"{hidden - marked} of aioice's would never be called, and nobody meant it"


def test_the_connection_of_a_gatherer_is_ours_and_aiortc_goes_on_with_it() -> None:
    source = inspect.getsource(RTCIceTransport.__init__)
    assert "self._connection = gatherer._connection" in source, (
        "RTCIceTransport takes its Connection elsewhere"
    )
    assert inspect.getsource(Connection).count("self._nominated: ") == 1
    assert inspect.getsource(Connection).count("self._nominated =") == 0, (
        "aioice makes another dictionary of nominated pairs, so IceConnection.nominated would be an old one"
    )

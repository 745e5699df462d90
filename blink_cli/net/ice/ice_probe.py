"""Asks one STUN or TURN server whether it does what a call needs of it.

STUN: a binding request must come back with an outside address. TURN: an allocation must be granted, which needs the right
credentials, and is given back at once. So "alive" means that a call would get its candidate.
"""

import asyncio
import ssl
import time
from typing import Any, Final

from aioice import stun, turn
from typing_extensions import override

from blink_cli.core.api.ice_server import ConfiguredServer
from blink_cli.net.host.name_lookup import ipv4_address
from blink_cli.net.ice.probe_verdict import PROBE_TIMEOUT_S, ProbeAnswer, ProbeFailure
from blink_cli.net.ice.stun_failures import STUN_FAILURES
from blink_cli.net.ice.turn_relay import give_back_relay

_REPEAT_AFTER_S: Final = (0.5, 1.0)
"""RFC 8489, section 6.2.1: doubled each time."""

_REFUSALS: Final = {
    401: "it refuses the username or the credential",
    403: "it forbids relaying to this user",
    441: "it refuses the credential: the user is another's",
    486: "this user has no allocations left",
    508: "it has no capacity left",
}
"""STUN error codes (RFC 8656, section 19), as the end of a sentence."""

_FOR_LONG: Final = frozenset({401, 403, 441})
"""Asking again soon changes nothing."""


async def probe(
    server: ConfiguredServer, *, now_wall_s: float, timeout_s: float = PROBE_TIMEOUT_S
) -> ProbeAnswer:
    """Ask a server once. Cancelling it closes what it opened.

    Args:
        server: Whom.
        now_wall_s: Seconds since 1970, for time-limited credentials.
        timeout_s: For the name, and again for the server.

    Raises:
        ProbeFailure: It does not answer, or refuses.

    """
    try:
        async with asyncio.timeout(timeout_s):
            host = await ipv4_address(server.host)
    except TimeoutError:
        raise ProbeFailure(f"the name {server.host} was not looked up in {timeout_s:g} s") from None
    except OSError as failure:
        raise ProbeFailure(f"the name {server.host} cannot be looked up: {failure}") from failure
    try:
        async with asyncio.timeout(timeout_s):
            if server.kind == "stun":
                return await _bind(host, server.port)
            return await _allocate(server, host, now_wall_s)
    except TimeoutError:
        raise ProbeFailure(f"no answer in {timeout_s:g} s") from None
    except stun.TransactionFailed as refusal:
        code = refusal.response.error_code or 0
        if code == 401 and server.credentials(now_wall_s) == (None, None):
            raise ProbeFailure("it wants a username and a credential", refused=True) from refusal
        raise ProbeFailure(
            _REFUSALS.get(code, f"it refuses: {refusal}"), refused=code in _FOR_LONG
        ) from refusal
    except (stun.TransactionError, ssl.SSLError, OSError) as failure:
        raise ProbeFailure(_plain(failure)) from failure


def _plain(failure: Exception) -> str:
    if isinstance(failure, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {failure.verify_message}"
    if isinstance(failure, ConnectionRefusedError):
        return "nothing listens there"
    if isinstance(failure, OSError) and failure.strerror:
        return failure.strerror
    return str(failure) or type(failure).__name__


async def _bind(host: str, port: int) -> ProbeAnswer:
    begun_s = time.monotonic()
    transport, binding = await asyncio.get_running_loop().create_datagram_endpoint(
        _Binding, remote_addr=(host, port)
    )
    try:
        for patience_s in (*_REPEAT_AFTER_S, None):
            transport.sendto(binding.request)
            await asyncio.wait((binding.answer,), timeout=patience_s)
            if binding.answer.done():
                break
        took_s = time.monotonic() - begun_s
        return ProbeAnswer(host, binding.answer.result(), rtt_s=took_s, setup_s=took_s)
    finally:
        transport.close()


class _Binding(asyncio.DatagramProtocol):
    """One STUN binding request and what comes of it; the socket is connected, so nobody else is heard."""

    def __init__(self) -> None:
        message = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        self._transaction_id = message.transaction_id
        self.request = bytes(message)
        self.answer: asyncio.Future[tuple[str, int]] = asyncio.get_running_loop().create_future()

    @override
    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        del addr
        try:
            message = stun.parse_message(data)
        except STUN_FAILURES:
            return
        if message.transaction_id != self._transaction_id or self.answer.done():
            return
        if message.message_class == stun.Class.RESPONSE and "XOR-MAPPED-ADDRESS" in message.attributes:
            self.answer.set_result(message.attributes["XOR-MAPPED-ADDRESS"])
        elif message.message_class == stun.Class.ERROR:
            self.answer.set_exception(stun.TransactionFailed(message))

    @override
    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


async def _allocate(server: ConfiguredServer, host: str, now_wall_s: float) -> ProbeAnswer:
    username, credential = server.credentials(now_wall_s)
    secure = server.scheme == "turns"
    begun_s = time.monotonic()
    relay, _ = await turn.create_turn_endpoint(
        asyncio.DatagramProtocol,
        # By its name with TLS, which is what the certificate is for.
        (server.host if secure else host, server.port),
        username=username,
        password=credential,
        ssl=secure or None,
        transport=server.transport,
    )
    setup_s = time.monotonic() - begun_s
    closing = give_back_relay(relay)
    try:
        await asyncio.wait((closing,))
    finally:
        closing.cancel()
    # Giving back takes one round trip, or longer when a datagram was lost; so does getting.
    rtt_s = min(time.monotonic() - begun_s - setup_s, setup_s)
    return ProbeAnswer(host, relay.get_extra_info("sockname"), rtt_s=rtt_s, setup_s=setup_s)

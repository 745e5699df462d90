"""Who else is on the network: DNS-SD over multicast DNS, service `_blink._udp`.

    blink-XXXXXXXX._blink._udp.local.   SRV   PORT blink-XXXXXXXX.local.
                                        TXT   v=1 did=did:key:z6Mk... nick=alice group=239.255.66.76:7667
    blink-XXXXXXXX.local.               A     one per interface

The name is random: DID and nickname stand in TXT, so that two sessions of one identity have two names. What is found is
a claim; nothing is believed of a peer before it signs. `gone` comes from a goodbye, or when the records of a session that
vanished have expired: whether somebody is reachable now is for signals to find out.

Source: RFC 6762 (mDNS), RFC 6763 (DNS-SD).
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable
from socket import inet_aton
from types import TracebackType
from typing import Final, Self

from zeroconf import (
    BadTypeInNameException,
    DNSQuestionType,
    NonUniqueNameException,
    ServiceStateChange,
    Zeroconf,
)
from zeroconf import Error as ZeroconfError
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from blink_cli.core.did import public_key_of
from blink_cli.core.errors import UsageError
from blink_cli.core.names import Did
from blink_cli.core.nickname import harmless_nickname
from blink_cli.net.interface_watch import InterfaceWatch
from blink_cli.net.interfaces import Interface, choose_interfaces, list_interfaces
from blink_cli.net.tasks import TaskOwner

_log = logging.getLogger(__name__)

SERVICE_TYPE: Final = "_blink._udp.local."

_TXT_VERSION: Final = "1"

_RECORD_TTL_S: Final = 120
"""RFC 6762, section 10 recommends 75 minutes for what does not name a host; a session that crashed should go sooner."""

_ASK_FOR_MS: Final = 3_000
_RETRY_S: Final = 30.0
_CONFIRM_S: Final = 5.0

MAX_INSTANCES: Final = 512
"""Names kept, so that a neighbour who invents services does not fill the memory. Full: new ones are not looked at."""

MAX_QUESTIONS: Final = 32
"""Names asked about at the same time."""

Found = Callable[[Did, str, str], None]
"""DID, harmless nickname (may be empty), `HOST:PORT`. Again whenever one of them changes."""

Gone = Callable[[Did], None]
"""The last session of this DID is gone."""


class Discovery:
    """Announces one session and finds the others, on the same interfaces as the transport. `async with` runs it.

    Never fails: where multicast DNS cannot be had, that is logged once, and tried again when interfaces change and now and
    then. Callbacks come on the event loop. This session itself is never found; another one of the same DID is.
    """

    def __init__(
        self,
        did: Did,
        nickname: str,
        port: int,
        *,
        group: str,
        found: Found,
        gone: Gone,
        interfaces: tuple[str, ...] = (),
    ) -> None:
        """Describe the session; nothing is sent yet.

        Args:
            did: Who it is.
            nickname: What it calls itself.
            port: Of the transport's own socket.
            group: Multicast group and port of its gossip; sessions of other groups are not its neighbours and are not found.
            found: Told of a session.
            gone: Told when a DID has no session any more.
            interfaces: IPv4 addresses or names of the interfaces to use; empty: all that are up.

        """
        self._did = did
        self._nickname = nickname
        self._port = port
        self._group = group
        self._found = found
        self._gone = gone
        self._wanted = interfaces
        self._label = f"blink-{secrets.token_hex(8)}"
        self._present: tuple[Interface, ...] = ()
        self._moved = asyncio.Event()
        """Set when `_present` is other interfaces than those that zeroconf was opened on."""

        self._zeroconf: AsyncZeroconf | None = None
        self._browser: AsyncServiceBrowser | None = None
        self._info: AsyncServiceInfo | None = None
        self._instances: dict[str, Did | None] = {}
        """By service name; None while it is asked about."""

        self._unconfirmed: set[str] = set()
        """Names from before the interfaces changed, not heard again since."""

        self._asking: set[str] = set()
        self._tasks = TaskOwner("discovery")
        self._trouble_told = False

    async def start(self) -> None:
        """Begin to announce and to look, in the background. Returns at once."""
        watch = InterfaceWatch(self._chosen_now, self._interfaces_changed)
        self._tasks.start(watch.run(), name="watch interfaces")
        self._tasks.start(self._run(), name="run")

    async def aclose(self) -> None:
        """Say goodbye and stop. Safe to call twice. Takes up to half a second: the goodbye is said three times."""
        await self._tasks.aclose()
        self._instances.clear()
        await self._close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _chosen_now(self) -> tuple[Interface, ...]:
        return choose_interfaces(self._wanted, list_interfaces())

    def _interfaces_changed(self, present: tuple[Interface, ...]) -> bool:
        self._present = present
        self._moved.set()
        return True

    async def _run(self) -> None:
        while True:
            must_retry = self._present and self._zeroconf is None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RETRY_S if must_retry else None):
                    await self._moved.wait()
            self._moved.clear()
            present = self._present  # what comes while it is opened counts next time
            await self._close()
            self._unconfirmed = set(self._instances)
            if present:
                await self._open(present)
            if self._unconfirmed:
                self._tasks.start(self._forget_unconfirmed(), name="forget")

    async def _open(self, present: tuple[Interface, ...]) -> None:
        try:
            self._zeroconf = AsyncZeroconf(interfaces=[interface.address for interface in present])
            await self._zeroconf.zeroconf.async_wait_for_start()
            # Look first: announcing waits for its name to be found free.
            # Ask for multicast answers: of several sessions on one machine a unicast one reaches the wrong one, and the second
            # question, a second later, is the first that helps (found after 1.1 s instead of 0.1 s).
            self._browser = AsyncServiceBrowser(
                self._zeroconf.zeroconf,
                SERVICE_TYPE,
                handlers=[self._changed],
                question_type=DNSQuestionType.QM,
            )
            info = AsyncServiceInfo(
                SERVICE_TYPE,
                f"{self._label}.{SERVICE_TYPE}",
                port=self._port,
                properties={
                    "v": _TXT_VERSION,
                    "did": self._did,
                    "nick": self._nickname,
                    "group": self._group,
                },
                server=f"{self._label}.local.",
                addresses=[inet_aton(interface.address) for interface in present],
                host_ttl=_RECORD_TTL_S,
                other_ttl=_RECORD_TTL_S,
            )
            self._info = info
            # The label has 32 random bits, so nobody else has it; should it be taken all the same, it gets a number.
            broadcast = await self._zeroconf.async_register_service(info, cooperating_responders=True)
            await broadcast
        except (
            OSError,
            ZeroconfError,
            NonUniqueNameException,
            BadTypeInNameException,
            RuntimeError,
        ) as reason:
            if not self._trouble_told:
                self._trouble_told = True
                _log.warning(
                    "Peers cannot be discovered: multicast DNS does not start (%s). Contacts and DIDs can still be called.",
                    reason,
                )
            await self._close()
        else:
            self._trouble_told = False

    async def _close(self) -> None:
        zeroconf, self._zeroconf = self._zeroconf, None
        browser, self._browser = self._browser, None
        self._info = None
        if browser is not None:
            await browser.async_cancel()
        if zeroconf is not None:
            # An interface that is gone cannot be said goodbye on.
            with contextlib.suppress(OSError):
                await zeroconf.async_unregister_all_services()
            await zeroconf.async_close()

    def _changed(
        self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        """From the browser, on the event loop. The names of its arguments are zeroconf's."""
        if self._info is not None and name == self._info.name:
            return
        self._unconfirmed.discard(name)
        if state_change is ServiceStateChange.Removed:
            self._forget(name)
            return
        if len(self._instances) >= MAX_INSTANCES and name not in self._instances:
            return
        if name in self._asking or len(self._asking) >= MAX_QUESTIONS:
            return
        self._instances.setdefault(name, None)
        self._asking.add(name)
        self._tasks.start(self._ask(zeroconf, service_type, name), name=f"ask {name[:40]}")

    async def _ask(self, zeroconf: Zeroconf, service_type: str, name: str) -> None:
        try:
            info = AsyncServiceInfo(service_type, name)
            answered = await info.async_request(zeroconf, _ASK_FOR_MS)
        finally:
            self._asking.discard(name)
        if name not in self._instances:
            return  # gone in the meantime
        claim = _read_claim(info, self._group) if answered else None
        if claim is None:
            self._forget(name)
            return
        did, nickname, address = claim
        if self._instances[name] not in (None, did):
            self._forget(name)  # the name now speaks for somebody else
        self._instances[name] = did
        self._found(did, nickname, address)

    async def _forget_unconfirmed(self) -> None:
        """Who was there on the old interfaces and does not answer on the new ones is gone."""
        await asyncio.sleep(_CONFIRM_S)
        while self._unconfirmed:
            self._forget(self._unconfirmed.pop())

    def _forget(self, name: str) -> None:
        did = self._instances.pop(name, None)
        if did is not None and did not in self._instances.values():
            self._gone(did)


def _read_claim(info: AsyncServiceInfo, group: str) -> tuple[Did, str, str] | None:
    """What a stranger's records say, if they can be ours at all."""
    properties = info.decoded_properties
    did = properties.get("did") or ""
    addresses = info.parsed_addresses()
    if properties.get("v") != _TXT_VERSION or not addresses or not info.port:
        return None
    if properties.get("group") != group:
        return None
    try:
        public_key_of(did)
    except UsageError:
        return None
    return Did(did), harmless_nickname(properties.get("nick") or ""), f"{addresses[0]}:{info.port}"

"""Who else is on the network: DNS-SD over multicast DNS, service `_blink._udp`.

    blink-XXXXXXXX._blink._udp.local.   SRV   PORT blink-XXXXXXXX.local.
                                        TXT   v=2 did=did:key:z6Mk... nick=alice group=239.255.66.76:7667
    blink-XXXXXXXX.local.               A, AAAA   the addresses of this machine

The name is random: DID and nickname stand in TXT, so that two sessions of one identity have two names. What is found is
a claim; nothing is believed of a peer before it signs. `gone` comes from a goodbye, or when the records of a session that
vanished have expired: whether somebody is reachable now is for signals to find out.

Source: RFC 6762 (mDNS), RFC 6763 (DNS-SD).
"""

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from socket import AF_INET, AF_INET6, inet_pton
from types import TracebackType
from typing import Final, Self

from zeroconf import (
    BadTypeInNameException,
    DNSQuestionType,
    IPVersion,
    NonUniqueNameException,
    ServiceStateChange,
    Zeroconf,
)
from zeroconf import Error as ZeroconfError
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from blink_cli.core.endpoint import Group, endpoint_text, group_text, parse_group
from blink_cli.core.errors import UsageError
from blink_cli.core.gossip.budget import TokenBucket
from blink_cli.core.gossip.versions import SPOKEN
from blink_cli.core.identity.did import public_key_of
from blink_cli.core.identity.nickname import harmless_nickname
from blink_cli.core.ids import Did
from blink_cli.net.host.interface_watch import InterfaceWatch
from blink_cli.net.host.interfaces import (
    Interface,
    announced_addresses,
    choose_interfaces,
    list_interfaces,
    rank_interfaces,
)
from blink_cli.net.signaling.mdns_guard import guard, shorten_schedule
from blink_cli.runtime.tasks import TaskOwner

_log = logging.getLogger(__name__)

SERVICE_TYPE: Final = "_blink._udp.local."

_VERSION: Final = SPOKEN

_RECORD_TTL_S: Final = 120
"""RFC 6762, section 10 recommends 75 minutes for what does not name a host; a session that crashed should go sooner."""

_ASK_FOR_MS: Final = 3_000
_RETRY_S: Final = 30.0
_CONFIRM_S: Final = 5.0

MAX_INSTANCES: Final = 512
"""Names kept, so that a neighbour who invents services does not fill the memory. Full: the oldest goes whose session is not heard."""

MAX_INTERFACES: Final = 16
"""zeroconf joins its group on all interfaces with one socket, and Linux allows 20 memberships of one socket (net.ipv4.igmp_max_memberships):
it logs what was refused, and goes on. The interfaces that others are most probably behind are given to it; the gossip's own greetings
(core/gossip/greeting.py) reach all of them."""

_MAX_ADDRESSES: Final = 12
"""Of the A and AAAA records: the answer is one packet."""

MAX_QUESTIONS: Final = 32
"""Names asked about at the same time. The others wait."""

QUESTIONS_PER_S: Final = 8.0
"""Names whose records must be asked for on the network: each question goes to everybody. A session announces all of its records at once, and
needs none."""

Found = Callable[[Did, str, str], None]
"""DID, harmless nickname (may be empty), `HOST:PORT`. Again whenever one of them changes."""

Differs = Callable[[Did, str, str, int], None]
"""DID, harmless nickname, `HOST:PORT`, and the other version of the protocol that its records name."""

Gone = Callable[[Did], None]
"""The last session of this DID is gone."""


@dataclass(frozen=True, slots=True)
class _Places:
    """Where multicast DNS is spoken. Equal: nothing has to be opened anew."""

    ipv4: tuple[str, ...]
    ipv6: tuple[int, ...]
    """Indexes of interfaces."""

    announced: tuple[str, ...]
    left_out: tuple[str, ...] = field(compare=False)
    """Names of interfaces that are too many: one of them that comes or goes changes nothing."""


def _places(interfaces: tuple[Interface, ...], *, ipv4: bool) -> _Places:
    usable = [
        found
        for found in rank_interfaces(interfaces)
        if (found.loopback and found.ipv4 and ipv4)
        or (found.multicast and not found.loopback and ((found.ipv4 and ipv4) or found.ipv6))
    ]
    announced = [
        found.address
        for found in announced_addresses(usable[:MAX_INTERFACES], _MAX_ADDRESSES)
        if found.is_ipv6 or ipv4
    ]
    # In an order that does not change when a cable does: then nothing has to be opened anew.
    chosen = sorted(usable[:MAX_INTERFACES], key=lambda found: found.index)
    return _Places(
        ipv4=tuple(found.ipv4 for found in chosen if found.ipv4 is not None and ipv4),
        # Linux has no IPv6 multicast on loopback.
        ipv6=tuple(found.index for found in chosen if found.ipv6 is not None and not found.loopback),
        announced=tuple(sorted(announced)),
        left_out=tuple(found.name for found in usable[MAX_INTERFACES:]),
    )


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
        differs: Differs = lambda *_: None,
        is_there: Callable[[Did], bool] = lambda _: False,
        interfaces: tuple[str, ...] = (),
    ) -> None:
        """Describe the session; nothing is sent yet.

        Args:
            did: Who it is.
            nickname: What it calls itself.
            port: Of the transport's own socket.
            group: Multicast group and port of its gossip; sessions of other groups are not its neighbours and are not found.
            found: Told of a session.
            is_there: Whether a session of this DID is heard, by what it signs.
            differs: Told of a session that speaks another version of the protocol.
            gone: Told when a DID has no session any more.
            interfaces: Addresses or names of the interfaces to use; empty: all that are up.

        """
        self._did = did
        self._nickname = nickname
        self._port = port
        self._group = parse_group(group)
        self._found = found
        self._gone = gone
        self._differs = differs
        self._is_there = is_there
        self._wanted = interfaces
        self._label = f"blink-{secrets.token_hex(8)}"
        self._present: _Places | None = None
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
        self._unasked: dict[str, None] = {}
        """Names that wait to be asked about."""

        self._questions = TokenBucket(QUESTIONS_PER_S)
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
        self._unasked.clear()
        # In a task of its own: zeroconf takes a wait that was cancelled before for one of now where the task that closes it is itself being
        # cancelled (`Task.cancelling`), and leaves its sockets open.
        async with TaskOwner("discovery's end") as last:
            await last.start(self._close(), name="close")

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _chosen_now(self) -> _Places | None:
        places = _places(
            choose_interfaces(self._wanted, list_interfaces()), ipv4=self._group.ipv4 is not None
        )
        return places if places.ipv4 or places.ipv6 else None

    def _interfaces_changed(self, present: _Places | None) -> bool:
        self._present = present
        self._moved.set()
        return True

    async def _run(self) -> None:
        while True:
            must_retry = self._present is not None and self._zeroconf is None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RETRY_S if must_retry else None):
                    await self._moved.wait()
            self._moved.clear()
            present = self._present  # what comes while it is opened counts next time
            await self._close()
            self._unconfirmed = set(self._instances)
            if present is not None:
                await self._open(present)
            if self._unconfirmed:
                self._tasks.start(self._forget_unconfirmed(), name="forget")

    async def _open(self, present: _Places) -> None:
        if present.left_out:
            _log.info(
                "Peers are looked for by multicast DNS on %d interfaces; on %s by signals alone.",
                MAX_INTERFACES,
                ", ".join(present.left_out),
            )
        try:
            self._zeroconf = AsyncZeroconf(
                interfaces=[*present.ipv4, *present.ipv6],
                ip_version=_ip_version(present),
            )
            await self._zeroconf.zeroconf.async_wait_for_start()
            guard(self._zeroconf.zeroconf)
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
                    "v": str(_VERSION),
                    "did": self._did,
                    "nick": self._nickname,
                    "group": group_text(self._group),
                },
                server=f"{self._label}.local.",
                addresses=[_packed(address) for address in present.announced],
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
        if self._tasks.closed or (self._info is not None and name == self._info.name):
            return  # until the browser is cancelled, packets may still come
        self._unconfirmed.discard(name)
        if self._browser is not None:
            shorten_schedule(self._browser, self._instances)
        if state_change is ServiceStateChange.Removed:
            self._unasked.pop(name, None)
            self._forget(name)
            return
        if name not in self._instances and not self._make_room():
            return
        self._instances.setdefault(name, None)
        if name not in self._asking:
            self._unasked[name] = None
            self._ask_next(zeroconf, service_type)

    def _ask_next(self, zeroconf: Zeroconf, service_type: str) -> None:
        while self._unasked and len(self._asking) < MAX_QUESTIONS:
            name = next(iter(self._unasked))
            del self._unasked[name]
            self._asking.add(name)
            self._tasks.start(self._ask(zeroconf, service_type, name), name=f"ask {name[:40]}")

    def _make_room(self) -> bool:
        """Have a place for another name: the oldest goes whose session is not heard."""
        if len(self._instances) < MAX_INSTANCES:
            return True
        unheard = (name for name, did in self._instances.items() if did is None or not self._is_there(did))
        going = next(unheard, None)
        if going is None:
            return False
        self._unasked.pop(going, None)
        self._forget(going)
        return True

    async def _ask(self, zeroconf: Zeroconf, service_type: str, name: str) -> None:
        try:
            info = AsyncServiceInfo(service_type, name)
            answered = info.load_from_cache(zeroconf)
            if not answered:
                while not self._questions.take(time.monotonic()):  # noqa: ASYNC110 - a bucket sets no event
                    await asyncio.sleep(1.0 / QUESTIONS_PER_S)
                answered = await info.async_request(zeroconf, _ASK_FOR_MS)
        finally:
            self._asking.discard(name)
        self._ask_next(zeroconf, service_type)
        if name not in self._instances:
            return  # gone in the meantime
        claim = _read_claim(info, self._group) if answered else None
        if claim is None:
            self._forget(name)
            return
        did, nickname, address, version = claim
        if version != _VERSION:
            self._forget(name)
            self._differs(did, nickname, address, version)
            return
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


def _ip_version(places: _Places) -> IPVersion:
    if not places.ipv6:
        return IPVersion.V4Only
    return IPVersion.All if places.ipv4 else IPVersion.V6Only


def _packed(address: str) -> bytes:
    bare = address.partition("%")[0]
    return inet_pton(AF_INET6 if ":" in bare else AF_INET, bare)


def _read_claim(info: AsyncServiceInfo, group: Group) -> tuple[Did, str, str, int] | None:
    """What a stranger's records say, if they can be ours, or those of another version, at all."""
    properties = info.decoded_properties
    did = properties.get("did") or ""
    addresses = info.parsed_scoped_addresses()
    version = properties.get("v") or ""
    if not (version.isascii() and version.isdigit() and len(version) <= 3) or not addresses or not info.port:
        return None
    try:
        public_key_of(did)
        theirs = parse_group(properties.get("group") or "")
    except UsageError:
        return None
    # Sessions that have one family's group in common hear each other.
    if (theirs.ipv6, theirs.port) != (group.ipv6, group.port):
        return None
    address = endpoint_text((_most_useful(addresses), info.port))
    return Did(did), harmless_nickname(properties.get("nick") or ""), address, int(version)


def _most_useful(addresses: Sequence[str]) -> str:
    """Of all addresses of a session the one that most likely leads to it: that of its loopback does only on its own machine."""
    return min(
        addresses, key=lambda text: (text.startswith(("127.", "::1")), text.startswith(("169.254.", "fe80:")))
    )

"""The addresses of this machine that a link is bound to, as they are when it is made, and the interface that its packets leave by."""

import asyncio
import os
import socket
import struct
import sys
import time
from collections.abc import Collection
from typing import Final

import msgspec

from blink_cli.net.host.interfaces import Interface, choose_interfaces, list_interfaces
from blink_cli.net.ice.address_ranking import (
    MAX_LOCAL_ADDRESSES,
    MAX_LOCAL_ADDRESSES_AGAIN,
    LocalAddress,
    rank_local,
    untried_first,
)
from blink_cli.net.link_settings import LinkSettings

TENTATIVE_PATIENCE_S: Final = 2.5
"""A new IPv6 address is tried for duplicates for 1 to 2 s, and cannot be bound before (RFC 4862, section 5.4)."""

LOOK_EVERY_S: Final = 0.1

_IP_UNICAST_IF: Final = 50
_IPV6_UNICAST_IF: Final = 76
"""Linux, in.h and in6.h; Python's socket module does not name them."""

_ANY_PORT: Final = 9


class ChosenAddresses(msgspec.Struct, frozen=True):
    """What a link uses, the most promising first, and what it leaves out."""

    used: tuple[LocalAddress, ...]
    left_out: tuple[LocalAddress, ...] = ()
    """For want of room, or because it cannot be bound yet."""

    @property
    def loopback(self) -> bool:
        """Whether a loopback address is among the used ones."""
        return any(own.address.startswith("127.") or own.address == "::1" for own in self.used)

    @property
    def bindable(self) -> frozenset[str]:
        """Every address that could be used now."""
        return frozenset(own.address for own in (*self.used, *self.left_out) if not own.is_tentative)

    @property
    def waits_for_better(self) -> bool:
        """Whether none of those that the peer speaks to can be bound yet; where it is not known, none at all."""
        if not self.used and not self.left_out:
            return False
        near = [own for own in (*self.used, *self.left_out) if own.is_near]
        return all(own.is_tentative for own in near or (*self.used, *self.left_out))


def choose_addresses(settings: LinkSettings, heard_from: Collection[str]) -> ChosenAddresses:
    """Rank the machine's addresses and take the first; 127.0.0.1 when there is no other. Takes a few ms with a hundred of them.

    Args:
        settings: Which may be used, which were used before and how that ended.
        heard_from: Addresses from which the peer's signals come, or where it says it is.

    Raises:
        OSError: The system does not tell its addresses now.

    """
    wanted = settings.addresses
    present = list_interfaces()
    allowed = _addresses_of(wanted, present)
    ranked = rank_local(
        present,
        heard_from=heard_from,
        spoken_from=frozenset(filter(None, map(_address_towards, heard_from))),
        avoid=settings.avoid_local,
        wanted=allowed,
    )
    if wanted and not allowed:
        ranked = ()
    tried = settings.tried_local
    ready = untried_first([own for own in ranked if not own.is_tentative], lambda own: own.address in tried)
    used = tuple(ready[: MAX_LOCAL_ADDRESSES_AGAIN if tried else MAX_LOCAL_ADDRESSES])
    left_out = tuple(own for own in ranked if own not in used)
    return ChosenAddresses(
        used or (() if left_out else (LocalAddress("127.0.0.1", "lo", 0, None),)), left_out
    )


async def choose_bindable_addresses(settings: LinkSettings, heard_from: Collection[str]) -> ChosenAddresses:
    """The same; waits up to `TENTATIVE_PATIENCE_S` while the addresses that matter have just been made."""
    ends_s = time.monotonic() + TENTATIVE_PATIENCE_S
    while (chosen := choose_addresses(settings, heard_from)).waits_for_better:
        if time.monotonic() >= ends_s:
            break
        await asyncio.sleep(LOOK_EVERY_S)
    return chosen


def leave_by_interface(descriptor: int, local: LocalAddress) -> None:
    """Let what a UDP socket sends leave by its address's interface, where routing would choose another one on the same subnet.

    Linux only. Receiving stays as it is: a neighbour may have learned the address behind the other interface (ARP answers on any), which
    `SO_BINDTODEVICE` would not hear.

    Raises:
        OSError: The interface is gone.

    """
    if sys.platform != "linux" or not local.shares_subnet:
        return
    index = struct.pack("!I", local.index)  # in network order, ip(7)
    with socket.socket(fileno=os.dup(descriptor)) as sock:
        if ":" in local.address:
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_UNICAST_IF, index)
        else:
            sock.setsockopt(socket.IPPROTO_IP, _IP_UNICAST_IF, index)


def _addresses_of(wanted: Collection[str], present: tuple[Interface, ...]) -> frozenset[str]:
    """Those that were wanted and are there; ::1 only when it is named, since what uses loopback uses IPv4."""
    return frozenset(
        found.address
        for interface in (choose_interfaces(wanted, present) if wanted else ())
        for found in interface.addresses
        if not (interface.loopback and found.is_ipv6) or found.address in wanted
    )


def _address_towards(host: str) -> str | None:
    """The address of ours from which the system would speak to this one. Connecting a UDP socket sends nothing."""
    try:
        ((family, _, _, _, address), *_) = socket.getaddrinfo(
            host, _ANY_PORT, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
        )
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect(address)
            own = str(sock.getsockname()[0])
    except OSError:
        return None
    zone = host.partition("%")[2]
    return f"{own}%{zone}" if zone and "%" not in own and own.startswith("fe80:") else own

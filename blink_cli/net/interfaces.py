"""The network interfaces of this machine that signals can use."""

import socket
import struct
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

import ifaddr

from blink_cli.core.errors import UsageError

_SIOCGIFFLAGS: Final = 0x8913
_IFF_UP: Final = 0x1
_IFF_MULTICAST: Final = 0x1000
"""Linux, netdevice(7)."""


@dataclass(frozen=True, slots=True)
class Interface:
    """One IPv4 address of one interface that is up."""

    name: str
    address: str
    index: int
    loopback: bool


def list_interfaces() -> tuple[Interface, ...]:
    """Every interface that is up and passes multicast, loopback included, with its first IPv4 address. Takes under 1 ms.

    Raises:
        OSError: The system does not tell now, for want of descriptors or memory.

    """
    found = []
    for adapter in ifaddr.get_adapters():
        address = next((ip.ip for ip in adapter.ips if ip.is_IPv4), None)
        if address is None or adapter.index is None:
            continue
        loopback = IPv4Address(address).is_loopback
        if _is_usable(adapter.name, loopback=loopback):
            found.append(Interface(adapter.name, str(address), adapter.index, loopback))
    return tuple(found)


def list_addresses() -> frozenset[str]:
    """Every address of this machine with its interface's name. IPv6 ones that only last hours count too: a path may hang on them.

    Raises:
        OSError: The system does not tell now, for want of descriptors or memory.

    """
    return frozenset(f"{adapter.name} {ip.ip}" for adapter in ifaddr.get_adapters() for ip in adapter.ips)


def choose_interfaces(wanted: Iterable[str], present: tuple[Interface, ...]) -> tuple[Interface, ...]:
    """Those of the present interfaces that are wanted, by address or name; all when nothing is wanted in particular."""
    names = frozenset(wanted)
    if not names:
        return present
    return tuple(found for found in present if found.address in names or found.name in names)


def require_interfaces(wanted: Iterable[str], present: tuple[Interface, ...]) -> tuple[Interface, ...]:
    """Choose, and insist that everything wanted is there.

    Raises:
        UsageError: One that is wanted is not there, or not up.

    """
    for name in wanted:
        if not choose_interfaces([name], present):
            known = ", ".join(f"{found.address} ({found.name})" for found in present) or "none"
            raise UsageError(
                f"There is no network interface {name}.", hint=f"Interfaces that are up: {known}."
            )
    return choose_interfaces(wanted, present)


def _is_usable(name: str, *, loopback: bool) -> bool:
    if sys.platform != "linux":
        # Elsewhere an interface that is down has no address, or refuses to be joined, which is noticed then.
        return True
    import fcntl  # noqa: PLC0415 - POSIX only

    request = struct.pack("16sH14x", name.encode()[:15], 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            answer = fcntl.ioctl(asking, _SIOCGIFFLAGS, request)
        except OSError:
            return False  # gone between listing and asking
    flags: int = struct.unpack("16sH14x", answer)[1]
    return bool(flags & _IFF_UP) and (loopback or bool(flags & _IFF_MULTICAST))

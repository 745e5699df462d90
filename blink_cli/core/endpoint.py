"""Addresses as a user writes them: HOST:PORT of a session, ADDR:PORT of a multicast group, an interface.

IPv6 addresses stand in brackets before a port, with a zone where they are link-local: `[fe80::1%eth0]:7667` (RFC 3986, RFC 4007). Only the
form is judged here. Whether a name is known or an interface is there is for the network to find out.
"""

from typing import TYPE_CHECKING, Final

import msgspec

from blink_cli.core.errors import UsageError

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

Endpoint = tuple[str, int]
"""Host, a name or an IPv4 or IPv6 address without brackets, and port, 1 to 65535."""

MAX_INTERFACE_NAME_CHARS: Final = 64
"""Linux has 15; a GUID on Windows 38."""

_MAX_NAME_BYTES: Final = 253
"""RFC 1035, section 2.3.4, without the length bytes at both ends."""

_GROUP_HINT: Final = (
    "For example 239.255.66.76:7667, which stands for [ff12::efff:424c]:7667 too. IPv4 groups are 224.0.0.0 to 239.255.255.255; "
    "IPv6 groups begin with ff."
)


class Group(msgspec.Struct, frozen=True):
    """One multicast group of each family, and the port of both. `ipv4` is None where IPv6 alone is wanted."""

    ipv4: str | None
    ipv6: str
    port: int


def parse_endpoint(text: str) -> Endpoint:
    """Read `HOST:PORT`, the host a name, an IPv4 address or an IPv6 address in brackets.

    Raises:
        UsageError: It is not one, no host can have that name, or a link-local address has no zone.

    """
    host, _, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]") and _is_port(port):
        address = ipv6(host[1:-1])
        if address is not None and not address.is_unspecified:
            return _unicast(text, address), int(port)
    elif _is_port(port) and _is_host(host):
        return host, int(port)
    hint = "For example 10.0.0.7:7667 or [2001:db8::7]:7667."
    raise UsageError(f"{text!r} is not a host and a port.", hint=hint)


def parse_group(text: str) -> Group:
    """Read `ADDR:PORT` of a multicast group.

    An IPv4 group stands for both families: the IPv6 group is `ff12::` with the same 32 bits, transient and link-local (RFC 4291,
    section 2.7), and of those that nobody is assigned (RFC 3307, section 4.3). An IPv6 group stands for itself.

    Raises:
        UsageError: It is not one.

    """
    host, _, port = text.rpartition(":")
    if _is_port(port):
        address = ipv4(host)
        if address is not None and address.is_multicast:
            low = int(address)
            return Group(str(address), f"ff12::{low >> 16:x}:{low & 0xFFFF:x}", int(port))
        address6 = ipv6(host[1:-1]) if host.startswith("[") and host.endswith("]") else None
        if address6 is not None and address6.is_multicast and not address6.scope_id:
            return Group(None, str(address6), int(port))
    raise UsageError(f"{text!r} is not a multicast group and a port.", hint=_GROUP_HINT)


def parse_interface(text: str) -> str:
    """Read the address of either family, or the name, of an interface.

    Raises:
        UsageError: No interface can have that address or name.

    """
    address = ipv4(text) or ipv6(text)
    possible = (
        not (address.is_multicast or address.is_unspecified)
        if address is not None
        else _is_interface_name(text)
    )
    if not possible:
        raise UsageError(
            f"{text!r} is neither the address nor the name of an interface.",
            hint="For example 192.168.1.20, 2001:db8::7 or eth0, or 127.0.0.1 to stay on this machine.",
        )
    return text if address is None else str(address)


def endpoint_text(endpoint: Endpoint) -> str:
    """Write what `parse_endpoint` reads."""
    host, port = endpoint
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def group_text(group: Group) -> str:
    """Write what `parse_group` reads."""
    return endpoint_text((group.ipv4 or group.ipv6, group.port))


def ipv6(text: str) -> "IPv6Address | None":
    """Return the IPv6 address that a text is, with its zone; None when it is none."""
    from ipaddress import AddressValueError, IPv6Address  # noqa: PLC0415 - 10 ms that most commands do not need

    try:
        address = IPv6Address(text)
    except AddressValueError:
        return None
    zone = address.scope_id
    return address if zone is None or zone.isdecimal() or _is_interface_name(zone) else None


def ipv4(text: str) -> "IPv4Address | None":
    """Return the IPv4 address that a text is; None when it is none."""
    from ipaddress import AddressValueError, IPv4Address  # noqa: PLC0415 - 10 ms that most commands do not need

    try:
        return IPv4Address(text)
    except AddressValueError:
        return None


def _unicast(text: str, address: "IPv6Address") -> str:
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    if address.is_link_local and not address.scope_id:
        raise UsageError(
            f"{text!r} is a link-local address, which every interface may have.",
            hint="Name the interface that it is behind, for example [fe80::1%eth0]:7667.",
        )
    return str(address)


def _is_host(text: str) -> bool:
    """Whether the resolver can be asked for it: its own conversion is made here, where a refusal is still the user's to read."""
    if ipv4(text) is not None:
        return True
    if _looks_like_address(text) or not all(c.isalnum() or c in "-_." for c in text):
        return False
    try:
        return 0 < len(text.encode("idna")) <= _MAX_NAME_BYTES
    except UnicodeError:  # an empty label, or one of more than 63 bytes
        return False


def _is_interface_name(text: str) -> bool:
    return (
        0 < len(text) <= MAX_INTERFACE_NAME_CHARS
        and all(c.isprintable() and c not in " /:" for c in text)
        and not all(c in "0123456789." for c in text)  # but eth0.100 is a VLAN
    )


def _looks_like_address(text: str) -> bool:
    """Whether its last label is a number, as in 10.0.0: no name ends so, and resolvers read such things in ways of their own."""
    return text.rpartition(".")[2].isdecimal()


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= 65_535

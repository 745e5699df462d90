"""Addresses as a user writes them: HOST:PORT of a session, ADDR:PORT of a multicast group, an interface.

Only their form is judged here. Whether a name is known or an interface is there is for the network to find out.
"""

from typing import TYPE_CHECKING, Final

from blink_cli.core.errors import UsageError

if TYPE_CHECKING:
    from ipaddress import IPv4Address

Endpoint = tuple[str, int]
"""Host, a name or an IPv4 address, and port, 1 to 65535."""

MAX_INTERFACE_NAME_CHARS: Final = 64
"""Linux has 15; a GUID on Windows 38."""

_MAX_NAME_BYTES: Final = 253
"""RFC 1035, section 2.3.4, without the length bytes at both ends."""


def parse_endpoint(text: str) -> Endpoint:
    """Read `HOST:PORT`, the host a name or an IPv4 address.

    Raises:
        UsageError: It is not one, or no host can have that name.

    """
    host, _, port = text.rpartition(":")
    if not _is_port(port) or not _is_host(host):
        raise UsageError(f"{text!r} is not a host and a port.", hint="for example 10.0.0.7:7667")
    return host, int(port)


def parse_group(text: str) -> Endpoint:
    """Read `ADDR:PORT` of a multicast group; the address comes back as text.

    Raises:
        UsageError: It is not one.

    """
    host, _, port = text.rpartition(":")
    address = ipv4(host)
    if address is None or not address.is_multicast or not _is_port(port):
        raise UsageError(
            f"{text!r} is not a multicast group and a port.",
            hint="for example 239.255.66.76:7667; groups are 224.0.0.0 to 239.255.255.255",
        )
    return str(address), int(port)


def parse_interface(text: str) -> str:
    """Read the IPv4 address or the name of an interface.

    Raises:
        UsageError: No interface can have that address or name.

    """
    address = ipv4(text)
    possible = (
        not (address.is_multicast or address.is_unspecified)
        if address is not None
        else _is_interface_name(text)
    )
    if not possible:
        raise UsageError(
            f"{text!r} is neither the IPv4 address nor the name of an interface.",
            hint="for example 192.168.1.20 or eth0, or 127.0.0.1 to stay on this machine",
        )
    return text if address is None else str(address)


def endpoint_text(endpoint: Endpoint) -> str:
    """Write what `parse_endpoint` and `parse_group` read."""
    host, port = endpoint
    return f"{host}:{port}"


def ipv4(text: str) -> "IPv4Address | None":
    """Return the IPv4 address that a text is; None when it is none."""
    from ipaddress import AddressValueError, IPv4Address  # noqa: PLC0415 - 10 ms that most commands do not need

    try:
        return IPv4Address(text)
    except AddressValueError:
        return None


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

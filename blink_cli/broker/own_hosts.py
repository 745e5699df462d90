"""By which names and addresses others reach this machine, as far as it knows itself."""

import ipaddress
import re
import socket
from typing import Final

from blink_cli.core.errors import UsageError
from blink_cli.net.host.interfaces import announced_addresses, list_interfaces

MOST_ADDRESSES: Final = 3
_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


def own_hosts() -> tuple[str, ...]:
    """Return the addresses that others are most likely to reach, then the machine's name; never empty."""
    found = announced_addresses(list_interfaces(), MOST_ADDRESSES)
    addresses = [one.address for one in found if "%" not in one.address]
    return (*addresses, socket.gethostname())


def checked_host(text: str) -> str:
    """Return a name or an address as it is written in a certificate.

    Raises:
        UsageError: It is neither.

    """
    plain = text.strip("[]")
    try:
        return str(ipaddress.ip_address(plain))
    except ValueError:
        if _NAME.fullmatch(text) is None:
            raise UsageError(
                f"{text!r} is neither a name nor an address.",
                hint="For example broker.example.org or 192.0.2.7; the port is `--port`.",
            ) from None
        return text

"""Zones of link-local IPv6 addresses: text with the interface's name here, numbers in the system's socket addresses.

Python leaves the zone out of the text that `recvfrom` returns, and `sendto` does not heed one in a text: a datagram then leaves by some
interface, without an error.

Source: RFC 4007, sections 6 and 11.
"""

import socket
import sys
from collections.abc import Iterable
from typing import Any, Final

from blink_cli.core.gossip.paths import Address
from blink_cli.net.host.interfaces import Interface

_ZONES_ARE_NUMBERS: Final = sys.platform == "win32"
"""Its interfaces are named by GUIDs."""


class Zones:
    """Remembers names and numbers of the interfaces, so that no datagram costs a system call more."""

    def __init__(self) -> None:
        """Know none."""
        self._names: dict[int, str] = {}
        self._indexes: dict[str, int] = {}

    def update(self, interfaces: Iterable[Interface]) -> None:
        """Take these in the place of those before."""
        self._names = {} if _ZONES_ARE_NUMBERS else {found.index: found.name for found in interfaces}
        self._indexes = {name: index for index, name in self._names.items()}

    def address(self, raw: Any) -> Address:
        """Turn what `recvfrom` returns, of either family, into an address."""
        host, port, *rest = raw
        if len(rest) == 2 and rest[1]:
            return (f"{host}%{self._names.get(rest[1], rest[1])}", port)
        return (host, port)

    def socket_address(self, address: Address) -> tuple[str, int, int, int]:
        """Turn an IPv6 address into what `bind` and `sendto` take.

        Raises:
            OSError: There is no such zone.

        """
        host, port = address
        bare, _, zone = host.partition("%")
        if not zone:
            return (bare, port, 0, 0)
        index = self._indexes.get(zone) or (int(zone) if zone.isdecimal() else socket.if_nametoindex(zone))
        return (bare, port, 0, index)

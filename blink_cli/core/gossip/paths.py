"""Ways by which datagrams come and go, and which of them a datagram is passed on to."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

Address = tuple[str, int]
"""IPv4 address and UDP port from which a datagram came. A claim: it can be spoofed."""


class PathKind(StrEnum):
    """What a path reaches."""

    LOOPBACK = "loopback"
    """Multicast to every session on this machine."""

    LAN = "lan"
    """Multicast to every session on the network of one interface."""

    UNICAST = "unicast"
    """One session, or the sessions of one machine."""


@dataclass(frozen=True, slots=True)
class Path:
    """One way. Two equal paths reach the same sessions."""

    kind: PathKind
    name: str
    """The interface's IPv4 address, or HOST:PORT of a neighbour, the host as an IPv4 address."""


def unicast_path(address: Address) -> Path:
    """The way to, and from, exactly this address."""
    return Path(PathKind.UNICAST, f"{address[0]}:{address[1]}")


def relay_targets(arrival: Path, paths: Iterable[Path]) -> tuple[Path, ...]:
    r"""The paths onto which a datagram that came by `arrival` is passed on.

        came by \ goes to    loopback   same LAN   other LAN   the same neighbour   other neighbours
        loopback             -          no         no          -                    yes
        LAN                  no         no         yes         -                    yes
        a neighbour          yes        yes        yes         no                   yes

    Multicast is never repeated where everyone has heard it. Loopback and LAN are not joined: every session of this machine
    hears the LAN by itself, unless it was told to keep to loopback, and then it shall be kept there.
    """
    return tuple(
        path
        for path in paths
        if path != arrival and {arrival.kind, path.kind} != {PathKind.LOOPBACK, PathKind.LAN}
    )

"""Ways by which datagrams come and go, and which of them a datagram is passed on to."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from blink_cli.core.endpoint import endpoint_text

Address = tuple[str, int]
"""Address and UDP port from which a datagram came; a link-local IPv6 address with its zone. A claim: it can be spoofed."""


class PathKind(StrEnum):
    """What a path reaches."""

    LOOPBACK = "loopback"
    """Multicast to every session on this machine."""

    LAN = "lan"
    """Multicast to every session on the network of one interface."""

    BROKER = "broker"
    """A server outside of the network, which carries what is said on a topic to every session that listens to it."""

    UNICAST = "unicast"
    """One session, or the sessions of one machine."""


@dataclass(frozen=True, slots=True)
class Path:
    """One way. Two equal paths reach the same sessions."""

    kind: PathKind
    name: str
    """The interface's address, or HOST:PORT of a neighbour, the host as an address."""

    link: str = field(default="", compare=False)
    """What this path has in common with others: the interface whose IPv4 and IPv6 multicast are two paths, or the name that a neighbour
    of several addresses was given by. Who is reached by one of them is mostly reached by the others. Empty: nothing."""

    overheard: bool = field(default=False, compare=False)
    """Whether a third party who is no participant of the network carries what goes this way, and may keep it: a broker. Such a path is told no
    DID in the clear, and of presence nothing but its pace; nothing is relayed from it or to it."""

    def shares_link(self, other: "Path") -> bool:
        """Whether both are ways onto one link."""
        return bool(self.link) and self.link == other.link


def unicast_path(address: Address, link: str = "", *, overheard: bool = False) -> Path:
    """The way to, and from, exactly this address."""
    return Path(PathKind.UNICAST, endpoint_text(address), link, overheard)


def relay_targets(arrival: Path, paths: Iterable[Path]) -> tuple[Path, ...]:
    r"""The paths onto which a datagram that came by `arrival` is passed on.

        came by \ goes to    loopback   same LAN   other LAN   the same neighbour   other neighbours
        loopback             -          no         no          -                    yes
        LAN                  no         no         yes         -                    yes
        a neighbour          yes        yes        yes         no                   yes

    Multicast is never repeated where everyone has heard it; IPv4 and IPv6 of one interface are the same LAN. Loopback and LAN are not
    joined: every session of this machine hears the LAN by itself, unless it was told to keep to loopback, and then it shall be kept there.
    """
    return tuple(
        path
        for path in paths
        if path != arrival
        and not (path.overheard or arrival.overheard)
        and not path.shares_link(arrival)
        and {arrival.kind, path.kind} != {PathKind.LOOPBACK, PathKind.LAN}
    )

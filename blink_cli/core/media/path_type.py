"""The kind of way that media go between two sides, as the candidates of its ends tell it."""

from typing import Final, Literal

IceType = Literal["host", "srflx", "relay"]
"""From one address to the other, through a NAT (server reflexive), or through a TURN server; RFC 8445's words, and W3C's."""

PathType = IceType | Literal["sfu"]
"""The same between two participants; or through the SFU that passes on what all of them send."""

_PEER_REFLEXIVE: Final = "prflx"


def path_type(local: str, remote: str) -> IceType:
    """The less direct of two candidates' types. Peer reflexive is server reflexive here: an address behind a NAT, learned another way.

    Args:
        local: Of ours, as ICE names it: `host`, `srflx`, `prflx` or `relay`.
        remote: Of the peer's.

    """
    types = {local, remote}
    if "relay" in types:
        return "relay"
    return "srflx" if types & {"srflx", _PEER_REFLEXIVE} else "host"

"""What a session is started with: the options of `serve` and `repl`."""

from dataclasses import dataclass, field
from typing import Final, Literal

from blink_cli.core.ice_server import ConfiguredServer

IceTransport = Literal["all", "relay"]
"""Which paths audio may take: every one, or only through a TURN server. Names of the W3C's `iceTransportPolicy`."""

DEFAULT_GROUP: Final = "239.255.66.76:7667"
"""Administratively scoped multicast (RFC 2365): it never leaves the site. 66.76 is 'BL'; the port is unassigned."""


@dataclass(frozen=True, slots=True)
class CodecOptions:
    """What the command line says of the codec; None leaves it to the profile's settings."""

    bitrate: int | None = None
    """Bits a second."""

    frame_ms: int | None = None
    bandwidth: str | None = None
    application: str | None = None
    fec: bool | None = None
    dtx: bool | None = None
    redundancy: str | None = None


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """Immutable; the same for REPL, `serve` and foreground `offer`/`accept`."""

    nickname: str | None = None
    """What this session calls itself; None keeps what the profile's settings say, or else its own name."""

    input: str = "default"
    output: str = "default"
    auto_accept: bool = False
    """Accept every incoming call while not in one."""

    interfaces: tuple[str, ...] = ()
    """IPv4 addresses or names of the interfaces to use for signals and media; empty: all interfaces that are up, loopback included."""

    group: str = DEFAULT_GROUP
    """Multicast group and port of the gossip."""

    neighbours: tuple[str, ...] = field(default=())
    """HOST:PORT of sessions that multicast does not reach."""

    codec: CodecOptions = field(default_factory=CodecOptions)
    ice_servers: tuple[ConfiguredServer, ...] = ()
    """STUN and TURN servers in place of the settings'; empty leaves it to the settings."""

    ice_transport: IceTransport | None = None
    """None leaves it to the settings."""

    discovery: bool = True
    """Announce DID and nickname by DNS-SD, and look for others."""

"""What a session is started with: the options of `serve` and `repl`."""

from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from blink_cli.core.api.ice_server import ConfiguredServer
from blink_cli.core.api.signal_server import SignalServer
from blink_cli.core.media.processing_settings import ProcessingChoice

IceTransport = Literal["all", "relay"]
"""Which paths audio may take: every one, or only through a TURN server. Names of the W3C's `iceTransportPolicy`."""

AutoAccept = Literal["contacts", "no-microphone", "anyone"]
"""Whose calls a session accepts by itself: those of contacts, besides them everybody's while the input is a file, a tone or silence, or
everybody's. Every DID is free, so `anyone` lets whoever reaches this machine listen to its microphone."""

CodecKey = Literal[
    "bitrate",
    "frame_ms",
    "bandwidth",
    "application",
    "fec",
    "dtx",
    "cbr",
    "redundancy",
    "redundancy_budget",
    "complexity",
    "stereo",
]
"""The names of the codec's settings: the fields of `CodecOptions`."""

DEFAULT_GROUP: Final = "239.255.66.76:7667"
"""Administratively scoped multicast (RFC 2365): it never leaves the site. 66.76 is 'BL'; the port is unassigned."""


class CodecOptions(msgspec.Struct, frozen=True):
    """What a command line, or `codec set`, says of the codec; None leaves it to the profile's settings."""

    bitrate: int | None = None
    """Bits a second."""

    frame_ms: int | float | None = None
    bandwidth: str | None = None
    application: str | None = None
    fec: str | None = None
    dtx: bool | None = None
    cbr: bool | None = None
    redundancy: str | None = None
    redundancy_budget: int | None = None
    """Kilobits a second."""

    complexity: int | None = None
    stereo: bool | None = None

    def after(self, earlier: "CodecOptions") -> "CodecOptions":
        """What is said here, and where nothing is, what was said earlier."""
        said = {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}
        return replace(earlier, **said)


class EchoOptions(msgspec.Struct, frozen=True):
    """How an echo peer answers calls."""

    longest_s: float = 60.0
    """It leaves a call after so long."""

    calls: int | None = None
    """After so many calls its session ends; None: never."""

    idle_s: float | None = None
    """Without a call for so long its session ends; None: never."""


class SessionOptions(msgspec.Struct, frozen=True):
    """Immutable; the same for REPL, `serve` and foreground `offer`/`accept`."""

    nickname: str | None = None
    """What this session calls itself; None keeps what the profile's settings say, or else its own name."""

    input: str | None = None
    """None: the one chosen last in this profile, else the system's."""

    output: str | None = None
    camera: str | None = None
    """Which camera `video on` turns on; None: the system's first."""

    auto_accept: AutoAccept | None = None
    """Accept incoming calls of these while not in one; None: of nobody."""

    interfaces: tuple[str, ...] = ()
    """Addresses or names of the interfaces to use for signals and media; empty: all interfaces that are up, loopback included."""

    group: str = DEFAULT_GROUP
    """Multicast group and port of the gossip."""

    neighbours: tuple[str, ...] = msgspec.field(default=())
    """HOST:PORT of sessions that multicast does not reach; IPv6 addresses in brackets."""

    signal_servers: tuple[SignalServer, ...] = ()
    """Servers that carry signals past the network, in place of the settings'; empty leaves it to the settings."""

    signal_ca: str | None = None
    """Who signed their certificates; None leaves it to the settings."""

    signal_credentials: str | None = None
    """A NATS credentials file or an nkey seed's; None leaves it to the settings."""

    multicast: bool | None = None
    """Whether signals go by multicast; None leaves it to the settings."""

    sfus: tuple[str, ...] = ()
    """Through which larger calls go, in the order in which they are tried, in place of the settings'; `any` among them: also those that others
    name. Empty leaves it to the settings."""

    sfu_ca: str | None = None
    """Who signed their certificates; None leaves it to the settings."""

    codec: CodecOptions = msgspec.field(default_factory=CodecOptions)
    processing: ProcessingChoice = msgspec.field(default_factory=ProcessingChoice)
    """Of this session alone; what it leaves open is as it was chosen last in this profile."""

    ice_servers: tuple[ConfiguredServer, ...] = ()
    """STUN and TURN servers in place of the settings'; empty leaves it to the settings."""

    ice_transport: IceTransport | None = None
    """None leaves it to the settings."""

    echo: EchoOptions | None = None
    """Answer as an echo peer: whoever calls, one after the other. Only with an input that is no microphone."""

    discovery: bool = True
    """Announce DID and nickname by DNS-SD, and look for others."""

"""Servers that carry signals past one network, as a user names them: in the settings, or with `--signal`.

    nats://[USER:PASSWORD@ | TOKEN@]HOST[:PORT]
    tls://…                                          the same over TLS

Several are one cluster: any of them will do. What is special in user and password (`:`, `@`, `%`) is percent-encoded (RFC 3986).
"""

import re
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from blink_cli.core.errors import UsageError

MAX_SIGNAL_SERVERS: Final = 16
DEFAULT_PORT: Final = 4222
"""Of NATS."""

_URL: Final = (
    r"(?P<scheme>nats|tls)://(?:(?P<user>[^@/?]*)@)?"
    r"(?P<host>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>\d{1,5}))?/?"
)
"""Compiled when it is needed: most commands read no server, and all load this module."""

_HINT: Final = "For example nats://broker.example.org or tls://USER:PASSWORD@broker.example.org:4222."


@dataclass(frozen=True, slots=True)
class SignalServer:
    """One server, checked. Its secrets do not show in its `repr`."""

    scheme: Literal["nats", "tls"]
    host: str
    """A name, an IPv4 address, or an IPv6 address in brackets."""

    port: int
    user: str = field(default="", repr=False)
    """`USER:PASSWORD` or a token, percent-encoded as it was written; empty: neither."""

    @property
    def url(self) -> str:
        """Its address as it is shown: nothing secret in it."""
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def full_url(self) -> str:
        """Its address with its secrets."""
        return f"{self.scheme}://{self.user}@{self.host}:{self.port}" if self.user else self.url


@dataclass(frozen=True, slots=True)
class SignalAccess:
    """How servers prove who they are, and what they are told."""

    ca_pem: str | None = None
    """Certificates that theirs are to be signed by, PEM; None: those that the system trusts."""

    credentials: str | None = field(default=None, repr=False)
    """The text of a NATS credentials file, or an nkey seed; None: what stands in their URLs."""


class SignalServers(msgspec.Struct, frozen=True):
    """How signals go past one network."""

    servers: tuple[SignalServer, ...] = ()
    """Of one cluster; empty: none is used, and nothing is contacted."""

    access: SignalAccess = SignalAccess()
    multicast: bool = True
    """Whether signals go by multicast, and to neighbours, too."""


def checked_signal_servers(chosen: SignalServers) -> SignalServers:
    """Return what was chosen, if signals have a way.

    Raises:
        UsageError: They have none, or too many servers are named.

    """
    if not chosen.servers and not chosen.multicast:
        raise UsageError(
            "Without multicast and without a server, signals have no way.",
            hint="Name one with `--signal URL`.",
        )
    if len(chosen.servers) > MAX_SIGNAL_SERVERS:
        raise UsageError(
            f"{len(chosen.servers)} servers are more than {MAX_SIGNAL_SERVERS}.",
            hint="Any of a cluster will do.",
        )
    return chosen


def parse_signal_server(text: str) -> SignalServer:
    """Read one server.

    Raises:
        UsageError: It is none.

    """
    match = re.fullmatch(_URL, text)
    port = int(match["port"] or DEFAULT_PORT) if match else 0
    if match is None or not 0 < port < 65_536:
        shown = text.rpartition("@")[2]  # what stands before it may be secret
        raise UsageError(f"{shown!r} is not a server for signals.", hint=_HINT)
    scheme: Literal["nats", "tls"] = "tls" if match["scheme"] == "tls" else "nats"
    return SignalServer(scheme, match["host"], port, match["user"] or "")

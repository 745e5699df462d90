"""STUN and TURN servers as a user names them, in the settings or with `--ice-server`.

    stun:HOST[:PORT]
    turn:[USER:CREDENTIAL@]HOST[:PORT][?transport=udp|tcp]
    turns:[USER:CREDENTIAL@]HOST[:PORT]                      TLS over TCP

RFC 7064 and RFC 7065, with the user information of RFC 3986 for those who have only one line to write; what is special in it
(`:`, `@`, `%`) is percent-encoded there.
"""

import re
from dataclasses import dataclass, field
from typing import Final, Literal

from blink_cli.core.errors import UsageError

IceServerKind = Literal["stun", "turn"]

MAX_ICE_SERVERS: Final = 16
"""Each is probed about once a minute; a longer list is a mistake."""

_URL: Final = (
    r"(?P<scheme>stuns?|turns?):(?:(?P<user>[^@/?]*)@)?(?P<host>[A-Za-z0-9._-]{1,253})(?::(?P<port>\d{1,5}))?"
    r"(?:\?transport=(?P<transport>udp|tcp))?"
)
"""Compiled when it is needed: most commands read no server, and all load this module."""

_HINT: Final = (
    "For example stun:stun.example.org or turn:USER:CREDENTIAL@turn.example.org:3478?transport=tcp."
)


@dataclass(frozen=True, slots=True)
class ConfiguredServer:
    """One server, checked. Its secrets do not show in its `repr`."""

    scheme: Literal["stun", "turn", "turns"]
    host: str
    """A name or an IPv4 address: aioice's TURN client reaches no other."""

    port: int
    transport: Literal["udp", "tcp"]
    username: str | None = None
    credential: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    """Shared with a TURN server that takes time-limited credentials; then `username` is only the name in them."""

    @property
    def kind(self) -> IceServerKind:
        """What it is for: finding one's outside address, or relaying."""
        return "stun" if self.scheme == "stun" else "turn"

    @property
    def url(self) -> str:
        """Its address as it is shown: nothing secret in it."""
        return self.url_at(self.host)

    def url_at(self, host: str) -> str:
        """Return the same URL with another host, such as the address that its name stands for."""
        plain = f"{self.scheme}:{host}:{self.port}"
        return f"{plain}?transport=tcp" if self.scheme == "turn" and self.transport == "tcp" else plain

    def credentials(self, now_wall_s: float) -> tuple[str | None, str | None]:
        """Return the username and the credential to use now; both None where there are none.

        Args:
            now_wall_s: Seconds since 1970.

        """
        if self.secret is not None:
            from blink_cli.core.api.turn_credentials import time_limited_credentials  # noqa: PLC0415 - 11 ms, as below

            return time_limited_credentials(self.secret, self.username or "", now_wall_s)
        return self.username, self.credential


def parse_ice_server(
    text: str, *, username: str | None = None, credential: str | None = None, secret: str | None = None
) -> ConfiguredServer:
    """Read a server's URL, with what the settings say beside it.

    Raises:
        UsageError: It names no server that can be used; the sentence does not repeat its secrets.

    """
    match = re.fullmatch(_URL, text)
    if match is None:
        raise UsageError(f"{_without_user(text)!r} is not the URL of a STUN or TURN server.", hint=_HINT)
    scheme, shown = match["scheme"], _without_user(text)
    if scheme == "stuns":
        raise UsageError(f"{shown}: STUN over TLS is not supported.", hint="Write stun: instead.")
    port = int(match["port"]) if match["port"] else 5349 if scheme == "turns" else 3478
    if not 0 < port < 65_536:
        raise UsageError(f"{shown}: there is no port {port}.", hint=_HINT)
    if match["user"] is not None:
        if username is not None or credential is not None:
            raise UsageError(f"{shown}: the user stands in the URL and beside it.", hint="Leave one out.")
        from urllib.parse import unquote  # noqa: PLC0415 - 7 ms that `--help` does not need

        user, colon, password = match["user"].partition(":")
        username, credential = unquote(user), unquote(password) if colon else None
    if scheme == "stun":
        if match["transport"] is not None or (username, credential, secret) != (None, None, None):
            raise UsageError(f"{shown}: a STUN server takes neither transport nor user.", hint=_HINT)
        return ConfiguredServer("stun", match["host"], port, "udp")
    if secret is not None and credential is not None:
        raise UsageError(
            f"{shown}: a secret and a credential exclude each other.",
            hint="Leave one out; with `secret`, the credential is computed for each use.",
        )
    if secret is None and (username is None) is not (credential is None):
        raise UsageError(f"{shown}: a username needs a credential, and the reverse.", hint=_HINT)
    if scheme == "turns":
        if match["transport"] == "udp":
            raise UsageError(f"{shown}: TURN over DTLS is not supported.", hint="Leave ?transport=udp out.")
        return ConfiguredServer("turns", match["host"], port, "tcp", username, credential, secret)
    transport: Literal["udp", "tcp"] = "tcp" if match["transport"] == "tcp" else "udp"
    return ConfiguredServer("turn", match["host"], port, transport, username, credential, secret)


def _without_user(text: str) -> str:
    scheme, colon, rest = text.partition(":")
    return f"{scheme}{colon}{rest.rpartition('@')[2]}"[:200]

"""SFUs through which larger calls go, as a user names them: in the settings, or with `--sfu`.

ws://HOST[:PORT][/PATH]
wss://…                     the same over TLS
any                         also those that the others of a call name
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import msgspec

from blink_cli.core.errors import UsageError
from blink_cli.core.media.room import is_sfu_url

MAX_SFUS: Final = 8
ANY: Final = "any"

_HINT: Final = "For example wss://sfu.example.org:8989, or `any`."


@dataclass(frozen=True, slots=True)
class SfuAccess:
    """How a server proves who it is, and what it is told. Its secrets do not show in its `repr`."""

    ca_pem: str | None = None
    """Certificates that its own is to be signed by, PEM; None: those that the system trusts."""

    api_secret: str | None = field(default=None, repr=False)
    """Janus's `api_secret`; None: it wants none."""

    token: str | None = field(default=None, repr=False)
    """One of Janus's tokens (`token_auth`), in place of the secret that all have."""

    admin_key: str | None = field(default=None, repr=False)
    """VideoRoom's, without which it lets no room be made; None: it wants none, or somebody else makes the room."""


class NamedSfus(msgspec.Struct, frozen=True):
    """The servers that this session's user named, and how they are reached."""

    urls: tuple[str, ...] = ()
    access: SfuAccess = SfuAccess()

    def access_to(self, url: str) -> SfuAccess:
        """How a server is reached: one that only others of a call name is told no secret of ours."""
        return self.access if url in self.urls else SfuAccess()


def parse_sfu(text: str) -> str:
    """Read the address of one SFU.

    Raises:
        UsageError: It is none.

    """
    if not is_sfu_url(text):
        shown = text.rpartition("@")[2]  # what stands before it may be secret
        raise UsageError(f"{shown!r} is not the address of an SFU.", hint=_HINT)
    return text


def parse_sfus(texts: Iterable[str]) -> tuple[tuple[str, ...], bool]:
    """Read several: which they are, and whether any other may be used too.

    Raises:
        UsageError: One is none, or there are too many.

    """
    named = dict.fromkeys(texts)
    urls = tuple(parse_sfu(text) for text in named if text != ANY)
    if len(urls) > MAX_SFUS:
        raise UsageError(f"{len(urls)} SFUs are more than {MAX_SFUS}.", hint="Name the best ones.")
    return urls, ANY in named

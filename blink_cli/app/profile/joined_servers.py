"""Remembers the signal servers that a profile was invited to by `blink join`, so that its sessions use them."""

from typing import Final

import msgspec

from blink_cli.app.profile.profile import Profile
from blink_cli.core.api.signal_server import SignalAccess, SignalServers, parse_signal_server
from blink_cli.core.errors import UsageError
from blink_cli.files.reading import read_whole
from blink_cli.files.writing import write_over

_MOST_BYTES: Final = 65_536


class _File(msgspec.Struct, frozen=True):
    servers: tuple[str, ...] = ()
    ca_pem: str | None = None
    credentials: str | None = None


_FILES: Final = msgspec.json.Decoder(_File)


class JoinedServers:
    """`signal.json` beside the profile's key; its owner's alone, since it may hold a seed. Blocks for as long as the disk does."""

    def __init__(self, profile: Profile) -> None:
        self._path = profile.data_dir / "signal.json"

    def chosen(self) -> SignalServers:
        """What was joined; no servers where nothing was, or the file cannot be read."""
        try:
            kept = _FILES.decode(read_whole(self._path, _MOST_BYTES))
            servers = tuple(parse_signal_server(url) for url in kept.servers)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError, UsageError):
            return SignalServers()
        return SignalServers(servers, SignalAccess(kept.ca_pem, kept.credentials))

    def remember(self, joined: SignalServers) -> None:
        """Keep these in place of those before; none: forget them.

        Raises:
            OSError: The profile cannot be written.

        """
        urls = tuple(server.full_url for server in joined.servers)
        kept = _File(urls, joined.access.ca_pem, joined.access.credentials)
        write_over(self._path, msgspec.json.encode(kept))

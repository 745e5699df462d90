"""Which servers carry a session's signals past the network: what its options say, else its settings, else the invitation that was joined."""

from pathlib import Path
from typing import Final

from blink_cli.app.profile.joined_servers import JoinedServers
from blink_cli.app.profile.named_files import named_text
from blink_cli.app.profile.profile import Profile
from blink_cli.app.profile.settings import SignalSection
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.api.signal_server import (
    SignalAccess,
    SignalServer,
    SignalServers,
    checked_signal_servers,
    parse_signal_server,
)

_IS_WHAT: Final = "It is what a signal server is told, or the certificate that signed its own; the files that `[signal]` names lie beside settings.toml."


def signal_choice(profile: Profile, settings: SignalSection, options: SessionOptions) -> SignalServers:
    """Return what is used. Blocks for as long as the disk does.

    Raises:
        UsageError: A file that is named cannot be read, or signals have no way.

    """
    servers, access = _servers(profile, settings, options)
    multicast = settings.multicast if options.multicast is None else options.multicast
    return checked_signal_servers(SignalServers(servers, access, multicast=multicast))


def _servers(
    profile: Profile, settings: SignalSection, options: SessionOptions
) -> tuple[tuple[SignalServer, ...], SignalAccess]:
    if not options.signal_servers and not settings.servers:
        joined = JoinedServers(profile).chosen()
        return joined.servers, joined.access
    folder = profile.settings_path.parent
    ca = options.signal_ca or (settings.ca and str(folder / settings.ca))
    credentials = options.signal_credentials or (settings.credentials and str(folder / settings.credentials))
    named = tuple(parse_signal_server(url) for url in settings.servers)
    return options.signal_servers or named, SignalAccess(_text(ca), _text(credentials))


def _text(path: str | None) -> str | None:
    return named_text(Path(path), _IS_WHAT) if path else None

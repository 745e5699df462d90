"""The secrets of a profile that are known by their words: what must stand in no log and in no report."""

import os
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote

from blink_cli.app.profile.profile import Profile
from blink_cli.app.profile.settings import Settings, load_settings
from blink_cli.core.api.ice_server import ConfiguredServer
from blink_cli.core.api.signal_server import SignalServer, parse_signal_server
from blink_cli.core.errors import BlinkError


def known_secrets(
    profile: Profile,
    servers: Iterable[ConfiguredServer] = (),
    signal_servers: Iterable[SignalServer] = (),
    environ: Mapping[str, str] = os.environ,
) -> tuple[str, ...]:
    """Return credentials of the settings' servers and of further ones, and the passphrase. Reads the settings; nothing of them where they are wrong."""
    found = [environ.get("BLINK_PASSPHRASE", "")]
    settings = _settings(profile)
    for server in (*servers, *(section.server() for section in settings.ice_servers)):
        found += [server.credential or "", server.secret or ""]
    for signal_server in (*signal_servers, *map(parse_signal_server, settings.signal.servers)):
        found += [unquote(part) for part in signal_server.user.partition(":")[::2]]
    found += [one or "" for one in (settings.sfu.api_secret, settings.sfu.token, settings.sfu.admin_key)]
    # As they stand in a URL, too.
    return tuple(dict.fromkeys(form for one in found if one for form in (one, quote(one, safe=""))))


def _settings(profile: Profile) -> Settings:
    try:
        return load_settings(profile.settings_path)
    except BlinkError:
        return Settings()

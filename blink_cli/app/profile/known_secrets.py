"""The secrets of a profile that are known by their words: what must stand in no log and in no report."""

import os
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from blink_cli.app.profile.profile import Profile
from blink_cli.app.profile.settings import load_settings
from blink_cli.core.api.ice_server import ConfiguredServer
from blink_cli.core.errors import BlinkError


def known_secrets(
    profile: Profile, servers: Iterable[ConfiguredServer] = (), environ: Mapping[str, str] = os.environ
) -> tuple[str, ...]:
    """Return credentials of the settings' servers and of further ones, and the passphrase. Reads the settings; nothing of them where they are wrong."""
    found = [environ.get("BLINK_PASSPHRASE", "")]
    for server in (*servers, *_configured(profile)):
        found += [server.credential or "", server.secret or ""]
    # As they stand in a URL, too.
    return tuple(dict.fromkeys(form for one in found if one for form in (one, quote(one, safe=""))))


def _configured(profile: Profile) -> tuple[ConfiguredServer, ...]:
    try:
        return tuple(section.server() for section in load_settings(profile.settings_path).ice_servers)
    except BlinkError:
        return ()

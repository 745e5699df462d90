"""Through which SFUs a session's larger calls go, and how those are reached: what its options say, else its settings."""

from pathlib import Path
from typing import Final

import msgspec

from blink_cli.app.profile.named_files import named_text
from blink_cli.app.profile.profile import Profile
from blink_cli.app.profile.settings import SfuSection
from blink_cli.core.api.replies.network import SfuUse
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.api.sfu_server import NamedSfus, SfuAccess
from blink_cli.core.call.room_policy import RoomPolicy

_IS_WHAT: Final = (
    "It is the certificate that signed an SFU's own; the file that `[sfu]` names lies beside settings.toml."
)


class SfuChoice(msgspec.Struct, frozen=True):
    """What a session uses."""

    policy: RoomPolicy
    servers: NamedSfus
    use: SfuUse
    """As it is shown."""


def sfu_choice(profile: Profile, settings: SfuSection, options: SessionOptions) -> SfuChoice:
    """Return the servers that are named, and how they are reached. Blocks for as long as the disk does.

    Raises:
        UsageError: The file of the certificate cannot be read.

    """
    ca = options.sfu_ca or (settings.ca and str(profile.settings_path.parent / settings.ca)) or None
    access = SfuAccess(
        ca_pem=None if ca is None else named_text(Path(ca), _IS_WHAT),
        api_secret=settings.api_secret,
        token=settings.token,
        admin_key=settings.admin_key,
    )
    policy = settings.with_options(options)
    return SfuChoice(policy, NamedSfus(policy.urls, access), SfuUse(policy.urls, policy.takes_any, ca))

"""Time-limited TURN credentials: who shares a secret with the server makes them, nobody stores them.

    username   = EXPIRY:NAME          EXPIRY in seconds since 1970
    credential = base64(HMAC-SHA1(secret, username))

The server knows the secret too, computes the same, and refuses names that have expired. SHA-1 is what deployed servers
compute; as an HMAC it is not broken.

Source: draft-uberti-behave-turn-rest-00, section 2.2; coturn's `use-auth-secret`.
"""

import base64
import hashlib
import hmac
from typing import Final

CREDENTIAL_LIFETIME_S: Final = 86_400
"""A day, as the draft recommends. New ones are made for every use, so this only has to outlast a call and shift_deadlines a clock
that is hours off: some servers check the name again at each refresh of an allocation."""


def time_limited_credentials(secret: str, name: str, now_wall_s: float) -> tuple[str, str]:
    """Return the username and the credential for the next day.

    Args:
        secret: Shared with the server.
        name: Anything that helps the server's owner to tell users apart; may be empty.
        now_wall_s: Seconds since 1970.

    """
    expiry = int(now_wall_s) + CREDENTIAL_LIFETIME_S
    username = f"{expiry}:{name}" if name else str(expiry)
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(digest).decode("ascii")

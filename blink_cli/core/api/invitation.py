"""What one person gives another so that both can call each other: one line to paste, or to read from a QR code.

    blink-join:BASE64URL( MessagePack [version, public key | nil, nickname, [URL, ...], certificate | nil, nkey seed | nil] | check )

`check` is 4 bytes of BLAKE2b over what stands before: a line that was cut or changed on its way is known by them, and two people can compare them.
The same in capital letters is for QR codes (`invitation_code.py`): both are read.
An invitation with a seed opens the broker to whoever reads it: it is a password.
"""

import base64
import binascii
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

import msgspec

from blink_cli.core.api.invitation_code import CODE_SCHEME, bytes_of, code_of
from blink_cli.core.api.signal_server import MAX_SIGNAL_SERVERS, SignalServer, parse_signal_server
from blink_cli.core.errors import UsageError, WireError
from blink_cli.core.identity.did import PUBLIC_KEY_BYTES, did_of, public_key_of
from blink_cli.core.identity.nickname import harmless_nickname
from blink_cli.core.ids import Did

SCHEME: Final = "blink-join:"
MAX_CHARS: Final = 8_192
MAX_CERTIFICATE_BYTES: Final = 4_096
MAX_SEED_CHARS: Final = 128

_VERSION: Final = 1
_CHECK_BYTES: Final = 4
_HINT: Final = (
    f"It is one line that begins with {SCHEME}, as `blink invite` and `blink broker init` print it."
)


@dataclass(frozen=True, slots=True)
class Invitation:
    """At least a person or a server."""

    did: Did | None
    """Who invites; None: only a broker is told of."""

    nickname: str
    """What that one calls itself; empty if unknown."""

    servers: tuple[SignalServer, ...]
    """Which carry signals past one network, of one cluster."""

    certificate: bytes | None = field(default=None, repr=False)
    """That the servers' are signed by, DER; None: the system knows who signed."""

    credentials: str | None = field(default=None, repr=False)
    """An nkey seed."""


def write_invitation(invitation: Invitation) -> str:
    """Return it as one line of letters, digits, `-`, `_` and `:`."""
    content = msgspec.msgpack.encode(
        [
            _VERSION,
            None if invitation.did is None else public_key_of(invitation.did),
            invitation.nickname,
            [server.full_url for server in invitation.servers],
            invitation.certificate,
            invitation.credentials,
        ]
    )
    return SCHEME + base64.urlsafe_b64encode(content + _check(content)).decode().rstrip("=")


def read_invitation(text: str) -> Invitation:
    """Read one; space and line ends within it, as mail programs make them, do not matter.

    Raises:
        UsageError: It is none, or was cut or changed.

    """
    whole = _bytes_of(text)
    content, check = whole[:-_CHECK_BYTES], whole[-_CHECK_BYTES:]
    if not content or _check(content) != check:
        raise UsageError("This invitation was cut or changed on its way.", hint=f"Paste all of it. {_HINT}")
    try:
        fields = msgspec.msgpack.decode(content)
    except (msgspec.DecodeError, RecursionError) as failure:
        raise _of_another_version() from failure
    return _invitation(fields)


def qr_text(line: str) -> str:
    """Return the line of an invitation as a QR code is to have it."""
    return code_of(_bytes_of(line))


def check_text(text: str) -> str:
    """What two people compare, by voice say: `1a2b-3c4d`. Whether one has the line or the code makes no difference."""
    line = text
    if _letters(text).startswith(CODE_SCHEME):
        line = SCHEME + base64.urlsafe_b64encode(_bytes_of(text)).decode().rstrip("=")
    digits = blake2b("".join(line.split()).encode(), digest_size=_CHECK_BYTES).hexdigest()
    return f"{digits[:4]}-{digits[4:]}"


def _letters(text: str) -> str:
    return "".join(text.split())


def _bytes_of(text: str) -> bytes:
    """What its letters stand for; nothing if it was cut or changed so that they stand for nothing."""
    line = _letters(text)
    is_code = line.startswith(CODE_SCHEME)
    if not (is_code or line.startswith(SCHEME)) or len(line) > MAX_CHARS:
        raise UsageError("This is no invitation.", hint=_HINT)
    encoded = line.removeprefix(SCHEME)
    try:
        if is_code:
            return bytes_of(line)
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (WireError, binascii.Error, ValueError):
        return b""


def _invitation(fields: Any) -> Invitation:
    match fields:
        case [int(version), key, str(nickname), list(urls), certificate, seed, *_] if (
            version == _VERSION
            and (key is None or (isinstance(key, bytes) and len(key) == PUBLIC_KEY_BYTES))
            and len(urls) <= MAX_SIGNAL_SERVERS
            and all(isinstance(url, str) for url in urls)
            and (
                certificate is None
                or (isinstance(certificate, bytes) and len(certificate) <= MAX_CERTIFICATE_BYTES)
            )
            and (seed is None or (isinstance(seed, str) and len(seed) <= MAX_SEED_CHARS))
            and (key is not None or urls)
        ):
            return Invitation(
                None if key is None else did_of(key),
                harmless_nickname(nickname),
                tuple(parse_signal_server(url) for url in urls),
                certificate,
                seed,
            )
        case _:
            raise _of_another_version()


def _of_another_version() -> UsageError:
    return UsageError(
        "This invitation is of another version of blink.", hint="Both sides need the same version."
    )


def _check(content: bytes) -> bytes:
    return blake2b(content, digest_size=_CHECK_BYTES, person=b"blink-invite").digest()

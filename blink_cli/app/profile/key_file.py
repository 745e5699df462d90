"""The file that holds a profile's key: PKCS#8 in PEM, mode 0600, with a passphrase if one is wished.

    Scrypt-Salt: 32 hexadecimal digits          only with a passphrase
    -----BEGIN ENCRYPTED PRIVATE KEY-----       or: BEGIN PRIVATE KEY

What encrypts PKCS#8 here stretches a password by 2,048 rounds of PBKDF2 only, which a graphics card undoes at a million
guesses a second. Therefore the password that it gets is not the passphrase but scrypt of it (RFC 7914), in hexadecimal.
"""

import contextlib
import re
from collections.abc import Callable
from hashlib import scrypt
from pathlib import Path
from typing import Final

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from blink_cli.core.errors import IdentityError
from blink_cli.core.identity.identity import SEED_BYTES, Identity
from blink_cli.core.text.path_text import as_word
from blink_cli.files.reading import NotPrivateError, read_private
from blink_cli.files.writing import write_new, write_over

_LIMIT_BYTES: Final = 16_384

_SALT_BYTES: Final = 16
_SALT_LINE: Final = re.compile(rb"^Scrypt-Salt: ([0-9a-f]{32})\r?$", re.MULTILINE)
_ENCRYPTED: Final = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"

_SCRYPT_N: Final = 2**15
_SCRYPT_R: Final = 8
_SCRYPT_MEMORY_BYTES: Final = 64 * 1024 * 1024
"""A tenth of a second and 32 MB for each guess."""


def load_or_create_identity(path: Path, passphrase: str | None, entropy: Callable[[int], bytes]) -> Identity:
    """The identity in this file; a new one, written to it, when there is no such file.

    Args:
        path: The key file. Its folder exists.
        passphrase: Opens the file, and encrypts a new one; None or empty: without.
        entropy: That many unpredictable bytes: `secrets.token_bytes`.

    Raises:
        IdentityError: See `load_identity`; or the file cannot be written.

    """
    if not path.exists():
        # Another process of this profile may be quicker: then its key is the one.
        with contextlib.suppress(FileExistsError):
            create_key_file(path, entropy(SEED_BYTES), passphrase, entropy)
    return load_identity(path, passphrase)


def create_key_file(
    path: Path, seed: bytes, passphrase: str | None, entropy: Callable[[int], bytes], *, replace: bool = False
) -> None:
    """Write a key file, whole or not at all.

    Raises:
        FileExistsError: There is one, and it is not to be replaced.
        IdentityError: It cannot be written.

    """
    encryption: KeySerializationEncryption = NoEncryption()
    head = b""
    if passphrase:
        salt = entropy(_SALT_BYTES)
        head = b"Scrypt-Salt: " + salt.hex().encode() + b"\n"
        encryption = BestAvailableEncryption(_stretched(passphrase, salt))
    key = Ed25519PrivateKey.from_private_bytes(seed)
    content = head + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    try:
        (write_over if replace else write_new)(path, content)
    except FileExistsError:
        raise
    except OSError as reason:
        raise IdentityError(
            f"The key cannot be written to {path}: {reason.strerror}.",
            hint="Choose another folder with --data-dir, or BLINK_DATA_DIR.",
        ) from reason


def needs_passphrase(path: Path) -> bool:
    """Whether the key file exists and is encrypted: the moment to ask for a passphrase.

    Raises:
        IdentityError: It cannot be read, or others can read it.

    """
    return path.exists() and _ENCRYPTED in _read(path)


def load_identity(path: Path, passphrase: str | None) -> Identity:
    """Read the key file.

    Raises:
        IdentityError: It is missing, can be read by others, is encrypted and the passphrase is missing or wrong, or is
            damaged. A passphrase for a file without one is not an error.

    """
    content = _read(path)
    password = None
    if _ENCRYPTED in content:
        if not passphrase:
            raise IdentityError(
                f"The key in {path} is locked with a passphrase.",
                hint="Give it in BLINK_PASSPHRASE, or run the command in a terminal, which asks for it.",
            )
        salt = _SALT_LINE.search(content)
        if salt is None:
            raise _damaged(path)
        password = _stretched(passphrase, bytes.fromhex(salt[1].decode()))
    try:
        key = load_pem_private_key(content, password)
    except (ValueError, TypeError) as reason:
        if password is not None and "password" in str(reason).lower():
            raise IdentityError(
                f"The passphrase does not open the key in {path}.", hint="Try again; letter case counts."
            ) from reason
        raise _damaged(path) from reason
    except (UnsupportedAlgorithm, InternalError) as reason:  # OpenSSL refuses a key of a wrong length so
        raise _damaged(path) from reason
    if not isinstance(key, Ed25519PrivateKey):
        raise IdentityError(
            f"The key in {path} is not an Ed25519 key.", hint="Move the file away; a new key is made then."
        )
    return Identity(key.private_bytes_raw())


def _read(path: Path) -> bytes:
    try:
        return read_private(path, _LIMIT_BYTES)
    except NotPrivateError as reason:
        raise IdentityError(
            f"The key file {path} {reason}.",
            hint=f"Make it yours alone (chmod 600 {as_word(path)}). Whoever read it can speak as you: if that may have happened, "
            "move it away, and a new key is made.",
        ) from reason
    except OSError as reason:
        raise IdentityError(
            f"The key file {path} cannot be read: {reason.strerror}.",
            hint="If it is lost, a new key makes a new identity; your peers must learn its DID.",
        ) from reason


def _damaged(path: Path) -> IdentityError:
    return IdentityError(
        f"The key file {path} is damaged.",
        hint="Restore it from a backup, or move it away: a new key makes a new identity.",
    )


def _stretched(passphrase: str, salt: bytes) -> bytes:
    return (
        scrypt(
            passphrase.encode(),
            salt=salt,
            n=_SCRYPT_N,
            r=_SCRYPT_R,
            p=1,
            maxmem=_SCRYPT_MEMORY_BYTES,
            dklen=32,
        )
        .hex()
        .encode()
    )

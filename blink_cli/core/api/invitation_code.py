"""An invitation in the letters of which a QR code holds most: the same bytes as in the line to paste, deflated, in capital letters and digits.

    BLINK-JOIN:BASE32( DEFLATE with a dictionary( what BASE64URL stands for in the line ) )

A code takes 5.5 bits for such a character and 8 for any other (ISO/IEC 18004, alphanumeric mode): of base32 10 % is lost so, and of base64 a third. The certificate
of a broker is most of an invitation, and most of that stands in every one.
"""

import base64
import binascii
import zlib
from typing import Final

from blink_cli.core.errors import WireError

CODE_SCHEME: Final = "BLINK-JOIN:"
MOST_BYTES: Final = 6_144
"""Of an invitation. It bounds what a hostile code can inflate to."""

_RAW_DEFLATE: Final = -15

# What a certificate of `blink broker init` (X.509 v3, Ed25519, RFC 8410) and the invitation around it have in common. It belongs to the format: never change it.
_DICTIONARY: Final = b"".join(
    (
        bytes.fromhex("c50128308201243081d7a0030201020214300506032b657030173115301306035504030c0c"),
        b"blink broker",
        bytes.fromhex("301e170d"),
        b"260101000000Z",
        bytes.fromhex("170d"),
        b"360101000000Z",
        bytes.fromhex("30173115301306035504030c0c"),
        b"blink broker",
        bytes.fromhex("302a300506032b6570032100"),
        bytes.fromhex("a3353033301d0603551d1104163014821230120603551d130101ff040830060101ff020100"),
        bytes.fromhex("300506032b6570034100"),
        b"\x96\x01\xc4\x20\xc0\x91tls://broker.example.org:4222nats://.com.net\xd9\x3aSUA",
    )
)


def code_of(whole: bytes) -> str:
    """Return an invitation's bytes as the text of a QR code."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, _RAW_DEFLATE, 9, zlib.Z_DEFAULT_STRATEGY, _DICTIONARY)
    deflated = deflater.compress(whole) + deflater.flush()
    return CODE_SCHEME + base64.b32encode(deflated).decode().rstrip("=")


def bytes_of(code: str) -> bytes:
    """Return the bytes of an invitation.

    Raises:
        WireError: It is no such code, or was cut or changed.

    """
    letters = code.removeprefix(CODE_SCHEME)
    inflater = zlib.decompressobj(_RAW_DEFLATE, _DICTIONARY)
    try:
        deflated = base64.b32decode(letters + "=" * (-len(letters) % 8))
        whole = inflater.decompress(deflated, MOST_BYTES)
    except (binascii.Error, ValueError, zlib.error) as failure:
        raise WireError("this is no code of an invitation") from failure
    if not inflater.eof or inflater.unused_data:
        raise WireError("this code of an invitation was cut, or says more than one may")
    return whole

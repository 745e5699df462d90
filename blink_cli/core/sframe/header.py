"""The header of an SFrame ciphertext: which key opens it, and its number under that key (RFC 9605, section 4.3).

0 1 2 3 4 5 6 7
|X|  K  |Y|  C  | KID, if X: K + 1 bytes | CTR, if Y: C + 1 bytes |      X = 0: KID is K itself; Y = 0: CTR is C itself
"""

from typing import Final

from blink_cli.core.errors import WireError

LONGEST_HEADER_BYTES: Final = 17
MAX_NUMBER: Final = 2**64 - 1
"""Of a key and of a counter."""

_SHORT: Final = 8
"""Numbers below it stand in the first byte."""


def write_header(kid: int, ctr: int) -> bytes:
    """The shortest header that says these two, each 0 to 2^64 - 1."""
    kid_code, kid_bytes = _written(kid)
    ctr_code, ctr_bytes = _written(ctr)
    return bytes((kid_code << 4 | ctr_code,)) + kid_bytes + ctr_bytes


def read_header(ciphertext: bytes) -> tuple[int, int, int]:
    """KID, CTR, and how long the header is.

    Raises:
        WireError: It is cut off.

    """
    if not ciphertext:
        raise WireError("An SFrame ciphertext is empty.")
    config = ciphertext[0]
    kid, end = _read(ciphertext, config >> 4, 1)
    ctr, end = _read(ciphertext, config & 0x0F, end)
    return kid, ctr, end


def _written(number: int) -> tuple[int, bytes]:
    if not 0 <= number <= MAX_NUMBER:
        raise ValueError("a number of an SFrame header has 64 bits")
    if number < _SHORT:
        return number, b""
    size = (number.bit_length() + 7) // 8
    return _SHORT | size - 1, number.to_bytes(size, "big")


def _read(ciphertext: bytes, code: int, begin: int) -> tuple[int, int]:
    if code < _SHORT:
        return code, begin
    end = begin + (code & 0x07) + 1
    if end > len(ciphertext):
        raise WireError("An SFrame header is cut off.")
    return int.from_bytes(ciphertext[begin:end], "big"), end

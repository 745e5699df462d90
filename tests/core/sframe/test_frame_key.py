"""RFC 9605's own vectors, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from blink_cli.core.errors import WireError
from blink_cli.core.sframe.frame_key import CIPHER_SUITE, SEALING_BYTES, FrameKey
from blink_cli.core.sframe.header import MAX_NUMBER, read_header, write_header

VECTORS: dict[str, Any] = json.loads(Path(__file__).with_name("rfc9605_vectors.json").read_text())
KEY = FrameKey(7, b"k" * 16)


def test_headers_are_those_of_the_rfc() -> None:
    for vector in VECTORS["header"]:
        encoded = bytes.fromhex(vector["encoded"])
        assert write_header(vector["kid"], vector["ctr"]) == encoded
        assert read_header(encoded + b"rest") == (vector["kid"], vector["ctr"], len(encoded))
        for cut in range(len(encoded)):
            with pytest.raises(WireError):
                read_header(encoded[:cut])


@pytest.mark.parametrize("vector", VECTORS["sframe"])
def test_ciphertexts_are_those_of_the_rfc(vector: dict[str, Any]) -> None:
    assert vector["cipher_suite"] == CIPHER_SUITE
    key = FrameKey(vector["kid"], bytes.fromhex(vector["base_key"]))
    metadata = bytes.fromhex(vector["metadata"])
    plaintext, ciphertext = bytes.fromhex(vector["pt"]), bytes.fromhex(vector["ct"])
    assert key.seal(vector["ctr"], plaintext, metadata) == ciphertext
    assert key.open(ciphertext, metadata) == plaintext
    with pytest.raises(WireError):
        key.open(ciphertext, metadata + b"x")


def test_every_changed_byte_is_noticed() -> None:
    sealed = KEY.seal(300, b"ten of it.")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(WireError):
            KEY.open(bytes(changed))
    with pytest.raises(WireError):
        FrameKey(7, b"another key's 16").open(sealed)


def test_sealing_adds_no_more_than_it_says() -> None:
    longest = FrameKey(MAX_NUMBER, b"k" * 16).seal(MAX_NUMBER, b"")
    assert len(longest) == SEALING_BYTES
    with pytest.raises(ValueError, match="64 bits"):
        KEY.seal(MAX_NUMBER + 1, b"")

"""The SFrame keys of a call in a room: one for each sender, stream and group key.

    HKDF(group key, "blink room 1" | stream id | DID) -> base key 16 bytes | KID 5 bytes

The KID is as secret as random: the server learns by it that one sender's packets are one sender's, which it knows anyway, and that the key was changed.
A stream id is made for each publishing, so that no key is used again with the same numbers by a session that came back.
"""

from hashlib import blake2b
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from blink_cli.core.ids import Did
from blink_cli.core.media.room import STREAM_ID_BYTES
from blink_cli.core.sframe.frame_key import KEY_BYTES, FrameKey

_INFO: Final = b"blink room 1"
_KID_BYTES: Final = 5
"""Of 64 senders with 5 keys each, two names are the same once in 20 million calls; then one of the two is not heard until the next key."""


def picture_stream_id(stream_id: bytes) -> bytes:
    """The id of the stream of pictures that belongs to a stream of voice: its keys are others, and nobody need be told it."""
    return blake2b(stream_id, digest_size=STREAM_ID_BYTES, person=b"blink-pictures").digest()


def frame_key(group_key: bytes, sender: Did, stream_id: bytes) -> FrameKey:
    """Derive the key of one sender's stream under one key of the call."""
    assert len(stream_id) == STREAM_ID_BYTES, "where the DID begins is fixed"
    info = _INFO + stream_id + sender.encode()
    made = HKDF(hashes.SHA256(), KEY_BYTES + _KID_BYTES, salt=None, info=info).derive(group_key)
    return FrameKey(int.from_bytes(made[KEY_BYTES:], "big"), made[:KEY_BYTES])

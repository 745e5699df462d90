"""A room on an SFU, and a participant's stream in it: what the rules of a call and what carries its voice say to each other.

The number of a room and its pin follow from the key of the call's invitation and the server's address, so nobody has to be told them: who is
invited finds the room, or makes it where there is none; the server learns neither call nor people.
"""

import re
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Annotated, Final

import msgspec

STREAM_ID_BYTES: Final = 16
MAX_URL_CHARS: Final = 256
"""Of an SFU's address: it is told with every announce."""

_LABEL: Final = "[A-Za-z0-9_-]{1,63}"
_URL: Final = rf"wss?://(?:{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]{{2,45}}\])(?::(?P<port>\d{{1,5}}))?(?:/[A-Za-z0-9._~/-]*)?"
"""Compiled when it is needed: most commands read no server. No user and no query: a secret there would be told to everybody in a call."""

_ROOM_BYTES: Final = 6
"""JSON's numbers are exact up to 2^53."""

_PIN_BYTES: Final = 16


def is_sfu_url(text: str) -> bool:
    """Whether this can be the address of an SFU: `ws://` or `wss://`, a host of labels as DNS has them, or an IP address, a port, a path."""
    match = re.fullmatch(_URL, text)
    return match is not None and len(text) <= MAX_URL_CHARS and 0 < int(match["port"] or 1) < 65_536


@dataclass(frozen=True, slots=True)
class RoomPlace:
    """Where a call meets."""

    url: str
    """Of the SFU: `ws://` or `wss://`."""

    room: int
    """1 to 2^48."""

    pin: str = field(repr=False)
    """Without it nobody enters."""


class RoomFeed(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a participant publishes in a room, as it tells the others. Said on the wire as it is."""

    feed: Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
    """The server's number for it."""

    stream_id: Annotated[bytes, msgspec.Meta(min_length=STREAM_ID_BYTES, max_length=STREAM_ID_BYTES)]
    """Random, new for each publishing: the key of the stream follows from it."""

    opus: Annotated[int, msgspec.Meta(ge=0, le=127)]
    """The payload type of Opus inside of what is sealed."""

    red: Annotated[int, msgspec.Meta(ge=0, le=127)] | None = None
    """The payload type of RED there; None: it sends none."""


def room_place(url: str, invitation_key: bytes) -> RoomPlace:
    """Where the call of this invitation meets on this server."""
    digest = blake2b(
        url.encode(), key=invitation_key, digest_size=_ROOM_BYTES + _PIN_BYTES, person=b"blink-room"
    ).digest()
    return RoomPlace(url, int.from_bytes(digest[:_ROOM_BYTES]) + 1, digest[_ROOM_BYTES:].hex())

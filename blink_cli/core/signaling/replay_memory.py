"""What one session of an identity has seen, for the next one: so that nothing is believed again after a restart (core/signaling/replay.py).

A MessagePack array, in a file that only its owner reads (app/profile/replay_file.py). It names senders by their keys, and messages by ids that
went over the network in the clear; no content and no key of a call is in it.
"""

from typing import Annotated, Final

import msgspec

from blink_cli.core.signaling.timeline import TIMELINE_KEY_BYTES

MAX_IDS: Final = 16_384
"""Ids and senders in all: half a megabyte. Twelve participants who announce every second say 3,600 things in the window."""

MAX_MEMORY_BYTES: Final = 2_000_000

_Key = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
_TimelineKey = Annotated[bytes, msgspec.Meta(min_length=TIMELINE_KEY_BYTES, max_length=TIMELINE_KEY_BYTES)]
_Id = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
_Date = Annotated[int, msgspec.Meta(ge=-(2**62), lt=2**62)]
"""Milliseconds since 1970."""

SeenId = tuple[_Date, _Id]
"""When it was said, by its sender's clock, and which message it was."""


class TimelineMemory(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A timeline that was proved."""

    key: _TimelineKey
    floor_ms: _Date
    ids: tuple[SeenId, ...]


class SenderMemory(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One sender."""

    sender: _Key
    floor_ms: _Date
    """Nothing is believed that it dated so, or earlier."""

    ids: tuple[SeenId, ...]
    timelines: tuple[TimelineMemory, ...]


class ReplayMemory(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="seen 1"):
    """Complete: an earlier session believed nothing that is not in here or below a floor. Empty: there was none."""

    floor_ms: _Date = -1
    """Of every sender that is not named."""

    senders: tuple[SenderMemory, ...] = ()
    """Who spoke last comes last."""


_DECODER: Final = msgspec.msgpack.Decoder(ReplayMemory)
_ENCODER: Final = msgspec.msgpack.Encoder()


def encode_memory(memory: ReplayMemory) -> bytes:
    """The bytes of a file."""
    return _ENCODER.encode(memory)


def decode_memory(encoded: bytes) -> ReplayMemory | None:
    """What a file says; None when it is damaged."""
    try:
        return _DECODER.decode(encoded)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None

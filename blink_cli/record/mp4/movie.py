"""What FFmpeg's muxer leaves to be amended in the index (`moov`) of an MP4, changed in place: no box moves, so no offset becomes wrong.

    alternate_group   FFmpeg says that all tracks are choices for each other, of which a player plays one. They are not: 0
    channels          known when the sound has come: 2 of a track in which packets of two channels came (Opus, dOps)
    name, titl        FFmpeg can write a track's `name` (QuickTime). Apple's players of today read `titl` (3GPP) alone. So the muxer is given
                      a name with room behind it (`name_with_room`), and the box becomes two

        size name NICKNAME______________________          before
        size name NICKNAME size titl 0 und NICKNAME 0     behind

Sources: ISO/IEC 14496-12, sections 8.2.2 (mvhd), 8.3.2 (tkhd), 12.2.3 (AudioSampleEntry); "Encapsulation of Opus in ISO Base Media File Format", 4.3.2 (dOps); QuickTime File Format, "User data atoms"; 3GPP TS 26.244, section 8.2 (titl).
"""

import io
import os
from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

_HEADER_BYTES: Final = 8
_LONG_HEADER_BYTES: Final = 16

_GROUP_PLACES: Final = {0: 34, 1: 46}
"""Of `alternate_group` in the content of a `tkhd`, by the box's version."""

_STSD_BYTES: Final = 8
"""Version, flags and number of entries, before the first entry of an `stsd`."""

_SAMPLE_ENTRY_BYTES: Final = 28
_CHANNEL_COUNT_PLACE: Final = 16
"""Of an AudioSampleEntry's content, and of the channel count in it."""

_TITL_FRONT: Final = bytes(4) + b"\x55\xc4"
"""Version and flags, and the language "und"."""

_ROOM_BYTES: Final = _HEADER_BYTES + len(_TITL_FRONT) + 1
"""What a `titl` needs beside its text."""


class Change(NamedTuple):
    """Bytes that take the place of as many others."""

    place: int
    data: bytes


class _Box(NamedTuple):
    kind: bytes
    content: int
    end: int


def name_with_room(title: str) -> str:
    """What the muxer is to write as a track's name, so that the box has room for both forms of it."""
    return title + " " * (len(title.encode()) + _ROOM_BYTES)


def changes_in(movie: bytes, stereo: Collection[int] = ()) -> Iterator[Change]:
    """What is to be amended in a whole `moov` box, header included; nothing where it was done before.

    Args:
        movie: The box.
        stereo: Which of its tracks, from 0, have two channels.

    """
    tracks = (box for box in _boxes(movie, _HEADER_BYTES, len(movie)) if box.kind == b"trak")
    for number, track in enumerate(tracks):
        if number in stereo:
            yield from _two_channels(movie, track)
        for box in _boxes(movie, track.content, track.end):
            if box.kind == b"tkhd":
                yield from _ungrouped(movie, box)
            elif box.kind == b"udta":
                yield from _named_twice(movie, box)


def amend(descriptor: int, stereo: Collection[int] = ()) -> None:
    """Amend the index of a file that is finished, open for reading and writing; it stays open. `stereo` as above.

    Raises:
        OSError: It cannot be read or written.

    """
    with io.FileIO(descriptor, "r+", closefd=False) as file:
        total, place = os.fstat(descriptor).st_size, 0
        while place + _HEADER_BYTES <= total:
            file.seek(place)
            header = file.read(_LONG_HEADER_BYTES)
            size, kind = int.from_bytes(header[:4], "big"), header[4:8]
            if size == 1:
                size = int.from_bytes(header[8:], "big")
            if size < _HEADER_BYTES:
                return
            if kind == b"moov":
                file.seek(place)
                for change in changes_in(file.read(size), stereo):
                    file.seek(place + change.place)
                    file.write(change.data)
            place += size


def amended(movie: bytes, stereo: Collection[int] = ()) -> bytes:
    """The same box, amended."""
    result = bytearray(movie)
    for place, data in changes_in(movie, stereo):
        result[place : place + len(data)] = data
    return bytes(result)


def _boxes(data: bytes, place: int, end: int) -> Iterator[_Box]:
    while place + _HEADER_BYTES <= end:
        size = int.from_bytes(data[place : place + 4], "big")
        if size < _HEADER_BYTES or place + size > end:
            return
        yield _Box(data[place + 4 : place + 8], place + _HEADER_BYTES, place + size)
        place += size


def _two_channels(movie: bytes, track: _Box) -> Iterator[Change]:
    entry = _descend(movie, track, b"mdia", b"minf", b"stbl", b"stsd", b"Opus")
    head = None if entry is None else _child(movie, entry, b"dOps", _SAMPLE_ENTRY_BYTES)
    if entry is not None and head is not None:
        yield Change(entry.content + _CHANNEL_COUNT_PLACE, (2).to_bytes(2, "big"))
        yield Change(head.content + 1, b"\x02")


def _descend(movie: bytes, box: _Box, *kinds: bytes) -> _Box | None:
    found: _Box | None = box
    for kind in kinds:
        if found is not None:
            found = _child(movie, found, kind, _STSD_BYTES if found.kind == b"stsd" else 0)
    return found


def _child(movie: bytes, box: _Box, kind: bytes, skipped: int = 0) -> _Box | None:
    return next((one for one in _boxes(movie, box.content + skipped, box.end) if one.kind == kind), None)


def _ungrouped(movie: bytes, header: _Box) -> Iterator[Change]:
    place = header.content + _GROUP_PLACES[min(movie[header.content], 1)]
    if movie[place : place + 2] != bytes(2):
        yield Change(place, bytes(2))


def _named_twice(movie: bytes, user_data: _Box) -> Iterator[Change]:
    for box in _boxes(movie, user_data.content, user_data.end):
        if box.kind == b"name":
            text = movie[box.content : box.end]
            title = text[: (len(text) - _ROOM_BYTES) // 2]
            if len(text) > _ROOM_BYTES and text == title + b" " * (len(title) + _ROOM_BYTES):
                both = _box(b"name", title) + _box(b"titl", _TITL_FRONT + title + b"\0")
                yield Change(box.content - _HEADER_BYTES, both)


def _box(kind: bytes, content: bytes) -> bytes:
    return (_HEADER_BYTES + len(content)).to_bytes(4, "big") + kind + content

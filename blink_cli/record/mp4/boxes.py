"""How much of a growing MP4 is whole: its top-level boxes, read without believing that the last one is there.

    size (4 bytes) type (4 bytes) [size (8 bytes), where the first one is 1] …

Source: ISO/IEC 14496-12, section 4.2.
"""

import io
import os
from pathlib import Path
from typing import Final, NamedTuple

from typing_extensions import override

from blink_cli.files.reading import open_reading

_HEADER_BYTES: Final = 8
_LONG_HEADER_BYTES: Final = 16
_PIECE_BYTES: Final = 1 << 20


class Boxes(NamedTuple):
    """What a walk over the top-level boxes found."""

    whole_bytes: int
    """Where the last box ends that is whole; a `moof` without the `mdat` behind it does not count."""

    fragments: int
    """`moof` boxes up to there."""

    media_bytes: int
    """What the `mdat` boxes up to there hold; in fragments nothing but packets."""

    total_bytes: int


def boxes_of(path: Path) -> Boxes:
    """Walk over a file.

    Raises:
        OSError: It cannot be read.

    """
    whole = place = fragments = begun = media_bytes = 0
    with open_reading(path) as file:
        total = os.fstat(file.fileno()).st_size
        while place + _HEADER_BYTES <= total:
            file.seek(place)
            header = file.read(_LONG_HEADER_BYTES)
            size, kind = int.from_bytes(header[:4], "big"), header[4:8]
            front = _HEADER_BYTES
            if size == 1 and len(header) == _LONG_HEADER_BYTES:
                size, front = int.from_bytes(header[8:], "big"), _LONG_HEADER_BYTES
            if size < front or place + size > total:
                break
            place += size
            if kind == b"moof":
                begun += 1
            else:
                whole, fragments = place, begun
                media_bytes += size - front if kind == b"mdat" else 0
    return Boxes(whole, fragments, media_bytes, total)


def holds_fragments(path: Path, start: int) -> bool:
    """Whether a `moof` begins somewhere behind a place: more than the torn rest of one, which begins there.

    Raises:
        OSError: It cannot be read.

    """
    with open_reading(path) as file:
        file.seek(start + _HEADER_BYTES)
        before = b""
        while piece := file.read(_PIECE_BYTES):
            if b"moof" in before + piece:
                return True
            before = piece[-3:]
    return False


class FrontOfFile(io.RawIOBase):
    """The first bytes of a file, as if there were no more."""

    def __init__(self, path: Path, size: int) -> None:
        """Open it. Raises `OSError` when that is not possible."""
        super().__init__()
        self._file = open_reading(path)
        self._size = size

    @override
    def readable(self) -> bool:
        """It is."""
        return True

    @override
    def seekable(self) -> bool:
        """It is."""
        return True

    @override
    def read(self, size: int = -1) -> bytes:
        """As of any file."""
        left = max(self._size - self._file.tell(), 0)
        return self._file.read(left if size < 0 else min(size, left))

    @override
    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As of any file."""
        if whence == os.SEEK_END:
            return self._file.seek(self._size + offset)
        return self._file.seek(offset, whence)

    @override
    def tell(self) -> int:
        """As of any file."""
        return self._file.tell()

    @override
    def close(self) -> None:
        """Safe to call twice."""
        self._file.close()
        super().close()

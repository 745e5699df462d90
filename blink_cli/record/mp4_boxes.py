"""How much of a growing MP4 is whole: its top-level boxes, read without believing that the last one is there.

    size (4 bytes) type (4 bytes) [size (8 bytes), where the first one is 1] …

Source: ISO/IEC 14496-12, section 4.2.
"""

import io
import os
from pathlib import Path
from typing import Final

_HEADER_BYTES: Final = 8
_LONG_HEADER_BYTES: Final = 16


def whole_bytes(path: Path) -> int:
    """Where the last box ends that is whole; a `moof` without the `mdat` behind it does not count.

    Raises:
        OSError: It cannot be read.

    """
    whole = place = 0
    with path.open("rb") as file:
        total = os.fstat(file.fileno()).st_size
        while place + _HEADER_BYTES <= total:
            file.seek(place)
            header = file.read(_LONG_HEADER_BYTES)
            size, kind = int.from_bytes(header[:4], "big"), header[4:8]
            if size == 1 and len(header) == _LONG_HEADER_BYTES:
                size = int.from_bytes(header[8:], "big")
            if size < _HEADER_BYTES or place + size > total:
                break
            place += size
            if kind != b"moof":
                whole = place
    return whole


class FrontOfFile(io.RawIOBase):
    """The first bytes of a file, as if there were no more."""

    def __init__(self, path: Path, size: int) -> None:
        """Open it. Raises `OSError` when that is not possible."""
        super().__init__()
        self._file = path.open("rb")
        self._size = size

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1) -> bytes:
        """As of any file."""
        left = max(self._size - self._file.tell(), 0)
        return self._file.read(left if size < 0 else min(size, left))

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As of any file."""
        if whence == os.SEEK_END:
            return self._file.seek(self._size + offset)
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """As of any file."""
        return self._file.tell()

    def close(self) -> None:
        """Safe to call twice."""
        self._file.close()
        super().close()

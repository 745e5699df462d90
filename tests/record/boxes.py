"""The boxes of an MP4, read by nothing but the standard (ISO/IEC 14496-12): a witness for what muxers and our own amendments wrote."""

from collections.abc import Iterator
from pathlib import Path

INSIDE = {b"moov", b"trak", b"mdia", b"udta", b"edts"}


def boxes(path: Path) -> list[tuple[str, bytes]]:
    """Each box as (where it is, what it holds), in their order: `moov/trak/tkhd`."""
    return list(_walk(path.read_bytes(), ""))


def contents(path: Path, where: str) -> list[bytes]:
    """What the boxes at one place hold."""
    return [content for found, content in boxes(path) if found == where]


def _walk(data: bytes, above: str) -> Iterator[tuple[str, bytes]]:
    place = 0
    while place < len(data):
        size, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        header = 8
        if size == 1:
            size, header = int.from_bytes(data[place + 8 : place + 16], "big"), 16
        assert header <= size <= len(data) - place, (
            f"a box {kind!r} of {size} bytes does not fit into {above or 'the file'}"
        )
        where = f"{above}{kind.decode('latin-1')}"
        content = data[place + header : place + size]
        yield where, content
        if kind in INSIDE:
            yield from _walk(content, f"{where}/")
        place += size

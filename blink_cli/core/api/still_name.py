"""Which kind of file a snapshot becomes: its name says it."""

from enum import StrEnum
from pathlib import PurePath
from typing import Final

from blink_cli.core.errors import UsageError


class StillKind(StrEnum):
    """Of files with one picture."""

    PNG = "PNG"
    JPEG = "JPEG"
    WEBP = "WebP"


_BY_SUFFIX: Final = {
    ".png": StillKind.PNG,
    ".jpg": StillKind.JPEG,
    ".jpeg": StillKind.JPEG,
    ".webp": StillKind.WEBP,
}


def still_kind(path: PurePath) -> StillKind:
    """Return the kind of a snapshot's file, whose suffix may be written in capitals.

    Raises:
        UsageError: The name says none, or another one.

    """
    kind = _BY_SUFFIX.get(path.suffix.lower())
    if kind is None:
        said = f"ends in {path.suffix!r}" if path.suffix else "has no suffix"
        raise UsageError(
            f"A snapshot is a PNG, a JPEG or a WebP, and its name {said}.",
            hint=f"For example {path.stem or 'picture'}.png, .jpg or .webp.",
        )
    return kind

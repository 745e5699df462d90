"""Which kind of file a snapshot becomes: its name says it."""

import re
from enum import StrEnum
from typing import Final

from blink_cli.core.errors import UsageError


class StillKind(StrEnum):
    """Of files with one picture."""

    PNG = "PNG"
    JPEG = "JPEG"
    WEBP = "WebP"


_BY_SUFFIX: Final = {
    "png": StillKind.PNG,
    "jpg": StillKind.JPEG,
    "jpeg": StillKind.JPEG,
    "webp": StillKind.WEBP,
}


def still_kind(path: str) -> StillKind:
    """Return the kind of a snapshot's file, whose suffix may be written in capitals.

    Raises:
        UsageError: The name says none, or another one.

    """
    name = re.split(r"[/\\]", path)[-1]
    stem, _, suffix = name.rpartition(".")
    kind = _BY_SUFFIX.get(suffix.lower()) if stem else None
    if kind is None:
        said = f"ends in {'.' + suffix!r}" if stem else "has no suffix"
        raise UsageError(
            f"A snapshot is a PNG, a JPEG or a WebP, and its name {said}.",
            hint=f"For example {stem or name.lstrip('.') or 'picture'}.png; .jpg and .webp are possible too.",
        )
    return kind

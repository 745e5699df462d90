"""Whom one looks at: by which names in `view`, and what stands below their pictures."""

from collections.abc import Iterable
from typing import Final

from blink_cli.core.api.replies.pictures import PictureShown
from blink_cli.core.identity.shown_name import shown_name

OWN: Final = "me"
"""What one calls oneself."""


def peer_of(name: str) -> str | None:
    """Return whom a session is asked for; None: oneself."""
    return None if name == OWN else name


class Captions:
    """What stands below each picture: who it is, as far as that is known, and whether there is nothing to be seen."""

    def __init__(self) -> None:
        """Know nothing of anybody."""
        self._said: dict[str, str] = {}

    def note(self, name: str, reply: PictureShown) -> bool:
        """Take an answer about somebody. Returns whether the caption is another one now."""
        who = shown_name(reply.nickname, reply.did)
        caption = who if reply.visible else f"{who}: nothing to be seen"
        is_new = self._said.get(name) != caption
        self._said[name] = caption
        return is_new

    def of(self, names: Iterable[str]) -> list[tuple[str, str]]:
        """Return each name with its caption, which is the name itself before the first answer."""
        return [(name, self._said.get(name, name)) for name in names]

"""The content of the control socket's events. Apart from its lines, since most clients ask once and listen to nothing."""

from typing import Final

import msgspec

from blink_cli.core.api.events import Event
from blink_cli.core.text.json_text import decode_json

_EVENT: Final[msgspec.json.Decoder[Event]] = msgspec.json.Decoder(Event)


def decode_event(content: msgspec.Raw) -> Event | None:
    """Read the content of an event; None when it is of a later version than this program."""
    try:
        return decode_json(content, _EVENT)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None

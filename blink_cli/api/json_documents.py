"""Replies, events and other documents as `--json` prints them."""

from datetime import UTC, datetime
from typing import Any, get_args

import msgspec

from blink_cli.api.documents import event_document, reply_document
from blink_cli.core.api.replies.document import SCHEMA
from blink_cli.core.api.reply import Reply
from blink_cli.core.fact import Fact

_REPLIES = get_args(Reply)


def to_json(value: msgspec.Struct, *, heard_at: datetime | None = None) -> Any:
    """Return the document of a reply, an event, or whatever else a command prints: dictionaries, lists and plain values.

    Args:
        value: What a method returned, or an event.
        heard_at: Of an event, its `time`; None: now.

    """
    return _listed(_document(value, heard_at))


def _document(value: msgspec.Struct, heard_at: datetime | None) -> Any:
    if isinstance(value, Fact):
        return event_document(value, heard_at or datetime.now(UTC))  # type: ignore[arg-type]  # events are the facts that users hear
    if isinstance(value, _REPLIES):
        return reply_document(value)
    document = msgspec.to_builtins(value)
    return document if "schema" in document else {"schema": SCHEMA, **document}


def _listed(value: Any) -> Any:
    """Return plain values with lists in place of tuples, as JSON has them."""
    if isinstance(value, dict):
        return {key: _listed(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_listed(one) for one in value]
    return value

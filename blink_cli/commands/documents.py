"""What `--json` prints: replies and events as they stand on the control socket, less the tag that only the socket needs."""

from datetime import datetime
from typing import Any

import msgspec

from blink_cli.core.events import Event
from blink_cli.core.replies import SCHEMA, Peers, Reply, Status
from blink_cli.core.utc_text import utc_text


def reply_document(reply: Reply) -> Any:
    """Return a reply's document: its fields with `schema` first; the bare list for peers."""
    document = msgspec.to_builtins(reply)
    if isinstance(reply, Peers):
        return document["peers"]
    del document["type"]
    return {"schema": document.pop("schema"), **document}


def event_document(event: Event | Status, heard_at: datetime) -> dict[str, Any]:
    """Return an event's document: `schema`, `event`, `time` (ISO 8601, UTC), and its fields. The snapshot is the event `snapshot`."""
    fields = msgspec.to_builtins(event)
    name = "snapshot" if isinstance(event, Status) else fields.pop("event")
    for field in ("type", "schema"):
        fields.pop(field, None)
    return {"schema": SCHEMA, "event": name, "time": utc_text(heard_at), **fields}

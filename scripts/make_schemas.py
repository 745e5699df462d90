"""Writes blink_cli/schemas.json: a JSON Schema of every document and every event that `--json` prints.

    python scripts/make_schemas.py

Made of the types themselves (`msgspec.json.schema`), with what stands below their fields in the source; tests/api/test_schemas.py holds the file to them, and
what commands print to the file.
"""

import json
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from make_cli_page import collect, field_texts, is_list, members, null, plain_text
from typer.core import TyperGroup

from blink_cli.commands.command import PRINTED
from blink_cli.commands.program import entry_point
from blink_cli.core.api.events import Event
from blink_cli.core.api.replies.document import SCHEMA
from blink_cli.core.api.replies.peers import Peers
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.reply import Reply

OUT: Final = Path(__file__).parents[1] / "blink_cli" / "schemas.json"

_VERSION: Final = {
    "const": SCHEMA,
    "description": "Of this form of documents; raised when a field would change its meaning.",
}
_TIME: Final = {"type": "string", "description": "When it was told: ISO 8601, UTC."}


def schemas() -> dict[str, Any]:
    """Return the whole file."""
    printed = list(_printed())
    events = typing.get_args(Event)
    _, definitions = msgspec.json.schema_components([*printed, *events], ref_template="#/$defs/{name}")
    shown: dict[str, type] = {}
    for kind in (*printed, *events):
        collect(kind, shown)
    for name, kind in shown.items():
        _describe(definitions[name], kind)
    replies = typing.get_args(Reply)
    for kind in printed:
        _as_printed(definitions[kind.__name__], is_reply=kind in replies)
    snapshot = json.loads(json.dumps(definitions[Status.__name__]))
    definitions["Snapshot"] = _event(snapshot, "snapshot", "The session as it is when one begins to listen.")
    for kind in events:
        definitions[kind.__name__] = _event(definitions[kind.__name__], kind.__struct_config__.tag, None)
    names = ["Snapshot", *(kind.__name__ for kind in events)]
    definitions["Event"] = {
        "title": "Event",
        "description": "A line of `blink events --json`.",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in names],
    }
    definitions[Peers.__name__] = {
        "title": "Peers",
        "description": "What `blink peers --json` prints.",
        **definitions[Peers.__name__]["properties"]["peers"],
    }
    definitions["Error"] = _ERROR
    documents = sorted({kind.__name__ for kind in printed} | {*names, "Event", "Error"})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What blink prints with --json",
        "documents": documents,
        "$defs": dict(sorted(definitions.items())),
    }


def text() -> str:
    """Return the file's text: a document a line, so that changes can be read."""
    whole = schemas()
    definitions = whole.pop("$defs")
    head = json.dumps(whole, indent=1, ensure_ascii=False)[:-2]
    lines = ",\n".join(
        f"{json.dumps(name)}:{json.dumps(one, ensure_ascii=False, separators=(',', ':'))}"
        for name, one in definitions.items()
    )
    return f'{head},\n "$defs": {{\n{lines}\n}}\n}}\n'


_ERROR: Final[dict[str, Any]] = {
    "title": "Error",
    "description": "What a command that failed prints; its exit code says the kind.",
    "type": "object",
    "properties": {
        "schema": _VERSION,
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "string", "description": "For scripts."},
                "message": {"type": "string", "description": "A sentence."},
                "hint": {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "What to try."},
            },
            "required": ["code", "message", "hint"],
        },
    },
    "required": ["schema", "error"],
}


def _printed() -> Iterator[type]:
    """Every type of document, once."""
    _load(entry_point())
    kinds = {Status, Peers, *typing.get_args(Reply)}
    for printed in PRINTED.values():
        kinds |= (
            {kind for kind in members(printed) if kind != Event}
            if printed is not None and not is_list(printed)
            else set()
        )
    yield from sorted(kinds, key=lambda kind: kind.__name__)


def _load(group: TyperGroup) -> None:
    """Import every command: each registers what it prints."""
    for command in group.commands.values():
        if isinstance(command, TyperGroup):
            _load(command)


def _describe(schema: dict[str, Any], kind: type) -> None:
    """Add what stands below the fields; whatever is printed has all of them."""
    schema["description"] = null(plain_text(kind.__doc__))
    told = field_texts(kind)
    properties = schema["properties"]
    for field in msgspec.structs.fields(kind):
        about = told.get(field.name)
        shape = properties[field.encode_name]
        shape.pop("default", None)  # of the type, and not of what is printed
        if about:
            properties[field.encode_name] = {**shape, "description": about}
    schema["required"] = list(properties)


def _as_printed(schema: dict[str, Any], *, is_reply: bool) -> None:
    """The tag of a reply travels on the control socket and is not printed; every document has a version."""
    properties = schema["properties"]
    if is_reply:
        del properties["type"]
    schema["properties"] = {"schema": _VERSION, **{k: v for k, v in properties.items() if k != "schema"}}
    schema["required"] = list(schema["properties"])


def _event(schema: dict[str, Any], name: str, about: str | None) -> dict[str, Any]:
    properties = {k: v for k, v in schema["properties"].items() if k not in {"schema", "event"}}
    if "call_id" in properties:
        properties = {"call": properties["call_id"], **properties}
    properties = {"schema": _VERSION, "event": {"const": name}, "time": _TIME, **properties}
    described = schema if about is None else {**schema, "title": "Snapshot", "description": about}
    return {**described, "properties": properties, "required": list(properties)}


if __name__ == "__main__":
    OUT.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{OUT}\n")

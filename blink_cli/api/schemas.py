"""The JSON Schemas of what `--json` prints: of documents, and of events. They come with the program as blink_cli/schemas.json (`scripts/make_schemas.py`)."""

import copy
import functools
import json
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from blink_cli.core.errors import NotFoundError
from blink_cli.files.reading import read_whole

PATH: Final = Path(__file__).parents[1] / "schemas.json"

_MOST_BYTES: Final = 4 * 1024 * 1024
_REFERENCE: Final = "#/$defs/"


def schema_names() -> tuple[str, ...]:
    """Return the names of all documents and events, sorted."""
    return tuple(_whole()["documents"])


def json_schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a document, such as `Status`, or of an event, such as `CallJoined`; of any line of `blink events --json`: `Event`.

    Fields that are not in it may come with later versions.

    Raises:
        NotFoundError: There is none of this name.

    """
    whole = _whole()
    if name not in whole["documents"]:
        close = get_close_matches(name, whole["documents"], n=2, cutoff=0.5)
        raise NotFoundError(
            f"There is no document {name!r}.{f' Did you mean {chr(32).join(close[:1])}?' if close else ''}",
            hint="`blink schema` lists them.",
        )
    definitions = whole["$defs"]
    needed: dict[str, Any] = {}
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one not in needed:
            needed[one] = definitions[one]
            waiting.extend(_referred(definitions[one]))
    top = needed.pop(name)
    found = {
        "$schema": whole["$schema"],
        **top,
        **({"$defs": dict(sorted(needed.items()))} if needed else {}),
    }
    return copy.deepcopy(found)


@functools.cache
def _whole() -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(read_whole(PATH, _MOST_BYTES))
    return whole


def _referred(schema: Any) -> list[str]:
    """Return the names of the definitions that a part refers to."""
    if isinstance(schema, dict):
        reference = schema.get("$ref", "")
        own = [reference.removeprefix(_REFERENCE)] if reference.startswith(_REFERENCE) else []
        return own + [name for part in schema.values() for name in _referred(part)]
    if isinstance(schema, list):
        return [name for part in schema for name in _referred(part)]
    return []

"""What is wrong in a settings file, in words for whoever wrote it: which key, what stands there, and what may stand there.

    [codec]
    bandwidth = "huge"     -> `codec.bandwidth` is "huge"; it may be "auto", "narrow", "medium", "wide", "superwide" or "full"

The reader of the file (msgspec) finds the mistake; what is allowed is read off the same types, so that the two cannot differ.
"""

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec import inspect

_SECRETS: Final = ("credential", "secret")
"""Not repeated: an error may be shown to others."""


def mistake_in(content: Mapping[str, Any], settings: type[msgspec.Struct]) -> str | None:
    """Say the first mistake of a file that could not be read as these settings; None if each value alone is right."""
    return _in_section(content, inspect.type_info(settings), "")


def _in_section(content: Mapping[str, Any], section: Any, within: str) -> str | None:
    fields = {field.encode_name: field for field in section.fields}
    for key, value in content.items():
        if key not in fields:
            return _unknown(key, fields, within)
        mistake = _in_value(value, _without_none(fields[key].type), within + key)
        if mistake is not None:
            return mistake
    for key, field in fields.items():
        if field.required and key not in content:
            return f"`{within}{key}` is missing"
    return None


def _in_value(value: object, kind: Any, key: str) -> str | None:
    if isinstance(kind, inspect.StructType) and isinstance(value, Mapping):
        return _in_section(value, kind, f"{key}.")
    if isinstance(kind, inspect.VarTupleType) and isinstance(value, list):
        if kind.max_length is not None and len(value) > kind.max_length:
            return f"`{key}` stands there {len(value)} times; it may stand there {kind.max_length} times"
        within = (_in_value(one, kind.item_type, f"{key}[{number}]") for number, one in enumerate(value, 1))
        return next((mistake for mistake in within if mistake is not None), None)
    kinds = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    if any(_fits(value, one) for one in kinds):
        return None
    shown = "wrong" if key.endswith(_SECRETS) else _shown(value)
    return f"`{key}` is {shown}; it may be {_either([_allowed(one) for one in kinds])}"


def _fits(value: object, kind: Any) -> bool:
    match kind:
        case inspect.LiteralType() | inspect.EnumType():
            return value in _words(kind)
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.IntType() | inspect.FloatType():
            number = int if isinstance(kind, inspect.IntType) else int | float
            return isinstance(value, number) and not isinstance(value, bool)
        case inspect.StrType(min_length=least, max_length=most):
            return isinstance(value, str) and (least or 0) <= len(value) <= (
                len(value) if most is None else most
            )
        case _:
            return False


def _allowed(kind: Any) -> str:
    match kind:
        case inspect.LiteralType() | inspect.EnumType():
            return _either([json.dumps(value) for value in _words(kind)])
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType() | inspect.FloatType():
            return "a whole number" if isinstance(kind, inspect.IntType) else "a number"
        case inspect.StrType(min_length=least, max_length=most):
            length = "" if most is None else f" of {least or 0} to {most} characters,"
            return f"a text{length} in quotes"
        case inspect.VarTupleType():
            return "sections, each in double brackets"
        case _:
            return "a section, in brackets"


def _words(kind: Any) -> tuple[Any, ...]:
    """What may stand there, where only some words may."""
    return tuple(kind.values if isinstance(kind, inspect.LiteralType) else kind.cls)


def _without_none(kind: Any) -> Any:
    if isinstance(kind, inspect.UnionType):
        kinds = tuple(one for one in kind.types if not isinstance(one, inspect.NoneType))
        return kinds[0] if len(kinds) == 1 else inspect.UnionType(kinds)
    return kind


def _unknown(key: str, known: Iterable[str], within: str) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    meant = (
        [f"`{within}{close[0]}` is one"] if close else [f"there is {_either([f'`{one}`' for one in known])}"]
    )
    return f"`{within}{key}` is no setting; {meant[0]}"


def _either(words: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:59]}…"

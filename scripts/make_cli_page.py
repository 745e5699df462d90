"""Writes docs/cli.md of the program itself: every command, option, JSON document, event and exit code.

    python scripts/make_cli_page.py

What stands there are the words of `--help` and the docstrings of the types that `--json` prints; tests/commands/test_cli_page.py holds the page to them.
"""

import ast
import functools
import inspect
import itertools
import re
import sys
import textwrap
import types
import typing
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import msgspec
from typer.core import TyperArgument, TyperGroup, TyperOption

from blink_cli.commands.command import PRINTED
from blink_cli.commands.command_table import SECTIONS
from blink_cli.commands.program import entry_point
from blink_cli.commands.session_parameters import SESSION_PARAMETERS
from blink_cli.core.api.events import Event
from blink_cli.core.exit_codes import ExitCode

OUT: Final = Path(__file__).parents[1] / "docs" / "cli.md"

HEAD: Final = """# Commands, documents, events, exit codes

This page is made of the program by `scripts/make_cli_page.py`; do not edit it. What stands here is a promise to scripts: names and meanings stay, more may be added.

`blink [OPTIONS] COMMAND …` and `python -m blink_cli …` are the same. stdout is data, stderr is messages. With `--json` (before or after the command), stdout is JSON: one document, or one
object a line; an error is `{"schema":1,"error":{"code":"no_session","message":"…","hint":"…"}}`, with the exit code that belongs to it. A figure that cannot be had is `null`.

Environment: `BLINK_PROFILE`, `BLINK_DATA_DIR`, `BLINK_PASSPHRASE`, `NO_COLOR`. Devices are `default`, a device's name or description (or a part that fits one only), `file:PATH[?loop=1]`,
`tone:HZ`, `silence`, `null`, `wav:PATH`, `echo:SECONDS` (input) and `echo` (output); `?channel=N` behind an input takes one of its channels. A peer is named by nickname, DID, or a prefix that fits one only, or as it is shown, in quotes: `'anna (…T1fTua)'`, `…T1fTua` or `...T1fTua` is whose DID ends so; a call by its id, a prefix, or not at all where one fits.
"""


def page() -> str:
    """Return the whole page."""
    parts = [
        HEAD,
        "## Exit codes\n",
        _table(("code", "name", "meaning"), exit_codes()),
        "## Options of every command\n",
        _table(("option", "meaning"), options_of(entry_point())),
        "## Options of a session\n",
        "Of `repl`, `serve`, and of `offer` and `accept` where they run a session of their own.\n",
        _table(
            ("option", "meaning"), options_of(command_named("serve"), but=frozenset({"json_after", "detach"}))
        ),
        *_commands(),
        "## Documents\n",
        "Fields of another document are set in capitals, as `Participant`. `type` of a reply on the control socket ([control.md](control.md)) is not printed.\n",
        *_documents(),
        "## Events\n",
        "Each has `schema`, `event` (its name) and `time` (ISO 8601, UTC); where it has `call_id`, `call` is the same. When each comes is told in [events.md](events.md).\n",
        _table(("event", "fields"), _events()),
    ]
    return "\n".join(parts)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def exit_codes() -> Iterator[tuple[str, ...]]:
    """Each exit code with its name and meaning."""
    told = field_texts(ExitCode)
    for code in ExitCode:
        name = code.name.lower().replace("_", " ")
        yield str(int(code)), name, told[code.name]


def command_named(path: str) -> Any:
    """Return a command by the words that call it."""
    command: Any = entry_point()
    for name in path.split():
        assert isinstance(command, TyperGroup)
        command = command.commands[name]
    return command


def options_of(command: Any, *, but: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    """Its options that are shown, with what they are for; `but` has names of parameters."""
    return [
        (f"`{option_usage(option)}`", help_text(option))
        for option in command.params
        if isinstance(option, TyperOption) and not option.hidden and option.name not in but
    ]


def option_usage(option: Any) -> str:
    """Return an option as it is written."""
    names = ", ".join([*option.opts, *option.secondary_opts])
    if option.is_flag or option.count:
        return names
    return f"{names} {option.metavar or option.type.name.upper()}" + (" …" if option.multiple else "")


def help_text(parameter: Any) -> str:
    """Return what an option or argument is for."""
    text = " ".join((parameter.help or "").split())
    default = parameter.default
    if (
        getattr(parameter, "show_default", False)
        and isinstance(default, str | int | float)
        and not isinstance(default, bool)
    ):
        text = f"{text} Default: {default}."
    return text


def _commands() -> Iterator[str]:
    for title, rows in SECTIONS.items():
        yield f"## {title}\n"
        for row in rows:
            yield from _described(row.name, command_named(row.name))


def _described(path: str, command: Any) -> Iterator[str]:
    if isinstance(command, TyperGroup):
        yield f"### `blink {path}`\n\n{plain_text(command.help)}\n"
        for name, one in command.commands.items():
            yield from _described(f"{path} {name}", one)
        return
    arguments = [one for one in command.params if isinstance(one, TyperArgument)]
    words = "".join(f" {argument_name(one)}" for one in arguments)
    yield f"### `blink {path}{words}`\n\n{plain_text(command.help)}\n"
    rows = [(f"`{argument_name(one)}`", help_text(one)) for one in arguments]
    parameters = {parameter.name for parameter in command.params}
    session = [name for name, *_ in SESSION_PARAMETERS]
    of_session = frozenset(name for name in session if name in parameters and "group" in parameters)
    rows += options_of(command, but=of_session | {"json_after"})
    if rows:
        yield _table(("argument", "meaning"), rows)
    if of_session:
        missing = [f"`--{name.replace('_', '-')}`" for name in session if name not in of_session]
        but = f", but for {', '.join(missing)}" if missing else ""
        yield f"It also takes the options of a session{but}.\n"
    printed: Any = (
        PRINTED.get(inspect.unwrap(command.callback, stop=lambda f: f in PRINTED))
        if command.callback
        else None
    )
    if printed is not None:
        documents = " and ".join(_linked(kind) for kind in members(printed))
        yield f"With `--json`: {'a list of ' if is_list(printed) else ''}{documents}.\n"


def argument_name(one: TyperArgument) -> str:
    """Return an argument as usage lines name it."""
    name = one.metavar or (one.name or "").upper()
    return name if one.required else f"[{name.strip('[]')}]"


def plain_text(text: str | None) -> str:
    """Return a docstring as one line."""
    return " ".join((text or "").replace("\f", " ").split())


def null(text: str) -> str:
    """Return a text in which None has its name in JSON."""
    return re.sub(r"\bNone\b", "`null`", text)


def is_list(printed: Any) -> bool:
    """Whether a command prints a bare list."""
    origin: Any = typing.get_origin(printed)
    return origin is tuple


def members(printed: Any) -> tuple[Any, ...]:
    """Return the types of documents that a command prints."""
    if printed == Event:
        return (Event,)
    if is_list(printed):
        return typing.get_args(printed)[:1]
    members = typing.get_args(printed)
    events = set(typing.get_args(Event))
    if events and events <= set(members):
        return (*(one for one in members if one not in events), Event)
    return members or (printed,)


def _linked(kind: Any) -> str:
    return "[events](#events)" if kind == Event else f"[{kind.__name__}](#{kind.__name__.lower()})"


def _documents() -> Iterator[str]:
    shown: dict[str, type] = {}
    for printed in PRINTED.values():
        for kind in members(printed) if printed is not None else ():
            if kind != Event:
                collect(kind, shown)
    for name in sorted(shown):
        kind = shown[name]
        told = field_texts(kind)
        rows = [
            (f"`{field.encode_name}`", _type_text(field.type), told.get(field.name, ""))
            for field in sorted(msgspec.structs.fields(kind), key=lambda field: field.name != "schema")
        ]
        yield f"### {name}\n\n{null(plain_text(inspect.getdoc(kind)))}\n"
        yield _table(("field", "type", "meaning"), rows)


def collect(kind: Any, shown: dict[str, type]) -> None:
    """Add a type of document, and those of its fields, by name."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        if kind.__name__ in shown:
            assert shown[kind.__name__] is kind, f"two documents are called {kind.__name__}"
            return
        shown[kind.__name__] = kind
        for field in msgspec.structs.fields(kind):
            collect(field.type, shown)
    for inner in typing.get_args(kind):
        collect(inner, shown)


_SIMPLE: Final = {
    str: "text",
    bytes: "text (base64)",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
    Any: "anything",
}


def _type_text(kind: Any) -> str:  # noqa: PLR0911 - one row for each kind of type
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(_type_text(one) for one in inner))
    if origin is typing.Annotated:
        return _type_text(inner[0])
    if origin is typing.Literal:
        return " or ".join(f"`{one}`" for one in inner)
    if origin in (tuple, list, frozenset):
        return f"list of {_type_text(inner[0])}"
    if origin is dict:
        return f"object of {_type_text(inner[1])}"
    if hasattr(kind, "__supertype__"):
        return _type_text(kind.__supertype__)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return " or ".join(f"`{one}`" for one in kind)
    return f"[{kind.__name__}](#{kind.__name__.lower()})"


@functools.cache
def field_texts(kind: type) -> dict[str, str]:
    """Return what stands below each field of a class, and of its bases, in the source."""
    told: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("blink_cli"):
            [tree] = ast.parse(textwrap.dedent(inspect.getsource(base))).body
            assert isinstance(tree, ast.ClassDef)
            told |= _below(tree.body)
    return told


def _below(body: list[ast.stmt]) -> dict[str, str]:
    told = {}
    for field, below in itertools.pairwise(body):
        target = (
            field.target
            if isinstance(field, ast.AnnAssign)
            else field.targets[0]
            if isinstance(field, ast.Assign)
            else None
        )
        if (
            isinstance(target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            told[target.id] = null(plain_text(str(below.value.value)))
    return told


def _events() -> Iterator[tuple[str, ...]]:
    for kind in typing.get_args(Event):
        fields = ", ".join(
            f"`{field.encode_name}` ({_type_text(field.type)})" for field in msgspec.structs.fields(kind)
        )
        yield f"`{kind.__struct_config__.tag}`", fields


if __name__ == "__main__":
    OUT.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{OUT}\n")

"""Errors are sentences: every message and hint in the source ends as one, and every hint begins as one."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import blink_cli

BEGINS = re.compile(r"[A-Z`{\d]")
ENDS = (".", "?", "!", "}")
"""A text that is put together elsewhere ends there."""


def test_messages_and_hints_are_whole_sentences() -> None:
    wrong = []
    for path in Path(blink_cli.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            for hint in [one.value for one in node.keywords if one.arg == "hint"]:
                where = f"{path.name}:{node.lineno}"
                wrong += [
                    f"{where}: {text}"
                    for text in _texts(hint)
                    if not BEGINS.match(text) or not text.endswith(ENDS)
                ]
                for message in node.args[:1]:
                    wrong += [f"{where}: {text}" for text in _texts(message) if not text.endswith(ENDS)]

    assert wrong == []


def _texts(node: ast.expr) -> Iterator[str]:
    """Texts that stand in the source itself, with {} for what is put into them."""
    match node:
        case ast.Constant(value=str() as text):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
        case ast.IfExp(body=body, orelse=orelse):
            yield from _texts(body)
            yield from _texts(orelse)
        case _:
            pass

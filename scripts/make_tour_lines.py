"""Brings the lines that docs/tour.md names up to date: [`Session.ask`](../blink_cli/app/session.py#L281).

    python scripts/make_tour_lines.py

tests/test_tour.py fails when a name is gone, or stands on another line.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[1] / "docs" / "tour.md"
PLACE: Final = re.compile(r"\[`(?P<name>[A-Za-z_][\w.]*)`\]\(\.\./(?P<path>[\w/]+\.py)#L(?P<line>\d+)\)")


def lines_of(path: Path) -> dict[str, int]:
    """Return on which line each class, function, method and constant of a module stands."""
    return dict(_named(ast.parse(path.read_text(encoding="utf-8")).body, ""))


def _named(body: list[ast.stmt], within: str) -> Iterator[tuple[str, int]]:
    for node in body:
        match node:
            case ast.ClassDef(name=name, body=inner):
                yield within + name, node.lineno
                yield from _named(inner, f"{within}{name}.")
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield within + name, node.lineno
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                yield within + name, node.lineno


def updated(text: str, root: Path) -> str:
    """Return the page with the lines as they are now.

    Raises:
        LookupError: A name does not stand in its file any more.

    """

    def line(place: re.Match[str]) -> str:
        name, path = place["name"], place["path"]
        lines = lines_of(root / path)
        if name not in lines:
            raise LookupError(f"{path} has no {name}")
        return f"[`{name}`](../{path}#L{lines[name]})"

    return PLACE.sub(line, text)


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8"), PAGE.parents[1]), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")

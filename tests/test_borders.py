"""Who may import whom where import-linter does not look: scripts, tests and the package."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.no_clock

ROOT = Path(__file__).parents[1]


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module


@pytest.mark.parametrize("folder", ["scripts", "blink_cli"])
def test_what_ships_imports_no_tests(folder: str) -> None:
    paths = [path for path in (ROOT / folder).rglob("*.py") if ".venv" not in path.parts]
    assert len(paths) > 10
    assert not {
        f"{path.relative_to(ROOT)}: {name}"
        for path in paths
        for name in imported(path)
        if name.split(".")[0] in {"tests", "pytest"}
        and not (name == "pytest" and path == ROOT / "blink_cli/testing/plugin.py")  # which pytest loads
    }

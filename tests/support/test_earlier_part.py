"""Runs of pytest that count as one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = ("-p", "xdist", "-p", "tests.support.earlier_part", "-p", "no:cacheprovider")


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and last line."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--rootdir",
        str(folder),
        "-c",
        os.devnull,
        *PLUGIN,
        *arguments,
    ]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2], env=environment
    )
    return ran.returncode, ran.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("first", "second", "code", "said"),
    [
        ("pass", "pass", 0, "4 passed"),
        ("assert False", "pass", 1, "2 failed, 2 passed"),
        ("pass", "assert False", 1, "1 failed, 3 passed"),
    ],
)
def test_the_last_line_counts_all_parts_and_any_failure_fails(
    tmp_path: Path, first: str, second: str, code: int, said: str
) -> None:
    one, two, three = (tmp_path / f"test_{name}.py" for name in ("one", "two", "three"))
    one.write_text(f"def test_a(): {first}\ndef test_b(): {first}\n")
    two.write_text(f"def test_c(): {second}\n")
    three.write_text("def test_d(): pass\n")
    results = tmp_path / "results.json"
    run(tmp_path, "-n", "2", f"--results-to={results}", str(one))
    run(tmp_path, "-n", "2", f"--results-from={results}", f"--results-to={results}", str(two))
    found = run(tmp_path, f"--results-from={results}", str(three))
    assert found[0] == code
    assert said in found[1]

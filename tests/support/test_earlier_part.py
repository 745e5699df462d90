"""Two runs of pytest that count as one."""

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
        ("pass", "pass", 0, "3 passed"),
        ("assert False", "pass", 1, "2 failed, 1 passed"),
    ],
)
def test_the_last_line_counts_both_parts_and_either_failure_fails(
    tmp_path: Path, first: str, second: str, code: int, said: str
) -> None:
    one, two = tmp_path / "test_one.py", tmp_path / "test_two.py"
    one.write_text(f"def test_a(): {first}\ndef test_b(): {first}\n")
    two.write_text(f"def test_c(): {second}\n")
    results = tmp_path / "results.json"
    run(tmp_path, "-n", "2", f"--results-to={results}", str(one))
    found = run(tmp_path, f"--results-from={results}", str(two))
    assert found[0] == code
    assert said in found[1]

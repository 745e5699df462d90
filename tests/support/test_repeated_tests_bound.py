"""How many tests may be made again in one run: a number that only falls."""

import itertools
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BOUND = "tests/repeated_tests_bound.txt"


def git(*arguments: str) -> str:
    ran = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if ran.returncode:
        pytest.skip(f"this is no checkout of git's: {ran.stderr.strip()}")
    return ran.stdout


def test_the_bound_of_repetitions_has_only_fallen() -> None:
    commits = git("log", "--reverse", "--format=%h", "--", BOUND).split()
    committed = [int(git("show", f"{commit}:{BOUND}")) for commit in commits]
    bounds = [*committed, int((ROOT / BOUND).read_text("ascii"))]
    assert all(later <= earlier for earlier, later in itertools.pairwise(bounds)), bounds

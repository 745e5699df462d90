"""`blink lab`: what is printed, and the exit code."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.no_clock(sockets=True)

SCENARIO = """
about = "For a test."
duration = 2
expect = ["loss == 0%", "{expected}"]
[[participant]]
name = "alice"
voice = "middle"
[[participant]]
name = "bob"
voice = "silence"
"""


def blink(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "blink_cli", *arguments], capture_output=True, text=True, check=False, cwd=cwd
    )


@pytest.mark.parametrize(("expected", "code"), [("heard(alice->bob)", 0), ("level(alice->bob) > 0dB", 6)])
def test_the_verdict_is_the_exit_code(tmp_path: Path, expected: str, code: int) -> None:
    (tmp_path / "small.toml").write_text(SCENARIO.format(expected=expected))
    ran = blink("lab", "run", "small.toml", "--json", "--out", "kept", "--junit", "verdict.xml", cwd=tmp_path)
    assert ran.returncode == code, ran.stderr
    report = json.loads(ran.stdout)
    assert report["schema"] == 1
    assert report["outcome"] == ("passed" if code == 0 else "failed")
    assert json.loads((tmp_path / "kept" / "report.json").read_text()) == report
    assert (tmp_path / "kept" / report["cases"][0]["pairs"][0]["heard_file"]).stat().st_size > 100_000
    assert (tmp_path / "verdict.xml").read_text().startswith("<?xml")


def test_a_mistake_is_a_usage_error_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_text(SCENARIO.format(expected="pesk > 4"))
    ran = blink("lab", "run", "wrong.toml", cwd=tmp_path)
    assert ran.returncode == 2
    assert "wrong.toml, line 4: `pesk > 4`: there is no figure `pesk`." in ran.stderr
    assert "Did you mean `pesq`?" in ran.stderr
    assert blink("lab", "run", "none.toml", cwd=tmp_path).returncode == 3


def test_the_list_names_what_comes_with_the_program(tmp_path: Path) -> None:
    listed = json.loads(blink("lab", "list", "--json", cwd=tmp_path).stdout)
    names = {one["name"] for one in listed["scenarios"]}
    assert {"two-clean", "two-lossy", "office"} <= names
    assert all(one["about"] and one["cases"] for one in listed["scenarios"])

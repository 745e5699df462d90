"""`blink lab`: what is printed, and the exit code."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from blink_cli.commands.lab_runs import all_cases, without_files
from blink_cli.commands.report_files import require_places
from blink_cli.core.errors import NotFoundError, UsageError
from blink_cli.lab.verdict.report import RecordingResult
from blink_cli.lab.verdict.run_command import RunCommand
from tests.lab.comparison.reports import case, report

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
    kept = ("--out", "kept", "--junit", "verdict.xml", "--html", "page.html")
    ran = blink("lab", "run", "small.toml", "--case", "small", "--json", *kept, cwd=tmp_path)
    assert ran.returncode == code, ran.stderr
    report = json.loads(ran.stdout)
    assert report["schema"] == 1
    assert report["outcome"] == ("passed" if code == 0 else "failed")
    assert json.loads((tmp_path / "kept" / "report.json").read_text()) == report
    assert (tmp_path / "kept" / report["cases"][0]["pairs"][0]["heard_file"]).stat().st_size > 100_000
    assert (tmp_path / "verdict.xml").read_text().startswith("<?xml")
    assert report["command"] == report["cases"][0]["command"] == "blink lab run small.toml --case small"
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    if code == 0:
        made = json.loads(
            blink("lab", "report", "kept", "--html", "again.html", "--json", cwd=tmp_path).stdout
        )
        assert (made["cases"], made["sounds_left_out"]) == (1, 0)
        assert made["bytes"] == (tmp_path / "again.html").stat().st_size > 100_000


def test_without_the_judge_of_voices_it_says_what_to_install(
    tmp_path: Path,
) -> None:
    (tmp_path / "small.toml").write_text(SCENARIO.format(expected="heard"))
    hidden = "import sys; sys.modules['pesq'] = None; from blink_cli.__main__ import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", hidden, "lab", "run", "small.toml"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert ran.returncode == 3
    assert "needs pesq, which a plain install leaves out" in ran.stderr
    assert "`pip install 'blink-cli[lab]'`" in ran.stderr
    assert ran.stdout == ""


def test_a_mistake_is_a_usage_error_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_text(SCENARIO.format(expected="pesk > 4"))
    ran = blink("lab", "run", "wrong.toml", cwd=tmp_path)
    assert ran.returncode == 2
    assert "wrong.toml, line 4: `pesk > 4`: there is no figure `pesk`." in ran.stderr
    assert "Did you mean `pesq`?" in ran.stderr
    assert blink("lab", "run", "none.toml", cwd=tmp_path).returncode == 3


def test_one_case_is_found_by_its_name() -> None:
    wanted = RunCommand(("two-lossy",), "virtual", 2, ("two-lossy [loss5, seed 2]",))
    assert [case.name for case in all_cases(wanted)] == list(wanted.only)
    with pytest.raises(NotFoundError) as told:
        all_cases(RunCommand(("mute",), "virtual", 1, ("mut",)))
    assert told.value.hint == "Did you mean 'mute'?"


def test_a_place_where_nothing_can_be_kept_is_told_before_the_run(tmp_path: Path) -> None:
    (file := tmp_path / "file").touch()
    (folder := tmp_path / "folder").mkdir()
    require_places(out=folder / "new" / "one", files=[folder / "page.html", file, Path("/dev/stdout")])
    for out, files, told in (
        (file, [], "file is not a folder"),
        (file / "below", [], "file is not a folder"),
        (None, [folder], "folder is a folder"),
        (None, [tmp_path / "none" / "page.html"], "There is no folder"),
    ):
        with pytest.raises(UsageError, match=told):
            require_places(out=out, files=files)


def test_a_verdict_that_cannot_be_written_is_shown_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SCENARIO.format(expected="heard(alice->bob)"))
    ran = blink("lab", "run", "small.toml", "--junit", "/dev/full", cwd=tmp_path)
    assert ran.returncode == 1
    assert "1 case, 1 passed" in ran.stdout
    assert "cannot be written to /dev/full: No space left on device" in ran.stderr


def test_the_list_names_what_comes_with_the_program(tmp_path: Path) -> None:
    listed = json.loads(blink("lab", "list", "--json", cwd=tmp_path).stdout)
    names = {one["name"] for one in listed["scenarios"]}
    assert {"two-clean", "two-lossy", "office"} <= names
    assert all(one["about"] and one["cases"] for one in listed["scenarios"])


def test_what_became_worse_is_exit_code_6_unless_it_may(tmp_path: Path) -> None:
    for name, pesq in (("before", 4.4), ("after", 3.1)):
        kept = report([case("", seed, [{"pesq": pesq + seed / 100}]) for seed in range(5)])
        (tmp_path / f"{name}.json").write_bytes(msgspec.json.encode(kept))
    ran = blink("lab", "compare", "before.json", "after.json", cwd=tmp_path)
    assert ran.returncode == 6
    assert "WORSE" in ran.stdout
    assert "-1.30" in ran.stdout
    allowed = blink("lab", "compare", "before.json", "after.json", "--allow", "pesq", "--json", cwd=tmp_path)
    assert allowed.returncode == 0
    assert json.loads(allowed.stdout)["worse"] == 1


def test_a_run_whose_files_are_not_kept_names_none() -> None:
    recording = RecordingResult(
        recorder="bob", kind="mp4", participants=("alice",), duration_s=2.0, file="trial/call.mp4"
    )
    kept = msgspec.structs.replace(case("", 1, [{"pesq": 4.0}]), folder="trial", recordings=(recording,))
    found = msgspec.json.encode(without_files(report([kept])))
    assert b"trial/" not in found
    assert b'"recorder":"bob"' in found

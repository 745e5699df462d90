"""What tutorial, cookbook and troubleshooting show is what happens."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

import blink_cli
from tests.documentation.examples import Example, examples_of, run

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("tutorial.md", "cookbook.md", "troubleshooting.md")
SPEECH = Path(blink_cli.__file__).parent / "lab" / "speech" / "speech.flac"
PROGRAM = (sys.executable, "-m", "blink_cli")
ALONE = ("--interface", "127.0.0.1")


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="blink-doc-") as name:
        samples, rate = soundfile.read(SPEECH, frames=48_000 * 6, dtype="float32")
        soundfile.write(Path(name) / "speech.wav", samples, rate)
        try:
            yield Path(name)
        finally:
            for profile in Path(name).glob("data/profiles/*"):  # after a failure some may still run
                subprocess.run(
                    [*PROGRAM, "--data-dir", profile.parents[1], "--profile", profile.name, "quit"],
                    env={**os.environ, "XDG_RUNTIME_DIR": name, "HOME": name},
                    capture_output=True,
                    check=False,
                )


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_what_happens(page: str, folder: Path) -> None:
    group = f"239.255.67.{PAGES.index(page) + 1}:7{PAGES.index(page)}67"
    wrong = run(DOCS / page, folder, PROGRAM, (*ALONE, "--group", group))
    assert not wrong, "\n".join(wrong)
    shutil.rmtree(folder / "data", ignore_errors=True)


def test_what_is_shown_is_held_against_what_is_printed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo one two\none …\n$ echo three\nfour\n$ false\n```\n", encoding="utf-8")
    wrong = run(page, tmp_path, ("false",), ())
    assert [text.splitlines()[0] for text in wrong[:-1]] == ["page.md:4: echo three", "page.md:6: false"]
    assert Example(1, "", ["a", "…", "b"]).fits("a\nx\ny\nb\n")
    assert not Example(1, "", ["a", "b"]).fits("a\nx\nb\n")


def test_a_block_of_commands_is_run_or_says_why_not(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```sh\nblink status\n```\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"page\.md:1"):
        examples_of(page)
    page.write_text("<!-- not run: it needs two machines -->\n```sh\nblink status\n```\n", encoding="utf-8")
    assert examples_of(page) == []

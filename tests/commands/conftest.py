"""A running session for the tests of commands: a real process with the scripted session, its profile in a folder of its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from blink_cli.commands.main import main

BLINK = (sys.executable, "-m", "tests.support.scripted_session")
ROOT = Path(__file__).parents[2]


def environment(data_dir: Path, **changed: str) -> dict[str, str]:
    """What a command's process gets: nothing of the developer's own profile."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("BLINK_") and name != "NO_COLOR"
    }
    return {**kept, "BLINK_DATA_DIR": str(data_dir), "PYTHONPATH": str(ROOT), "COLUMNS": "100", **changed}


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that ended."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.stdout)


class Shell:
    """Runs `blink` as a shell does, in one data folder."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir

    def run(self, *arguments: str, stdin: str | None = None, **changed: str) -> Ran:
        """Run a command to its end."""
        done = subprocess.run(
            [*BLINK, *arguments],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=environment(self.data_dir, **changed),
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    @contextlib.contextmanager
    def running(self, *arguments: str, **changed: str) -> Iterator[subprocess.Popen[str]]:
        """Run a command beside the test; killed at the end if it has not ended by itself."""
        process = subprocess.Popen(
            [*BLINK, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(self.data_dir, **changed),
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.communicate()

    @contextlib.contextmanager
    def serving(self, *options: str, **changed: str) -> Iterator[subprocess.Popen[str]]:
        """A session that is ready."""
        with self.running("--json", "serve", *options, **changed) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            line = process.stdout.readline()
            assert line, process.stderr.read()
            assert json.loads(line)["event"] == "ready"
            yield process


Here = Callable[..., Ran]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    """Run commands of a shell's folder in this process: the same code, without half a second of Python's start."""

    def run(shell: Shell, *arguments: str) -> Ran:
        for name in ("BLINK_PROFILE", "NO_COLOR", "BLINK_TRACEBACK"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("BLINK_DATA_DIR", str(shell.data_dir))
        exit_code = main(arguments)
        captured = capsys.readouterr()
        return Ran(exit_code, captured.out, captured.err)

    return run


@pytest.fixture
def shell() -> Iterator[Shell]:
    """A shell without a session."""
    with tempfile.TemporaryDirectory(prefix="blink-") as folder:
        yield Shell(Path(folder))


@pytest.fixture(scope="module")
def served() -> Iterator[Shell]:
    """A shell with a session that the tests of a module share; they leave it in no call."""
    with tempfile.TemporaryDirectory(prefix="blink-") as folder:
        shell = Shell(Path(folder))
        with shell.serving("--input", "silence", "--output", "null"):
            yield shell

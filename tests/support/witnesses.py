"""Programs from registries of packages that read what we write, as their users install them. They are no part of the program's environment.

What is installed stays in a cache (`$XDG_CACHE_HOME/blink-tests`, else `~/.cache/blink-tests`), by name and version.
"""

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

INSTALLING_S: Final = 180


@functools.cache
def node_package(name: str, version: str) -> Path:
    """The folder of a package of npm. Skips the test where it cannot be installed."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip(f"there is no npm to install {name} with (Debian packages nodejs, npm)")
    folder = _installed(
        f"npm-{name}-{version}",
        lambda into: [
            npm,
            "install",
            "--silent",
            "--no-audit",
            "--no-fund",
            "--prefix",
            str(into),
            f"{name}@{version}",
        ],
    )
    return folder / "node_modules" / name


@functools.cache
def python_with(*requirements: str) -> Path:
    """A Python that has these packages (`name==version`). Skips the test where they cannot be installed."""
    name = f"python{sys.version_info.minor}-" + "-".join(one.replace("==", "-") for one in requirements)
    return _installed(
        name,
        lambda into: [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--target",
            str(into),
            *requirements,
        ],
    )


def run_python(folder: Path, program: str, *arguments: str) -> str:
    """What a program prints that uses the packages of `python_with`."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _installed(name: str, command: Callable[[Path], list[str]]) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "blink-tests"
    folder = cache / name
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".installing-", dir=cache))
    try:
        done = subprocess.run(
            command(beside), capture_output=True, text=True, timeout=INSTALLING_S, check=False, cwd=beside
        )
        if done.returncode:
            pytest.skip(f"{name} could not be installed: {done.stderr.strip().splitlines()[-1:]}")
        if not folder.is_dir():
            beside.rename(folder)
    except (OSError, subprocess.TimeoutExpired) as failure:
        pytest.skip(f"{name} could not be installed: {failure}")
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder

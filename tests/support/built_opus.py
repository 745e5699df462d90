"""The libopus that `scripts/build-opus` makes: deep PLC and DRED, which no package of Debian 12 has. A minute of one processor the first time; kept beside the other witnesses."""

import functools
import os
import subprocess
from pathlib import Path
from typing import Final

import pytest

SCRIPT: Final = Path(__file__).resolve().parents[2] / "scripts" / "build-opus"
BUILDING_S: Final = 400


@functools.cache
def built_opus() -> Path:
    """Its path. Skips the test where it cannot be made."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "blink-tests" / "opus"
    try:
        done = subprocess.run(
            [str(SCRIPT), str(cache)], capture_output=True, text=True, timeout=BUILDING_S, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"scripts/build-opus took more than {BUILDING_S} s")
    if done.returncode:
        pytest.skip(f"scripts/build-opus cannot make a libopus here: {done.stderr.strip().splitlines()[-2:]}")
    return Path(done.stdout.strip())

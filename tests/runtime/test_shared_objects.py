"""Libraries are loaded before the import that needs them; in a Python of its own, since they are loaded once."""

import subprocess
import sys

import pytest


def said(program: str) -> str:
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    return ran.stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells what is mapped")
def test_what_pyav_needs_is_mapped_and_not_imported() -> None:
    assert said(
        """
import sys
from pathlib import Path
from blink_cli.runtime.shared_objects import load_shared_objects

load_shared_objects("av")
print("libavcodec" in Path("/proc/self/maps").read_text(), "av" in sys.modules)
import av
print(av.AudioFrame.__name__)
"""
    ).split() == ["True", "False", "AudioFrame"]


def test_a_package_that_is_not_there_or_has_nothing_compiled_is_none_of_its_business() -> None:
    assert (
        said(
            """
from blink_cli.runtime.shared_objects import load_shared_objects

load_shared_objects("no_such_package")
load_shared_objects("typer")
print("done")
"""
        )
        == "done"
    )

"""`scripts/simulate --replay`: a file is named as the user's directory has it."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from blink_cli.core.api.replies.status import Trace
from tests.core.call.test_trace import ALICE, Session, steps_of

pytestmark = pytest.mark.no_clock(sockets=True)

ROOT = Path(__file__).parents[2]


def simulate(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a copy of the script in this folder; it finds this interpreter instead of setting one up."""
    (folder / "scripts" / "lib").mkdir(parents=True)
    script = shutil.copy(ROOT / "scripts" / "simulate", folder / "scripts" / "simulate")
    found = f"root={shlex.quote(str(ROOT))} python={shlex.quote(sys.executable)}\nset_up() {{ :; }}\n"
    (folder / "scripts" / "lib" / "setup.sh").write_text(found)
    return subprocess.run(
        ["bash", script, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_a_trace_in_the_working_directory_is_played(tmp_path: Path) -> None:
    session = Session()
    session.call()
    trace = Trace(did=ALICE, first=0, more=False, steps=steps_of(session))
    (tmp_path / "trace.json").write_bytes(msgspec.json.encode(trace))
    done = simulate(tmp_path, "--replay", "trace.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{len(trace.steps)} steps played, 0 differ\n"


@pytest.mark.parametrize("text", [None, "x", "{}"])
def test_what_is_no_trace_is_told_in_a_sentence(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "trace.json").write_text(text)
    done = simulate(tmp_path, "--replay", "trace.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("trace.json is no trace of a session: ")
    assert "Traceback" not in done.stderr

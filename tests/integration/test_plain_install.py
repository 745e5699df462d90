"""What `pip install blink-cli` brings, and nothing else, makes a call; what an extra is for says which one.

The environment is a real one: an interpreter of its own whose packages are those that the program's own metadata asks for, and what
these ask for in turn. They are links to those that were installed for the tests, so that no network is needed.
"""

import re
import venv
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import blink_cli
from blink_cli.lab.program_run import run_program
from blink_cli.lab.session_calls import call_of, together
from blink_cli.lab.sessions import Machine, Session


def packages_of_a_plain_install() -> set[str]:
    """Distributions, the program not among them."""
    needed: set[str] = set()
    rest = [Requirement(line) for line in distribution("blink-cli").requires or ()]
    while rest:
        wanted = rest.pop()
        name = canonicalize_name(wanted.name)
        extras = ("", *wanted.extras)
        if name in needed or not (wanted.marker is None or wanted.marker.evaluate({"extra": ""})):
            continue
        needed.add(name)
        for line in distribution(name).requires or ():
            one = Requirement(line)
            if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras):
                rest.append(Requirement(re.sub(r";.*", "", line)))
    return needed


@pytest.fixture(scope="module")
def plain_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a plain install."""
    folder = tmp_path_factory.mktemp("plain")
    venv.create(folder, symlinks=True, with_pip=False)
    (site,) = folder.glob("lib/python*/site-packages")
    for name in packages_of_a_plain_install():
        found = distribution(name)
        for top in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
            (site / top).symlink_to(Path(str(found.locate_file(top))))
    (site / "blink_cli").symlink_to(Path(blink_cli.__file__).parent)
    return folder / "bin" / "python"


class PlainMachine(Machine):
    """Where the program was installed by itself."""

    def __init__(self, python: Path) -> None:
        super().__init__(environment={"PYTHONPATH": "", "PYTHONNOUSERSITE": "1"})
        self.program = (str(python), "-m", "blink_cli")


async def test_a_plain_install_makes_a_call_and_says_what_more_there_is(
    plain_python: Path, tmp_path: Path
) -> None:
    modules = (
        "import importlib.util as u; print([n for n in ('matplotlib', 'PIL', 'pytest') if u.find_spec(n)])"
    )
    assert (await run_program(str(plain_python), "-c", modules)).stdout == "[]\n", (
        "more than a plain install has"
    )
    heard, log, plot = tmp_path / "heard.wav", tmp_path / "call.csv", tmp_path / "call.png"
    async with PlainMachine(plain_python) as machine:
        alice, bob = await together(
            machine.serve("alice", "--input", "tone:440", "--output", "null"),
            machine.serve("bob", "--input", "silence", "--output", f"wav:{heard}"),
        )
        await bob.ask("rtp-log", "start", str(log))
        async with call_of(alice, bob):
            recording = (await bob.ask("record", "start", str(tmp_path), "--format", "mp4,opus"))["path"]
            await bob.until("rtp-stats", _arrives, what="a second of sound")
            files = (await bob.ask("record", "stop"))["files"]
            assert [file["kind"] for file in files] == ["mp4", "opus", "opus", "sidecar"]
            assert files[0]["path"] == recording.replace(".part", "")
        await _works_without_extras(bob, Path(recording.replace(".part", "")))
        assert (await bob.ask("rtp-analyze", str(log)))["streams"]
        refused = await bob.blink("rtp-analyze", str(log), "--plot", str(plot), expect=3)
        assert refused.json["error"] == {
            "code": "not_installed",
            "message": "A plot needs matplotlib, which a plain install leaves out.",
            "hint": "Install it with `pip install 'blink-cli[plot]'`.",
        }
        assert not plot.exists()
        # It is said before a long log is read, and before a missing one is missed.
        await bob.blink("rtp-analyze", str(tmp_path / "none.csv"), "--plot", str(plot), expect=3)
        assert (await bob.blink("rtp-analyze", str(tmp_path / "none.csv"), expect=3)).json["error"][
            "code"
        ] == "not_found"
        assert alice.complaints == bob.complaints == ""
        await bob.quit()
    sound, rate_hz = soundfile.read(heard, dtype="float32")
    assert np.abs(sound).max() > 0.05, "a tone at -20 dBFS"
    assert len(sound) > rate_hz


def _arrives(statistics: Any) -> bool:
    (peer,) = statistics["peers"]
    return bool(peer["inbound"]["packetsReceived"] > 50)


async def _works_without_extras(session: Session, recording: Path) -> None:
    """What needs more than a call does, and still no extra."""
    made = await session.ask("record", "export", str(recording), "--format", "wav,opus,mix")
    assert {file["kind"] for file in made["files"]} == {"wav", "opus", "mix"}
    assert (await session.ask("list-devices"))["devices"]
    assert (await session.blink("status")).stderr == ""

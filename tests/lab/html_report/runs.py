"""A small run of which pages are made, once for all tests of a process."""

import atexit
import functools
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import msgspec

from blink_cli.core.text.json_text import encode_json
from blink_cli.lab.html_report.page import Page, html_page
from blink_cli.lab.html_report.run_folder import RunFolder
from blink_cli.lab.running import run_cases
from blink_cli.lab.verdict.kept_report import REPORT
from blink_cli.lab.verdict.report import LabReport
from blink_cli.lab.verdict.run_command import RunCommand
from tests.lab.scenario.reading import cases

SCENARIO = """
about = "A <b>bad</b> line & a mute."
duration = 6
seed = 4
expect = ["heard(alice->bob)", "loss(alice->bob) < 1%"]

[[network]]
at = 2
from = "alice"
line = "loss=20% burst=2 outage=2s+300ms"

[[step]]
at = 4
who = "bob"
do = "mute"
"""


@dataclass(frozen=True)
class Kept:
    report: LabReport
    folder: Path
    page: Page


@functools.cache
def kept() -> Kept:
    """Run the scenario, keep it as `lab run --out` does, and make its page."""
    folder = Path(tempfile.mkdtemp(prefix="blink-test-"))
    atexit.register(shutil.rmtree, folder)
    report = run_cases(
        cases(SCENARIO),
        RunCommand(("a trial.toml",), "virtual"),
        out=folder,
        version="1",
        progress=lambda _: None,
    )
    (folder / REPORT).write_bytes(encode_json(msgspec.to_builtins(report)))
    return Kept(report, folder, html_page(report, RunFolder(folder), lambda _: None))

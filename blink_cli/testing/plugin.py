"""The pytest plugin of this program: the fixture `blink_lab`, and what is kept of a test that fails.

pytest loads it wherever the program is installed, so it imports nothing of it until a test asks for the fixture.
"""

import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from blink_cli.testing.blink_lab import BlinkLab

FIXTURE: Final = "blink_lab"
OPTION: Final = "--blink-artifacts"
USUAL_FOLDER: Final = "blink-artifacts"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let users say where what is kept of failed tests goes."""
    parser.getgroup("blink").addoption(
        OPTION,
        metavar="DIR",
        default=USUAL_FOLDER,
        help="Folder for the sound, logs and events of tests that failed with the fixture blink_lab (default: blink-artifacts).",
    )


@pytest.fixture
def blink_lab() -> "Iterator[BlinkLab]":
    """Sessions, calls and ears for one test: see docs/api.md. Its methods block; the test is an ordinary function."""
    from blink_cli.testing.blink_lab import BlinkLab  # noqa: PLC0415 - numpy and more, for those who use it

    lab = BlinkLab()
    try:
        yield lab
    finally:
        lab.close()


@pytest.hookimpl(
    hookwrapper=True
)  # the older of two ways, which every pytest knows: this is loaded by all that are installed beside the program
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    """Keep what a failed test leaves, before its sessions end, and say where."""
    outcome = yield
    report: pytest.TestReport = outcome.get_result()
    lab = getattr(item, "funcargs", {}).get(FIXTURE) if call.when != "teardown" and report.failed else None
    if lab is None:
        return
    folder = Path(item.config.getoption(OPTION)).absolute() / re.sub(r"[^\w.-]+", "_", item.nodeid).strip("_")
    try:
        lines = lab.keep(folder)
    except Exception as error:  # noqa: BLE001 - the failure of the test itself must not be hidden by this one
        lines = [f"not all could be kept: {error!r}"]
    report.sections.append(("blink lab", "\n".join([*lines, f"sound, logs and events: {folder}"])))

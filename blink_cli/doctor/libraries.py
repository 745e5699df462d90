"""The Python libraries that the program is installed with: there, of a version that works, and can be loaded. Extras are told and not missed."""

import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires
from typing import Final

import msgspec

from blink_cli.doctor.check import DEADLINE_S
from blink_cli.doctor.finding import Finding, failed, fine, unknown, warning
from blink_cli.doctor.library_query import Library, Loading
from blink_cli.doctor.situation import Situation
from blink_cli.runtime.extras import PROGRAM

NAME: Final = "libraries"
EXTRAS: Final = "extras"
ASKED: Final = "blink_cli.doctor.library_query"

SILENT_S: Final = DEADLINE_S
"""One that has not been loaded for so long hangs. All together take a second, on a machine that computes with all it has ten times as long."""

ALL_S: Final = 3 * DEADLINE_S
"""How long all of them may take, as long as one after the other is loaded."""

_DECODER: Final = msgspec.json.Decoder(Loading | Library)
_INSTALL: Final = f"Install the program again: `pip install --upgrade --force-reinstall {PROGRAM}`."


@dataclass(frozen=True, slots=True)
class Answer:
    """What the process said that loads them."""

    libraries: tuple[Library, ...]
    loading: str | None
    """The one that was being loaded when the process ended."""

    exit_code: int | None
    """None: it took too long."""


def look(_: Situation) -> Iterator[Finding]:
    """Ask a process of its own, which loads them one after the other."""
    try:
        requires(PROGRAM)
    except PackageNotFoundError:
        yield unknown(
            NAME,
            "the program runs from bare files, so nothing says which versions it wants",
            "Install it, for example with `pip install --editable .`.",
        )
        return
    try:
        answer = _asked()
    except OSError as error:
        yield unknown(
            NAME,
            f"no process can be started that would load them: {error.strerror or error}",
            "Look at the limits of processes and memory: `ulimit -a`.",
        )
        return
    libraries = answer.libraries
    yield judged(answer)
    extras = [one for one in libraries if one.extra is not None]
    if extras:
        told = (f"{one.name} {one.version or 'is not installed'} ({one.extra})" for one in extras)
        yield fine(EXTRAS, f"optional: {', '.join(told)}")


def judged(answer: Answer) -> Finding:
    """Say what is wrong with the libraries that a call needs."""
    libraries = [one for one in answer.libraries if one.extra is None]
    troubles = [trouble for one in libraries if (trouble := _trouble(one)) is not None]
    if answer.exit_code not in (0, None):
        troubles.append(
            f"{answer.loading or 'one of them'} ends the process that loads it (exit code {answer.exit_code})"
        )
    if troubles:
        return failed(NAME, "; ".join(troubles), _INSTALL)
    if answer.exit_code is None:
        return unknown(
            NAME,
            f"{answer.loading or 'the first of them'} was not loaded within {SILENT_S:g} s, or all within {ALL_S:g} s",
            "The machine is busy (`top`), or that library hangs: run `blink doctor libraries` again.",
        )
    newer = [
        f"{one.name} {one.version} is newer than what was tried ({one.wanted})"
        for one in libraries
        if one.broken_bound
    ]
    if newer:
        return warning(NAME, "; ".join(newer), _INSTALL)
    return fine(NAME, ", ".join(f"{one.name} {one.version}" for one in libraries))


def _trouble(one: Library) -> str | None:
    if one.version is None:
        return f"{one.name} is missing"
    if one.broken_bound is not None and one.broken_bound.startswith(">"):
        return f"{one.name} {one.version} is older than what is needed ({one.wanted})"
    if one.failure is not None:
        return f"{one.name} {one.version} cannot be loaded ({one.failure})"
    return None


def _asked() -> Answer:
    asked = [sys.executable, "-m", ASKED]
    with subprocess.Popen(  # noqa: S603 - our own interpreter and module
        asked, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        lines, ended = _said_by(process)
        if not ended:
            process.kill()
        return answer_of(lines, process.wait() if ended else None)


def _said_by(process: subprocess.Popen[bytes]) -> tuple[bytes, bool]:
    """Return what it says, and whether it ended before nobody waited any more."""
    pieces: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read() -> None:
        assert process.stdout is not None, "a pipe was asked for"
        for line in process.stdout:
            pieces.put(line)
        pieces.put(b"")

    reader = threading.Thread(target=read, name="blink-doctor-libraries-reader", daemon=True)
    reader.start()
    said = b""
    deadline_s = time.monotonic() + ALL_S
    try:
        while piece := pieces.get(timeout=max(0.0, min(SILENT_S, deadline_s - time.monotonic()))):
            said += piece
    except queue.Empty:
        return said, False
    reader.join()
    return said, True


def answer_of(lines: bytes, exit_code: int | None) -> Answer:
    """Read what the asked process said before it ended; None: before nobody waited any more."""
    libraries: list[Library] = []
    loading: str | None = None
    for line in lines.splitlines():
        match _DECODER.decode(line):
            case Loading(name=name):
                loading = name
            case Library() as library:
                libraries.append(library)
                loading = None
    return Answer(tuple(libraries), loading, exit_code)

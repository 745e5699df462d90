"""The Python libraries that the program is installed with: there, of a version that works, and can be loaded. Extras are told and not missed."""

import subprocess
import sys
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

ASKED_S: Final = DEADLINE_S - 0.5
"""They take about a second."""

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
    answer = _asked()
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
            f"they were not loaded within {ASKED_S:g} s; the last was {answer.loading or 'none'}",
            f"The machine is busy, or that one hangs: `python -c 'import {answer.loading or 'aiortc'}'`.",
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
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", ASKED], capture_output=True, timeout=ASKED_S, check=False
        )
    except subprocess.TimeoutExpired as late:
        return answer_of(late.stdout or b"", None)
    return answer_of(done.stdout, done.returncode)


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

"""Loads each library that the program wants and says how that went, a JSON object a line: `python -m blink_cli.doctor.library_query`.

In a process of its own: one that ends the process when it is loaded is named by what was said before.
"""

import contextlib
import importlib
import io
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version

import msgspec

from blink_cli.doctor.requirement import Requirement, applies, parse_requirement
from blink_cli.runtime.extras import PROGRAM

LOADED_ELSEWHERE = {"sounddevice"}
"""It cannot be loaded without PortAudio, which is a check of its own."""


class Loading(msgspec.Struct, tag="loading", frozen=True):
    """It is loaded next."""

    name: str


class Library(msgspec.Struct, tag="library", frozen=True):
    """How it is."""

    name: str
    extra: str | None
    wanted: str
    """The range of versions."""

    version: str | None
    """None: not installed."""

    broken_bound: str | None
    failure: str | None
    """Why it cannot be loaded."""


def main() -> None:
    """Answer, a line for each."""
    modules: dict[str, list[str]] = {}
    for module, distributions in packages_distributions().items():
        for distribution in distributions:
            modules.setdefault(_canonical(distribution), []).append(module)
    for text in requires(PROGRAM) or ():
        wanted = parse_requirement(text)
        if not applies(wanted) or _canonical(wanted.name) == PROGRAM:
            continue
        _say(Loading(wanted.name))
        _say(_looked_at(wanted, modules.get(_canonical(wanted.name), [])))


def _looked_at(wanted: Requirement, modules: list[str]) -> Library:
    try:
        present = version(wanted.name)
    except PackageNotFoundError:
        return Library(wanted.name, wanted.extra, wanted.range, None, None, None)
    failure = None
    if wanted.extra is None and _canonical(wanted.name) not in LOADED_ELSEWHERE:
        failure = next(filter(None, (_failure_of(module) for module in sorted(modules))), None)
    return Library(wanted.name, wanted.extra, wanted.range, present, wanted.broken_by(present), failure)


def _failure_of(module: str) -> str | None:
    if module.startswith("_") or not module.isidentifier():
        return None
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            importlib.import_module(module)
    except Exception as failure:  # noqa: BLE001 - whatever it is, it is what is told
        return f"{type(failure).__name__}: {failure}"
    return None


def _canonical(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _say(one: Loading | Library) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(one) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()

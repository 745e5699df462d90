"""Loads each library that the program wants and says how that went, a JSON object a line: `python -m blink_cli.doctor.library_query`.

In a process of its own: one that ends the process when it is loaded is named by what was said before. So a library is loaded behind those that
it needs itself: aiortc would load av, and be named for what av does.
"""

import contextlib
import importlib
import io
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution, requires

import msgspec

from blink_cli.doctor.requirement import Requirement, applies, parse_requirement
from blink_cli.runtime.extras import PROGRAM

_BESIDE = (".libs", ".data", ".dist-info", ".pth")
"""Folders of what a wheel brings beside its modules."""

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
    wanted = [
        one
        for one in map(parse_requirement, requires(PROGRAM) or ())
        if applies(one) and _canonical(one.name) != PROGRAM
    ]
    for one in behind_their_needs(wanted):
        _say(Loading(one.name))
        _say(_looked_at(one))


def behind_their_needs(wanted: Sequence[Requirement]) -> Iterator[Requirement]:
    """Give each behind those among them that it needs; otherwise in their order. What several extras bring is the first one's."""
    left: dict[str, Requirement] = {}
    for one in wanted:
        left.setdefault(_canonical(one.name), one)
    for name in list(left):
        yield from _with_needs(name, left)


def _with_needs(name: str, left: dict[str, Requirement]) -> Iterator[Requirement]:
    one = left.pop(name, None)
    if one is None:
        return
    for need in _needs(one.name):
        yield from _with_needs(need, left)
    yield one


def _needs(name: str) -> Iterator[str]:
    try:
        texts = requires(name) or ()
    except PackageNotFoundError:
        return
    for text in texts:
        # What other libraries ask for may be written in ways that ours is not.
        with contextlib.suppress(ValueError):
            one = parse_requirement(text)
            if one.extra is None:
                yield _canonical(one.name)


def _looked_at(wanted: Requirement) -> Library:
    try:
        found = distribution(wanted.name)
    except PackageNotFoundError:
        return Library(wanted.name, wanted.extra, wanted.range, None, None, None)
    failure = None
    if wanted.extra is None and _canonical(wanted.name) not in LOADED_ELSEWHERE:
        failure = next(filter(None, (_failure_of(module) for module in sorted(_modules(found)))), None)
    broken = wanted.broken_by(found.version)
    return Library(wanted.name, wanted.extra, wanted.range, found.version, broken, failure)


def _modules(found: Distribution) -> set[str]:
    """The modules and packages that it installed at the top, by its list of files. Of one that is installed in place there is none to load."""
    return {
        path.parts[0].partition(".")[0]
        for path in found.files or ()
        if path.parts[0] != ".."
        and path.suffix in (".py", ".so", ".pyd")
        and not path.parts[0].endswith(_BESIDE)
    }


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

"""Where this machine has copies of libopus.

    pyav     in PyAV's wheel, so that a plain pip install already talks
    system   what the system installed: PyOgg knows its names on each platform
    pyogg    in PyOgg's wheel for Windows

PyOgg's loader is taken without the rest of the package: importing that looks for seven more libraries. The loader writes what it searches
behind the user's PATH, with a semicolon: on all systems but Windows the last folder of it would be lost for every program that is started
later. So it is given a PATH of its own.
"""

import importlib.util
import os
from collections.abc import Iterator
from ctypes import CDLL
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, Literal

import msgspec

Origin = Literal["named", "pyav", "system", "pyogg"]

ORIGINS: Final[tuple[Origin, ...]] = ("pyav", "system", "pyogg")

_WHEEL_FOLDERS: Final = ("../av.libs", ".dylibs")
"""Beside or inside the package: auditwheel (Linux) and delvewheel (Windows) use the first, delocate (macOS) the second."""


class Installed(msgspec.Struct, frozen=True):
    """One copy, which may or may not work."""

    origin: Origin
    name: str
    """What the system's loader takes: a path, or a name that it looks for."""


def installed() -> Iterator[Installed]:
    """Every copy that is found, in the order in which they are preferred where they can do the same."""
    for path in _in_pyav():
        yield Installed("pyav", path)
    if (name := _of_the_system()) is not None:
        yield Installed("system", name)
    package = _folder_of("pyogg")
    if package is not None:
        for file in sorted(package.glob("*opus*.dll")):
            yield Installed("pyogg", str(file))


def _in_pyav() -> Iterator[str]:
    package = _folder_of("av")
    if package is not None:
        for folder in _WHEEL_FOLDERS:
            yield from (str(path) for path in sorted((package / folder).glob("*opus[-.]*")))


def _of_the_system() -> str | None:
    package = _folder_of("pyogg")
    if package is None:
        return None
    spec = importlib.util.spec_from_file_location("blink_cli_pyogg_loader", package / "library_loader.py")
    if spec is None or spec.loader is None:
        return None
    loader: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loader)
    loader.os = SimpleNamespace(environ={"PATH": os.environ.get("PATH", "")}, getcwd=lambda: "")
    try:
        found = loader.ExternalLibrary.load("opus", tests=[_is_opus])
    except loader.ExternalLibraryError:  # on Windows, where others return nothing
        return None
    return None if found is None else str(found._name)  # noqa: SLF001 - ctypes documents it, under this name


def _is_opus(library: CDLL) -> bool:
    return hasattr(library, "opus_decoder_create")


def _folder_of(package: str) -> Path | None:
    # find_spec does not import it: PyAV would take a quarter of a second.
    spec = importlib.util.find_spec(package)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent

"""Modules that are imported when something of them is used first, not when the module that names them is.

A session that waits needs no numpy and none of what makes sound; a start, and the memory of those who only wait, are half of that. What names a module so:

    if TYPE_CHECKING:
        from blink_cli.audio.devices import sounds
    else:
        sounds = on_demand("blink_cli.audio.devices.sounds")

    sounds.Silence()

Type checkers and import rules see the import; Python sees the name. Where sound has to be there in time, somebody imports it before, on a thread.

What a library imports by itself and is mostly not needed is left out by `leave_out`: the library gets a stand-in, which becomes the module when it is used.
"""

import importlib
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from threading import Lock, get_ident
from types import ModuleType
from typing import Final

from typing_extensions import override

from blink_cli.runtime.math_threads import on_one_thread

_taking_in: Final = Lock()


class _OnDemand(ModuleType):
    """Stands for a module. Any thread: Python imports a module once, and has whoever comes meanwhile wait."""

    @override
    def __getattr__(self, name: str) -> object:
        return getattr(_imported(self.__name__), name)


def _imported(name: str) -> ModuleType:
    module = sys.modules.get(name)
    # One that another thread imports just now is there, and not whole: importing it again waits.
    if module is None or getattr(module.__spec__, "_initializing", False):
        with on_one_thread():
            module = importlib.import_module(name)
    return module


class _LeftOut(ModuleType):
    """Is found by whoever imports the module, until an attribute is asked for that it does not have. Any thread."""

    def __init__(self, name: str, known: Mapping[str, object]) -> None:
        super().__init__(name)
        self._known = known
        self._known_to = get_ident()

    @override
    def __getattr__(self, name: str) -> object:
        # Another thread that asks meanwhile wants the module, not what it is called in an annotation.
        if name in self._known and get_ident() == self._known_to and sys.modules.get(self.__name__) is self:
            return self._known[name]
        return getattr(_whole(self), name)


def _whole(stand_in: _LeftOut) -> ModuleType:
    take_in(stand_in)
    module = _imported(stand_in.__name__)
    # Modules of this package that were imported meanwhile are not imported again.
    for child, value in _children(stand_in):
        vars(module).setdefault(child, value)
    return module


def _children(stand_in: _LeftOut) -> list[tuple[str, ModuleType]]:
    return [(name, value) for name, value in tuple(vars(stand_in).items()) if isinstance(value, ModuleType)]


def on_demand(name: str) -> ModuleType:
    """Stand for the module of this name, which is imported when an attribute is asked for; a mistake in the name shows then."""
    return _OnDemand(name)


def leave_out(name: str, **known: object) -> _LeftOut | None:
    """Have who imports this module from now on get a stand-in, which has these attributes for this thread and imports the module for any other.

    Returns the stand-in; None where the module is imported already, and stays. The modules of a package that is left out can be imported without it.
    """
    if name in sys.modules:
        return None
    found = find_spec(name)
    assert found is not None, f"{name} is not installed"
    module = _LeftOut(name, known)
    vars(module).update(__spec__=found, __file__=found.origin)
    if found.submodule_search_locations is not None:
        module.__path__ = found.submodule_search_locations
    package, _, child = name.rpartition(".")
    if package:
        setattr(sys.modules[package], child, module)
    return module if sys.modules.setdefault(name, module) is module else None


def take_in(stand_in: _LeftOut | None) -> None:
    """Have who imports that module from now on get it. What has the stand-in keeps it."""
    if stand_in is None:
        return
    with _taking_in:
        if sys.modules.get(stand_in.__name__) is not stand_in:
            return
        del sys.modules[stand_in.__name__]
    if _children(stand_in):  # another thread imported a part of it: Python would not tell the package again
        _whole(stand_in)

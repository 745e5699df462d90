"""Modules that are imported when something of them is used first, not when the module that names them is.

A session that waits needs no numpy and none of what makes sound; a start, and the memory of those who only wait, are half of that. What names a module so:

    if TYPE_CHECKING:
        from blink_cli.audio.devices import sounds
    else:
        sounds = on_demand("blink_cli.audio.devices.sounds")

    sounds.Silence()

Type checkers and import rules see the import; Python sees the name. Where sound has to be there in time, somebody imports it before, on a thread.
"""

import importlib
import sys
from types import ModuleType

from typing_extensions import override

from blink_cli.runtime.math_threads import on_one_thread


class _OnDemand(ModuleType):
    """Stands for a module. Any thread: Python imports a module once, and has whoever comes meanwhile wait."""

    @override
    def __getattr__(self, name: str) -> object:
        module = sys.modules.get(self.__name__)
        # One that another thread imports just now is there, and not whole: importing it again waits.
        if module is None or getattr(module.__spec__, "_initializing", False):
            with on_one_thread():
                module = importlib.import_module(self.__name__)
        return getattr(module, name)


def on_demand(name: str) -> ModuleType:
    """Stand for the module of this name, which is imported when an attribute is asked for; a mistake in the name shows then."""
    return _OnDemand(name)

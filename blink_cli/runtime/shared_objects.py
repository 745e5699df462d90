"""Loads the libraries behind compiled modules while other threads go on.

`import` holds the interpreter while the system finds, maps and links them: PyAV's take 10 ms, in which a voice thread stands still. A function that is called
through ctypes does not hold it, and what is loaded already costs the import next to nothing.
"""

import ctypes
import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path


def load_shared_objects(package: str) -> None:
    """Load the compiled modules at the head of an installed package, and what they need, for who imports it next. Any thread but one with voice.

    Where that cannot be done, as on Windows, the import does it as ever.
    """
    found = find_spec(package)
    if package in sys.modules or os.name != "posix" or found is None:
        return
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.restype, dlopen.argtypes = ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_int)
    for folder in found.submodule_search_locations or ():
        for path in sorted(Path(folder).iterdir()):
            if path.name.endswith(tuple(EXTENSION_SUFFIXES)):
                dlopen(os.fsencode(path), sys.getdlopenflags())

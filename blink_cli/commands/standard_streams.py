"""Standard streams that a program was started without (`blink serve <&-`) lead nowhere.

Otherwise the next socket that is opened takes the place of one, and what is printed goes into it; libuv even ends a process that closes its own descriptor 0.
"""

import os
import sys
from typing import Final

_STREAMS: Final = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def fill_standard_streams() -> None:
    """Open what is closed of them. To be called before anything else is opened."""
    for number, (name, mode) in enumerate(_STREAMS):
        if getattr(sys, name) is not None:
            continue
        descriptor = os.open(os.devnull, os.O_RDWR)
        if descriptor != number:
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.set_inheritable(number, True)  # noqa: FBT003 - the function's only argument
        setattr(sys, name, os.fdopen(number, mode))

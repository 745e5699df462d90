"""How often Python looks for garbage that refers to itself.

By itself it looks after every 700 new objects. A start makes a hundred thousand and leaves nothing to collect: looking takes a tenth of its time.
A command that asks a running session has ended before there is anything; one that goes on for long still looks, more seldom.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_USUAL: Final = gc.get_threshold()

SELDOM_OBJECTS: Final = 100_000


def collect_seldom() -> None:
    """Look after every 100,000 new objects, from now on."""
    gc.set_threshold(SELDOM_OBJECTS, *_USUAL[1:])


@contextmanager
def not_collecting() -> Iterator[None]:
    """Do not look inside, and afterwards as often as Python does by itself: a call must not stop for a large collection.

    For imports, which leave no garbage. What shall never be looked at again is frozen inside (`gc.freeze`), before anything does.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.set_threshold(*_USUAL)
        gc.enable()

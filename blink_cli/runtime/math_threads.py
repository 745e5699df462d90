"""Keeps the linear algebra under numpy on the thread that calls it.

OpenBLAS starts a thread for each processor when numpy is loaded, and shares larger products out among them, from some 260,000 multiplications on:
the loudness of a tenth of a second is such a product. On a machine that has other things to do the calling thread then waits, spinning, for
one that does not get a processor: a product took ten times as long. Voice needs no second thread; each of its products takes microseconds.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_CHOSEN_BY: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""What OpenBLAS, OpenMP, MKL and Accelerate look at when they are loaded, and never again."""


@contextmanager
def on_one_thread() -> Iterator[None]:
    """Let a numpy that is loaded inside compute on one thread. What the user chose stays; the environment is left as it was."""
    added = [name for name in _CHOSEN_BY if name not in os.environ]
    os.environ.update(dict.fromkeys(added, "1"))
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)

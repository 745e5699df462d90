"""Step into a network namespace and out again, to open something there that stays usable outside."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

_CLONE_NEWNET = 0x40000000


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Let the calling thread open sockets and devices in a namespace; they stay there when it has left.

    Other threads are not moved (setns(2) is per thread). Must not be held over an `await`.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        away = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
        try:
            _enter(libc, away)
        finally:
            os.close(away)
        try:
            yield
        finally:
            _enter(libc, home)
    finally:
        os.close(home)


def _enter(libc: ctypes.CDLL, namespace: int) -> None:
    if libc.setns(namespace, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns: cannot change the network namespace")

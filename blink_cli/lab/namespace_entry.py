"""Moves a thread into another network namespace (setns(2))."""

import ctypes
import os
from pathlib import Path

_CLONE_NEWNET = 0x40000000


def enter(namespace: Path) -> None:
    """Move the calling thread, and no other, into the network namespace that a path such as `/run/netns/NAME` stands for.

    Raises:
        OSError: There is none, or the right is missing.

    """
    descriptor = os.open(namespace, os.O_RDONLY)
    try:
        enter_open(descriptor)
    finally:
        os.close(descriptor)


def enter_open(descriptor: int) -> None:
    """Do the same with an open file of the namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns: cannot change the network namespace")

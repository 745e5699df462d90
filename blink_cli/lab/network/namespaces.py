"""Step into a network namespace and out again, to open something there that stays usable outside."""

import ctypes
import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from blink_cli.lab.requirements import ADMINISTRATOR_PATH, require_network_namespaces

_CLONE_NEWNET = 0x40000000


@contextmanager
def made(namespace: str, *lines: str) -> Iterator[None]:
    """Make a namespace with its loopback up, run these lines of `ip -batch` in it, and remove it in the end.

    For what needs no sessions and no wire; hosts that speak are made by a `Laboratory`. `pytest.skip`s without root.
    """
    require_network_namespaces()
    _ip("netns", "add", namespace)
    try:
        configure(namespace, ("link set lo up", *lines))
        yield
    finally:
        _ip("netns", "delete", namespace)


def configure(namespace: str, lines: Iterable[str]) -> None:
    """Run lines of `ip -batch` in a namespace."""
    _ip("-n", namespace, "-batch", "-", given="\n".join(lines))


def _ip(*arguments: str, given: str | None = None) -> None:
    environment = {**os.environ, "PATH": ADMINISTRATOR_PATH}
    subprocess.run(("ip", *arguments), input=given, text=True, check=True, env=environment)


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

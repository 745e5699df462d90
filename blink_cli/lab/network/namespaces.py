"""Step into a network namespace and out again, to open something there that stays usable outside."""

import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from blink_cli.lab.namespace_entry import enter, enter_open
from blink_cli.lab.requirements import ADMINISTRATOR_PATH, require_network_namespaces


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
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        enter(Path("/run/netns", namespace))
        try:
            yield
        finally:
            enter_open(home)
    finally:
        os.close(home)

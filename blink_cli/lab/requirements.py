"""What the laboratory needs of the machine, asked in one place, so that who lacks something is always told what."""

import functools
import os
import shutil
import subprocess
from pathlib import Path
from typing import ClassVar, NoReturn

from blink_cli.core.errors import BlinkError

ADMINISTRATOR_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
"""Debian keeps `ip` and `nft` out of an ordinary user's path."""


class UnavailableError(BlinkError):
    """Something that the laboratory needs is not on this machine."""

    code: ClassVar[str] = "unavailable"


def unavailable(reason: str) -> NoReturn:
    """Say what is missing.

    Raises:
        UnavailableError: Always. Tests skip then, or fail in CI, where everything is installed (tests/conftest.py).

    """
    raise UnavailableError(reason)


def require_program(name: str, *, debian_package: str | None = None) -> str:
    """Return the path of a program, or say what is missing, naming the package that has it."""
    path = shutil.which(name, path=ADMINISTRATOR_PATH)
    if path is None:
        unavailable(f"{name} is not installed (Debian package {debian_package or name})")
    return path


def require_network_namespaces() -> None:
    """Complain when this user may not make network namespaces, links, TAP devices and filters."""
    require_program("ip", debian_package="iproute2")
    reason = why_no_network_namespaces()
    if reason is not None:
        unavailable(reason)


@functools.cache
def why_no_network_namespaces() -> str | None:
    """Say what stands in the way; None when hosts can be made."""
    if shutil.which("ip", path=ADMINISTRATOR_PATH) is None:
        return "ip is not installed (Debian package iproute2)"
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not Path("/dev/net/tun").exists():
        return "there is no /dev/net/tun, which the user-space wire needs"
    probe = f"blink-probe-{os.getpid()}"
    attempt = _quiet("ip", "netns", "add", probe)
    if attempt is not None:
        return f"making a network namespace was refused: {attempt}"
    try:
        refused = _quiet("ip", "-n", probe, "tuntap", "add", "probe0", "mode", "tap")
        return None if refused is None else f"making a TAP device was refused: {refused}"
    finally:
        _quiet("ip", "netns", "del", probe)


def _quiet(*command: str) -> str | None:
    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PATH": ADMINISTRATOR_PATH}
    )
    return None if ran.returncode == 0 else ran.stderr.strip()

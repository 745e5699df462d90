"""Work on a thread that has mounts of its own: what it mounts, nobody else sees. Programs that it starts see it, too.

unshare(2) is per thread; the thread ends afterwards, and its mounts with it.
"""

import ctypes
import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from blink_cli.lab.requirements import require_network_namespaces, require_program

T = TypeVar("T")

_CLONE_NEWNS: Final = 0x00020000


def with_mounts(work: Callable[[], T], script: str, *arguments: str | Path) -> T:
    """Return what work returns where a shell has run `script` before; its arguments are $1, $2, …"""
    require_network_namespaces()  # which needs the same rights
    require_program("mount", debian_package="mount")

    def mounted() -> T:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_CLONE_NEWNS):
            raise OSError(ctypes.get_errno(), "unshare: no mounts of its own")
        # Else what is mounted here is mounted outside as well.
        command = ["sh", "-ec", f"mount --make-rprivate /; {script}", "sh", *map(str, arguments)]
        subprocess.run(command, check=True, env=os.environ)
        return work()

    with ThreadPoolExecutor(1, thread_name_prefix="own mounts") as thread:
        return thread.submit(mounted).result()

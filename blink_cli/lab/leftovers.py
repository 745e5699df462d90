"""What a process holds, and what it leaves, read from /proc and the file system."""

import os
from contextlib import suppress
from pathlib import Path


def threads(pid: int) -> list[str]:
    """Return the names of a process's threads; empty when it has ended."""
    names = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):
                names.append((task / "comm").read_text().strip())
    return sorted(names)


def descriptors(pid: int) -> list[str]:
    """Return what a process's file descriptors lead to."""
    targets = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):
                targets.append(str(descriptor.readlink()))
    return sorted(targets)


def resident_bytes(pid: int) -> int:
    """Return the memory that a process has taken for its data. Pages of libraries, which come when they are first used, do not count."""
    (kilobytes,) = (
        line.split()[1]
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("RssAnon:")
    )
    return int(kilobytes) * 1024


def processor_s(pid: int) -> float:
    """Return the processor time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def processes_naming(text: str) -> list[int]:
    """Return the processes whose command line has a text, such as the directory of a test; not this one."""
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            if text.encode() in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return sorted(found)


def sockets_under(directory: Path) -> list[Path]:
    """Return the Unix sockets below a directory."""
    return sorted(path for path in directory.rglob("*") if path.is_socket())

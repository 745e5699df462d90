"""What the kernel counts of a process, all threads together (Linux, proc(5))."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Counts:
    """Since the process began."""

    processor_s: float
    """User and system, of all its threads."""

    wake_ups: int
    """Times that a thread gave the processor away by itself, and so was woken later."""

    switches: int
    """Times that a thread was made to wait although it had work."""

    def since(self, earlier: "Counts") -> "Counts":
        """What was added."""
        return Counts(
            self.processor_s - earlier.processor_s,
            self.wake_ups - earlier.wake_ups,
            self.switches - earlier.switches,
        )


def counts(pid: int | str) -> Counts:
    """Of the threads that there are; `self` is this process."""
    nanoseconds = wake_ups = switches = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        nanoseconds += int((task / "schedstat").read_text("ascii").split()[0])
        for line in (task / "status").read_text("utf-8").splitlines():
            name, _, value = line.partition(":")
            if name == "voluntary_ctxt_switches":
                wake_ups += int(value)
            elif name == "nonvoluntary_ctxt_switches":
                switches += int(value)
    return Counts(nanoseconds * 1e-9, wake_ups, switches)


def processor_s(pid: int) -> float:
    """Processor time of all threads of a process, and of its children that have ended."""
    stat = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return counts(pid).processor_s + (int(stat[13]) + int(stat[14])) / os.sysconf("SC_CLK_TCK")


def pss_mb(pid: int | str) -> float:
    """Memory, of which a page that several processes share counts by its share."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the kernel does not tell PSS")

"""What this machine's host takes from it: processor time that no process here had, in stretches of up to tenths of a second.

A virtual machine cannot prevent it, and a real-time thread in it cannot run meanwhile: a bench tells it beside what it measured.
"""

import os
from pathlib import Path


def stolen_s() -> float:
    """Processor seconds that the host has given to others since the machine started; 0 where it does not say."""
    try:
        fields = Path("/proc/stat").read_text("ascii").partition("\n")[0].split()
    except OSError:
        return 0.0
    return int(fields[8]) / os.sysconf("SC_CLK_TCK")


def stolen_percent(before_s: float, elapsed_s: float) -> float:
    """Share of all processors' time that was stolen since `stolen_s` said `before_s`, `elapsed_s` ago."""
    return 100 * (stolen_s() - before_s) / elapsed_s / (os.cpu_count() or 1)

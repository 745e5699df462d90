"""The process that watches: it only waits, and says on stdout how late it woke and how much the host took. See machine_stalls.py.

    LATE <monotonic end> <seconds>      the wait that ended then was longer by so much
    STOLEN <monotonic end> <percent>    of all processors' time, in the last half second
    HERE <monotonic>                    the answer to a line on stdin, behind everything that was before it

It ends with its stdin. Nothing of the project is imported, so that it starts in 20 ms and shares nothing with the tests but the machine.
"""

import os
import select
import time

LOOK_S = 0.01
NOTED_S = 0.02
STOLEN_EVERY_S = 0.5


def stolen_s() -> float:
    """Processor seconds that the host has given to others; 0 where it does not say."""
    try:
        with open("/proc/stat", encoding="ascii") as file:  # noqa: PTH123 - pathlib costs 10 ms of start
            return int(file.readline().split()[8]) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return 0.0


def main() -> None:
    """Watch until stdin ends."""
    processors = os.cpu_count() or 1
    stolen, since_s = stolen_s(), time.monotonic()
    before_s = since_s
    while True:
        asked = select.select([0], [], [], LOOK_S)[0]
        now_s = time.monotonic()
        if now_s - before_s - LOOK_S > NOTED_S:
            say(f"LATE {now_s} {now_s - before_s - LOOK_S}")
        before_s = now_s
        if now_s - since_s >= STOLEN_EVERY_S:
            taken = stolen_s()
            percent = 100 * (taken - stolen) / (now_s - since_s) / processors
            stolen, since_s = taken, now_s
            if percent >= 1.0:
                say(f"STOLEN {now_s} {percent}")
        if asked:
            if not os.read(0, 4096):
                return
            say(f"HERE {now_s}")


def say(line: str) -> None:
    """One line, at once."""
    os.write(1, line.encode() + b"\n")


if __name__ == "__main__":
    main()

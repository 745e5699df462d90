"""Whether the machine that runs the tests stood still: its host, or other processes, kept everything here from running.

A virtual machine's processors can be taken away for tenths of a second. No program hides that from a call, and a test that listens to one fails.

The witness is a process of its own (`stall_witness.py`): what the tests' process does to itself, a C call that holds the interpreter's lock, say,
it does not see, and so does not shift_deadlines. Only what happened shortly before a failure counts.
"""

import select
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from typing_extensions import override

STALL_S: Final = 0.05
"""A process that does nothing but wait comes so late only if nothing ran in time. Playout hides less than that."""

STOLEN_PERCENT: Final = 5.0
NEAR_S: Final = 10.0
"""How far before a failure a stall may lie, unless the test's marker says otherwise: `real_time(within_s=40)` for one that analyses what it heard."""

ANSWER_S: Final = 20.0
"""A witness that does not answer for so long is dead."""

KEPT: Final = 4096


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What a machine went through in a stretch of time."""

    longest_s: float
    """By how much a waiting process woke too late, at most."""

    stolen_percent: float
    """Of all processors' time, in the worst half second."""

    stretch_s: float = NEAR_S

    @property
    def stalled(self) -> bool:
        """Whether a test that depends on time proves nothing."""
        return self.longest_s > STALL_S or self.stolen_percent > STOLEN_PERCENT

    @override
    def __str__(self) -> str:
        """Tell it to the reader of a failure."""
        return (
            f"in the {self.stretch_s:.0f} s before, a waiting process woke up to {1000 * self.longest_s:.0f} ms late; "
            f"the host took up to {self.stolen_percent:.0f} % of the processors"
        )


@dataclass(frozen=True, slots=True)
class Stall:
    """Something that the witness said."""

    at_s: float
    """Monotonic; when it ended."""

    late_s: float = 0.0
    stolen_percent: float = 0.0


class StallWitness:
    """Starts the watching process, and asks it. Costs 0.5 % of a core."""

    def __init__(self) -> None:
        """Watch nothing yet."""
        self._process: subprocess.Popen[bytes] | None = None
        self._said = b""
        self._stalls: deque[Stall] = deque(maxlen=KEPT)
        self._answered_s = 0.0

    def start(self) -> None:
        """Watch from now on."""
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("stall_witness.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,  # Ctrl-C at the terminal is for whoever asks it
        )
        self.stalls()

    def stop(self) -> None:
        """Watch no more."""
        if self._process is not None:
            self._process.communicate()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stalls(self) -> Iterable[Stall]:
        """Everything that it has seen, up to now."""
        process = self._process
        assert process is not None, "it watches"
        assert process.stdin is not None
        assert process.stdout is not None
        asked_s = time.monotonic()
        process.stdin.write(b"?\n")
        while self._answered_s < asked_s:
            if not select.select([process.stdout], [], [], ANSWER_S)[0]:
                raise RuntimeError("the witness of stalls does not answer")
            said = process.stdout.read(65_536)
            if not said:
                raise RuntimeError(f"the witness of stalls has ended with {process.wait()}")
            *lines, self._said = (self._said + said).split(b"\n")
            for line in lines:
                self._take(line.decode())
        return self._stalls

    def _take(self, line: str) -> None:
        word, *numbers = line.split()
        values = [float(number) for number in numbers]
        match word:
            case "LATE":
                self._stalls.append(Stall(values[0], late_s=values[1]))
            case "STOLEN":
                self._stalls.append(Stall(values[0], stolen_percent=values[1]))
            case _:
                self._answered_s = values[0]

    def seen(self, since_s: float, until_s: float) -> Disturbance:
        """What the machine went through between two monotonic moments."""
        near = [stall for stall in self.stalls() if since_s <= stall.at_s <= until_s + STALL_S]
        return Disturbance(
            max((stall.late_s for stall in near), default=0.0),
            max((stall.stolen_percent for stall in near), default=0.0),
            until_s - since_s,
        )

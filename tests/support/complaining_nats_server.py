"""A server that speaks NATS badly: it answers a subscription with an error and hangs up, or sends without end and answers pings late."""

import asyncio
import contextlib
import re
from types import TracebackType
from typing import Self

from blink_cli.runtime.tasks import TaskOwner

_INFO = b'INFO {"server_id":"X","version":"2.10.0","go":"go","host":"127.0.0.1","port":4222,"max_payload":1048576,"proto":1}\r\n'
_AT_ONCE = 2
"""Pings of the beginning: of nats-py, and of who waits until its subscriptions are known."""


class ComplainingNatsServer:
    """Use as an async context manager."""

    def __init__(self, error: str | None, *, answers_after_s: float = 0.0) -> None:
        self._error = error
        self._answers_after_s = answers_after_s
        self._server: asyncio.Server | None = None
        self._tasks = TaskOwner("complaining-nats-server")
        self.greeted = 0

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"nats://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.greeted += 1
        pings = 0
        writer.write(_INFO)
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                subscribed = re.fullmatch(rb"SUB (\S+)  ?(\d+)\r\n", line)
                if subscribed and self._error is not None:
                    writer.write(f"-ERR '{self._error}'\r\n".encode())
                    break
                if line == b"PING\r\n":
                    pings += 1
                    if pings > _AT_ONCE:
                        self._tasks.start(self._answer(writer), name="late answer")
                    else:
                        writer.write(b"PONG\r\n")
                if subscribed:
                    self._tasks.start(self._send(writer, *subscribed.groups()), name="sending")
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self._answers_after_s)
        writer.write(b"PONG\r\n")

    async def _send(self, writer: asyncio.StreamWriter, subject: bytes, sid: bytes) -> None:
        while not writer.is_closing():
            writer.write(b"MSG %b %b 5\r\nhello\r\n" % (subject, sid))
            await asyncio.sleep(0.05)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        await self._tasks.aclose()
        self._server.close()

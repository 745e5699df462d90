"""The events of one session, as `blink events --follow --json` prints them.

    async with await alice.events() as told:
        joined = await told.next("participant_joined", did=bob.did)

They are read in order: one that was passed over is only among those `seen`.
"""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, Self

from blink_cli.lab.program_process import ProgramProcess
from blink_cli.lab.program_run import COMMAND_TIMEOUT_S, CommandError


class Events:
    """What one session tells from when they are opened on."""

    def __init__(self, following: ProgramProcess, report: Callable[[str], str]) -> None:
        """Read nothing yet.

        Args:
            following: `blink events --follow --json`, just started.
            report: Says what is wrong, with everything that the session printed.

        """
        self._process = following
        self._report = report
        self.seen: list[dict[str, Any]] = []
        """Every event read so far, each with `seen_s`, the monotonic time at which it was read."""

    async def open(self) -> Self:
        """Wait for the first line, the snapshot; where it does not come, nothing is left running."""
        try:
            await self._line(COMMAND_TIMEOUT_S)
        except BaseException:
            await self.aclose()
            raise
        return self

    async def next(self, name: str, *, timeout_s: float = 15.0, **fields: Any) -> dict[str, Any]:
        """Read on until an event of this name with these fields comes, and return it."""
        deadline = time.monotonic() + timeout_s
        while True:
            event = await self._line(deadline - time.monotonic(), name)
            if event.get("event") == name and all(event.get(key) == value for key, value in fields.items()):
                return event

    async def _line(self, timeout_s: float, wanted: str = "a line") -> dict[str, Any]:
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(max(timeout_s, 0)):
                line = await self._process.stdout.readline()
        except TimeoutError:
            line = b""
        if not line:
            seen = [event.get("event") for event in self.seen]
            raise CommandError(self._report(f"had no {wanted} among its events {seen}"))
        event: dict[str, Any] = json.loads(line)
        event["seen_s"] = time.monotonic()
        self.seen.append(event)
        return event

    async def links(self, peers: int, *, timeout_s: float = 15.0) -> datetime:
        """Read on until so many links stand at once, and return when the session saw the last one come."""
        deadline = time.monotonic() + timeout_s
        standing: set[str] = set()
        while True:
            event = await self.next("link_changed", timeout_s=deadline - time.monotonic())
            (standing.add if event["link"] == "connected" else standing.discard)(event["did"])
            if len(standing) == peers:
                return moment(event)

    async def aclose(self) -> None:
        """Stop following."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.terminate()
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        await asyncio.gather(self._process.stdout.read(), self._process.stderr.read())
        await self._process.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def moment(event: dict[str, Any]) -> datetime:
    """Return when an event happened, by the session's own clock."""
    return datetime.fromisoformat(event["time"])

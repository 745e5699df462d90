"""Runs one gossip machine on one transport: reads the clocks, carries out what the machine says, wakes it when it asks.

session -> send_to_peer, send_to_call, ... -> machine -> Transmit -> transport
transport -> datagram -> machine -> Received, Acknowledged -> session

Time is `time.monotonic`, not the loop's: uvloop's has a step of a millisecond, and its timers do not say when they are due.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Final, Self

from blink_cli.core.gossip import (
    Acknowledged,
    Address,
    Gossip,
    GossipCounters,
    GossipEffect,
    Path,
    Received,
    Transmit,
)
from blink_cli.core.names import CallId, Did
from blink_cli.core.signals import CallSignal, DirectSignal
from blink_cli.net.transport import Transport

_log = logging.getLogger(__name__)

Listener = Callable[[Received | Acknowledged], None]
"""Called on the event loop, for one signal at a time. What it raises is logged, and costs that signal only."""

_LEAST_WAIT_S: Final = 0.001


class GossipDriver:
    """Belongs to one event loop; `async with` starts and stops it. Owns the transport."""

    def __init__(
        self,
        gossip: Gossip,
        transport: Transport,
        listener: Listener,
        *,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Join the three; nothing runs yet.

        Args:
            gossip: The machine; from now on called by this driver only.
            transport: Not started.
            listener: Hears what came for the session.
            wall_clock: Seconds since 1970.

        """
        self._gossip = gossip
        self._transport = transport
        self._listener = listener
        self._wall_clock = wall_clock
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due_s = 0.0
        self._running = False

    async def start(self) -> None:
        """Start the transport.

        Raises:
            BlinkError: The transport cannot be opened.

        """
        self._running = True
        await self._transport.start(self)

    async def aclose(self) -> None:
        """Send the copies that wait (of a leave, say), then nothing more, and close the transport. Safe to call twice."""
        if self._running:
            self._carry_out(self._gossip.flush(time.monotonic()))
        self._running = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def send_to_peer(self, peer: Did, signal: DirectSignal, call_id: CallId | None) -> None:
        """See `Gossip.send_to_peer`."""
        now_s = time.monotonic()
        self._carry_out(self._gossip.send_to_peer(peer, signal, call_id, now_s, self._wall_clock()))

    def send_to_call(self, call_id: CallId, signal: CallSignal, copies: int = 0) -> None:
        """See `Gossip.send_to_call`."""
        now_s = time.monotonic()
        self._carry_out(self._gossip.send_to_call(call_id, signal, copies, now_s, self._wall_clock()))

    def stop_sending(self, call_id: CallId, peer: Did | None) -> None:
        """See `Gossip.stop_sending`."""
        self._gossip.stop_sending(call_id, peer)

    def open_call(self, call_id: CallId, group_key: bytes) -> None:
        """See `Gossip.open_call`."""
        self._gossip.open_call(call_id, group_key)

    def close_call(self, call_id: CallId) -> None:
        """See `Gossip.close_call`."""
        self._gossip.close_call(call_id)

    def counters(self) -> GossipCounters:
        """See `Gossip.counters`."""
        return self._gossip.counters()

    def datagram_received(self, datagram: bytes, path: Path, source: Address) -> None:
        """For the transport."""
        effects = self._gossip.receive(datagram, path, source, time.monotonic(), self._wall_clock())
        self._carry_out(effects)

    def paths_changed(self, paths: tuple[Path, ...]) -> None:
        """For the transport."""
        self._gossip.set_paths(paths)
        self._set_timer()

    def _carry_out(self, effects: Iterable[GossipEffect]) -> None:
        for effect in effects:
            if isinstance(effect, Transmit):
                self._transport.publish(effect.datagram, effect.paths)
            else:
                self._tell(effect)
        self._set_timer()

    def _tell(self, effect: Received | Acknowledged) -> None:
        try:
            self._listener(effect)
        except Exception:  # noqa: BLE001 - one signal that cannot be handled must not stop the others
            _log.exception("a received signal could not be handled")

    def _set_timer(self) -> None:
        due_s = self._gossip.next_wake() if self._running else None
        if self._timer is not None:
            if due_s is not None and self._timer_due_s <= due_s:
                return  # early enough; waking for nothing once is cheaper than a new timer for every datagram
            self._timer.cancel()
            self._timer = None
        if due_s is not None:
            self._timer_due_s = due_s
            wait_s = max(due_s - time.monotonic(), _LEAST_WAIT_S)
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._carry_out(self._gossip.wake(time.monotonic(), self._wall_clock()))

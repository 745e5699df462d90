"""Runs one gossip machine on one transport: reads the clocks, carries out what the machine says, wakes it when it asks.

session -> send_to_peer, send_to_call, ... -> machine -> Transmit -> transport
transport -> datagram -> machine -> Received, Acknowledged -> session

Time is `time.monotonic`, not the loop's: uvloop's has a step of a millisecond, and its timers do not say when they are due.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Final, Self

from blink_cli.core.gossip import (
    Address,
    Gossip,
    GossipCounters,
    GossipEffect,
    Path,
    Told,
    Transmit,
)
from blink_cli.core.ids import CallId, Did
from blink_cli.core.signaling.replay_memory import ReplayMemory
from blink_cli.core.signaling.signals import CallSignal, DirectSignal
from blink_cli.net.signaling.transport import Transport

_log = logging.getLogger(__name__)

Listener = Callable[[Told], None]
"""Called on the event loop, for one signal at a time. What it raises is logged, and costs that signal only."""

_LEAST_WAIT_S: Final = 0.001

_TOPICS_WAIT_S: Final = 0.05
"""Strangers who speak make a topic each: their table is told no more often than this."""


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
        self._topics_told = -1
        self._telling: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Start the transport.

        Raises:
            BlinkError: The transport cannot be opened.

        """
        self._running = True
        self._gossip.begin(time.monotonic(), self._wall_clock())
        await self._transport.start(self)

    async def aclose(self) -> None:
        """Send the copies that wait (of a leave, say), then nothing more, and close the transport. Safe to call twice."""
        if self._running:
            self._carry_out(self._gossip.flush(time.monotonic()))
        self._running = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
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

    def send_to_peer(
        self, peer: Did, signal: DirectSignal, call_id: CallId | None, *, off_pace: bool = False
    ) -> None:
        """See `Gossip.send_to_peer`."""
        now_s = time.monotonic()
        self._carry_out(
            self._gossip.send_to_peer(peer, signal, call_id, now_s, self._wall_clock(), off_pace=off_pace)
        )

    def send_to_call(
        self,
        call_id: CallId,
        signal: CallSignal,
        copies: int = 0,
        *,
        straight: bool = False,
        key_id: bytes = b"",
    ) -> None:
        """See `Gossip.send_to_call`."""
        now_s = time.monotonic()
        self._carry_out(
            self._gossip.send_to_call(
                call_id, signal, copies, now_s, self._wall_clock(), straight=straight, key_id=key_id
            )
        )

    def expect_at(self, peer: Did, address: Address) -> None:
        """See `Gossip.expect_at`."""
        self._gossip.expect_at(peer, address)

    def greet_as(self, nickname: str) -> None:
        """See `Gossip.greet_as`."""
        self._gossip.greet_as(nickname)
        self._set_timer()

    def confirm_offer(self, peer: Did, call_id: CallId) -> None:
        """See `Gossip.confirm_offer`."""
        self._carry_out(self._gossip.confirm_offer(peer, call_id))

    def stop_sending(self, call_id: CallId, peer: Did | None) -> None:
        """See `Gossip.stop_sending`."""
        self._gossip.stop_sending(call_id, peer)

    def open_call(self, call_id: CallId, group_key: bytes, participants: tuple[Did, ...] = ()) -> None:
        """See `Gossip.open_call`."""
        self._gossip.open_call(call_id, group_key, participants)
        self._set_timer()

    def use_key(self, call_id: CallId, group_key: bytes) -> None:
        """See `Gossip.use_key`."""
        self._gossip.use_key(call_id, group_key)

    def drop_key(self, call_id: CallId, key_id: bytes) -> None:
        """See `Gossip.drop_key`."""
        self._gossip.drop_key(call_id, key_id)

    def close_call(self, call_id: CallId) -> None:
        """See `Gossip.close_call`."""
        self._gossip.close_call(call_id)
        self._set_timer()

    def set_contacts(self, dids: frozenset[Did]) -> None:
        """See `Gossip.set_contacts`."""
        self._gossip.set_contacts(dids)
        self._set_timer()

    def memory(self) -> ReplayMemory | None:
        """See `Gossip.memory`."""
        return self._gossip.memory()

    def counters(self) -> GossipCounters:
        """See `Gossip.counters`."""
        return self._gossip.counters()

    def datagram_received(self, datagram: bytes, path: Path, source: Address, arrival_s: float) -> None:
        """For the transport."""
        now_s = time.monotonic()
        wall_s = self._wall_clock()
        waited_s = max(0.0, now_s - arrival_s)
        effects = self._gossip.receive(datagram, path, source, now_s, wall_s, waited_s=waited_s)
        self._carry_out(effects)

    def expected_topics(self) -> Sequence[bytes]:
        """For the transport."""
        return self._gossip.expected_topics()

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

    def _tell(self, effect: Told) -> None:
        try:
            self._listener(effect)
        except Exception:  # noqa: BLE001 - one signal that cannot be handled must not stop the others
            _log.exception("a received signal could not be handled")

    def _set_timer(self) -> None:
        self._look_at_topics()
        due_s = self._gossip.next_timeout() if self._running else None
        if self._timer is not None:
            if due_s is not None and self._timer_due_s <= due_s:
                return  # early enough; waking for nothing once is cheaper than a new timer for every datagram
            self._timer.cancel()
            self._timer = None
        if due_s is not None:
            self._timer_due_s = due_s
            wait_s = max(due_s - time.monotonic(), _LEAST_WAIT_S)
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._wake)

    def _look_at_topics(self) -> None:
        """Tell the transport a moment later, once for all that changes until then."""
        if self._running and self._topics_told != self._gossip.topics_revision() and self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(_TOPICS_WAIT_S, self._tell_topics)

    def _tell_topics(self) -> None:
        self._telling = None
        self._topics_told = self._gossip.topics_revision()
        self._transport.topics_changed(self._gossip.topics())

    def _wake(self) -> None:
        self._timer = None
        self._carry_out(self._gossip.handle_timeout(time.monotonic(), self._wall_clock()))

"""The round: who plays voice looks through the sockets of all links, just before it needs what is in them.

    [playout thread] every 10 ms: each socket with datagrams: voice -> libsrtp -> inbox        the rest, and what is counted
                                                                                '------ queue ------> [event loop] when it is awake anyway

Without it the event loop would be woken for each packet, and the playout thread would wait for it. The kernel stamps arrivals, so nothing is lost by
reading later. A socket is in the round while voice comes by it and somebody goes the round; otherwise the event loop reads it.
"""

import selectors
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from blink_cli.net.handed_on import report_fault
from blink_cli.net.host.arrival import WallClock
from blink_cli.net.ice.udp_endpoint import UdpEndpoint
from blink_cli.runtime.loop_bridge import LoopBridge

MOST_TURNS: Final = 32
"""Datagrams of one socket that one round reads: what a flood sends more waits in the kernel, which drops what does not fit."""

TELL_EVERY_S: Final = 0.11
"""How long the event loop may sleep although there is something to tell: for longer than between two beats of a call, which learn it too. It is woken at the end of a turn, when nobody else wants the interpreter."""

MOST_TOLD: Final = 8_192
"""What waits for an event loop that does not come: five seconds of a full call. The oldest goes."""

ALIVE_S: Final = 0.6
"""Who has not gone the round for so long does not go it any more: longer than any device keeps a voice thread waiting, and than one waits for a processor where
twice as many want one as there are. The event loop would read each packet by itself then, which costs the more the less there is."""


class MediaRound:
    """Of one session. Belongs to the event loop, but for `before_tick`, `before_wait` and `tell`, which are whoever goes the round's."""

    def __init__(self) -> None:
        """To be made on the running event loop."""
        self._bridge = LoopBridge()
        self._selector = selectors.DefaultSelector()
        self._members: set[UdpEndpoint] = set()
        self._going = threading.Lock()
        """Held for a round, so that no socket is closed meanwhile."""

        self._told: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque(maxlen=MOST_TOLD)
        self._is_urgent = False
        self._is_telling = False
        self._told_s = 0.0
        self._ran_s = float("-inf")
        self.wall_clock: Final = WallClock()
        """Whoever goes the round looks at it."""

    @property
    def is_gone(self) -> bool:
        """Whether somebody goes the round now."""
        return time.monotonic() - self._ran_s < ALIVE_S

    def join(self, endpoint: UdpEndpoint, read: Callable[[], None]) -> None:
        """Leave a socket to the round from now on; `read` reads one datagram of it."""
        endpoint.leave_to(lambda: self._leave(endpoint))
        with self._going:
            self._members.add(endpoint)
            self._selector.register(endpoint.socket, selectors.EVENT_READ, read)

    def _leave(self, endpoint: UdpEndpoint) -> None:
        with self._going:
            self._members.discard(endpoint)
            self._selector.unregister(endpoint.socket)

    def look(self) -> None:
        """Give the sockets back to the event loop when nobody goes the round any more; to be called a few times a second."""
        if self._members and not self.is_gone:
            self.give_back()

    def give_back(self) -> None:
        """Have the event loop read all of them."""
        for endpoint in tuple(self._members):
            endpoint.take_back()
        self.catch_up()

    def close(self) -> None:
        """Give everything back, and take nothing any more: links may still close, and hear somebody meanwhile. Nobody goes the round then."""
        self._ran_s = float("-inf")
        self.give_back()
        self._selector.close()

    # Whoever goes the round.

    def before_tick(self) -> None:
        """Read all that has come, and take the voice to where it is played."""
        self._ran_s = time.monotonic()
        if self._members:
            with self._going:
                self.wall_clock.look()
                for _ in range(MOST_TURNS):
                    ready = self._selector.select(0)
                    if not ready:
                        break
                    for key, _ in ready:
                        try:
                            key.data()
                        except Exception as fault:  # noqa: BLE001 - this program's: the voice of the others goes on
                            self.tell_soon(report_fault, fault)

    def before_wait(self) -> None:
        """Wake the event loop for what there is to tell: not before, since it would ask for the interpreter that the tick needs."""
        now_s = self._ran_s
        if self._told and not self._is_telling and (self._is_urgent or now_s - self._told_s >= TELL_EVERY_S):
            self._is_telling, self._is_urgent = True, False
            self._bridge.call(self.catch_up)

    def tell(self, callback: Callable[..., object], *arguments: Any) -> None:
        """Have this called on the event loop, with what else there is to tell."""
        self._told.append((callback, arguments))

    def tell_soon(self, callback: Callable[..., object], *arguments: Any) -> None:
        """Have this called on the event loop, right after this round."""
        self._told.append((callback, arguments))
        self._is_urgent = True

    # The event loop.

    def catch_up(self) -> None:
        """Learn what was heard: on the event loop, whenever it is awake anyway."""
        self._is_telling = False
        self._told_s = self._ran_s
        told = self._told
        while told:
            callback, arguments = told.popleft()
            try:
                callback(*arguments)
            except Exception as fault:  # noqa: BLE001 - this program's: the rest is told all the same
                report_fault(fault)

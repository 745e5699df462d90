"""Answers calls for an echo peer: everybody's, one after the other, each for a while.

Who calls may be anybody, and needs no permission: there is no microphone, and what is said is what the caller said. That it is no use for anything else:

- only calls of two are answered. In a larger one the others would hear what somebody sends to nobody but the echo;
- one call at a time. Who calls meanwhile waits, and sees that the peer is busy; more than `MOST_WAITING` are declined;
- whoever has been answered lately comes after those who have not, so that nobody holds the place by calling again and again;
- who calls again while waiting means the new call: nobody takes two places;
- a call is left after `longest_s`, and one that is not connected, or not any more, after `LINK_S`.

It sends no more than it is sent: a stream for a stream, to an address that has proved to be the caller's (ICE).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from blink_cli.app.call.call_runner import CallRunner
from blink_cli.app.event_hub import EventHub
from blink_cli.core.api.events import CallTerminated, EventsMissed, IncomingCall, LinkChanged, LinkState
from blink_cli.core.api.session_options import EchoOptions
from blink_cli.core.ids import CallId, Did

LINK_S: Final = 10.0
MOST_WAITING: Final = 8
MOST_REMEMBERED: Final = 256
"""Callers of whom it is known when they were answered; the oldest is forgotten."""


class EchoAnswerer:
    """Belongs to the event loop."""

    def __init__(
        self,
        options: EchoOptions,
        own: Did,
        runner: CallRunner,
        hub: EventHub,
        end_session: Callable[[], None],
    ) -> None:
        """Answer nobody yet.

        Args:
            options: For how long, and how many.
            own: This session.
            runner: Accepts, rejects and leaves.
            hub: Tells what rings.
            end_session: Called when there were enough calls, or none for long enough.

        """
        self._options = options
        self._own = own
        self._runner = runner
        self._hub = hub
        self._end_session = end_session
        self._waiting: dict[CallId, Did] = {}
        """Calls of two that ring, in the order in which they came."""

        self._answered: OrderedDict[Did, int] = OrderedDict()
        self._answers = 0
        self._leave_at: float | None = None
        self._over_at: float | None = None
        """When the present call's time is over; None before its audio has come. From then on it runs, whatever is connected again."""

        self._idle_since = 0.0

    async def run(self) -> None:
        """Answer; until cancelled, or the session ends."""
        listener = self._hub.listen()
        loop = asyncio.get_running_loop()
        self._idle_since = loop.time()
        try:
            while True:
                try:
                    async with asyncio.timeout_at(self._due()):
                        event = await listener.next_event()
                except TimeoutError:
                    if self._time_is_up():
                        return
                    continue
                if event is None:
                    return
                match event:
                    case IncomingCall():
                        self._ring(event)
                    case LinkChanged(call_id=call, link=link) if call == self._runner.current:
                        self._link_changed(link, loop.time())
                    case CallTerminated() | EventsMissed():  # perhaps it was among them
                        if self._ended() and self._enough():
                            self._end_session()
                            return
                    case _:
                        continue
                self._answer_next()
        finally:
            self._hub.forget(listener)

    # inside

    def _due(self) -> float | None:
        if self._runner.current is not None:
            return self._leave_at
        return None if self._options.idle_s is None else self._idle_since + self._options.idle_s

    def _link_changed(self, link: LinkState, now_s: float) -> None:
        """A caller who is gone keeps nobody waiting; one who is connected again has the rest of the time."""
        if link is LinkState.CONNECTED:
            if self._over_at is None:
                self._over_at = now_s + self._options.longest_s
            self._leave_at = self._over_at
        elif self._over_at is not None:
            self._leave_at = min(self._over_at, self._leave_at or self._over_at, now_s + LINK_S)

    def _time_is_up(self) -> bool:
        """Leave a call that has lasted long enough; return whether the session is to end for want of one."""
        if self._runner.current is None:
            self._end_session()
            return True
        self._leave_at = None
        self._runner.leave()
        return False

    def _ring(self, ringing: IncomingCall) -> None:
        self._forget_withdrawn()
        if ringing.call_id not in self._runner.ringing:
            return  # withdrawn, while it was under way to us
        # Who calls again means the new call: nobody takes two places.
        for earlier in [call for call, caller in self._waiting.items() if caller == ringing.caller]:
            del self._waiting[earlier]
            self._runner.reject(earlier)
        if set(ringing.participants) - {ringing.caller, self._own} or len(self._waiting) >= MOST_WAITING:
            self._runner.reject(ringing.call_id)
            return
        self._waiting[ringing.call_id] = ringing.caller

    def _forget_withdrawn(self) -> None:
        rings = frozenset(self._runner.ringing)
        self._waiting = {call: caller for call, caller in self._waiting.items() if call in rings}

    def _ended(self) -> bool:
        """Return whether it was the present call that ended, and not one that only rang."""
        if self._runner.current is not None:
            return False
        self._leave_at = None
        self._idle_since = asyncio.get_running_loop().time()
        return True

    def _enough(self) -> bool:
        return self._options.calls is not None and self._answers >= self._options.calls

    def _answer_next(self) -> None:
        self._forget_withdrawn()
        if self._runner.current is not None or not self._waiting:
            return
        call = min(self._waiting, key=lambda one: self._answered.get(self._waiting[one], 0))
        caller = self._waiting.pop(call)
        self._answers += 1
        self._answered[caller] = self._answers
        self._answered.move_to_end(caller)
        while len(self._answered) > MOST_REMEMBERED:
            self._answered.popitem(last=False)
        self._over_at = None
        self._runner.accept(call)
        self._leave_at = asyncio.get_running_loop().time() + LINK_S

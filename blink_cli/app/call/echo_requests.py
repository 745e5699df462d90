"""Carries out what is asked about echo peers: one beside this session, and what a call with one showed."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from blink_cli.app.call.call_runner import CallRunner
from blink_cli.app.call.local_echo import LocalEcho
from blink_cli.app.media.echo_meter import EchoMeter, LinkFigures
from blink_cli.app.media.media_taps import MediaTaps
from blink_cli.app.request_table import RequestTable
from blink_cli.core.api.replies.document import Done
from blink_cli.core.api.replies.echo import EchoStarted, EchoTestBegun, EchoVerdict
from blink_cli.core.api.requests import BeginEchoTest, EndEchoTest, StartEcho, StopEcho
from blink_cli.core.errors import StateError
from blink_cli.core.ids import Did
from blink_cli.runtime.on_demand import on_demand

if TYPE_CHECKING:
    from blink_cli.app.call import echo_verdict
else:
    echo_verdict = on_demand("blink_cli.app.call.echo_verdict")


class EchoRequests:
    """Belongs to the event loop."""

    def __init__(
        self,
        runner: CallRunner,
        taps: MediaTaps,
        local: LocalEcho,
        name_of: Callable[[Did], str],
        read: Callable[[Did], LinkFigures | None],
    ) -> None:
        """Test nothing yet. `read` returns how the link to a peer does now."""
        self._runner = runner
        self._taps = taps
        self._local = local
        self._name_of = name_of
        self._read = read
        self._meter: EchoMeter | None = None
        self._tests = 0
        """How many were begun: the number of the last one."""

    def add_to(self, table: RequestTable) -> None:
        """Carry out the requests about echo peers."""
        table.add(StartEcho, self.start)
        table.add(StopEcho, self.stop)
        table.add(BeginEchoTest, self.begin)
        table.add(EndEchoTest, self.end)

    async def start(self, request: StartEcho) -> EchoStarted:
        """Start an echo peer on this machine.

        Raises:
            BlinkError: It does not start.

        """
        return await self._local.start(request.stretch_s)

    async def stop(self, request: StopEcho) -> Done:
        """End it."""
        await self._local.stop(request.pid)
        return Done()

    async def begin(self, _: BeginEchoTest) -> EchoTestBegun:
        """Keep what is sent and comes back from now on; an earlier test that was not ended is forgotten."""
        self._forget()
        self._meter = EchoMeter(self._read)
        self._taps.add(self._meter)
        self._tests += 1
        return EchoTestBegun(test=self._tests)

    async def end(self, request: EndEchoTest) -> EchoVerdict:
        """Leave the call and compare.

        Raises:
            StateError: No test was begun, or a later one has taken its place.
            DeviceError: There is no libopus.

        """
        if request.test not in (None, self._tests):
            raise StateError(
                "Another echo test has taken the place of this one: a session makes one at a time.",
                hint="Wait until it is over, or test with another profile: `blink --profile NAME echo --call`.",
            )
        meter = self._meter
        if meter is None:
            raise StateError("No echo test was begun.", hint="`blink offer echo --hold 25` makes one.")
        meter.read()
        self._forget()
        if meter.call is not None and self._runner.current == meter.call:
            self._runner.leave()
        kept = echo_verdict.Kept.of(meter)
        sound = await asyncio.to_thread(echo_verdict.listen, kept)
        name = "" if meter.peer is None else self._name_of(meter.peer)
        return echo_verdict.verdict(meter, kept, sound, name)

    def _forget(self) -> None:
        if self._meter is not None:
            self._taps.remove(self._meter)
            self._meter = None

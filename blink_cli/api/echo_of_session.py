"""Echo peers and tests of a session, for programs: `session.echo`."""

from blink_cli.core.api.replies.document import Done
from blink_cli.core.api.replies.echo import EchoStarted, EchoTestBegun, EchoVerdict
from blink_cli.core.api.requests import BeginEchoTest, EndEchoTest, StartEcho, StopEcho
from blink_cli.core.api.session_port import SessionPort


class SessionEcho:
    """A call with a peer that sends back what it hears, and what came back.

    begin_test ──> a call with an echo peer (`start` makes one of this machine's own) ──> end_test
    """

    def __init__(self, port: SessionPort) -> None:
        self._port = port

    async def start(self, *, stretch_s: float = 4.0) -> EchoStarted:
        """Start an echo peer beside this session for one call; it listens for stretches, or answers at once with 0."""
        return await self._port.ask(StartEcho(stretch_s=stretch_s))

    async def stop(self, pid: int | None = None) -> Done:
        """End it; with `pid` only if it is that one still."""
        return await self._port.ask(StopEcho(pid=pid))

    async def begin_test(self) -> EchoTestBegun:
        """Keep what is sent and what comes back, in this call or the next; two minutes at most."""
        return await self._port.ask(BeginEchoTest())

    async def end_test(self, test: int | None = None) -> EchoVerdict:
        """Leave the call, and say what came back of what was sent.

        Raises:
            StateError: No test was begun, or a later one has taken its place.

        """
        return await self._port.ask(EndEchoTest(test=test))

"""Where commands find their session: in another process, or in this one."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from blink_cli.commands.global_options import GlobalOptions
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.api.session_port import SessionPort
from blink_cli.core.errors import NoSessionError, UsageError
from blink_cli.runtime.loopless import has_event_loop


class ProfileSource:
    """The session of the chosen profile, wherever it runs."""

    is_here = False

    def __init__(self, options: GlobalOptions) -> None:
        self._options = options

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SessionPort]:
        """See `SessionSource.running`."""
        if not has_event_loop():
            from blink_cli.commands.asking import connect  # noqa: PLC0415 - the socket: `--help` needs none

            with connect(self._options) as asking:
                yield asking
            return
        from blink_cli.commands import running  # noqa: PLC0415 - asyncio, which many commands do not need

        async with await running.connect(self._options) as client:
            yield client

    @asynccontextmanager
    async def running_or_own(self, options: SessionOptions) -> AsyncIterator[tuple[SessionPort, bool]]:
        """See `SessionSource.running_or_own`."""
        from blink_cli.commands import running  # noqa: PLC0415 - as above

        async with contextlib.AsyncExitStack() as stack:
            try:
                client = await stack.enter_async_context(await running.connect(self._options))
            except NoSessionError:
                session = await stack.enter_async_context(running.host(self._options, options))
                yield session, True
            else:
                if options != SessionOptions():
                    raise UsageError(
                        f"A session of profile {self._options.profile!r} is running (process {client.hello.pid}), so options for a new one "
                        "have no effect.",
                        hint="Leave them out, or use `set-input` and `set-output`.",
                    )
                yield client, False


class PresentSource:
    """The session that reads these lines."""

    is_here = True

    def __init__(self, session: SessionPort) -> None:
        self._session = session

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SessionPort]:
        """See `SessionSource.running`."""
        yield self._session

    @asynccontextmanager
    async def running_or_own(self, options: SessionOptions) -> AsyncIterator[tuple[SessionPort, bool]]:
        """See `SessionSource.running_or_own`."""
        if options != SessionOptions():
            raise UsageError(
                "This session has its options already.", hint="Use `set-input` and `set-output`."
            )
        yield self._session, False

"""Background tasks that have an owner, a name and a reader of their failure."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")

_log = logging.getLogger(__name__)


def log_failure(name: str, failure: BaseException) -> None:
    """The default reader of a task's failure: one error with its traceback in the log."""
    _log.error("background task %s failed: %r", name, failure, exc_info=failure)


class TaskOwner:
    """Holds tasks until they end, reads how they ended, and cancels what is left when it is closed.

    A bare task may be garbage collected while it runs, and its failure is read by nobody until then. Unlike in
    `asyncio.TaskGroup`, the failure of one task leaves the others running: one link's trouble must not take down a
    call. Belongs to one event loop.
    """

    def __init__(self, name: str, *, on_failure: Callable[[str, BaseException], None] = log_failure) -> None:
        """Own tasks under a name.

        Args:
            name: Begins the name of every task, as in `session/close link bob`.
            on_failure: Told a failed task's name and exception, on the event loop.

        """
        self.name = name
        self._on_failure = on_failure
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether it was closed and starts nothing any more."""
        return self._closed

    @property
    def running(self) -> tuple[str, ...]:
        """Names of the tasks that have not ended, sorted."""
        return tuple(sorted(task.get_name() for task in self._tasks))

    def start(self, coroutine: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """Run a coroutine in a task of this owner.

        The caller may await the task, but need not. Its failure goes to `on_failure` in both cases.

        Raises:
            RuntimeError: The owner is closed. The coroutine is closed too, and never runs.

        """
        if self._closed:
            coroutine.close()
            raise RuntimeError(f"{self.name} is closed, so it cannot start {name}")
        task = asyncio.get_running_loop().create_task(coroutine, name=f"{self.name}/{name}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        failure = task.exception()
        if failure is not None:
            self._on_failure(task.get_name(), failure)

    async def aclose(self, *, patience_s: float = 0.0) -> None:
        """Let tasks end by themselves for a while, then cancel the rest and wait until they have ended.

        Safe to call twice. Canceling it leaves the owner closed and the tasks cancelled.
        """
        self._closed = True
        mine = asyncio.current_task()
        if patience_s > 0.0:
            waiting = self._tasks - {mine}
            if waiting:
                await asyncio.wait(waiting, timeout=patience_s)
        rest = [task for task in self._tasks if task is not mine]
        for task in rest:
            task.cancel()
        if rest:
            await asyncio.wait(rest)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

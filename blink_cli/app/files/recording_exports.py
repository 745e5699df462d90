"""The files that are being made of this session's recordings: WAV, Ogg Opus and mixdowns.

    a recording ended ──> process at low priority ──> files, loudness
    the session ends  ──> waited for, for a minute; then it is said which command makes them

It outlives devices and links: nobody is heard, and no microphone is open, while a session that ends waits here.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from blink_cli.app.files.recording_export import Exported, export_apart
from blink_cli.core.api.events import Event, RecordingFilesLate
from blink_cli.core.errors import BlinkError
from blink_cli.core.text.path_text import as_word
from blink_cli.runtime.tasks import TaskOwner

PATIENCE_S: Final = 60.0
"""How long a session that ends waits for them: enough for some twenty minutes of eight participants, or two hours of one, and less than the
90 s after which systemd kills."""

SILENT_S: Final = 2.0
"""After so long it is said why the session does not end."""

_AWAITED: Final = "the session ends when the files of its recording are made, or is told to end again; this makes them then: %s"
_GIVEN_UP: Final = "the session ends before the files of its recording are made; this makes them: %s"

_log = logging.getLogger(__name__)


class ExportEnded(msgspec.Struct, frozen=True):
    """What was made, and why not all of it."""

    made: Exported
    warning: str | None


class _Wanted(msgspec.Struct, frozen=True):
    """What is to be made."""

    path: Path
    formats: tuple[str, ...]

    @property
    def command(self) -> str:
        """What makes it without a session."""
        if not self.formats:
            return f"blink record loudness {as_word(self.path)}"
        return f"blink record export {as_word(self.path)} --format {','.join(self.formats)}"


class RecordingExports:
    """Belongs to the event loop."""

    def __init__(self, publish: Callable[[Event], None]) -> None:
        """Make nothing yet; `publish` takes events."""
        self._publish = publish
        self._tasks = TaskOwner("recording exports")
        self._unfinished: dict[asyncio.Task[ExportEnded], _Wanted] = {}
        self._nothing_to_wait_for = asyncio.Event()
        self._nothing_to_wait_for.set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def busy(self) -> bool:
        """Whether files are being made."""
        return bool(self._unfinished)

    @property
    def closed(self) -> bool:
        """Whether the session is over, and nothing can be made any more."""
        return self._tasks.closed

    def start(self, path: Path, formats: Sequence[str]) -> asyncio.Task[ExportEnded]:
        """Make files of a whole recording; without formats, measure how loud everybody is.

        Raises:
            RuntimeError: The session is over.

        """
        wanted = _Wanted(path, tuple(formats))
        task = self._tasks.start(_export(wanted), name="export")
        self._unfinished[task] = wanted
        self._nothing_to_wait_for.clear()
        task.add_done_callback(self._ended)
        return task

    def hurry(self) -> None:
        """Have `aclose` wait no longer: whoever ends the session does not want to."""
        self._nothing_to_wait_for.set()

    def _ended(self, task: asyncio.Task[ExportEnded]) -> None:
        del self._unfinished[task]
        if not self._unfinished:
            self._nothing_to_wait_for.set()

    async def aclose(self) -> None:
        """Wait until everything is made, but not for ever; what is late is told, with the command that makes it. Safe to call twice.

        Canceling it ends what is being made.
        """
        try:
            if not await self._waited(SILENT_S):
                self._tell(given_up=False)
                await self._waited(PATIENCE_S - SILENT_S)
        finally:
            self._tell(given_up=True)
            await self._tasks.aclose()

    async def _waited(self, timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                await self._nothing_to_wait_for.wait()
        except TimeoutError:
            return False
        return True

    def _tell(self, *, given_up: bool) -> None:
        for wanted in self._unfinished.values():
            self._publish(
                RecordingFilesLate(
                    path=str(wanted.path), formats=wanted.formats, command=wanted.command, given_up=given_up
                )
            )
            _log.warning(_GIVEN_UP if given_up else _AWAITED, wanted.command)


async def _export(wanted: _Wanted) -> ExportEnded:
    try:
        return ExportEnded(await export_apart(wanted.path, wanted.formats), None)
    except BlinkError as failure:
        said = failure.message.removesuffix(".")
        _log.warning("the files of a recording were not made: %s; `%s` tries again", said, wanted.command)
        return ExportEnded(Exported(), f"{said}; `{wanted.command}` tries again")

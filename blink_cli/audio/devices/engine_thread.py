"""The thread of an engine that opens its stream itself and turns it: whoever starts it waits with a deadline, and nobody waits for its end.

    begin ──> [thread] open the stream ──> begun() ──> turn it until told to end ──> close it
                             └── error ──> raised by begin     └── error ──> failure

Each start of a stream is a thread of its own. What one that was left alone still does or says is not taken for its successor's.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

from blink_cli.audio.thread_priority import make_urgent
from blink_cli.core.errors import BlinkError, DeviceError

STOP_S: Final = 1.0
"""The end is waited for so long: closing a plugin of ALSA whose server has died may not return."""

_log = logging.getLogger(__name__)


class EngineThread:
    """One run of a stream. Its methods belong to the engine's caller, `work` to the thread."""

    def __init__(
        self,
        name: str,
        work: Callable[[Callable[[], None], threading.Event], None],
        told: Callable[[Exception], DeviceError],
    ) -> None:
        """Prepare.

        Args:
            name: Of the thread.
            work: Opens the stream, calls its first argument, turns the stream until the second one is set, and closes it.
            told: Makes a sentence of a fault of the program.

        """
        self.failure: str | None = None
        """A sentence, once the stream has ended by itself."""

        self._work = work
        self._told = told
        self._stopping = threading.Event()
        self._begun: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def begin(self, within_s: float) -> None:
        """Start, and wait until the stream is open.

        Raises:
            BlinkError: It cannot be opened.
            TimeoutError: It was not open in time. Should it ever be, it is closed.

        """
        self._thread.start()
        try:
            self._begun.result(within_s)
        except TimeoutError:
            self._stopping.set()
            raise

    def end(self, wake: Callable[[], None] | None = None) -> bool:
        """Tell the thread to stop, and wait for it the first time; False if it hangs and is left alone.

        Args:
            wake: Has it look at once, if it waits for something.

        """
        if not self._stopping.is_set():
            self._stopping.set()
            if wake is not None:
                wake()
            self._thread.join(STOP_S)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            make_urgent()
            self._work(self._open, self._stopping)
        except BlinkError as error:
            self._ended(error)
        except Exception as error:  # noqa: BLE001 - whoever waits must not wait for ever; the call must learn that its device is gone
            _log.exception("%s ended", self._thread.name)
            self._ended(self._told(error))

    def _open(self) -> None:
        if not self._begun.done():
            self._begun.set_result(None)

    def _ended(self, error: BlinkError) -> None:
        if self._begun.done():
            self.failure = error.message
        else:
            self._begun.set_exception(error)

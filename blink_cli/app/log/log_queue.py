"""From whichever thread logs to the one that writes: nobody who logs waits for a disk or a terminal, a voice thread least of all."""

import copy
import logging
import queue
import threading
from collections.abc import Sequence
from typing import Final

from typing_extensions import override

from blink_cli.app.log.no_lock import NoLock

CAPACITY: Final = 2_000
"""Records; a few seconds of the most that a session says. When it is full, records are dropped, and how many is written when there is room again."""

END_S: Final = 2.0
"""How long the end of a session waits for what is not written yet: a disk that hangs keeps no process."""

_log = logging.getLogger(__name__)


class LogQueue(logging.Handler):
    """A handler of `logging` that hands on to others, on its own thread."""

    def __init__(self, handlers: Sequence[logging.Handler], *, capacity: int = CAPACITY) -> None:
        """Hand on to these; they are closed at the end, on the thread that used them."""
        super().__init__()
        self._handlers = handlers
        self._records: queue.Queue[logging.LogRecord | None] = queue.Queue(capacity)
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="blink-log", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Records that found no room and have not been told yet."""
        return self._dropped

    @override
    def createLock(self) -> None:
        """Have none: a queue has its own, and none is held while anything is written."""
        self.lock = NoLock()  # type: ignore[assignment]  # it acts as one

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Take a record, or count it. What its words refer to may change later, so it is put into words now."""
        try:
            taken = copy.copy(record)  # others handle it as it was
            taken.msg, taken.args = record.getMessage(), None
            self._records.put_nowait(taken)
        except queue.Full:
            self._dropped += 1
        except Exception:  # noqa: BLE001 - a faulty message must not end what logs it
            self.handleError(record)

    @override
    def close(self) -> None:
        """Write what is left, for a moment, and end. Safe to call twice."""
        super().close()
        if not self._thread.is_alive():
            return
        try:
            self._records.put(None, timeout=END_S)
        except queue.Full:
            return  # what writes hangs; it is a daemon
        self._thread.join(END_S)

    def _run(self) -> None:
        while (record := self._records.get()) is not None:
            if self._dropped:
                self._tell_dropped()
            self._write(record)
        if self._dropped:
            self._tell_dropped()
        for handler in self._handlers:
            handler.close()

    def _tell_dropped(self) -> None:
        dropped, self._dropped = self._dropped, 0
        self._write(
            _log.makeRecord(
                _log.name,
                logging.WARNING,
                __file__,
                0,
                "%d messages are missing here: more came than could be written",
                (dropped,),
                None,
            )
        )

    def _write(self, record: logging.LogRecord) -> None:
        for handler in self._handlers:
            if record.levelno >= handler.level:
                handler.handle(record)

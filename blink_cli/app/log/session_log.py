"""Has all that is logged in this process written into the session's file, and what concerns its user onto stderr, for as long as a context lasts."""

import faulthandler
import logging
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, TextIO

from typing_extensions import override

from blink_cli.app.log.log_files import LogFile
from blink_cli.app.log.log_lines import LogFormatter, ShortFormatter
from blink_cli.app.log.log_queue import LogQueue
from blink_cli.core.errors import BlinkError
from blink_cli.core.text.veil import Veil

PACKAGE: Final = "blink_cli"

LIBRARIES: Final = {"aioice": logging.INFO, "aiortc": logging.INFO}
"""What they say of candidates and handshakes is worth knowing; their details, and what others say below a warning, are not."""

STDERR_LEVELS: Final = {-1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO}
"""By verbosity; more than that: everything."""

_log = logging.getLogger(__name__)


@contextmanager
def session_log(folder: Path, *, verbosity: int, secrets: Sequence[str]) -> Iterator[Path | None]:
    """Log a session; gives the path of the file, None where there can be none.

    Args:
        folder: The profile's, for logs.
        verbosity: -1: errors on stderr; 0: warnings; 1: information; 2: all.
        secrets: That must not stand in it.

    """
    veil = Veil(secrets)
    handlers: list[logging.Handler] = [_stderr(verbosity, veil)]
    file: LogFile | None = None
    refusal: str | None = None
    try:
        file = LogFile.of_session(folder)
    except OSError as reason:
        refusal = f"{reason.strerror or reason}"
    except BlinkError as reason:
        refusal = reason.message
    else:
        file.setFormatter(LogFormatter(veil))
        handlers.insert(0, file)
    with ExitStack() as stack:
        if file is not None:
            stack.enter_context(_crashes_into(file))
        stack.enter_context(_logging_to(handlers))
        if refusal is not None:
            _log.warning("No log of this session is kept in %s: %s", folder, refusal)
        yield None if file is None else file.path


@contextmanager
def _logging_to(handlers: Sequence[logging.Handler]) -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger(PACKAGE)
    threads_before = threading.excepthook
    levels = {root: logging.WARNING, ours: logging.DEBUG} | {
        logging.getLogger(name): level for name, level in LIBRARIES.items()
    }
    before = {logger: logger.level for logger in levels}
    log_queue = LogQueue(handlers)
    root.addHandler(log_queue)
    for logger, level in levels.items():
        logger.setLevel(level)
    threading.excepthook = _thread_failed
    try:
        yield
    finally:
        threading.excepthook = threads_before
        for logger, level in before.items():
            logger.setLevel(level)
        root.removeHandler(log_queue)
        log_queue.close()


def _thread_failed(failure: threading.ExceptHookArgs) -> None:
    name = "of a library" if failure.thread is None else failure.thread.name
    if failure.exc_value is not None and not issubclass(failure.exc_type, SystemExit):
        _log.error("the thread %s ended by a fault", name, exc_info=failure.exc_value)


@contextmanager
def _crashes_into(file: LogFile) -> Iterator[None]:
    """Have a crash of a library (SIGSEGV and such) write into the file where each thread was."""
    if faulthandler.is_enabled():
        yield
        return
    # Of its own: the file is closed and another begun when it is full.
    descriptor = os.dup(file.descriptor)
    faulthandler.enable(descriptor)
    try:
        yield
    finally:
        faulthandler.disable()
        os.close(descriptor)


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what stderr is at that moment: a prompt puts something of its own in its place."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        self.stream = sys.stderr
        super().emit(record)


def _stderr(verbosity: int, veil: Veil) -> logging.Handler:
    handler = _Stderr()
    handler.setLevel(STDERR_LEVELS.get(verbosity, logging.DEBUG))
    handler.setFormatter(LogFormatter(veil) if verbosity > 0 else ShortFormatter(veil))
    return handler

"""Whoever logs waits for nobody, and what found no room is counted."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from typing_extensions import override

from blink_cli.app.log.log_queue import LogQueue

pytestmark = pytest.mark.no_clock


class Slow(logging.Handler):
    """Writes when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_write = threading.Event()
        self.writing = threading.Event()
        self.written: list[str] = []
        self.threads: set[str] = set()
        self.closed = False

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.writing.set()
        assert self.may_write.wait(30)
        self.written.append(record.getMessage())
        self.threads.add(threading.current_thread().name)

    @override
    def close(self) -> None:
        super().close()
        self.closed = True


@contextmanager
def logging_to(handler: logging.Handler, capacity: int = 100) -> Iterator[logging.Logger]:
    logger = logging.Logger("test")  # noqa: LOG001 - none that another test knows
    log_queue = LogQueue([handler], capacity=capacity)
    logger.addHandler(log_queue)
    try:
        yield logger
    finally:
        log_queue.close()


def test_what_finds_no_room_is_counted_and_nobody_waits() -> None:
    slow = Slow()
    with logging_to(slow, capacity=3) as logger:
        logger.warning("first")
        assert slow.writing.wait(30)
        for number in range(10):
            logger.warning("number %d", number)  # would wait for ever if it waited
        slow.may_write.set()
    assert slow.written[0] == "first"
    assert slow.written[1] == "7 messages are missing here: more came than could be written"
    assert slow.written[2:] == ["number 0", "number 1", "number 2"]
    assert slow.threads == {"blink-log"}
    assert slow.closed


def test_a_message_says_what_was_so_when_it_was_logged() -> None:
    slow = Slow()
    people = ["anna"]
    with logging_to(slow) as logger:
        logger.warning("here are %s", people)
        people.append("bert")
        slow.may_write.set()
    assert slow.written == ["here are ['anna']"]


def test_each_handler_takes_what_it_wants() -> None:
    errors = Slow()
    errors.setLevel(logging.ERROR)
    errors.may_write.set()
    with logging_to(errors) as logger:
        logger.info("well")
        logger.error("ill")
    assert errors.written == ["ill"]


def test_a_message_that_does_not_fit_its_arguments_ends_nobody(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    slow = Slow()
    slow.may_write.set()
    with logging_to(slow) as logger:
        logger.warning("%d of %d", 1)  # noqa: PLE1206 - a fault of the program, on purpose
        logger.warning("go on")
    assert slow.written == ["go on"]
    assert "Logging error" in capsys.readouterr().err

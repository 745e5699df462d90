"""Keeps apart what a library does with a datagram and what this program does with it.

A fault of this program must not pass through aioice or a transport: there it would look as if the datagram were broken, or end a TCP
connection to a relay. It is told to the event loop's exception handler instead, which logs it with its traceback, as asyncio does with
the fault of any callback.
"""

import asyncio
import contextlib
from collections.abc import Iterator


def report_fault(fault: Exception) -> None:
    """Tell the running event loop's exception handler that this program failed on a datagram."""
    asyncio.get_running_loop().call_exception_handler(
        {"message": "a received datagram could not be handled", "exception": fault}
    )


@contextlib.contextmanager
def handed_on() -> Iterator[None]:
    """Surround what this program does inside a call of a library's: its fault is reported and goes no further."""
    try:
        yield
    except Exception as fault:  # noqa: BLE001 - whatever it is, it is this program's
        report_fault(fault)

"""Starts `blink` processes as copies of one that has loaded everything: 30 ms in place of a second.

`python -m blink_cli.lab.fork_server DESCRIPTOR` reads orders from a socket (SOCK_SEQPACKET) and ends when nobody holds its other end.
An order is a `StartOrder` as MessagePack with four descriptors: standard input, output and error of the new process, and a stream socket that is told
its process id, then its exit code, each on a line.

A copy is a process like any other: own memory, own threads, own identity, the same way through `main`. What differs is what a process does
before its first line, so whoever looks at that (start, memory, other versions, variables that Python or the loader read) starts it with exec;
`forked_process.can_fork` decides.
"""

import atexit
import contextlib
import gc
import importlib
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from blink_cli.lab.namespace_entry import enter

LARGEST_ORDER: Final = 1 << 17
_LOADED: Final = (
    "blink_cli.commands.main",
    "blink_cli.app.session",
    "blink_cli.commands.event_loop",
    "blink_cli.commands.running",
    "blink_cli.app.control.hosted_session",
    "blink_cli.commands.session_logging",
    "blink_cli.commands.unlocking",
    "uvloop",
)
"""What a session and a command load when they need it. By name: the lab runs the program as its users do, and knows none of its commands. Never sounddevice: it starts PortAudio, which has threads."""


class StartOrder(msgspec.Struct, frozen=True):
    """What the new process is. Words are bytes, as the system has them: paths need not be text."""

    arguments: list[bytes]
    """Behind `blink`."""

    environment: dict[bytes, bytes]
    directory: bytes
    new_session: bool
    namespace: bytes | None
    """The path of a network namespace."""


@dataclass(slots=True)
class _Child:
    process_id: int
    descriptor: int
    """A pidfd."""

    told: socket.socket


@dataclass(slots=True)
class ForkServer:
    """The process that is copied."""

    orders: socket.socket
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _children: list[_Child] = field(default_factory=list)

    def next_copy(self) -> StartOrder | None:
        """Serve until this process is a new copy, which gets its order; None when nobody can order any more."""
        self._selector.register(self.orders, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                if isinstance(key.data, _Child):
                    self._end(key.data)
                    continue
                message, descriptors, _, _ = socket.recv_fds(self.orders, LARGEST_ORDER, 4)
                if not message:
                    self._end_all()
                    return None
                order = msgspec.msgpack.decode(message, type=StartOrder)
                if self._copy(descriptors):
                    return order

    def _copy(self, descriptors: list[int]) -> bool:
        *standard, told = descriptors
        process_id = os.fork()
        if not process_id:
            self._forget_everything()
            os.close(told)
            for wanted, descriptor in enumerate(standard):
                os.dup2(descriptor, wanted)
                os.close(descriptor)
            return True
        for descriptor in standard:
            os.close(descriptor)
        child = _Child(process_id, os.pidfd_open(process_id), socket.socket(fileno=told))
        child.told.sendall(b"%d\n" % process_id)
        self._children.append(child)
        self._selector.register(child.descriptor, selectors.EVENT_READ, child)
        return False

    def _end(self, child: _Child) -> None:
        self._selector.unregister(child.descriptor)
        _, status = os.waitpid(child.process_id, 0)
        with contextlib.suppress(OSError):  # who asked for it may have gone
            child.told.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
        self._children.remove(child)
        os.close(child.descriptor)
        child.told.close()

    def _end_all(self) -> None:
        """End what is left of the copies: who ordered them has gone without doing so, since it was killed."""
        for child in self._children:
            for number in (signal.SIGTERM, signal.SIGCONT):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child.process_id, number)

    def _forget_everything(self) -> None:
        self._selector.close()
        self.orders.close()
        for child in self._children:
            os.close(child.descriptor)
            child.told.close()


def _become(order: StartOrder) -> None:
    """Turn this copy into what was ordered."""
    if order.new_session:
        os.setsid()
    if order.namespace is not None:
        enter(Path(os.fsdecode(order.namespace)))
    os.chdir(order.directory)
    os.environb.clear()
    os.environb.update(order.environment)
    time.tzset()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # As the interpreter opens them in this locale: the server was started in it.
    errors = sys.stdout.errors
    sys.stdin = open(0, encoding="utf-8", errors=errors, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", errors=errors, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False, buffering=1)  # noqa: SIM115
    sys.argv = ["blink", *map(os.fsdecode, order.arguments)]


def main() -> None:
    """Load, serve, and run what a copy was made for."""
    for module in _LOADED:
        importlib.import_module(module)
    dict(sys.modules["blink_cli.commands.program"].entry_point().commands)  # imports every command
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # of whoever tests at a terminal: copies decide for themselves
    gc.collect()
    gc.freeze()  # a collection in a copy would copy the pages of all that was loaded
    order = ForkServer(socket.socket(fileno=int(sys.argv[1]))).next_copy()
    if order is not None:
        _become(order)
        _run()


def _run() -> NoReturn:
    """Run the program, and end as an interpreter does, but for taking every object apart: that would copy all that was loaded."""
    try:
        runpy.run_module("blink_cli", run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - the interpreter would print it, too
        traceback.print_exc()
        code = 1
    # As the interpreter does at its end, and multiprocessing in its copies.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()

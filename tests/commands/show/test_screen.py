"""A view on the whole terminal."""

import asyncio
import errno
import os

import pytest
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from typing_extensions import override

from blink_cli.commands.show.screen import FullScreen
from blink_cli.commands.show.styled import line
from blink_cli.runtime.tasks import TaskOwner

pytestmark = pytest.mark.no_clock(sockets=True)


class Closing(DummyOutput):
    """A terminal whose window can be closed."""

    def __init__(self) -> None:
        self.drawn = asyncio.Event()
        self.closed = False

    @override
    def flush(self) -> None:
        if self.closed:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self.drawn.set()


async def test_a_view_ends_without_a_word_when_its_window_is_closed() -> None:
    """The system sends SIGHUP, which cancels the view; it would draw once more, on a terminal that is gone."""
    terminal = Closing()
    with create_pipe_input() as keys:
        screen = FullScreen(
            lambda _: [line("seen")], color=False, terminal_input=keys, terminal_output=terminal
        )
        async with TaskOwner("test") as tasks:
            shown = tasks.start(screen.run(), name="view")
            await terminal.drawn.wait()
            terminal.closed = True
            shown.cancel()
            assert await shown

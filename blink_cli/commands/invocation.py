"""What one command line is on its way: what is known before its command is, and the job that it becomes."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:  # `--help` makes neither
    from blink_cli.commands.command_context import CommandContext
    from blink_cli.commands.global_options import GlobalOptions


class Job(msgspec.Struct, frozen=True):
    """A command with its arguments, to be awaited on the caller's event loop, if it needs one."""

    run: Coroutine[Any, Any, None]
    context: "CommandContext"
    hosts: bool
    """Whether it may run a session of its own, and so wants the fastest event loop there is."""

    asks_only: bool = False
    """Whether it does no more than ask the running session, and so needs no event loop."""


@dataclass(slots=True)
class Invocation:
    """The object of Typer's context: what is known before the command's own options are read."""

    options: "GlobalOptions"
    context: Callable[["GlobalOptions"], "CommandContext"]
    without_command: Callable[["Invocation", bool], "Job"]
    """What `blink` alone does; told whether to go on after a failed line."""

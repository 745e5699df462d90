"""A command that asks the running session, prints what it says, and ends: without an event loop."""

import signal
import sys
from types import FrameType
from typing import Never

from blink_cli.app.control.asking_client import AskingClient
from blink_cli.app.control.door_choice import control_door
from blink_cli.commands.chosen_profile import profile_of, telling_where_none_runs
from blink_cli.commands.ending_signals import ending_signals
from blink_cli.commands.global_options import GlobalOptions
from blink_cli.commands.invocation import Job
from blink_cli.runtime.loopless import run_to_its_end


def connect(options: GlobalOptions) -> AskingClient:
    """Reach the session of the chosen profile.

    Raises:
        NoSessionError: None runs.

    """
    with telling_where_none_runs(options):
        return AskingClient.connect(control_door(profile_of(options).runtime_dir))


def run_asking(job: Job) -> None:
    """Run such a command to its end. SIGINT, SIGTERM and SIGHUP end it, SIGINT also where it was ignored when the command started.

    Raises:
        KeyboardInterrupt: It was interrupted.
        BlinkError: It failed.

    """
    if sys.platform != "win32":
        for number in ending_signals():
            signal.signal(number, _interrupt)
    run_to_its_end(job.run)


def _interrupt(number: int, frame: FrameType | None) -> Never:  # noqa: ARG001 - the shape of a handler
    raise KeyboardInterrupt

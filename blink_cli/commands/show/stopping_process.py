"""Ctrl-Z: this process stops, as Ctrl-Z stops any; the terminal is the shell's until `fg`."""

import os
import signal
from typing import Final

from prompt_toolkit.output import Output

from blink_cli.commands.show.cells import wrapped

CAN_STOP: Final = hasattr(signal, "SIGTSTP")
"""Not on Windows."""

STOPPED: Final = (
    "stopped, and your audio with it: you hear nobody and nobody hears you until `fg`. "
    "`blink serve` runs a session without a terminal."
)


def stop_process(terminal: Output, *, sentence: str) -> None:
    """Stop; returns when the process goes on. To be called while nothing of prompt_toolkit's is on the screen.

    Args:
        terminal: Where the sentence is written.
        sentence: What stops with it; empty: nothing that one would miss.

    """
    if sentence:
        for line in wrapped(sentence, terminal.get_size().columns):
            terminal.write(f"{line}\n")
        terminal.flush()
    os.kill(0, signal.SIGTSTP)

"""The prompt in a shell on a real terminal: job control, a panel that stays, windows of other sizes."""

import shlex
from collections.abc import Callable, Iterator

import pytest

from tests.commands.conftest import BLINK, Shell, environment
from tests.support.terminals import Terminal

COMMAND = shlex.join([*BLINK, "repl", "--input", "silence", "--output", "null"])


@pytest.fixture
def prompt(shell: Shell) -> Iterator[Terminal]:
    """A prompt whose session is in a call with bob, started from a shell."""
    with Terminal(
        ["bash", "--norc", "-i"], columns=80, rows=24, environment=environment(shell.data_dir, PS1="shell> ")
    ) as terminal:
        terminal.until("shell>")
        terminal.run_line(COMMAND)
        terminal.until("blink>")
        terminal.run_line("offer bob")
        terminal.until("2 of 2 present")
        yield terminal


def test_the_panel_stays_while_a_command_runs(prompt: Terminal) -> None:
    prompt.run_line("wait call_cancelled --timeout 1.5")
    busy = prompt.until(
        lambda text: "blink> wait call_cancelled" in text and "2 of 2 present" in text.split("wait call")[1]
    )
    assert "bob" in busy[-1], "the panel is the last that is shown"
    prompt.enter("status")  # typed ahead: not seen now, and there when the prompt is back
    prompt.until(lambda text: text.endswith("blink> status"))
    assert prompt.text.count("status") == 1
    prompt.press("C-u")
    prompt.run_line("watch")
    prompt.until("q quits")
    prompt.press("q")
    prompt.until(lambda text: text.endswith("blink>") and "q quits" not in text)


def test_ctrl_z_gives_the_terminal_back_and_fg_goes_on(prompt: Terminal) -> None:
    prompt.press("C-z")
    prompt.until(lambda text: text.endswith("shell>"))
    assert "you hear nobody" in prompt.history
    prompt.run_line("clear; stty -a | tr ' ' '\\n' | grep -x -e icanon -e echo -e isig | sort | tr '\\n' ,")
    prompt.until("echo,icanon,isig,")
    prompt.run_line("fg")
    prompt.until(lambda text: "2 of 2 present" in text.split("fg")[-1] and text.endswith("blink>"))

    prompt.run_line("watch")
    prompt.until("q quits")
    prompt.press("C-z")
    prompt.until(lambda text: text.endswith("shell>") and "you hear nobody" in text)
    prompt.run_line("clear; fg")
    drawn = prompt.until(lambda text: "q quits" in text and "2 of 2 present" in text)
    assert not [line for line in drawn if "shell>" in line or "fg" in line.split()]
    prompt.press("q")
    prompt.until(lambda text: text.endswith("blink>") and "q quits" not in text)
    prompt.run_line("quit")
    prompt.until(lambda text: text.endswith("shell>"))


def test_a_window_that_is_resized_shows_one_panel(prompt: Terminal) -> None:
    for columns, rows in ((30, 12), (20, 10), (100, 30), (40, 15), (80, 24)):
        prompt.resize(columns, rows)
        # One heading: no rows of an older panel above. It may be drawn after bob's line, so both are waited for.
        prompt.until(one_heading(drawn_for(columns)))


def drawn_for(columns: int) -> Callable[[str], bool]:
    """Whether a screen's panel is drawn for a width: bob's line is no wider, and has the figures that there is room for."""

    def holds(text: str) -> bool:
        bob = text.split("\n")[-2] if "\n" in text else ""
        named = bob.lstrip("* ").startswith("bob") and len(bob) < columns
        return text.endswith("blink>") and named and ("delay 61 ms" in bob or columns < 80)

    return holds


def one_heading(drawn: Callable[[str], bool]) -> Callable[[str], bool]:
    """Whether a screen is drawn, with one panel's heading."""
    return lambda text: drawn(text) and text.count("present") == 1

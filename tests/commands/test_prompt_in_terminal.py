"""The prompt in a shell on a real terminal: job control, a panel that stays, windows of other sizes."""

import re
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


def test_the_panel_stays_while_a_command_runs(prompt: Terminal, shell: Shell) -> None:
    prompt.run_line("wait call_cancelled --timeout 1.5")
    busy = prompt.until(
        lambda text: "blink> wait call_cancelled" in text and "2 of 2 present" in text.split("wait call")[1]
    )
    assert "bob" in busy[-1], "the panel is the last that is shown"
    prompt.enter("status")  # typed ahead: not seen now, and there when the prompt is back
    typed = prompt.until(lambda text: text.endswith("blink> status"))
    assert "\n".join(typed).count("status") == 1
    prompt.press("C-u")
    prompt.run_line("watch")
    drawn = prompt.until(lambda text: "q quits" in text and "far lost" in text)
    (peer, _) = shell.run("--json", "rtp-stats").json["peers"]
    inbound, outbound = peer["inbound"], peer["outbound"]
    lines = [re.sub("[⠀-⣿]+", " ", line) for line in drawn if re.match(r"[> *]*bob ", line)]
    figures = [re.split(r" {2,}", line.strip("> *"))[1:] for line in lines]
    concealed = inbound["concealedSamples"] / inbound["totalSamplesReceived"]
    assert [words for words in figures if words] == [
        [
            "connected",
            f"lost {inbound['packetsLost']}",
            f"fixed {inbound['packetsRecovered']}",
            f"late {inbound['packetsDiscarded']}",
            f"delay {inbound['delay_ms']:.0f} ms",
        ],
        [
            f"{1000 * peer['rtt_s']:.1f} ms",
            f"{inbound['packetsReceived']}",
            f"{inbound['packetsLost']}",
            f"{inbound['packetsDiscarded']}",
            f"{inbound['packetsRecovered']}",
            f"{concealed:.1%}",
            f"{1000 * inbound['jitter']:.1f} ms",
            f"{inbound['delay_ms']:.0f} ms",
            "-",
            f"{outbound['packetsSent']}",
        ],
        [f"{outbound['remote']['fractionLost']:.1%}", f"{outbound['redundancyLevels']}"],
    ]
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
    # Rows enough for all that is broken anew: what a terminal scrolls off, nobody can erase.
    for columns, rows in ((30, 40), (20, 40), (100, 30), (40, 40), (80, 24)):
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

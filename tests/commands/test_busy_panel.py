"""The keyboard while a command runs at the prompt."""

import os
import pty
import sys
import termios

import pytest

from blink_cli.commands import busy_panel

pytestmark = pytest.mark.no_clock


def test_the_echo_is_off_meanwhile_and_nothing_waits_for_a_held_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What drains the output first waits for as long as Ctrl-S holds it, on a serial line or a console, with the event loop."""
    master, slave = pty.openpty()
    when: list[int] = []
    change = termios.tcsetattr

    def noted(descriptor: int, moment: int, attributes: list[object]) -> None:
        when.append(moment)
        change(descriptor, moment, attributes)  # type: ignore[arg-type]

    monkeypatch.setattr(termios, "tcsetattr", noted)
    try:
        with os.fdopen(slave) as keyboard:
            monkeypatch.setattr(sys, "stdin", keyboard)
            with busy_panel._without_echo():
                assert not termios.tcgetattr(slave)[3] & termios.ECHO
            assert termios.tcgetattr(slave)[3] & termios.ECHO
    finally:
        os.close(master)
    assert when == [termios.TCSANOW, termios.TCSANOW]

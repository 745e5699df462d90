"""`rtp-stats --watch`: on the whole terminal, with what was shown last left standing at the end; through a pipe, table after table."""

import pytest

from blink_cli.commands.show.tables import STATISTICS_COLUMNS, WAY_COLUMNS
from blink_cli.commands.statistics_commands import rtp_stats
from tests.commands.conftest import BLINK, Shell, environment
from tests.support.terminals import Terminal

pytestmark = pytest.mark.no_clock(sockets=True)


@pytest.mark.parametrize("heading", [heading for heading, _, _ in (*STATISTICS_COLUMNS, *WAY_COLUMNS)])
def test_the_help_explains_every_column(heading: str) -> None:
    explained = [place.split(". ")[-1] for place in (rtp_stats.__doc__ or "").split(": ")]
    assert heading in {name for names in explained for name in names.split(", ")}


def test_watching_has_the_whole_terminal_and_leaves_the_last_figures(served: Shell) -> None:
    assert served.run("offer", "bob", "--wait", "5").exit_code == 0
    try:
        with Terminal(
            [*BLINK, "rtp-stats", "--watch"], columns=100, rows=20, environment=environment(served.data_dir)
        ) as terminal:
            terminal.until("bob")
            terminal.resize(40, 15)
            narrow = terminal.until(lambda text: text.count("peer") == 3)
            assert ["bob", "0.4", "ms", "500", "3", "1", "2"] in [line.split() for line in narrow]
            terminal.resize(40, 4)
            low = terminal.until(lambda text: "conceal" in text.split("\n")[0])
            assert [line.split() for line in low] == [
                ["peer", "recv", "lost", "late", "conceal", "delay"],
                ["bob", "500", "3", "1", "0.2%", "61", "ms"],
                ["carol", "-", "-", "-", "-", "-"],
                ["not", "shown:", "rtt,", "fixed,", "jitter,", "mos,", "se…"],
            ]
            terminal.resize(40, 20)
            terminal.press("C-c")
            shown = terminal.until("ended with 130")
    finally:
        served.run("leave")
    assert sum(line.startswith("bob ") for line in shown) == 3, "all figures, in as many tables as they need"


def test_watching_through_a_pipe_prints_table_after_table(served: Shell) -> None:
    assert served.run("offer", "bob", "--wait", "5").exit_code == 0
    try:
        with served.running("rtp-stats", "--watch") as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(6)]
    finally:
        served.run("leave")
    assert not any("\x1b" in line for line in lines)
    assert [line.split()[0] for line in lines] == ["peer", "bob", "carol"] * 2


def test_watching_without_a_call_says_so(served: Shell) -> None:
    ran = served.run("rtp-stats", "--watch")
    assert ran.exit_code == 1
    assert "not in a call" in ran.stderr


def test_figures_are_reset_in_a_call_alone(served: Shell) -> None:
    assert served.run("stats", "reset").exit_code == 1
    assert served.run("offer", "bob", "--wait", "5").exit_code == 0
    try:
        reset = served.run("stats", "reset", "--json")
        assert (reset.exit_code, reset.json["ok"], reset.json["since"]) == (
            0,
            True,
            "2026-01-01T00:00:00.000Z",
        )
        assert served.run("rtp-stats", "--total", "--json").exit_code == 0
    finally:
        served.run("leave")

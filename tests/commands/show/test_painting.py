"""Columns stand straight on a real terminal, whatever it thinks of a name."""

import sys
import textwrap
from pathlib import Path

import pytest

from blink_cli.commands.show.layout import Cell, Column, Table, fitted
from blink_cli.commands.show.painting import as_text, for_prompt, for_terminal
from blink_cli.commands.show.styled import line, plain
from tests.commands.conftest import ROOT
from tests.commands.show.names import DISPUTED, SETTLED
from tests.support.terminals import Terminal

pytestmark = pytest.mark.no_clock(sockets=True)

NAMES = (*DISPUTED, *(f"{name} bob" for name in DISPUTED), *SETTLED)
NAME_CELLS = 24


def table_of(names: tuple[str, ...], figure: int) -> Table:
    """Names of any kind in front of figures that must stand below each other."""
    rows = tuple((Cell(name), Cell(f"{figure + number}"), Cell("end")) for number, name in enumerate(names))
    return Table((Column("who".ljust(NAME_CELLS), "name"), Column("recv", right=True), Column("x")), rows)


def figures_of(figure: int, count: int) -> list[str]:
    """The table without its names, as it must stand behind them."""
    return [f"{figure + number:6}  end" for number in range(count)]


PRINTED = """
    import sys
    from blink_cli.commands.show.layout import fitted
    from blink_cli.commands.show.painting import for_terminal
    from tests.commands.show.test_painting import NAMES, NAME_CELLS, table_of
    print(for_terminal(fitted(table_of(NAMES, 100), 60).lines, color=True))
    # Blot the names out: what is behind them must stand as if they had been plain letters.
    for row in range(2, len(NAMES) + 2):
        sys.stdout.write(f"\\x1b[{row};1H{'.' * NAME_CELLS}")
    sys.stdout.write(f"\\x1b[{len(NAMES) + 3};1H")
"""

IN_PROMPT = """
    import asyncio, sys
    from prompt_toolkit.application import Application
    from prompt_toolkit.layout import Layout
    from prompt_toolkit.layout.containers import Window
    from prompt_toolkit.layout.controls import FormattedTextControl
    from blink_cli.commands.show.layout import fitted
    from blink_cli.commands.show.painting import for_prompt
    from tests.commands.show.test_painting import NAMES, NAME_CELLS, table_of
    shown = [100]
    def drawn():
        # Other names and figures in the same places, drawn over each other.
        names = NAMES if shown[0] != 200 else NAMES[1:] + NAMES[:1]
        return for_prompt(fitted(table_of(names, shown[0]), 60).lines)
    async def main():
        app = Application(layout=Layout(Window(FormattedTextControl(drawn), always_hide_cursor=True)), full_screen=True)
        async def change():
            for figure in (100, 200, 300):
                shown[0] = figure
                rendered = asyncio.Event()
                app.after_render += lambda _: rendered.set()
                app.invalidate()
                await rendered.wait()
            for row in range(2, len(NAMES) + 2):
                app.output.write_raw(f"\\x1b[{row};1H{'.' * NAME_CELLS}")
            app.output.flush()
        app.create_background_task(change())
        await app.run_async()
    asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("script", "figure"), [(PRINTED, 100), (IN_PROMPT, 300)], ids=["printed", "in a prompt"]
)
def test_columns_stand_straight_behind_any_name(tmp_path: Path, script: str, figure: int) -> None:
    program = tmp_path / "program.py"
    program.write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{textwrap.dedent(script)}")
    with Terminal([sys.executable, str(program)], columns=60, rows=len(NAMES) + 6) as terminal:
        lines = terminal.until(lambda text: text.count("." * NAME_CELLS) == len(NAMES))
    assert [one[NAME_CELLS:] for one in lines[1 : len(NAMES) + 1]] == figures_of(figure, len(NAMES))


def test_a_file_gets_names_as_they_are() -> None:
    lines = fitted(table_of(NAMES, 100), 60).lines
    text = as_text(lines)
    assert "\x1b" not in text
    assert all(name in text for name in NAMES)


def test_a_row_is_drawn_again_when_only_the_look_of_its_name_is_another() -> None:
    def styles(look: str) -> set[str]:
        row = (*line("anna 🇩🇪", look), *line("  12"))
        return {style for style, *_ in for_prompt([row]) if style != "[ZeroWidthEscape]"}

    assert styles("bold").isdisjoint(styles("")), "the cell behind the flag draws the flag"


def test_looks_are_shown_where_they_are_wanted() -> None:
    assert for_terminal([line("anna", "bold green")], color=True) == "\x1b[1;32manna\x1b[0m"
    assert for_terminal([line("anna", "bold green")], color=False) == plain(line("anna"))

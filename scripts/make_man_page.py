"""Writes docs/man/blink.1, the manual page, of the program itself: what `blink --help` and the help of every command say.

    python scripts/make_man_page.py

A wheel installs it as share/man/man1/blink.1, where pipx and `man` find it. tests/commands/test_man_page.py holds it to the commands.
"""

import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from make_cli_page import (
    argument_name,
    command_named,
    exit_codes,
    help_text,
    option_usage,
    plain_text,
)
from typer.core import TyperArgument, TyperGroup, TyperOption

from blink_cli import __version__
from blink_cli.commands.command_table import SECTIONS
from blink_cli.commands.program import entry_point
from blink_cli.commands.session_parameters import SESSION_PARAMETERS

OUT: Final = Path(__file__).parents[1] / "docs" / "man" / "blink.1"

_SESSION_OPTIONS: Final = frozenset(name for name, *_ in SESSION_PARAMETERS)

ENVIRONMENT: Final = (
    ("BLINK_PROFILE", "The profile to use, where --profile names none."),
    ("BLINK_DATA_DIR", "The folder of all profiles, where --data-dir names none."),
    ("BLINK_PASSPHRASE", "What the profile's key is locked with; without it, a terminal is asked."),
    ("NO_COLOR", "Set and not empty: no colour."),
)

EXAMPLES: Final = (
    ("A session with a prompt; then `offer NAME` calls somebody.", "blink"),
    (
        "A machine that answers calls with a file, without a sound system.",
        "blink serve --detach --auto-accept --input 'file:speech.wav?loop=1' --output null",
    ),
    (
        "Call it from a script, hear it for ten seconds, and keep what was heard.",
        "blink offer robot --input silence --output wav:heard.wav --wait 10 --hold 10",
    ),
    ("Fail a CI job where the call is not as it should be.", "blink assert 'loss<1%' 'delay_p95<150ms' --for 10"),
    ("What is wrong with this machine?", "blink doctor"),
)  # fmt: skip


def page() -> str:
    """Return the whole page, in roff's man macros."""
    lines = [
        '.\\" Made of the program by scripts/make_man_page.py.',
        f'.TH BLINK 1 "" "blink {__version__}" "User Commands"',
        ".SH NAME",
        "blink \\- group audio calls between terminals, without a server",
        ".SH SYNOPSIS",
        ".B blink",
        "[\\fIOPTION\\fR]... [\\fICOMMAND\\fR [\\fIARGUMENT\\fR]...]",
        ".SH DESCRIPTION",
        *_paragraphs(entry_point().help),
        ".PP",
        *_text(
            "A command asks the session of the profile that runs, in whatever process; repl and serve are sessions. stdout is data, stderr is messages."
            " With --json, before or after the command, stdout is JSON."
        ),
        ".SH OPTIONS OF EVERY COMMAND",
        *_options(entry_point()),
        ".SH OPTIONS OF A SESSION",
        *_text("Of repl, serve, and of offer and accept where they run a session of their own."),
        *_options(command_named("serve"), but=frozenset({"json_after", "detach"})),
    ]
    for title, rows in SECTIONS.items():
        lines.append(f".SH COMMANDS: {title.upper()}")
        for row in rows:
            lines.extend(_command(row.name, command_named(row.name)))
    lines += [
        ".SH EXIT STATUS",
        *(line for code, _, meaning in exit_codes() for line in _tagged(code, meaning)),
        ".SH ENVIRONMENT",
        *(line for name, meaning in ENVIRONMENT for line in _tagged(name, meaning)),
        ".SH FILES",
        *_text(
            "Key, contacts and settings are in the user's data folder, in blink/profiles/NAME; only their owner can read the key. `blink whoami --json` says where."
        ),
        ".SH EXAMPLES",
        *[line for about, command in EXAMPLES for line in _example(about, command)][1:],
        ".SH SEE ALSO",
        *_text(
            "`blink help COMMAND`, and the pages of docs/ in the source, of which cli.md has every JSON document and event."
        ),
    ]
    return "\n".join(lines) + "\n"


def _command(path: str, command: Any) -> Iterator[str]:
    if isinstance(command, TyperGroup):
        for name, one in command.commands.items():
            yield from _command(f"{path} {name}", one)
        return
    arguments = [one for one in command.params if isinstance(one, TyperArgument)]
    of_session = {one.name for one in command.params} >= {"group", "interface"}
    words = "".join(f" \\fI{_escaped(argument_name(one))}\\fR" for one in arguments)
    yield f'.SS "\\fBblink {_escaped(path)}\\fR{words}"'
    yield from _paragraphs(command.help)
    for argument in arguments:
        if text := help_text(argument):
            yield from _tagged(argument_name(argument), text)
    yield from _options(command, but=(_SESSION_OPTIONS if of_session else frozenset()) | {"json_after"})
    if of_session:
        yield ".PP"
        yield from _text("It also takes the options of a session.")


def _options(command: Any, *, but: frozenset[str] = frozenset()) -> Iterator[str]:
    for option in command.params:
        if isinstance(option, TyperOption) and not option.hidden and option.name not in but:
            yield from _tagged(option_usage(option), help_text(option))


def _tagged(tag: str, text: str) -> Iterator[str]:
    yield ".TP"
    yield f"\\fB{_escaped(tag)}\\fR"
    yield from _text(text)


def _example(about: str, command: str) -> Iterator[str]:
    yield ".PP"
    yield from _text(about)
    yield from (".PP", ".RS 4", ".nf", f"\\fB{_escaped(command)}\\fR", ".fi", ".RE")


def _paragraphs(text: str | None) -> Iterator[str]:
    for number, paragraph in enumerate((text or "").replace("\f", "").split("\n\n")):
        if number:
            yield ".PP"
        yield from _text(plain_text(paragraph))


def _text(text: str) -> Iterator[str]:
    """Lines of roff: a sentence to a line, what is between back quotes in bold."""
    marked = re.sub(r"`([^`]+)`", "\x01\\1\x02", text)
    for line in re.split(r"(?<=[.:;?!]) (?=[A-Z\x01])", marked):
        for piece in textwrap.wrap(line, 66, break_long_words=False, break_on_hyphens=False):
            shown = _escaped(piece).replace("\x01", "\\fB").replace("\x02", "\\fR")
            yield f"\\&{shown}" if shown[0] in ".'" else shown


def _escaped(text: str) -> str:
    special = (
        text.replace("\\", "\\e")
        .replace("-", "\\-")
        .replace("…", "...")
        .replace("^", "\\(ha")
        .replace("~", "\\(ti")
    )
    return "".join(one if ord(one) < 128 else f"\\[u{ord(one):04X}]" for one in special)


if __name__ == "__main__":
    OUT.write_text(page(), encoding="ascii")
    sys.stdout.write(f"{OUT}\n")

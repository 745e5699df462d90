"""What the scripts of `completion_scripts` ask at every press of Tab, and what they are answered.

    _BLINK_COMPLETE   complete_bash, complete_zsh or complete_fish
    _BLINK_LINE       the line up to the cursor, from the command's name on
    _BLINK_BREAKS     bash's COMP_WORDBREAKS

    bash   a line for each word: what is to stand in the place of the part that bash replaces, quoted
    zsh    the word, NUL, what it is, NUL
    fish   the word, a tab and what it is if that is known, NUL

A script of an earlier version, which hands over COMP_WORDS, is answered in bash; those of zsh and fish evaluated what they got, and get nothing.
"""

import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from typer._click.shell_completion import ShellComplete
from typing_extensions import override

from blink_cli.commands.shell_completion import complete_path
from blink_cli.commands.shell_words import BASH_BREAKS, ShellName, TypedLine, bash_replacement, typed_line

SHELLS: Final[dict[str, ShellName]] = {
    "complete_bash": "bash",
    "complete_zsh": "zsh",
    "complete_fish": "fish",
}


class Offer(msgspec.Struct, frozen=True):
    """One whole word that may stand where the cursor is."""

    value: str
    about: str = ""


class _Asked(ShellComplete):
    """Typer's search for the parameter that is being typed; reading and writing are ours."""

    name = "blink"
    source_template = ""

    @override
    def source_vars(self) -> dict[str, Any]:
        return {}

    @override
    def get_completion_args(self) -> tuple[list[str], str]:
        return [], ""

    @override
    def format_completion(self, item: Any) -> str:
        return str(item.value)


def answer(command: Any, environment: Mapping[str, str]) -> None:
    """Write the answer to stdout. Nothing where nothing fits, or where who asks is not known."""
    shell = SHELLS.get(environment.get("_BLINK_COMPLETE", ""))
    if shell is None:
        return
    breaks = environment.get("_BLINK_BREAKS", BASH_BREAKS)
    line = environment.get("_BLINK_LINE")
    if line is None:
        if shell != "bash":
            return
        line, breaks = _line_of_words(environment)
    typed = typed_line(line, shell, breaks if shell == "bash" else "")
    written = "".join(_written(offer, typed, shell) for offer in offers(command, typed))
    sys.stdout.buffer.write(written.encode(errors="surrogateescape"))
    sys.stdout.flush()


def offers(command: Any, typed: TypedLine) -> Iterator[Offer]:
    """Everything that fits."""
    search = _Asked(command, {}, "blink", "_BLINK_COMPLETE")
    for item in search.get_completions(list(typed.words[1:]), typed.last):
        if item.type in {"file", "dir"}:
            yield from (Offer(path) for path in complete_path(typed.last))
        elif (value := str(item.value)).startswith(typed.last) or not typed.last:
            yield Offer(value, " ".join((item.help or "").split()))


def _written(offer: Offer, typed: TypedLine, shell: ShellName) -> str:
    match shell:
        case "bash":
            return f"{bash_replacement(offer.value, typed)}\n"
        case "zsh":
            return f"{offer.value}\0{offer.about}\0"
        case "fish":
            if "\t" in offer.value:
                return ""  # fish has no way to be told of it
            return f"{offer.value}\t{offer.about}\0" if offer.about else f"{offer.value}\0"


def _line_of_words(environment: Mapping[str, str]) -> tuple[str, str]:
    """The line that bash had cut into words, and where it cut them besides: at colons or nowhere."""
    try:
        words = environment["COMP_WORDS"].split("\n" if "\n" in environment["COMP_WORDS"] else " ")
        current = int(environment["COMP_CWORD"])
    except (KeyError, ValueError):
        return "", ""
    line = ""
    for index, word in enumerate(words[: current + 1]):
        glued = index > 0 and (word == ":" or words[index - 1] == ":")
        line += word if glued or not line else f" {word}"
    return (line if current < len(words) else f"{line} "), ":" if ":" in words else ""

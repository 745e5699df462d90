"""Makes Typer's `--help` read as that of other programs: `offer [OPTIONS] PEER...` and not `{PEER...}...`, without types of Python.

Typer 0.29 builds the names of arguments in methods of each parameter; they are replaced there, as `light_coercion.py` does with another one.
"""

from typing import Any

from blink_cli.commands.help_formatter import WholeExampleContext
from blink_cli.commands.light_coercion import parameters_below


def _without(*_: Any, **__: Any) -> str:
    return ""


def _keep_examples_whole(command: Any) -> None:
    command.context_class = WholeExampleContext
    for below in getattr(command, "commands", {}).values():
        _keep_examples_whole(below)


def plain(command: Any) -> None:
    """Give the parameters of a command, and of those below it, names as people know them, and keep its examples whole."""
    _keep_examples_whole(command)
    for parameter in parameters_below(command):
        if parameter.param_type_name != "argument":
            parameter._get_number_range_help_str = _without  # noqa: SLF001 - see above
            continue
        name = parameter.metavar or parameter.name.upper()
        usage = name if parameter.required else f"[{name}]"
        parameter._usage_display_name = lambda usage=usage: usage  # noqa: SLF001 - see above
        parameter.display_type_rich = _without

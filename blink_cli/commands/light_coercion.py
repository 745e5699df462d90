"""Keeps Typer's start light: text that shall be text is not sent through a validator.

Typer 0.29 builds a pydantic adapter for every parameter of a command, also for those that were not given, and imports pydantic for the
first of them: some 100 ms, a quarter of what an attached command may take. So what is not given, or is text and shall be text, passes as it
is; everything else goes Typer's way. A test holds that `blink status` imports no pydantic; were Typer to change, nothing would break but
that.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, Protocol

import typer

HELP_OPTION_NAMES: Final = ("-h", "--help")

TEXT: Final = (str, str | None, list[str], list[str] | None)
"""Click's parser delivers words and their lists already."""

FLAGS: Final = (bool, bool | None, int)
"""It delivers flags and counts as such too; a number that was written is still a word."""


_OUT_OF_RANGE: Final = re.compile(r"Input should be (greater|less) than or equal to (.+)")
_NOT_ONE_OF: Final = re.compile(r".+ is not one of ('.+')\.", re.DOTALL)
_OF_A_CHECK: Final = "Value error, "
"""What pydantic puts before the words of any check that is not its own: Typer's of a word that is one of several, and those of a `parser`."""


class _Coercion(Protocol):
    """What a parameter of Typer asks for its value."""

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the value as the command wants it."""


class _LightCoercion:
    """Typer's coercion of one parameter, built when it is needed."""

    def __init__(self, parameter: Any) -> None:
        self._typers = parameter.get_runtime_param
        annotation = parameter.type_descriptor.annotation
        self._is_text = annotation in TEXT
        self._is_flag = annotation in FLAGS

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """See `_Coercion.coerce`."""
        repeated = param.multiple or param.nargs == -1
        if value is None:
            return () if repeated else None
        if (self._is_text and (repeated or isinstance(value, str))) or (
            self._is_flag and isinstance(value, int)
        ):
            return value
        coercion: _Coercion = self._typers()
        try:
            return coercion.coerce(value, param, ctx)
        except typer.BadParameter as error:
            raise typer.BadParameter(
                _what_is_wrong(value, str(error.message)), ctx=ctx, param=param
            ) from error


def parameters_below(command: Any) -> Iterator[Any]:
    """Every parameter of a command, and of those below it."""
    # The parameters with `--help` among them, which click makes for a context and keeps.
    yield from command.get_params(typer.Context(command, help_option_names=list(HELP_OPTION_NAMES)))
    for below in getattr(command, "commands", {}).values():
        yield from parameters_below(below)


def lighten(command: Any) -> None:
    """Give every parameter of a command, and of those below it, the light coercion."""
    for parameter in parameters_below(command):
        if hasattr(parameter, "get_runtime_param"):
            light = _LightCoercion(parameter)
            parameter.get_runtime_param = lambda light=light: light


def _what_is_wrong(value: object, pydantics: str) -> str:
    """Return pydantic's complaint about a value as a sentence that names the value."""
    if found := _OUT_OF_RANGE.match(pydantics):
        bound = "at least" if found[1] == "greater" else "at most"
        return f"{value!r} is out of range: it must be {bound} {found[2]}."
    if pydantics.startswith("Input should be a valid integer"):
        return f"{value!r} is not a whole number."
    if pydantics.startswith(("Input should be a valid number", "Input should be a finite number")):
        return f"{value!r} is not a number."
    said = pydantics.removeprefix(_OF_A_CHECK)
    if found := _NOT_ONE_OF.fullmatch(said):
        return f"{value!r} is none of {found[1].replace(chr(39), '')}."
    return said

"""What is wrong with a value on a command line is said in our own words, whichever parameter it is."""

import pytest
import typer

from blink_cli.commands.light_coercion import FLAGS, TEXT, parameters_below
from blink_cli.commands.parsing import usage_error
from blink_cli.commands.program import entry_point

pytestmark = pytest.mark.no_clock

_WRONG = "¤ 'x'"
_LIBRARYS_WORDS = ("Value error", "Assertion failed", "Input should", "is not one of", "validation error")


def test_no_parameter_refuses_a_value_in_the_words_of_a_library() -> None:
    refused: dict[str, str] = {}
    for name, command in dict(entry_point().commands).items():
        for parameter in parameters_below(command):
            if not hasattr(parameter, "type_descriptor") or parameter.type_descriptor.annotation in TEXT:
                continue
            if parameter.type_descriptor.annotation in FLAGS[:2]:
                continue  # takes no value
            context = typer.Context(command)
            try:
                parameter.get_runtime_param().coerce(_WRONG, parameter, context)
            except typer.BadParameter as error:
                refused[f"{name} {parameter.name}"] = error.message

    assert {"offer via", "offer wait", "serve bitrate"} <= refused.keys()
    for parameter_name, message in refused.items():
        assert message.startswith(repr(_WRONG)), parameter_name
        assert not any(words in message for words in _LIBRARYS_WORDS), parameter_name


def test_a_word_that_is_none_of_several_is_told_with_those() -> None:
    command = entry_point().commands["offer"]
    with pytest.raises(typer.TyperException) as caught:
        command.make_context("offer", ["bob", "--via", "sfuu"])

    assert "Invalid value for '--via': 'sfuu' is none of auto, sfu, mesh." in str(
        usage_error(caught.value, "blink")
    )

"""How a function becomes a command of the one Typer application that the REPL and the shell share.

A command is an `async def` whose first parameter is its `CommandContext`. The decorator adds the global options behind the command's own, so that
`blink status --json` and `blink --json status` are the same. A second parameter of type `SessionOptions` becomes the options of `serve`.
"""

import functools
import inspect
from collections.abc import Callable, Collection, Coroutine
from typing import Annotated, Any, Concatenate, ParamSpec

import typer

from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.invocation import Invocation, Job
from blink_cli.core.api.session_options import SessionOptions

P = ParamSpec("P")
CommandFunction = Callable[Concatenate[CommandContext, P], Coroutine[Any, Any, None]]
Printed = Any
"""A type of document, a union of such, or None."""

PRINTED: dict[Callable[..., Any], Printed] = {}
"""What each registered command prints, for docs/cli.md."""


def _after(*names: str, text: str, hidden: bool = True) -> Any:
    return typer.Option(*names, help=text, hidden=hidden, show_default=False)


_GLOBAL_PARAMETERS = (
    ("json_after", bool, False, _after("--json", text="Print JSON.", hidden=False)),
    ("profile_after", str | None, None, _after("--profile", text="The profile.")),
    ("data_dir_after", str | None, None, _after("--data-dir", text="The folder of all profiles.")),
    ("no_color_after", bool, False, _after("--no-color", text="No colour.")),
    ("verbose_after", int, 0, typer.Option("-v", "--verbose", count=True, hidden=True)),
    ("quiet_after", bool, False, _after("-q", "--quiet", text="No messages.")),
)


def command(
    app: typer.Typer,
    name: str,
    *,
    hosts: bool = False,
    prints: Printed = None,
    without: Collection[str] = (),
    loop_for: Collection[str] | None = None,
    **settings: Any,
) -> Callable[[CommandFunction[P]], CommandFunction[P]]:
    """Register a function as a command.

    Args:
        app: Where it belongs.
        name: What the user types.
        hosts: Whether it may run a session of its own.
        prints: What stands on stdout with `--json`: one document of this type, or one of these a line.
        without: Names of session options that mean nothing to it, and that it does not have.
        loop_for: Names of its own options with which it needs an event loop; without them it only asks the running session. None: it always needs one.
        settings: For Typer.

    """

    def register(function: CommandFunction[P]) -> CommandFunction[P]:
        invoke = _with_global_options(function, hosts=hosts, without=without, loop_for=loop_for)
        PRINTED[invoke] = prints
        app.command(name, **settings)(invoke)
        return function

    return register


def _with_global_options(
    function: Callable[..., Coroutine[Any, Any, None]],
    *,
    hosts: bool,
    without: Collection[str],
    loop_for: Collection[str] | None,
) -> Callable[..., Job]:
    @functools.wraps(function)
    def invoke(click_context: typer.Context, **arguments: Any) -> Job:
        invocation: Invocation = click_context.obj
        given = {name.removesuffix("_after"): arguments.pop(name) for name, *_ in _GLOBAL_PARAMETERS}
        context = invocation.context(invocation.options.changed(**given))
        if takes_session_options:
            options = {name: arguments.pop(name, default) for name, _, default in session_parameters}
            arguments[own[0].name] = option_words.session_options(**options)
        asks_only = loop_for is not None and all(arguments[name] == plain[name] for name in loop_for)
        return Job(run=function(context, **arguments), context=context, hosts=hosts, asks_only=asks_only)

    own = list(inspect.signature(function).parameters.values())[1:]
    plain = {parameter.name: parameter.default for parameter in own}
    takes_session_options = bool(own) and own[0].annotation is SessionOptions
    session_parameters: tuple[tuple[str, Any, Any], ...] = ()
    if takes_session_options:
        from blink_cli.api import option_words  # noqa: PLC0415 - two commands in three open no session
        from blink_cli.commands.session_parameters import SESSION_PARAMETERS  # noqa: PLC0415 - as above

        session_parameters = SESSION_PARAMETERS
    parameters = [
        inspect.Parameter("click_context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
        *(
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for parameter in own[takes_session_options:]
        ),
        *(_parameter(*parameter) for parameter in session_parameters if parameter[0] not in without),
        *(
            _parameter(name, Annotated[kind, option], default)
            for name, kind, default, option in _GLOBAL_PARAMETERS
        ),
    ]
    # Typer reads both: the signature, and the annotations by their names.
    invoke.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    invoke.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return invoke


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)

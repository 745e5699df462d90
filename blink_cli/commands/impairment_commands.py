"""Commands for bad networks on purpose."""

from collections.abc import Sequence
from typing import Annotated, Final

import typer

from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.documents import reply_document
from blink_cli.commands.impairment_text import impairment_lines
from blink_cli.commands.shell_completion import complete_impairment
from blink_cli.commands.typed_path import absolute
from blink_cli.core.api.replies import ImpairmentShown
from blink_cli.core.api.requests import BOTH_WAYS, GetImpairment, SetImpairment, Way
from blink_cli.core.errors import UsageError
from blink_cli.core.impairment.delay_trace import DelayTrace
from blink_cli.core.impairment.words import CLEAN, impairment_from_words

OFF: Final = "off"
_WAYS: Final[dict[str, tuple[Way, ...]]] = {"in": ("in",), "out": ("out",), "both": BOTH_WAYS}
_TRACE: Final = "trace="

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PEER] [in|out] KEY=VALUE... | off",
        show_default=False,
        help="loss=3% burst=4 delay=40ms jitter=20ms rate=256kbit/s queue=200ms reorder=1% duplicate=0.5% corrupt=0.1% outage=5s+800ms trace=FILE seed=7, and others.",
        autocompletion=complete_impairment,
    ),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    command(app, "impair", prints=ImpairmentShown)(impair)


async def impair(context: CommandContext, conditions: Words = None) -> None:
    """Make the network of calls bad on purpose, seeded, or good again with off. Alone: say what is impaired, and what it did.

    It acts on the audio links of this session, on what comes (in), what is sent (out) or both, from now on until off or the end of the session. Signals are not meant.
    For example `blink impair loss=3% burst=4 delay=40ms jitter=20ms seed=7`, `blink impair bob in outage=5s+2s`, `blink impair off`.
    """
    reply = await context.ask(request_of(conditions) if conditions else GetImpairment())
    if context.output.json:
        context.output.document(reply_document(reply))
        return
    for line in impairment_lines(reply.impairment) or ("nothing is impaired on purpose",):
        context.output.line(line, hang=4)


def request_of(words: Sequence[str]) -> SetImpairment:
    """Read `[PEER] [in|out|both] KEY=VALUE... | off`.

    Raises:
        UsageError: It is wrong. Traces are read by the session.

    """
    rest = list(words)
    peer = None
    if rest and not _says_how(rest[0]) and rest[0] not in _WAYS:
        peer = rest.pop(0)
    ways = _WAYS[rest.pop(0)] if rest and rest[0] in _WAYS else BOTH_WAYS
    if not rest:
        raise UsageError(
            "It is not said how.",
            hint="Write `blink impair loss=3% delay=40ms`, for example, or `blink impair off`.",
        )
    if rest in ([OFF], [CLEAN]):
        return SetImpairment(peer=peer, ways=ways)
    said = tuple(
        f"{_TRACE}{absolute(word.removeprefix(_TRACE))}" if word.startswith(_TRACE) else word for word in rest
    )
    impairment_from_words(said, read_trace=_unread)
    return SetImpairment(peer=peer, ways=ways, words=said)


def _says_how(word: str) -> bool:
    return "=" in word or word in (OFF, CLEAN)


def _unread(name: str) -> DelayTrace:
    return DelayTrace(name, (0.0,))

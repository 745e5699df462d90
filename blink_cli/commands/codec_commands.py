"""Commands for the codec: how voice is encoded in a session. What it does to sound, without one, is `codec_tool_commands`."""

from typing import Annotated

import typer

from blink_cli.commands import codec_device_commands, codec_tool_commands
from blink_cli.commands.codec_words import codec_lines, codec_text, read_changes
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.shell_completion import complete_codec
from blink_cli.core.api.replies.codec import CodecSet, CodecShown
from blink_cli.core.api.requests import GetCodec, SetCodec
from blink_cli.core.errors import UsageError

Changes = Annotated[
    list[str],
    typer.Argument(
        metavar="KEY=VALUE...",
        help="bitrate, frame-ms, bandwidth, application, fec, dtx, cbr, redundancy, redundancy-budget, complexity, stereo (or channels=1, 2); VALUE default: as settings.toml says.",
        autocompletion=complete_codec,
    ),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    codec = typer.Typer(
        name="codec",
        help="How voice is encoded, and what that does to sound. `show` and `set` are of a session; the others need none.",
        rich_markup_mode=None,
    )
    command(codec, "show", loop_for=(), prints=CodecShown)(show)
    command(codec, "set", loop_for=(), prints=CodecSet)(set_)
    codec_tool_commands.register(codec)
    codec_device_commands.register(codec)
    app.add_typer(codec)


async def show(context: CommandContext) -> None:
    """Say how the session encodes its voice.

    What is chosen, and what comes out. For example `blink codec show`. What Opus can do says `blink codec info`.
    """
    reply = await context.ask(GetCodec())
    context.report(reply, "\n".join(codec_lines(reply.codec)))


async def set_(
    context: CommandContext,
    changes: Changes,
    *,
    once: Annotated[bool, typer.Option("--once", help="For this call only; not remembered.")] = False,
) -> None:
    """Encode otherwise from the next frame on, in a call too.

    It is remembered, unless --once is given. For example `blink codec set bitrate=48000 frame-ms=10`, and back again `blink codec set bitrate=default`.
    """
    options, to_default = read_changes(changes)
    if not changes:
        raise UsageError("Nothing is to be changed.", hint="For example: `codec set bitrate=48000`.")
    reply = await context.ask(SetCodec(changes=options, to_default=to_default, once=once))
    context.report(reply, set_sentence(reply, [word.partition("=")[0] for word in changes]))


def set_sentence(reply: CodecSet, keys: list[str]) -> str:
    """Return what is said of settings that count now."""
    names = [
        name if name != "channels" else "stereo" for name in (key.lower().replace("-", "_") for key in keys)
    ]
    said = codec_text(reply.codec.chosen, dict.fromkeys(names))
    if set(names) & set(reply.codec.for_this_call):
        said += ", for this call"
    if reply.not_remembered is not None:
        said += f", but the next session will not know it: {reply.not_remembered}"
    return "\n".join((said, *reply.codec.remarks))

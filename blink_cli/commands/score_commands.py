"""The command that judges one pair of sound files. Works without a session."""

from pathlib import Path
from typing import Annotated

import typer

from blink_cli.codec.figures import ScoreDone
from blink_cli.codec.options import Source
from blink_cli.commands.codec_parameters import RawChannels, RawFormat, RawRate, raw_form, show
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.shell_completion import complete_path


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    command(app, "score", prints=ScoreDone)(score)


async def score(
    context: CommandContext,
    heard: Annotated[
        Path,
        typer.Argument(
            metavar="HEARD",
            autocompletion=complete_path,
            help="What came out: a `wav:` device's file, a recording's track; WAV, FLAC, MP3, Ogg, MP4 …",
        ),
    ],
    sent: Annotated[
        Path,
        typer.Argument(
            metavar="SENT", autocompletion=complete_path, help="What was said: the microphone's file."
        ),
    ],
    *,
    raw_rate: RawRate = None,
    raw_channels: RawChannels = None,
    raw_format: RawFormat = None,
) -> None:
    """Compare what was heard with what was sent: PESQ-WB, delay over time, gaps, clipped starts, level, clicks.

    The files may differ in kind, rate, channels and length, and need not begin at the same moment: the delay is from mouth to ear if they do.
    What --raw-rate and the like say is of the files without a header.
    For example `blink score heard.wav speech.wav`, in a script `blink score heard.wav speech.wav --json | jq .pesq_wb`. PESQ needs the extra `lab`; without it the figure is null.
    """
    raw = raw_form(raw_rate, raw_channels, raw_format)
    from blink_cli.codec.pair_score import score as scored  # noqa: PLC0415 - numpy: `--help` needs none
    from blink_cli.codec.sound_reader import RAW_ENDINGS  # noqa: PLC0415 - as above
    from blink_cli.commands.score_text import score_lines  # noqa: PLC0415 - as above
    from blink_cli.commands.work_progress import with_progress  # noqa: PLC0415 - as above

    came, said = (Source(path, raw if path.suffix.lower() in RAW_ENDINGS else None) for path in (heard, sent))
    done = await with_progress(context, "comparing", lambda progress: scored(came, said, progress))
    show(context, done, score_lines(done))
    for missing in done.missing:
        context.output.message(missing)

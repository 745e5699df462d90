"""`lab compare`: whether a change made calls better, worse, or neither as far as one can tell."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.parsing import ExitWith
from blink_cli.commands.shell_completion import complete_path
from blink_cli.core.exit_codes import ExitCode
from blink_cli.lab.comparison.document import Comparison


def register(lab: typer.Typer) -> None:
    """Add the command to the group `lab`."""
    command(lab, "compare", prints=Comparison)(compare)


async def compare(
    context: CommandContext,
    a: Annotated[
        Path,
        typer.Argument(
            metavar="A",
            autocompletion=complete_path,
            help="Before: a folder of `lab run --out`, or its report.json.",
        ),
    ],
    b: Annotated[Path, typer.Argument(metavar="B", autocompletion=complete_path, help="After: the same.")],
    *,
    allowed: Annotated[
        list[str] | None,
        typer.Option(
            "--allow",
            metavar="FIGURE",
            help="May become worse: pesq, mos, delay, delay_p95, loss, late, concealed, gaps, talking, bitrate, fps, frozen, picture_delay, ssim, psnr; again for another one.",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="FILE",
            autocompletion=complete_path,
            help="Write it as one page too, with every interval drawn. It needs no network.",
        ),
    ] = None,
) -> None:
    """Tell what became better or worse from A to B by more than chance; exit code 6 if something became worse.

    The same cases are compared, seed by seed: so run both with several, such as `blink lab run two-lossy --seeds 10 --out before`. For example `blink lab compare before after --allow bitrate --html comparison.html`.
    """
    from blink_cli.commands.lab_comparisons import comparison_of, write_comparison_page  # noqa: PLC0415 - statistics: `--help` needs none

    found = comparison_of(a, b, allowed or ())
    if html is not None:
        write_comparison_page(found, a, b, html)
    if context.output.json:
        context.output.document(msgspec.to_builtins(found))
    else:
        from blink_cli.commands.lab_comparison_text import comparison_lines, comparison_table  # noqa: PLC0415 - as above

        table = comparison_table(found)
        if table.rows:
            context.output.table(table)
            context.output.line("")
        for line in comparison_lines(found):
            context.output.line(line)
    if found.outcome == "worse":
        raise ExitWith(ExitCode.ASSERTION_FAILED)

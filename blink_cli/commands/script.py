"""Lines that run one after the other until one fails: of stdin, or of a file."""

import codecs
import contextlib
import errno
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Final

from blink_cli.api.typed_path import absolute
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.lines import Lines
from blink_cli.commands.parsing import ExitWith, as_blink_error
from blink_cli.commands.show.cells import cut
from blink_cli.core.errors import BlinkError, UsageError
from blink_cli.core.exit_codes import ExitCode
from blink_cli.core.identity.shown_name import printable
from blink_cli.core.text.path_text import shown
from blink_cli.files.reading import read_whole

MOST_BYTES: Final = 1 << 20
"""Of a file of commands: some ten thousand lines."""

MOST_SHOWN: Final = 200
"""Cells of a line that failed; it may be anything, if the wrong file was named."""

MOST_FILES: Final = 8
"""That source one another: more is a mistake."""

_SOURCING: ContextVar[tuple[str, ...]] = ContextVar("sourcing", default=())
"""The files that are being read, the outermost first."""


async def run_script(
    lines: Lines, script: AsyncIterator[str], context: CommandContext, *, keep_going: bool, name: str = ""
) -> ExitCode | None:
    """Run lines; return the first failure's exit code, None when there was none.

    Args:
        lines: Runs one.
        script: What is run.
        context: Where failures are told.
        keep_going: Whether a failure is not the end.
        name: What the lines are of; empty for stdin.

    """
    first_failure: ExitCode | None = None
    number = 0
    async for line in script:
        number += 1
        failure = await _run_line(lines, line, context)
        if failure is None:
            continue
        first_failure = first_failure or failure
        if not keep_going:
            where = f" of {name}" if name else ""
            context.output.message(
                f"stopped at line {number}{where}: {cut(printable(line.strip()), MOST_SHOWN)}"
            )
            break
    return first_failure


async def run_file(path: Path, context: CommandContext) -> None:
    """Run the lines of a file against the session of the context, until one fails.

    Raises:
        UsageError: It is being read already, or too many files source one another.
        BlinkError: It cannot be read.
        ExitWith: A line failed, and has said so.

    """
    full = absolute(path)
    with _among_files(full):
        script = _lines_of(Path(full))
        lines = Lines(context.options, context.source, context.commands)
        failed = await run_script(lines, _each(script), context, keep_going=False, name=shown(path))
    if failed is not None:
        raise ExitWith(failed)


@contextlib.contextmanager
def _among_files(full: str) -> Iterator[None]:
    sourcing = _SOURCING.get()
    if full in sourcing:
        raise UsageError(
            f"{shown(full)} sources itself, by {' and '.join(map(shown, sourcing))}.",
            hint="Take the line out: it would never end.",
        )
    if len(sourcing) >= MOST_FILES:
        raise UsageError(
            f"{MOST_FILES} files source one another already.", hint="Put what belongs together into one file."
        )
    token = _SOURCING.set((*sourcing, full))
    try:
        yield
    finally:
        _SOURCING.reset(token)


def _lines_of(path: Path) -> list[str]:
    try:
        # Of bytes: letters of Unicode that end a line are part of a text here.
        content = read_whole(path, MOST_BYTES).removeprefix(codecs.BOM_UTF8)
        return [line.decode(errors="surrogateescape") for line in content.splitlines()]
    except OSError as failure:
        problem = (
            f"it has more than {MOST_BYTES} bytes"
            if failure.errno == errno.EFBIG
            else failure.strerror or failure
        )
        raise BlinkError(
            f"The commands of {shown(path)} cannot be read: {problem}.",
            hint="Name a text file with one command a line.",
        ) from failure


async def _each(lines: list[str]) -> AsyncIterator[str]:
    for line in lines:
        yield line


async def _run_line(lines: Lines, line: str, context: CommandContext) -> ExitCode | None:
    at = context
    try:
        job = lines.parsed(line)
        if job is not None:
            at = job.context
            await job.run
    except BrokenPipeError:
        raise
    except ExitWith as ending:
        return ending.code
    except Exception as error:  # noqa: BLE001 - as in `main`: errors become sentences, unknown ones too
        shown_error = as_blink_error(error)
        at.output.error(shown_error)
        return shown_error.exit_code
    return None

"""Lines of a prompt or a pipe, run as the commands of the shell are."""

import shlex
from collections.abc import Callable
from typing import Any

from blink_cli.commands.command_context import CommandContext, PromptPictures, SessionSource
from blink_cli.commands.global_options import GlobalOptions
from blink_cli.commands.invocation import Invocation, Job
from blink_cli.commands.parsing import parse
from blink_cli.commands.prompt_wording import PromptOutput
from blink_cli.core.errors import UsageError


class Lines:
    """Runs one line after another against one session."""

    def __init__(
        self,
        options: GlobalOptions,
        source: SessionSource,
        commands: Callable[[], Any],
        prompt_pictures: PromptPictures | None = None,
    ) -> None:
        """Read nothing yet. `commands` and `prompt_pictures` are as of `CommandContext`."""
        self._prompt_pictures = prompt_pictures
        self._options = options
        self._source = source
        self._commands = commands

    def parsed(self, line: str) -> Job | None:
        """Read a line; None when there is nothing to run: it is blank, a comment, or asked for help, which is printed then.

        Raises:
            UsageError: It is wrong.

        """
        words = words_of(line)
        if not words:
            return None
        invocation = Invocation(self._options, context=self._context, without_command=_no_command)
        return parse(self._commands(), words, invocation)

    def _context(self, options: GlobalOptions) -> CommandContext:
        if (options.profile, options.data_dir) != (self._options.profile, self._options.data_dir):
            raise UsageError(
                f"These lines go to the session of profile {self._options.profile!r}.",
                hint="Use another profile from a shell of its own.",
            )
        return CommandContext(
            options,
            self._source,
            PromptOutput,
            commands=self._commands,
            prompt_pictures=self._prompt_pictures,
        )


def words_of(line: str) -> list[str]:
    """Return a line's words as a shell would split them; `blink` in front may be left out.

    Raises:
        UsageError: A quote is not closed.

    """
    if line.lstrip().startswith("#"):
        return []
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(
            f"This line cannot be read: {error}.", hint="Close the quotes, or put a \\ before a single one."
        ) from error
    if words[:1] == ["blink"]:
        words = words[1:]
    if words in (["exit"], ["bye"]):
        words = ["quit"]
    return words


def _no_command(invocation: Invocation, keep_going: bool) -> Job:  # noqa: ARG001, FBT001 - the shape of `Invocation.without_command`
    raise UsageError("A command is missing.", hint="`help` lists them.")

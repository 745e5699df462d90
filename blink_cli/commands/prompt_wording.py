"""Sentences of the program as they are right at its prompt, where `blink` is not typed.

`blink peers` lists those that were seen     ->  `peers` lists those that were seen
`blink offer --help` shows how it is used    ->  `help offer` shows how it is used
end it with `blink --profile bob quit`       ->  the same: that is another session's, from a shell
"""

import re
from typing import Final

from typing_extensions import override

from blink_cli.commands.output import Output
from blink_cli.core.errors import BlinkError

_QUOTED: Final = re.compile(r"`blink(?P<words>(?: [^`]*)?)`")
_FROM_A_SHELL: Final = re.compile(r"--(?:profile|data-dir)\b|^(?:serve|repl|watch)\b")
"""What only a shell can run: with another profile, or another session."""


class PromptOutput(Output):
    """What a line of the prompt, or of a piped script, prints."""

    @override
    def message(self, text: str) -> None:
        """Tell the human who watches, in the prompt's words."""
        super().message(at_prompt(text))

    @override
    def error(self, error: BlinkError) -> None:
        """Say what went wrong, in the prompt's words."""
        shown = type(error)(
            at_prompt(error.message), hint=None if error.hint is None else at_prompt(error.hint)
        )
        super().error(shown)


def at_prompt(text: str) -> str:
    """Return a sentence with its commands as they are typed at the prompt."""
    return _QUOTED.sub(_as_typed, text)


def _as_typed(quoted: re.Match[str]) -> str:
    words = quoted["words"].strip()
    if not words or _FROM_A_SHELL.search(words):
        return quoted[0]
    if words == "--help" or words.endswith(" --help"):
        words = f"help {words.removesuffix('--help')}".strip()
    return f"`{words}`"

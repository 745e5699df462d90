"""What Tab offers at the prompt: commands, their options, and the peers, calls, devices and events that fit."""

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from typing_extensions import override

from blink_cli.commands.codec_words import offers
from blink_cli.commands.command_table import BY_NAME
from blink_cli.commands.live_view import LiveView
from blink_cli.commands.names_shown import caller_text
from blink_cli.commands.shell_completion import (
    IMPAIRMENT_WORDS,
    SWITCH,
    complete_device,
    complete_path,
    offered_name,
)
from blink_cli.core.api.events import EVENT_NAMES
from blink_cli.core.api.replies.peers import Peer
from blink_cli.core.identity.shown_name import short_did, shown_name
from blink_cli.core.media.processing_settings import EchoCancel, NoiseSuppress

GLOBAL_ONLY = frozenset({"--profile", "--data-dir", "--verbose", "-v", "--quiet", "-q", "--no-color", "-h"})
"""Options that say nothing new inside a session."""

NOT_INSIDE = frozenset({"completion", "repl", "serve", "watch"})
"""Commands that make no sense where a session has its prompt already."""

FIXED_WORDS: Final[Mapping[str, Sequence[str]]] = {
    "echo_cancel": tuple(EchoCancel),
    "noise_suppress": tuple(NoiseSuppress),
    "switch": SWITCH,
}
"""What an argument of this name may be."""


class Choice(msgspec.Struct, frozen=True):
    """One thing that Tab offers."""

    text: str
    about: str = ""


class LineCompleter(Completer):
    """Completes the last word of a line. Asks nobody: what it knows of the session is the view's newest snapshot."""

    def __init__(self, command: Any, view: LiveView, devices: Callable[[], Sequence[str]]) -> None:
        """Complete lines of an application.

        Args:
            command: The application as click's command.
            view: Where peers and calls come from.
            devices: Names of the audio devices known by now.

        """
        self._command = command
        self._view = view
        self._devices = devices

    @override
    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """See prompt_toolkit."""
        words, last = split_words(document.text_before_cursor)
        for choice in self.choices(words, last):
            if choice.text.startswith(last) and choice.text != last:
                yield Completion(
                    shlex.quote(choice.text),
                    start_position=-len(last),
                    display=choice.text,
                    display_meta=choice.about,
                )

    def choices(self, words: Sequence[str], last: str) -> list[Choice]:
        """Return what may stand behind `words`, `last` being the beginning of it."""
        command, arguments = self._find(words)
        below = getattr(command, "commands", None)
        if below is not None:
            return self._commands(command, below)
        if last.startswith("-"):
            return [
                Choice(name, parameter.help or "")
                for parameter in command.params
                if parameter.param_type_name == "option"
                for name in parameter.opts
                if name.startswith("--") and name not in GLOBAL_ONLY
            ]
        positional = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
        if not positional:
            return []
        parameter = positional[min(len(arguments), len(positional) - 1)]
        if len(arguments) >= len(positional) and parameter.nargs != -1:
            return []
        return self._values(parameter.name, command.name, last)

    def _commands(self, command: Any, below: Any) -> list[Choice]:
        if command is self._command:
            choices = [
                Choice(row.name, row.summary) for row in BY_NAME.values() if row.name not in NOT_INSIDE
            ]
            return [*choices, Choice("help", "How commands are used.")]
        return [Choice(name, one.get_short_help_str(60)) for name, one in below.items() if not one.hidden]

    def _find(self, words: Sequence[str]) -> tuple[Any, list[str]]:
        command = self._command
        arguments: list[str] = []
        for word in words:
            below = getattr(command, "commands", {})
            if word in {"blink", "help"} and command is self._command:
                continue
            if word in below:
                command = below[word]
            elif not word.startswith("-"):
                arguments.append(word)
        return command, arguments

    def _values(self, parameter: str, command: str, last: str) -> list[Choice]:  # noqa: PLR0911 - one for each kind of word
        match parameter:
            case "peer":
                return [
                    Choice(offered_name(peer), ("" if peer.alive else "not here, ") + _about(peer))
                    for peer in self._view.peers
                ]
            case "call":
                pending = () if self._view.status is None else self._view.status.pending_calls
                return [Choice(call.id[:12], f"from {caller_text(call.caller)}") for call in pending]
            case "device":
                into = command == "set-input"
                virtual = ("silence", "tone:", "file:") if into else ("null", "wav:")
                names = ("default", *virtual, *self._devices())
                return [Choice(name) for name in complete_device(last, names, "file:" if into else "wav:")]
            case "event":
                return [Choice(name) for name in EVENT_NAMES]
            case "changes":
                return [Choice(word, about) for word, about in offers(last)]
            case "conditions":
                peers = [Choice(offered_name(peer), _about(peer)) for peer in self._view.peers]
                return [*(Choice(word) for word in IMPAIRMENT_WORDS), *peers]
            case "path" | "folder" | "out":
                return [Choice(path) for path in complete_path(last)]
            case _:
                return [Choice(word) for word in FIXED_WORDS.get(parameter, ())]


def _about(peer: Peer) -> str:
    """What stands beside a peer's name: the DID, or what one calls itself that is offered by its DID."""
    return short_did(peer.did) if offered_name(peer) != peer.did else shown_name(peer.nickname, peer.did)


def split_words(text: str) -> tuple[list[str], str]:
    """Return the finished words of a line, and the beginning of the last one, as the shell would split them."""
    if not text or text[-1].isspace():
        return _words(text), ""
    words = _words(text)
    return (words[:-1], words[-1]) if words else ([], "")


def _words(text: str) -> list[str]:
    for closing in ("", '"', "'"):
        try:
            return shlex.split(text + closing)
        except ValueError:
            continue  # a quote is open: complete as if it ended here
    return text.split()

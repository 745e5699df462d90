"""How the network is to be made bad, as words: `bob in loss=3% delay=40ms`."""

from collections.abc import Sequence
from typing import Final

from blink_cli.api.typed_path import absolute
from blink_cli.core.api.requests import BOTH_WAYS, SetImpairment, Way
from blink_cli.core.errors import UsageError
from blink_cli.core.impairment.delay_trace import DelayTrace
from blink_cli.core.impairment.words import CLEAN, impairment_from_words

OFF: Final = "off"
_WAYS: Final[dict[str, tuple[Way, ...]]] = {"in": ("in",), "out": ("out",), "both": BOTH_WAYS}
_TRACE: Final = "trace="


def impairment_request(words: Sequence[str]) -> SetImpairment:
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

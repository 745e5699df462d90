"""Every event has its sentence, and none shows a bare DID of somebody with a name."""

import typing
from enum import Enum
from typing import Any

import msgspec
import pytest

from blink_cli.commands.event_sentences import END_REASONS, Narrator
from blink_cli.core.events import (
    EndReason,
    Event,
    PeerAppeared,
    RecordingStopped,
    StreamFailed,
    StreamProblem,
)
from tests.support.scripted_session import ALICE, BOB, ScriptedSession

KINDS: tuple[Any, ...] = typing.get_args(Event)


def example(kind: Any) -> Any:
    """An event of a kind, with a value of its type in every field."""

    def value(field: msgspec.structs.FieldInfo) -> object:
        if field.name in {"did", "caller"}:
            return BOB
        if isinstance(field.type, type) and issubclass(field.type, Enum):
            return next(iter(field.type))
        return {str: "text", int: 3, bool: True}.get(
            field.type, "c0ffee00" if "tuple" not in str(field.type) else (BOB,)
        )

    return kind(**{field.name: value(field) for field in msgspec.structs.fields(kind)})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_event_has_a_sentence(kind: Any) -> None:
    narrator = Narrator()
    narrator.tell(PeerAppeared(did=BOB, nickname="bob"))

    sentence = narrator.tell(example(kind))

    assert sentence
    assert "did:key" not in sentence
    assert "z6Mk" not in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("reason", EndReason)
def test_every_end_has_its_words(reason: EndReason) -> None:
    assert END_REASONS[reason]


def test_what_is_wrong_on_ones_own_side_is_not_said_of_a_peer() -> None:
    narrator = Narrator()
    narrator.learn(ScriptedSession().state)
    event = StreamFailed(did=ALICE, reason="the microphone is dead", problem=StreamProblem.DEVICE_STALLED)
    assert narrator.tell(event) == "trouble with your audio: the microphone is dead"


@pytest.mark.parametrize(("reason", "end"), [("stopped", ""), ("the call ended", ": the call ended")])
def test_a_recording_that_was_stopped_needs_no_reason(reason: str, end: str) -> None:
    narrator = Narrator()
    narrator.tell(PeerAppeared(did=BOB, nickname="bob"))
    assert narrator.tell(RecordingStopped(did=BOB, path=None, reason=reason)) == f"bob stopped recording{end}"

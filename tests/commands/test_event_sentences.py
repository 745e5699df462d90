"""Every event has its sentence, and none shows a bare DID of somebody with a name."""

import typing
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import msgspec
import pytest

from blink_cli.commands.event_sentences import END_REASONS, Narrator, happened_at
from blink_cli.core.api.events import (
    AudioDegraded,
    AudioRecovered,
    CallTerminated,
    DeviceLost,
    EndReason,
    Event,
    IncomingCall,
    LinkChanged,
    LinkState,
    OfferDelivered,
    ParticipantStateChanged,
    PeerAppeared,
    ProcessingUnavailable,
    RecordingStopped,
    SfuPacketsAccepted,
    SfuPacketsRefused,
    StreamDirection,
    StreamFailed,
    StreamProblem,
)
from blink_cli.core.api.replies.calls import CurrentCall, Participant
from tests.support.scripted_session import ALICE, BOB, CALL, SINCE, ScriptedSession, participant

pytestmark = pytest.mark.no_clock

KINDS: tuple[Any, ...] = typing.get_args(Event)


def example(kind: Any) -> Any:
    """An event of a kind, with a value of its type in every field."""

    def value(field: msgspec.structs.FieldInfo) -> object:
        if field.name in {"did", "caller"}:
            return BOB
        if isinstance(field.type, type) and issubclass(field.type, Enum):
            return next(iter(field.type))
        if field.name in {"ours", "left_out", "theirs"}:
            return ("192.0.2.1 (eth0)",)
        if field.name == "filters":
            return ("echo",)
        if field.name == "changed":
            return ("bitrate", "frame_ms", "stereo")
        return {str: "text", int: 3, float: 2.5, bool: True}.get(
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


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (OfferDelivered(call_id=CALL, did=BOB), "ringing bob"),
        (
            IncomingCall(call_id=CALL, caller=BOB, nickname="bob", participants=(BOB,)),
            "bob is calling: accept c0ffee00",
        ),
        (CallTerminated(call_id=CALL, reason=EndReason.LEFT), "you left call c0ffee00"),
        (
            ProcessingUnavailable(
                filters=("echo", "noise"), reason="The library is missing; `doctor` tells more."
            ),
            "echo cancelling and noise suppression are not possible: the library is missing; `doctor` tells more; the call goes on without",
        ),
        (CallTerminated(call_id=CALL, reason=EndReason.EMPTY), "call c0ffee00 ended: everyone else left"),
        (LinkChanged(call_id=CALL, did=BOB, link=LinkState.ABSENT), "audio with bob: disconnected"),
        (
            AudioDegraded(did=BOB, reason="315 ms of buffering (high jitter)"),
            "poor audio from bob: 315 ms of buffering (high jitter)",
        ),
        (AudioRecovered(did=BOB, direction=StreamDirection.OUTBOUND), "good audio to bob again"),
        (
            SfuPacketsRefused(url="wss://sfu", malformed=0, unknown=1, forged=0, replayed=0),
            "what comes through the SFU wss://sfu is not what was sealed in this call, and is not heard: 1 packet (1 under an unknown key)",
        ),
        (
            SfuPacketsAccepted(url="wss://sfu", refused=300),
            "what comes through the SFU wss://sfu is right again; 300 packets refused",
        ),
        (
            DeviceLost(direction="input", device="usb", reason="It was unplugged.", replacement="silence"),
            "the microphone usb failed (it was unplugged); using silence",
        ),
        (
            DeviceLost(direction="output", device="hw", reason="ALSA cannot be used.", replacement=None),
            "the speaker hw failed (ALSA cannot be used); nothing takes its place",
        ),
    ],
)
def test_what_happens_is_told_in_plain_words(event: Any, sentence: str) -> None:
    narrator = Narrator()
    narrator.tell(PeerAppeared(did=BOB, nickname="bob"))
    assert narrator.tell(event) == sentence


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


def test_a_change_of_state_tells_what_changed() -> None:
    narrator = Narrator()
    narrator.tell(PeerAppeared(did=BOB, nickname="bob"))

    def told(*, muted: bool = False, deafened: bool = False, recording: bool = False) -> str | None:
        return narrator.tell(
            ParticipantStateChanged(
                call_id=CALL, did=BOB, muted=muted, deafened=deafened, recording=recording
            )
        )

    assert told(muted=True) == "bob: muted"
    assert told(muted=True, recording=True) is None, "told by RecordingStarted"
    assert told(recording=True) == "bob: unmuted"
    assert told(deafened=True) == "bob: deafened"
    assert told() == "bob: undeafened"


def test_a_newer_snapshot_does_not_take_the_words_from_the_event_that_follows() -> None:
    narrator = Narrator()
    bob = participant(BOB, "bob", LinkState.CONNECTED)

    def learn(shown: Participant) -> None:
        call = CurrentCall(id=CALL, state="in_call", since=SINCE, participants=(shown,))
        narrator.learn(msgspec.structs.replace(ScriptedSession().state, call=call))

    learn(bob)
    learn(msgspec.structs.replace(bob, muted=True))

    event = ParticipantStateChanged(call_id=CALL, did=BOB, muted=True, deafened=False, recording=False)
    assert narrator.tell(event) == "bob: muted"


def test_what_is_told_again_later_has_its_own_time() -> None:
    lost = DeviceLost(direction="input", device="default", reason="None is here.", replacement="silence")
    assert happened_at(lost) is None
    before = DeviceLost(
        direction="input",
        device="default",
        reason="None is here.",
        replacement="silence",
        happened_at="2026-01-01T21:24:00.000Z",
    )
    assert happened_at(before) == datetime(2026, 1, 1, 21, 24, tzinfo=UTC)

"""What the keys of `watch` ask of the session, and what they show."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
import pytest

from blink_cli.commands.live_view import LiveView
from blink_cli.commands.watch_keys import GAIN_STEP_DB, MOST_LABEL_LETTERS, WatchKeys
from blink_cli.commands.watch_screen import Part
from blink_cli.core.api.requests import (
    AcceptCall,
    Mark,
    PlaceOffer,
    RejectCall,
    Request,
    SetDeafened,
    SetGain,
    SetMuted,
    SetPeerMuted,
    StartRecording,
    StopRecording,
)
from blink_cli.core.audio_format import HIGHEST_GAIN_DB
from blink_cli.runtime.tasks import TaskOwner
from tests.support.scripted_session import ALICE, BOB, CAROL, ScriptedSession

pytestmark = pytest.mark.no_clock


class Watched:
    """Keys at a scripted session, what they asked and what was told."""

    def __init__(self, tasks: TaskOwner) -> None:
        self.session = ScriptedSession()
        self.told: list[str] = []
        self.view = LiveView(self.session, changed=lambda: None, tell=lambda told, _: self.told.append(told))
        self.keys = WatchKeys(self.session, self.view, tasks, tell=self.told.append, changed=lambda: None)
        self.look()

    def look(self) -> None:
        """See the session as it is."""
        self.view.status = self.session.state

    async def call(self, *peers: str) -> None:
        """Be in a call."""
        await self.session.ask(PlaceOffer(peers=peers))
        self.look()
        self.session.asked.clear()

    async def press(self, *keys: str) -> list[Request[Any]]:
        """Press keys, and return what was asked."""
        self.session.asked.clear()
        for key in keys:
            assert self.keys.press(key), key
        for _ in range(5):
            await asyncio.sleep(0)
        self.look()
        return self.session.asked


@pytest.fixture
async def watched() -> AsyncIterator[Watched]:
    async with TaskOwner("test") as tasks:
        yield Watched(tasks)


async def test_mute_and_deafen_go_to_and_fro(watched: Watched) -> None:
    assert await watched.press("m") == [SetMuted(muted=True)]
    assert await watched.press("m") == [SetMuted(muted=False)]
    assert await watched.press("d") == [SetDeafened(deafened=True)]


async def test_the_selected_one_is_played_louder_and_softer_as_often_as_a_key_is_pressed(
    watched: Watched,
) -> None:
    await watched.call("bob")
    asked = await watched.press("+", "+", "-", "=", "0", "-")
    assert asked == [SetGain(peer=BOB, gain_db=gain) for gain in (1.0, 2.0, 1.0, 2.0, 0.0, -1.0)]
    assert watched.told[-1] == "bob: -1 dB"
    assert await watched.press("s") == [SetPeerMuted(peer=BOB, muted=True)]


async def test_a_key_that_is_held_down_ends_at_the_loudest(watched: Watched) -> None:
    await watched.call("bob")
    people = watched.session.state.call
    assert people is not None
    loud = tuple(
        msgspec.structs.replace(one, gain_db=HIGHEST_GAIN_DB - GAIN_STEP_DB / 2)
        for one in people.participants
    )
    watched.session.state = msgspec.structs.replace(
        watched.session.state, call=msgspec.structs.replace(people, participants=loud)
    )
    watched.look()
    assert await watched.press("+", "+") == [SetGain(peer=BOB, gain_db=HIGHEST_GAIN_DB)] * 2


@pytest.mark.parametrize(
    ("keys", "selected"),
    [((), BOB), (("up",), ALICE), (("down",), CAROL), (("j", "j", "k"), BOB), (("up", "up"), ALICE)],
)
async def test_up_and_down_select(watched: Watched, keys: Sequence[str], selected: str) -> None:
    await watched.call("bob", "carol")
    await watched.press(*keys)
    assert watched.view.status is not None
    assert watched.view.status.call is not None
    assert watched.keys.state.selected_of(watched.view.status.call.participants) == selected


async def test_oneself_has_no_volume(watched: Watched) -> None:
    assert await watched.press("+") == []
    await watched.call("bob")
    assert await watched.press("up", "+") == []
    assert watched.told == ["there is nobody to hear", "select somebody else first: Up and Down"]


async def test_a_recording_begins_and_ends(watched: Watched) -> None:
    assert await watched.press("r") == []
    await watched.call("bob")
    (begun,) = await watched.press("r")
    assert isinstance(begun, StartRecording)
    assert watched.told[-1].startswith("recording to /")
    call = watched.session.state.call
    assert call is not None
    records = tuple(msgspec.structs.replace(one, recording=one.self) for one in call.participants)
    watched.session.state = msgspec.structs.replace(
        watched.session.state, call=msgspec.structs.replace(call, participants=records)
    )
    watched.look()
    assert await watched.press("r") == [StopRecording()]
    assert watched.told[-1].startswith("recorded 12 s: /")


async def test_a_moment_is_marked_with_a_text_or_without(watched: Watched) -> None:
    assert await watched.press("n") == []
    assert watched.keys.state.label is None
    await watched.call("bob")
    await watched.press("n")
    assert await watched.press("q", "?", "m", "x", "backspace", "tab", "pasted\ntext", "enter") == [
        Mark(text="q?mpastedtext")
    ]
    assert await watched.press("n", "enter") == [Mark(text="")]
    assert await watched.press("n", "a", "escape") == []
    await watched.press("n", "a" * 1000)
    assert watched.keys.state.label == "a" * MOST_LABEL_LETTERS


async def test_a_call_that_rings_is_accepted_or_rejected(watched: Watched) -> None:
    assert await watched.press("a") == []
    assert watched.told[-1] == "no call rings"
    watched.session.ring()
    watched.look()
    assert await watched.press("x") == [RejectCall(call=watched.session.state.pending_calls[0].id)]
    watched.session.ring()
    watched.look()
    (asked,) = await watched.press("a")
    assert isinstance(asked, AcceptCall)
    assert watched.session.state.call


async def test_help_goes_with_any_key_and_parts_take_turns(watched: Watched) -> None:
    await watched.press("?")
    assert watched.keys.state.helps
    assert await watched.press("m") == []
    assert await watched.press("d") == [SetDeafened(deafened=True)], "help is gone"
    seen = []
    for _ in Part:
        await watched.press("tab")
        seen.append(watched.keys.state.first)
    assert seen == [Part.FIGURES, Part.MESH, Part.TRENDS]


async def test_other_keys_are_not_for_it_and_what_goes_wrong_is_told(watched: Watched) -> None:
    assert not watched.keys.press("q")
    assert not watched.keys.press("Z")
    await watched.call("bob")
    watched.session.end_call(reason="left")  # type: ignore[arg-type]
    await watched.press("n", "enter")  # the view does not know of the end yet
    assert watched.told[-1] == "This session is not in a call. `blink offer PEER` starts one"

"""Sessions of one process that call each other: requests, replies, events, and a clean end."""

import asyncio
import threading
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest

from blink_cli.app.call_waiting import until
from blink_cli.app.session import Session
from blink_cli.commands.event_commands import already
from blink_cli.core.errors import BlinkError, DeviceError, NotFoundError, StateError, UsageError
from blink_cli.core.events import (
    CallCancelled,
    CallTerminated,
    EndReason,
    IncomingCall,
    LinkState,
    ParticipantDeclined,
    ParticipantStateChanged,
    SessionEnding,
    TalkingStarted,
)
from blink_cli.core.names import CallId, Did
from blink_cli.core.replies import (
    CallAccepted,
    Calls,
    DeviceSet,
    OfferPlaced,
    Participants,
    RtpStatistics,
    Status,
)
from blink_cli.core.requests import (
    AcceptCall,
    GetCalls,
    GetParticipants,
    GetRtpStatistics,
    GetStatus,
    LeaveCall,
    PlaceOffer,
    RejectCall,
    Request,
    SetDeafened,
    SetDevice,
    SetGain,
    SetMuted,
)
from tests.app.conftest import OpenSession

EventT = TypeVar("EventT")
ReplyT = TypeVar("ReplyT")


class Ear:
    """Collects a session's events and waits for one."""

    def __init__(self, session: Session) -> None:
        self._stream = session.events()

    async def first(self) -> None:
        await anext(self._stream)

    async def until(self, kind: type[EventT], **fields: Any) -> EventT:
        async with asyncio.timeout(15):
            while True:
                event = await anext(self._stream)
                if isinstance(event, kind) and all(getattr(event, k) == v for k, v in fields.items()):
                    return event


async def ask(session: Session, request: Request, kind: type[ReplyT]) -> ReplyT:
    reply = await session.ask(request)
    assert isinstance(reply, kind)
    return reply


async def connect(alice: Session, bob: Session) -> CallId:
    async with asyncio.TaskGroup() as group:
        accepting = group.create_task(ask(bob, AcceptCall(wait_s=10), CallAccepted), name="accept")
        offered = await ask(alice, PlaceOffer(peers=(bob.did,), wait_s=10), OfferPlaced)
    assert accepting.result().call == offered.call
    assert offered.connected == (bob.did,)
    return offered.call


async def test_two_sessions_talk_and_the_figures_of_both_directions_add_up(open_session: OpenSession) -> None:
    async with open_session("alice") as alice, open_session("bob", input="tone:880") as bob:
        call = await connect(alice, bob)
        ear = Ear(bob)
        await ear.first()
        await ear.until(TalkingStarted, did=alice.did)
        status = await ask(bob, GetStatus(), Status)
        assert status.call is not None
        assert status.call.id == call
        assert status.call.state == "in_call"
        assert {p.did: p.link for p in status.call.participants} == {
            alice.did: LinkState.CONNECTED,
            bob.did: LinkState.SELF,
        }
        assert status.clocks.input_position_s is not None
        (peer,) = (await ask(bob, GetRtpStatistics(), RtpStatistics)).peers
        assert peer.did == alice.did
        assert peer.inbound is not None
        assert peer.outbound is not None
        assert peer.inbound.packets_received > 0
        assert peer.inbound.packets_lost == 0
        assert peer.outbound.packets_sent > 0
        assert (peer.inbound.audio_level_dbov or -127) > -40


async def test_an_effect_that_fails_does_not_undo_the_others(
    open_session: OpenSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_session("alice") as alice, open_session("bob") as bob, open_session("carol") as carol:
        first, _ = sorted((bob, carol), key=lambda one: one.did)
        ears = Ear(bob), Ear(carol)
        for ear in ears:
            await ear.first()
        post = alice._runner._post
        send_to_peer = post.send_to_peer

        def send_to_all_but_the_first(peer: Did, *rest: Any) -> None:
            if peer == first.did:
                raise RuntimeError("no")
            send_to_peer(peer, *rest)

        monkeypatch.setattr(post, "send_to_peer", send_to_all_but_the_first)
        with pytest.raises(RuntimeError, match="no"):
            await alice.ask(PlaceOffer(peers=(first.did, (carol if first is bob else bob).did)))
        await ears[first is bob].until(IncomingCall, caller=alice.did)
        monkeypatch.undo()
        await alice.ask(LeaveCall())
        await ears[first is bob].until(CallCancelled)


async def test_mute_and_deafen_are_shown_to_the_other_side(open_session: OpenSession) -> None:
    async with open_session("alice") as alice, open_session("bob") as bob:
        await connect(alice, bob)
        ear = Ear(bob)
        await ear.first()
        await alice.ask(SetMuted(muted=True))
        await ear.until(ParticipantStateChanged, did=alice.did, muted=True, deafened=False)
        await alice.ask(SetDeafened(deafened=True))
        await ear.until(ParticipantStateChanged, did=alice.did, muted=True, deafened=True)
        shown = {p.did: p for p in (await ask(bob, GetParticipants(), Participants)).participants}
        assert shown[alice.did].muted
        assert shown[alice.did].deafened


async def test_gain_and_devices_change_in_the_middle_of_a_call(
    open_session: OpenSession, tmp_path: Path
) -> None:
    async with open_session("alice") as alice, open_session("bob") as bob:
        await connect(alice, bob)
        await bob.ask(SetGain(peer=alice.did, gain_db=-6.0))
        shown = {p.did: p for p in (await ask(bob, GetParticipants(), Participants)).participants}
        assert shown[alice.did].gain_db == pytest.approx(-6.0)
        with pytest.raises(UsageError, match="does not hear itself"):
            await bob.ask(SetGain(peer=bob.did, gain_db=3.0))
        changed = await ask(
            bob, SetDevice(direction="output", device=f"wav:{tmp_path / 'heard.wav'}"), DeviceSet
        )
        assert changed.device.endswith("heard.wav")
        changed = await ask(alice, SetDevice(direction="input", device="tone:300"), DeviceSet)
        assert (await ask(alice, GetStatus(), Status)).input == changed.device == "tone:300"
        with pytest.raises((DeviceError, NotFoundError, UsageError)):
            await alice.ask(SetDevice(direction="input", device="file:/no/such/file.wav"))
        assert (await ask(alice, GetStatus(), Status)).input == "tone:300"


async def test_a_rejected_call_stays_listed_and_is_joined_later(open_session: OpenSession) -> None:
    async with (
        open_session("alice") as alice,
        open_session("bob", auto_accept=True) as bob,
        open_session("carol") as carol,
    ):
        ear = Ear(carol)
        await ear.first()
        alices = Ear(alice)
        await alices.first()
        offered = await ask(alice, PlaceOffer(peers=(bob.did, carol.did), wait_s=10), OfferPlaced)
        await ear.until(IncomingCall)
        await carol.ask(RejectCall())
        await alices.until(ParticipantDeclined, did=carol.did)
        calls = await ask(carol, GetCalls(), Calls)
        assert [(p.id, p.rejected) for p in calls.pending_calls] == [(offered.call, True)]
        joined = await ask(carol, AcceptCall(call=offered.call[:6], wait_s=5), CallAccepted)
        assert joined.connected
        assert len((await ask(carol, GetParticipants(), Participants)).participants) == 3


async def test_a_call_that_was_left_can_be_joined_and_does_not_ring(open_session: OpenSession) -> None:
    async with (
        open_session("alice") as alice,
        open_session("bob", auto_accept=True) as bob,
        open_session("carol", auto_accept=True) as carol,
    ):
        offered = await ask(alice, PlaceOffer(peers=(bob.did, carol.did), wait_s=10), OfferPlaced)
        await alice.ask(LeaveCall())
        rejoined = await until(alice._hub, lambda: alice._runner.snapshot().pending or None, 5.0)
        assert rejoined is not None
        (pending,) = (await ask(alice, GetCalls(), Calls)).pending_calls
        assert (pending.id, pending.left, pending.rings) == (offered.call, True, False)
        status = await ask(alice, GetStatus(), Status)
        assert already("incoming_call", status) is None


async def test_of_two_calls_that_ring_none_is_chosen_by_chance(open_session: OpenSession) -> None:
    async with open_session("alice") as alice, open_session("bob") as bob, open_session("carol") as carol:
        ear = Ear(carol)
        await ear.first()
        for caller in (alice, bob):
            await caller.ask(PlaceOffer(peers=(carol.did,)))
            await ear.until(IncomingCall, caller=caller.did)
        for wait_s in (None, 5.0):
            with pytest.raises(NotFoundError, match="Several calls fit"):
                await carol.ask(AcceptCall(wait_s=wait_s))


async def test_a_call_nobody_joined_is_withdrawn_by_leaving(open_session: OpenSession) -> None:
    async with open_session("alice") as alice, open_session("bob") as bob:
        ear = Ear(bob)
        await ear.first()
        await alice.ask(PlaceOffer(peers=(bob.did,)))
        await ear.until(IncomingCall)
        await alice.ask(LeaveCall())
        await ear.until(CallCancelled, reason=EndReason.WITHDRAWN)
        assert (await ask(bob, GetCalls(), Calls)).pending_calls == ()


async def test_the_other_side_learns_at_once_that_a_session_ended(open_session: OpenSession) -> None:
    async with open_session("bob") as bob:
        ear = Ear(bob)
        await ear.first()
        async with open_session("alice") as alice:
            alices = Ear(alice)
            await alices.first()
            await connect(alice, bob)
        await alices.until(SessionEnding)
        await ear.until(CallTerminated, reason=EndReason.EMPTY)


async def test_what_a_user_can_do_wrong_has_its_own_sentence(open_session: OpenSession) -> None:
    async with open_session("alice") as alice:
        mistakes: tuple[tuple[Request, type[BlinkError]], ...] = (
            (LeaveCall(), StateError),
            (GetParticipants(), StateError),
            (GetRtpStatistics(), StateError),
            (AcceptCall(), NotFoundError),
            (RejectCall(call="beef"), NotFoundError),
            (AcceptCall(wait_s=0.1), NotFoundError),
            (PlaceOffer(peers=("nobody",), discover_s=0.1), NotFoundError),
            (PlaceOffer(peers=(alice.did,)), UsageError),
            (SetGain(peer="nobody", gain_db=0), NotFoundError),
        )
        for request, kind in mistakes:
            with pytest.raises(kind) as mistake:
                await alice.ask(request)
            assert mistake.value.hint, request


async def test_an_offer_that_nobody_answers_says_whether_it_arrived(open_session: OpenSession) -> None:
    async with open_session("alice") as alice, open_session("bob") as bob:
        with pytest.raises(NotFoundError, match="Nobody answered") as silence:
            await alice.ask(PlaceOffer(peers=(bob.did,), wait_s=0.7))
        assert "reached them" in (silence.value.hint or "")
        assert (await ask(alice, GetStatus(), Status)).call is not None


async def test_no_thread_or_task_outlives_a_session(open_session: OpenSession) -> None:
    before = set(threading.enumerate())
    async with AsyncExitStack() as stack:
        alice = await stack.enter_async_context(open_session("alice"))
        bob = await stack.enter_async_context(open_session("bob"))
        await connect(alice, bob)
    left = {thread.name for thread in set(threading.enumerate()) - before}
    assert not {name for name in left if name.startswith("blink")}
    running = {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}
    assert not running

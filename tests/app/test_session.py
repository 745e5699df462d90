"""Sessions of one process that call each other: requests, replies, events, and a clean end."""

import asyncio
import threading
from contextlib import AsyncExitStack

import pytest

from blink_cli.core.errors import DeviceError, NotFoundError, StateError, UsageError
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
from blink_cli.core.requests import (
    AcceptCall,
    GetCalls,
    GetParticipants,
    GetRtpStatistics,
    GetStatus,
    LeaveCall,
    PlaceOffer,
    RejectCall,
    SetDeafened,
    SetDevice,
    SetGain,
    SetMuted,
)


class Ear:
    """Collects a session's events and waits for one."""

    def __init__(self, session):
        self._stream = session.events()
        self.heard = []

    async def first(self):
        return await anext(self._stream)

    async def until(self, kind, **fields):
        async with asyncio.timeout(15):
            while True:
                event = await anext(self._stream)
                self.heard.append(event)
                if isinstance(event, kind) and all(getattr(event, k) == v for k, v in fields.items()):
                    return event


async def connect(alice, bob):
    async with asyncio.TaskGroup() as group:
        accepting = group.create_task(bob.ask(AcceptCall(wait_s=10)), name="accept")
        offered = await alice.ask(PlaceOffer(peers=(bob.did,), wait_s=10))
    assert accepting.result().call == offered.call
    assert offered.connected == (bob.did,)
    return offered.call


async def test_two_sessions_talk_and_the_figures_of_both_directions_add_up(open_session):
    async with open_session("alice") as alice, open_session("bob", input="tone:880") as bob:
        call = await connect(alice, bob)
        ear = Ear(bob)
        await ear.first()
        await ear.until(TalkingStarted, did=alice.did)
        status = await bob.ask(GetStatus())
        assert status.call.id == call
        assert status.call.state == "in_call"
        assert {p.did: p.link for p in status.call.participants} == {
            alice.did: LinkState.CONNECTED,
            bob.did: LinkState.SELF,
        }
        assert status.clocks.input_position_s is not None
        (peer,) = (await bob.ask(GetRtpStatistics())).peers
        assert peer.did == alice.did
        assert peer.inbound.packets_received > 0
        assert peer.inbound.packets_lost == 0
        assert peer.outbound.packets_sent > 0
        assert peer.inbound.audio_level_dbov > -40


async def test_mute_and_deafen_are_shown_to_the_other_side(open_session):
    async with open_session("alice") as alice, open_session("bob") as bob:
        await connect(alice, bob)
        ear = Ear(bob)
        await ear.first()
        await alice.ask(SetMuted(muted=True))
        await ear.until(ParticipantStateChanged, did=alice.did, muted=True, deafened=False)
        await alice.ask(SetDeafened(deafened=True))
        await ear.until(ParticipantStateChanged, did=alice.did, muted=True, deafened=True)
        shown = {p.did: p for p in (await bob.ask(GetParticipants())).participants}
        assert shown[alice.did].muted
        assert shown[alice.did].deafened


async def test_gain_and_devices_change_in_the_middle_of_a_call(open_session, tmp_path):
    async with open_session("alice") as alice, open_session("bob") as bob:
        await connect(alice, bob)
        await bob.ask(SetGain(peer=alice.did, gain_db=-6.0))
        shown = {p.did: p for p in (await bob.ask(GetParticipants())).participants}
        assert shown[alice.did].gain_db == pytest.approx(-6.0)
        changed = await bob.ask(SetDevice(direction="output", device=f"wav:{tmp_path / 'heard.wav'}"))
        assert changed.device.endswith("heard.wav")
        changed = await alice.ask(SetDevice(direction="input", device="tone:300"))
        assert (await alice.ask(GetStatus())).input == changed.device == "tone:300"
        with pytest.raises((DeviceError, NotFoundError, UsageError)):
            await alice.ask(SetDevice(direction="input", device="file:/no/such/file.wav"))
        assert (await alice.ask(GetStatus())).input == "tone:300"


async def test_a_rejected_call_stays_listed_and_is_joined_later(open_session):
    async with (
        open_session("alice") as alice,
        open_session("bob", auto_accept=True) as bob,
        open_session("carol") as carol,
    ):
        ear = Ear(carol)
        await ear.first()
        alices = Ear(alice)
        await alices.first()
        offered = await alice.ask(PlaceOffer(peers=(bob.did, carol.did), wait_s=10))
        await ear.until(IncomingCall)
        await carol.ask(RejectCall())
        await alices.until(ParticipantDeclined, did=carol.did)
        calls = await carol.ask(GetCalls())
        assert [(p.id, p.rejected) for p in calls.pending_calls] == [(offered.call, True)]
        joined = await carol.ask(AcceptCall(call=offered.call[:6], wait_s=5))
        assert joined.connected
        assert len((await carol.ask(GetParticipants())).participants) == 3


async def test_a_call_nobody_joined_is_withdrawn_by_leaving(open_session):
    async with open_session("alice") as alice, open_session("bob") as bob:
        ear = Ear(bob)
        await ear.first()
        await alice.ask(PlaceOffer(peers=(bob.did,)))
        await ear.until(IncomingCall)
        await alice.ask(LeaveCall())
        await ear.until(CallCancelled, reason=EndReason.WITHDRAWN)
        assert (await bob.ask(GetCalls())).pending_calls == ()


async def test_the_other_side_learns_at_once_that_a_session_ended(open_session):
    async with open_session("bob") as bob:
        ear = Ear(bob)
        await ear.first()
        async with open_session("alice") as alice:
            alices = Ear(alice)
            await alices.first()
            await connect(alice, bob)
        await alices.until(SessionEnding)
        await ear.until(CallTerminated, reason=EndReason.EMPTY)


async def test_what_a_user_can_do_wrong_has_its_own_sentence(open_session):
    async with open_session("alice") as alice:
        for request, kind in (
            (LeaveCall(), StateError),
            (GetParticipants(), StateError),
            (GetRtpStatistics(), StateError),
            (AcceptCall(), NotFoundError),
            (RejectCall(call="beef"), NotFoundError),
            (AcceptCall(wait_s=0.1), NotFoundError),
            (PlaceOffer(peers=("nobody",), discover_s=0.1), NotFoundError),
            (PlaceOffer(peers=(alice.did,)), UsageError),
            (SetGain(peer="nobody", gain_db=0), NotFoundError),
        ):
            with pytest.raises(kind) as mistake:
                await alice.ask(request)
            assert mistake.value.hint, request


async def test_an_offer_that_nobody_answers_says_whether_it_arrived(open_session):
    async with open_session("alice") as alice, open_session("bob") as bob:
        with pytest.raises(NotFoundError, match="Nobody answered") as silence:
            await alice.ask(PlaceOffer(peers=(bob.did,), wait_s=0.7))
        assert "reached them" in silence.value.hint
        assert (await alice.ask(GetStatus())).call is not None


async def test_no_thread_or_task_outlives_a_session(open_session):
    before = set(threading.enumerate())
    async with AsyncExitStack() as stack:
        alice = await stack.enter_async_context(open_session("alice"))
        bob = await stack.enter_async_context(open_session("bob"))
        await connect(alice, bob)
    left = {thread.name for thread in set(threading.enumerate()) - before}
    assert not {name for name in left if name.startswith("blink")}
    running = {task.get_name() for task in asyncio.all_tasks()} - {asyncio.current_task().get_name()}
    assert not running

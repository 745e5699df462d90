"""Sessions of one process that call each other: requests, replies, events, and a clean end."""

import asyncio
import errno
import os
import threading
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest

from blink_cli.api.already_happened import already
from blink_cli.app.call.call_waiting import until
from blink_cli.app.profile import device_memory
from blink_cli.app.session import Session
from blink_cli.audio.devices.interface import InputDevice
from blink_cli.audio.devices.opener import DeviceOpener
from blink_cli.audio.devices.plain_sounds import Tone
from blink_cli.audio.devices.virtual_input import VirtualInput
from blink_cli.commands.media_commands import device_sentence
from blink_cli.core.api.events import (
    CallCancelled,
    CallJoined,
    CallNotAccepted,
    CallTerminated,
    EndReason,
    IncomingCall,
    LinkState,
    MicrophoneMuted,
    OfferDelivered,
    ParticipantDeclined,
    ParticipantStateChanged,
    PeerAppeared,
    PeerVanished,
    SessionEnding,
    TalkingStarted,
)
from blink_cli.core.api.requests import (
    AcceptCall,
    GetCalls,
    GetParticipants,
    GetPeers,
    GetRtpStatistics,
    GetStatus,
    LeaveCall,
    PlaceOffer,
    R,
    RejectCall,
    ReloadContacts,
    Request,
    ResetStatistics,
    SetDeafened,
    SetDevice,
    SetGain,
    SetMuted,
    SetPeerMuted,
    checked_reply,
)
from blink_cli.core.errors import BlinkError, DeviceError, NotFoundError, StateError, UsageError
from blink_cli.core.ids import CallId, Did
from tests.app.conftest import OpenSession

pytestmark = pytest.mark.real_time

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


async def ask(session: Session, request: Request[R]) -> R:
    return checked_reply(request, await session.ask(request))


async def connect(alice: Session, bob: Session) -> CallId:
    async with asyncio.TaskGroup() as group:
        accepting = group.create_task(ask(bob, AcceptCall(wait_s=10)), name="accept")
        offered = await ask(alice, PlaceOffer(peers=(bob.did,), wait_s=10))
    assert accepting.result().call == offered.call
    assert offered.connected == (bob.did,)
    return offered.call


async def test_two_sessions_talk_and_the_figures_of_both_directions_add_up(open_session: OpenSession) -> None:
    async with open_session("alice") as alice, open_session("bob", input="tone:880") as bob:
        call = await connect(alice, bob)
        ear = Ear(bob)
        await ear.first()
        await ear.until(TalkingStarted, did=alice.did)
        status = await ask(bob, GetStatus())
        assert status.call is not None
        assert status.call.id == call
        assert status.call.state == "in_call"
        assert {p.did: p.link for p in status.call.participants} == {
            alice.did: LinkState.CONNECTED,
            bob.did: LinkState.SELF,
        }
        assert status.clocks.input_position_s is not None
        (peer,) = (await ask(bob, GetRtpStatistics())).peers
        assert peer.did == alice.did
        assert peer.inbound is not None
        assert peer.outbound is not None
        assert peer.inbound.packets_received > 0
        assert peer.inbound.packets_lost == 0
        assert peer.outbound.packets_sent > 0
        assert (peer.inbound.audio_level_dbov or -127) > -40

        reset = await ask(bob, ResetStatistics())
        anew = await ask(bob, GetRtpStatistics())
        total = await ask(bob, GetRtpStatistics(total=True))
        assert (reset.call, anew.since, total.since) == (call, reset.since, None)
        (peer_anew,), (peer_in_all,) = anew.peers, total.peers
        assert peer_anew.inbound is not None
        assert peer_in_all.inbound is not None
        received = peer.inbound.packets_received
        assert peer_anew.inbound.packets_received < received <= peer_in_all.inbound.packets_received


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
        shown = {p.did: p for p in (await ask(bob, GetParticipants())).participants}
        assert shown[alice.did].muted
        assert shown[alice.did].deafened


async def test_one_peer_is_muted_here_and_nobody_learns_of_it(open_session: OpenSession) -> None:
    async with open_session("alice") as alice:
        async with open_session("bob") as bob:
            await connect(alice, bob)
            await bob.ask(SetGain(peer=alice.did, gain_db=-6.0))
            answer = await ask(bob, SetPeerMuted(peer=alice.did, muted=True))
            assert (answer.did, answer.gain_db, answer.muted_here) == (alice.did, -6.0, True)
            shown = {p.did: p for p in (await ask(bob, GetParticipants())).participants}
            assert (shown[alice.did].muted_here, shown[alice.did].muted) == (True, False)
            seen = {p.did: p for p in (await ask(alice, GetParticipants())).participants}
            assert not any(p.muted or p.muted_here for p in seen.values())
            with pytest.raises(UsageError, match="nothing of it to silence"):
                await bob.ask(SetPeerMuted(peer=bob.did, muted=True))
        # It is remembered, and known before the peer comes again.
        async with open_session("bob") as bob:
            (volume,) = (await ask(bob, GetStatus())).volumes
            assert (volume.did, volume.gain_db, volume.muted_here) == (alice.did, -6.0, True)
            await bob.ask(SetPeerMuted(peer=alice.did, muted=False))
            await bob.ask(SetGain(peer=alice.did, gain_db=0.0))
            assert (await ask(bob, GetStatus())).volumes == ()


async def test_gain_and_devices_change_in_the_middle_of_a_call(
    open_session: OpenSession, tmp_path: Path
) -> None:
    async with open_session("alice") as alice, open_session("bob") as bob:
        await connect(alice, bob)
        await bob.ask(SetGain(peer=alice.did, gain_db=-6.0))
        shown = {p.did: p for p in (await ask(bob, GetParticipants())).participants}
        assert shown[alice.did].gain_db == pytest.approx(-6.0)
        with pytest.raises(UsageError, match="does not hear itself"):
            await bob.ask(SetGain(peer=bob.did, gain_db=3.0))
        changed = await ask(bob, SetDevice(direction="output", device=f"wav:{tmp_path / 'heard.wav'}"))
        assert changed.device.endswith("heard.wav")
        changed = await ask(alice, SetDevice(direction="input", device="tone:300"))
        assert (await ask(alice, GetStatus())).input == changed.device == "tone:300"
        with pytest.raises((DeviceError, NotFoundError, UsageError)):
            await alice.ask(SetDevice(direction="input", device="file:/no/such/file.wav"))
        assert (await ask(alice, GetStatus())).input == "tone:300"


async def test_a_device_that_cannot_be_remembered_is_used_and_says_so(
    open_session: OpenSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async with open_session("alice") as alice:
        assert (await ask(alice, SetDevice(direction="output", device="null?ppm=1"))).not_remembered is None
        monkeypatch.setattr(device_memory, "write_over", full)
        chosen = await ask(alice, SetDevice(direction="output", device="null?ppm=2"))
        assert (await ask(alice, GetStatus())).output == chosen.device == "null?ppm=2"
        assert chosen.not_remembered == os.strerror(errno.ENOSPC)
        assert device_sentence(chosen).endswith("the next session will not know it: No space left on device")


async def test_a_rejected_call_stays_listed_and_is_joined_later(open_session: OpenSession) -> None:
    async with (
        open_session("alice") as alice,
        open_session("bob", auto_accept="anyone") as bob,
        open_session("carol") as carol,
    ):
        ear = Ear(carol)
        await ear.first()
        alices = Ear(alice)
        await alices.first()
        offered = await ask(alice, PlaceOffer(peers=(bob.did, carol.did), wait_s=10))
        await ear.until(IncomingCall)
        await carol.ask(RejectCall())
        await alices.until(ParticipantDeclined, did=carol.did)
        calls = await ask(carol, GetCalls())
        assert [(p.id, p.rejected) for p in calls.pending_calls] == [(offered.call, True)]
        joined = await ask(carol, AcceptCall(call=offered.call[:6], wait_s=5))
        assert joined.connected
        assert len((await ask(carol, GetParticipants())).participants) == 3


async def test_calls_of_contacts_are_accepted_by_themselves_and_those_of_strangers_ring(
    open_session: OpenSession,
) -> None:
    async with (
        open_session("alice") as alice,
        open_session("mallory", nickname="\u0430lly") as mallory,
        open_session("bob", auto_accept="contacts") as bob,
    ):
        bob._directory._contacts_file.add("ally", alice.did)
        await bob.ask(ReloadContacts())
        ear = Ear(bob)
        await ear.first()
        await mallory.ask(PlaceOffer(peers=(bob.did,)))
        rings = await ear.until(IncomingCall, caller=mallory.did)
        assert (rings.nickname, rings.in_contacts) == (f"\u0430lly (…{mallory.did[-6:]})", False)
        left = await ear.until(CallNotAccepted, caller=mallory.did)
        assert "--auto-accept=anyone" in left.reason
        assert len(left.reason) < 140
        await mallory.ask(LeaveCall())
        assert await ask(alice, PlaceOffer(peers=(bob.did,), wait_s=10))
        rings = await ear.until(IncomingCall, caller=alice.did)
        assert (rings.nickname, rings.in_contacts) == ("ally", True)
        assert (await ear.until(CallJoined)).call_id == rings.call_id
        people = (await ask(bob, GetParticipants())).participants
        assert {one.nickname: one.in_contacts for one in people} == {"ally": True, "bob": False}
        peers = (await ask(bob, GetPeers())).peers
        assert {one.nickname for one in peers} == {"ally", f"\u0430lly (…{mallory.did[-6:]})"}


async def test_a_caller_who_becomes_a_contact_while_it_rings_is_accepted(open_session: OpenSession) -> None:
    async with open_session("alice") as alice, open_session("bob", auto_accept="contacts") as bob:
        ear = Ear(bob)
        await ear.first()
        await alice.ask(PlaceOffer(peers=(bob.did,)))
        left = await ear.until(CallNotAccepted, caller=alice.did)
        bob._directory._contacts_file.add("ally", alice.did)
        await bob.ask(ReloadContacts())
        assert (await ear.until(CallJoined)).call_id == left.call_id


async def test_who_accepts_while_there_is_no_microphone_opens_none_to_a_stranger(
    open_session: OpenSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_headset = DeviceOpener.open_input

    def with_headset(self: DeviceOpener, text: str) -> InputDevice:
        return VirtualInput("headset", Tone(440)) if text == "headset" else without_headset(self, text)

    monkeypatch.setattr(DeviceOpener, "open_input", with_headset)
    async with (
        open_session("mallory") as mallory,
        open_session("bob", auto_accept="no-microphone") as bob,
    ):
        ear = Ear(bob)
        await ear.first()
        await mallory.ask(PlaceOffer(peers=(bob.did,)))
        await ear.until(CallJoined)
        with pytest.raises(DeviceError):
            await bob.ask(SetDevice(direction="input", device="file:/no/such/file.wav"))
        await ask(bob, SetDevice(direction="input", device="tone:300"))
        assert not bob.status().muted
        await ask(bob, SetDevice(direction="input", device="headset"))
        assert bob.status().muted
        assert "blink unmute" in (await ear.until(MicrophoneMuted)).reason
        await bob.ask(SetMuted(muted=False))
        assert not bob.status().muted
        await bob.ask(LeaveCall())
        await mallory.ask(LeaveCall())
        await mallory.ask(PlaceOffer(peers=(bob.did,)))
        left = await ear.until(CallNotAccepted, caller=mallory.did)
        assert "--auto-accept=anyone" in left.reason
        assert "contacts add" in left.reason


async def test_who_chose_a_microphone_that_is_not_there_yet_accepts_no_stranger(
    open_session: OpenSession,
) -> None:
    async with (
        open_session("mallory") as mallory,
        open_session("bob", auto_accept="no-microphone", input="default") as bob,
    ):
        ear = Ear(bob)
        await ear.first()
        await mallory.ask(PlaceOffer(peers=(bob.did,)))
        await ear.until(CallNotAccepted, caller=mallory.did)


async def test_a_call_that_was_left_can_be_joined_and_does_not_ring(open_session: OpenSession) -> None:
    async with (
        open_session("alice") as alice,
        open_session("bob", auto_accept="anyone") as bob,
        open_session("carol", auto_accept="anyone") as carol,
    ):
        offered = await ask(alice, PlaceOffer(peers=(bob.did, carol.did), wait_s=10))
        # Both, so that the call goes on without her.
        assert await until(alice._hub, lambda: len(alice._runner.standing) == 2 or None, 10.0)
        await alice.ask(LeaveCall())
        rejoined = await until(alice._hub, lambda: alice._runner.snapshot().pending or None, 5.0)
        assert rejoined is not None
        (pending,) = (await ask(alice, GetCalls())).pending_calls
        assert (pending.id, pending.left, pending.rings) == (offered.call, True, False)
        status = await ask(alice, GetStatus())
        assert already("incoming_call", status) is None


async def test_who_enters_another_call_is_told_which_one_was_left(open_session: OpenSession) -> None:
    async with (
        open_session("alice") as alice,
        open_session("bob") as bob,
        open_session("carol") as carol,
        open_session("dora") as dora,
    ):
        first = await connect(alice, bob)
        second = await ask(alice, PlaceOffer(peers=(carol.did,)))
        assert second.left == first
        ear = Ear(alice)
        await ear.first()
        await dora.ask(PlaceOffer(peers=(alice.did,)))
        await ear.until(IncomingCall, caller=dora.did)
        assert (await ask(alice, AcceptCall())).left == second.call
        await alice.ask(LeaveCall())
        assert (await ask(alice, PlaceOffer(peers=(bob.did,)))).left is None


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
        assert (await ask(bob, GetCalls())).pending_calls == ()


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
        mistakes: tuple[tuple[Request[Any], type[BlinkError]], ...] = (
            (LeaveCall(), StateError),
            (GetParticipants(), StateError),
            (GetRtpStatistics(), StateError),
            (ResetStatistics(), StateError),
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


async def test_an_offer_that_waits_looks_for_its_peer_as_long(open_session: OpenSession) -> None:
    async with open_session("alice", discovery=True) as alice, asyncio.TaskGroup() as tasks:
        offering = tasks.create_task(
            ask(alice, PlaceOffer(peers=("bob",), wait_s=20, discover_s=0.0)), name="offer"
        )
        async with open_session("bob", discovery=True) as bob:
            await ask(bob, AcceptCall(wait_s=20))
            assert (await offering).connected == (bob.did,)


async def test_an_offer_that_nobody_answers_says_whether_it_arrived(open_session: OpenSession) -> None:
    async with open_session("alice") as alice, open_session("bob") as bob:
        with pytest.raises(NotFoundError, match="Nobody answered") as silence:
            await alice.ask(PlaceOffer(peers=(bob.did,), wait_s=0.7))
        assert silence.value.hint == "The offer has reached bob and still rings; `blink leave` withdraws it."
        assert (await ask(alice, GetStatus())).call is not None

        with pytest.raises(NotFoundError, match="Nobody answered") as silence:
            await alice.ask(PlaceOffer(peers=(bob.did,), wait_s=0.7, withdraw=True))
        assert silence.value.hint == "The offer has reached bob and has been withdrawn."
        assert (await ask(alice, GetStatus())).call is None


async def test_an_offer_to_somebody_who_has_gone_does_not_claim_to_ring(open_session: OpenSession) -> None:
    async with open_session("alice", discovery=True) as alice:
        ear = Ear(alice)
        await ear.first()
        async with AsyncExitStack() as stack:
            bob = await stack.enter_async_context(open_session("bob", discovery=True))
            await ear.until(PeerAppeared, did=bob.did)
            async with asyncio.TaskGroup() as tasks:
                offering = tasks.create_task(_refusal(alice, PlaceOffer(peers=(bob.did,), wait_s=3)))
                await ear.until(OfferDelivered, did=bob.did)
                await stack.aclose()
                await ear.until(PeerVanished, did=bob.did)
        assert offering.result().hint == (
            "The offer had reached bob, who has gone since. It is repeated until you `blink leave`."
        )


async def _refusal(session: Session, request: Request[Any]) -> NotFoundError:
    with pytest.raises(NotFoundError) as refusal:
        await session.ask(request)
    return refusal.value


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

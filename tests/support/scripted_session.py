"""A session without network and devices, for the tests of what stands between a user and a session.

It keeps the promises of `SessionPort` (real event hub, snapshot first, cancellable waits) and plays one peer, bob, who comes when called. Run as a
program it is `blink` with this session in place of the real one: `python -m tests.support.scripted_session serve`.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from blink_cli.__main__ import main as blink
from blink_cli.app.event_hub import EventHub
from blink_cli.app.media.sound_taps import SoundTap, SoundTaps
from blink_cli.app.profile.profile import Profile
from blink_cli.commands import running
from blink_cli.core.api.events import (
    CallJoined,
    CallTerminated,
    EndReason,
    Event,
    IncomingCall,
    LinkState,
    Marked,
    ParticipantJoined,
    PeerAppeared,
    SessionEnding,
    TalkingStarted,
)
from blink_cli.core.api.replies.calls import (
    CallAccepted,
    Calls,
    CurrentCall,
    MarkMade,
    Mesh,
    MeshLink,
    MeshParticipant,
    OfferPlaced,
    Participant,
    Participants,
    PendingCall,
)
from blink_cli.core.api.replies.devices import Clocks, DeviceSet
from blink_cli.core.api.replies.document import Done
from blink_cli.core.api.replies.loudness import Levels, VoiceLevel
from blink_cli.core.api.replies.network import IceServerList, IceServerState
from blink_cli.core.api.replies.peers import CallPeer, NamedPeer, Peer, Peers, PeerVolumeSet
from blink_cli.core.api.replies.processing import (
    AutomuteState,
    EchoState,
    GainState,
    NoiseState,
    ProcessingSet,
    ProcessingState,
    VoiceState,
)
from blink_cli.core.api.replies.recordings import (
    LeftoverRecording,
    RecordedFile,
    RecordingBegun,
    RecordingFiles,
    RecordingMarked,
    RecordingStatus,
)
from blink_cli.core.api.replies.statistics import (
    Inbound,
    Outbound,
    PeerStatistics,
    Remote,
    RtpStatistics,
    StatisticsReset,
)
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.replies.video import VideoSet
from blink_cli.core.api.reply import Reply
from blink_cli.core.api.requests import (
    AcceptCall,
    GetCalls,
    GetIceServers,
    GetLevels,
    GetMesh,
    GetParticipants,
    GetPeers,
    GetPicture,
    GetRecording,
    GetRtpStatistics,
    GetStatus,
    LeaveCall,
    Mark,
    MarkRecording,
    PlaceOffer,
    Quit,
    R,
    RejectCall,
    ReloadContacts,
    Request,
    ResetStatistics,
    SaveSnapshot,
    SetCamera,
    SetDeafened,
    SetDevice,
    SetGain,
    SetMuted,
    SetPeerMuted,
    SetProcessing,
    SetVideo,
    StartRecording,
    StopRecording,
    Subscribe,
    checked_reply,
)
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.errors import DeviceError, NotFoundError, StateError
from blink_cli.core.identity.identity import Identity
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.processing_settings import EchoCancel, ProcessingSettings
from blink_cli.core.media.tap_point import TapPoint

if TYPE_CHECKING:
    from tests.support.scripted_pictures import ScriptedPictures

ALICE = Did("did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK")
BOB = Did("did:key:z6MktwupdmLXVVqTzCw4i46r4uGyosGXRnR3XjN4Zq7oMMsw")
CAROL = Did("did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH")
CALL = CallId("c0ffee00c0ffee00c0ffee00c0ffee00")
RINGING = CallId("beef0000beef0000beef0000beef0000")
SINCE = "2025-01-31T12:00:00Z"


def inbound(**changed: float) -> Inbound:
    """Figures of a stream, some of them given."""
    figures: dict[str, Any] = {
        "packets_received": 500,
        "packets_lost": 3,
        "packets_duplicated": 0,
        "packets_reordered": 0,
        "packets_discarded": 1,
        "packets_recovered": 2,
        "jitter": 0.0012,
        "concealed_samples": 960,
        "silent_concealed_samples": 0,
        "concealment_events": 1,
        "inserted_samples_for_deceleration": 0,
        "removed_samples_for_acceleration": 0,
        "total_samples_received": 480_000,
        "jitter_buffer_delay": 10.0,
        "jitter_buffer_emitted_count": 480_000,
        "jitter_buffer_target_delay": 20.0,
        "delay_ms": 61.0,
        "audio_level_dbov": -30,
    }
    return Inbound(**{**figures, **changed})


def outbound() -> Outbound:
    """Figures of our stream."""
    return Outbound(
        packets_sent=501,
        bytes_sent=40_000,
        bitrate=32_000.0,
        redundancy_levels=0,
        remote=Remote(fraction_lost=0.01, jitter=0.001, rtt_s=0.0004),
    )


def processing(chosen: ProcessingSettings | None = None) -> ProcessingState:
    """What is done to the microphone's sound, with a headset and a library that works."""
    chosen = chosen or ProcessingSettings()
    on = chosen.echo_cancel is EchoCancel.ON
    auto = chosen.echo_cancel is EchoCancel.AUTO
    return ProcessingState(
        echo=EchoState(
            chosen=chosen.echo_cancel,
            state="on" if on else "off",
            reason="at the ear: USB Headset" if auto else None,
            removed_db=35.2 if on else None,
            delay_ms=61.0 if on else None,
        ),
        noise=NoiseState(
            chosen=chosen.noise_suppress, state=chosen.noise_suppress.value, reason=None, removed_db=None
        ),
        gain=GainState(
            chosen=chosen.auto_gain, state="on" if chosen.auto_gain else "off", reason=None, gain_db=None
        ),
        automute=AutomuteState(chosen=chosen.automute, state="on" if chosen.automute else "off"),
        voice=VoiceState(told_by="speech", reason=None),
        delay_ms=9.0 if on else 0.0,
        cost_us=120.0 if on else 8.0,
    )


def participant(did: Did, nickname: str, link: LinkState, **changed: object) -> Participant:
    """A participant who shows nothing, some of it changed."""
    plain = Participant(
        did=did,
        nickname=nickname,
        self=link is LinkState.SELF,
        link=link,
        muted=False,
        deafened=False,
        recording=False,
        talking=False,
        gain_db=0.0,
    )
    return msgspec.structs.replace(plain, **changed)


class ScriptedSession:
    """Alice's session. Bob connects at once when he is called; carol is known and never comes."""

    def __init__(self, options: SessionOptions | None = None, *, profile: str = "alice") -> None:
        options = options or SessionOptions()
        self.hub = EventHub()
        self.sound = SoundTaps()
        self.ended = asyncio.Event()
        self.notices: tuple[Event, ...] = ()
        self.asked: list[Request[Any]] = []
        self.cancelled: list[Request[Any]] = []
        self.waits_begun = asyncio.Event()
        self._rang = asyncio.Event()
        self.state = Status(
            profile=profile,
            did=ALICE,
            nickname=options.nickname or "alice",
            pid=os.getpid(),
            input=options.input or "default",
            output=options.output or "default",
            muted=False,
            deafened=False,
            clocks=Clocks(monotonic_s=1.0, input_position_s=0.5, output_position_s=None),
            call=None,
            pending_calls=(),
        )
        self.gains: dict[str, float] = {}
        self._pictures: ScriptedPictures | None = None
        self.processing = options.processing.over(ProcessingSettings())
        self.state = msgspec.structs.replace(self.state, processing=processing(self.processing))
        self.recording: str | None = None
        self.ice_servers = tuple(
            IceServerState(
                url=server.url,
                kind=server.kind,
                alive=server.kind == "stun",
                in_use=server.kind == "stun",
                rtt_ms=1.5 if server.kind == "stun" else None,
                outside_address="192.0.2.1:40000" if server.kind == "stun" else None,
                relay_address=None,
                last_error=None if server.kind == "stun" else "nothing listens there",
            )
            for server in options.ice_servers
        )

    def tap(self, points: Iterable[TapPoint]) -> SoundTap:
        """Hand out what `self.sound` is told."""
        return self.sound.add(points)

    def publish(self, event: Event) -> None:
        """Let something happen."""
        self.hub.publish(event)

    def ring(self) -> None:
        """Let bob call."""
        self._rang.set()
        bob, alice = CallPeer(did=BOB, nickname="bob"), CallPeer(did=ALICE, nickname="alice")
        pending = PendingCall(
            id=RINGING, caller=bob, participants=(bob, alice), joined=(bob,), rejected=False
        )
        self.state = msgspec.structs.replace(self.state, pending_calls=(pending,))
        self.publish(IncomingCall(call_id=RINGING, caller=BOB, nickname="bob", participants=(BOB, ALICE)))

    def end_call(self, reason: EndReason) -> None:
        """Let the current call be over."""
        assert self.state.call is not None
        call_id = self.state.call.id
        self.state = msgspec.structs.replace(self.state, call=None)
        self.publish(CallTerminated(call_id=call_id, reason=reason))

    async def events(self) -> AsyncGenerator[Event | Status, None]:
        """See `SessionPort.events`."""
        listener = self.hub.listen()
        try:
            yield self.state
            while (event := await listener.next_event()) is not None:
                yield event
        finally:
            self.hub.forget(listener)

    def hurry(self) -> None:
        """It makes nothing that could be waited for."""

    async def ask(self, request: Request[R]) -> R:
        """See `SessionPort.ask`."""
        self.asked.append(request)
        try:
            return checked_reply(request, await self._answer(request))
        except asyncio.CancelledError:
            self.cancelled.append(request)
            raise

    async def _answer(self, request: Request[Any]) -> Reply:  # noqa: C901 - one case for each request
        match request:
            case GetStatus() | Subscribe():
                return self.state
            case Quit():
                self.ended.set()
                return Done()
            case GetPeers():
                return Peers(
                    peers=(
                        Peer(
                            did=BOB,
                            nickname="bob",
                            address="127.0.0.1",
                            alive=True,
                            last_seen_ms=12,
                            in_contacts=True,
                        ),
                        Peer(
                            did=CAROL,
                            nickname="carol",
                            address=None,
                            alive=False,
                            last_seen_ms=None,
                            in_contacts=True,
                        ),
                    )
                )
            case PlaceOffer(peers=peers, wait_s=wait_s, withdraw=withdraw):
                return await self._offer(peers, wait_s, withdraw=withdraw)
            case AcceptCall(call=call, wait_s=wait_s):
                return await self._accept(call, wait_s)
            case RejectCall():
                if not self.state.pending_calls:
                    raise StateError("No call rings.", hint="`blink calls` lists them")
                rejected = msgspec.structs.replace(self.state.pending_calls[0], rejected=True)
                self.state = msgspec.structs.replace(self.state, pending_calls=(rejected,))
            case LeaveCall():
                if self.state.call is None:
                    raise StateError(
                        "This session is not in a call.", hint="`blink calls` lists those that can be joined"
                    )
                self.end_call(EndReason.LEFT)
            case GetCalls():
                return Calls(call=self.state.call, pending_calls=self.state.pending_calls)
            case GetParticipants():
                if self.state.call is None:
                    raise StateError("This session is not in a call.", hint="`blink offer PEER` starts one")
                return Participants(call=self.state.call.id, participants=self.state.call.participants)
            case SetMuted(muted=muted):
                self.state = msgspec.structs.replace(self.state, muted=muted)
            case SetDeafened(deafened=deafened):
                self.state = msgspec.structs.replace(self.state, deafened=deafened)
            case SetVideo(on=on):
                return VideoSet(on=on, camera="testsrc")
            case SetCamera(camera=camera):
                return VideoSet(on=False, camera=camera)
            case SetGain(peer=peer, gain_db=gain_db):
                did = self._known(peer)
                self.gains[peer] = gain_db
                return PeerVolumeSet(
                    did=did, nickname="bob" if did == BOB else "carol", gain_db=gain_db, muted_here=False
                )
            case SetPeerMuted(peer=peer, muted=muted):
                did = self._known(peer)
                return PeerVolumeSet(did=did, nickname=peer, gain_db=0.0, muted_here=muted)
            case SetDevice(direction=direction, device=device):
                if "broken" in device:
                    raise DeviceError(
                        f"The {direction} {device!r} cannot be opened.", hint="see `blink list-devices`"
                    )
                self.state = msgspec.structs.replace(self.state, **{direction: device})
                return DeviceSet(direction=direction, device=device)
            case SetProcessing(choice=choice):
                self.processing = choice.over(self.processing)
                told = processing(self.processing)
                self.state = msgspec.structs.replace(self.state, processing=told)
                return ProcessingSet(processing=told)
            case ResetStatistics():
                if self.state.call is None:
                    raise StateError("This session is not in a call.", hint="`blink offer PEER` starts one")
                return StatisticsReset(call=self.state.call.id, since="2026-01-01T00:00:00.000Z")
            case Mark(text=text):
                if self.state.call is None:
                    raise StateError("This session is not in a call.", hint="`blink offer PEER` starts one")
                call, shown = self.state.call.id, text or "mark 1"
                self.publish(Marked(call_id=call, text=shown, at_s=1.0))
                return MarkMade(
                    call=call,
                    text=shown,
                    at_s=1.0,
                    rtp_log=False,
                    recording_at_s=None if self.recording is None else 3.2,
                )
            case GetLevels() if self.state.call is not None:
                return Levels(
                    call=self.state.call.id,
                    levels=tuple(
                        VoiceLevel(did=one.did, level_dbov=-30, peak_dbov=-18, voice=one.talking)
                        for one in self.state.call.participants
                        if one.link in {LinkState.SELF, LinkState.CONNECTED}
                    ),
                )
            case GetMesh() if self.state.call is not None:
                return self._mesh(self.state.call)
            case GetRtpStatistics():
                if self.state.call is None:
                    raise StateError("This session is not in a call.", hint="`blink offer PEER` starts one")
                connected = PeerStatistics(
                    did=BOB, nickname="bob", rtt_s=0.0004, inbound=inbound(), outbound=outbound()
                )
                nobody = PeerStatistics(did=CAROL, nickname="carol", rtt_s=None, inbound=None, outbound=None)
                return RtpStatistics(call=self.state.call.id, peers=(connected, nobody), late_ticks=0)
            case GetIceServers():
                return IceServerList(transport="all", servers=self.ice_servers)
            case StartRecording() | StopRecording() | GetRecording() | MarkRecording():
                return self._recorded(request)
            case GetPicture() | SaveSnapshot():
                return await self._picture(request)
            case ReloadContacts():
                pass
        return Done()

    async def _picture(self, request: GetPicture | SaveSnapshot) -> Reply:
        """Alice and bob show the camera that the environment names; nothing without one."""
        if self._pictures is None:
            from tests.support.scripted_pictures import ScriptedPictures  # noqa: PLC0415 - numpy and FFmpeg, for who looks

            self._pictures = ScriptedPictures(os.environ.get("BLINK_TEST_CAMERA"), (ALICE, BOB), self)
        return await self._pictures.answer(request)

    def name_of(self, did: Did) -> str:
        """As a directory of peers."""
        return {ALICE: "alice", BOB: "bob"}.get(did, "carol")

    def resolve_participant(self, name: str) -> Did:
        """As a directory of peers."""
        return ALICE if name == "alice" else self._known(name)

    def _mesh(self, call: CurrentCall) -> Mesh:
        """Everybody who is there hears everybody who is."""
        there = [one for one in call.participants if one.link in {LinkState.SELF, LinkState.CONNECTED}]
        return Mesh(
            call=call.id,
            participants=tuple(
                MeshParticipant(
                    did=one.did,
                    nickname=one.nickname,
                    self=one.self,
                    present=one in there,
                    hears=tuple(
                        MeshLink(did=other.did, link=LinkState.CONNECTED, lost_share=0.0)
                        for other in there
                        if one in there and other is not one
                    ),
                )
                for one in call.participants
            ),
        )

    def _recorded(self, request: StartRecording | StopRecording | GetRecording | MarkRecording) -> Reply:
        people = (NamedPeer(did=ALICE, nickname="alice"), NamedPeer(did=BOB, nickname="bob"))
        match request:
            case StartRecording(folder=folder) if self.state.call is not None:
                self.recording = folder
                return RecordingBegun(path=f"{folder}/x.part.mp4", sidecar=f"{folder}/x.json", since=SINCE)
            case StopRecording() if self.recording is not None:
                file = RecordedFile(
                    path=f"{self.recording}/x.mp4", kind="mp4", participants=people, duration_s=12.0
                )
                self.recording = None
                return RecordingFiles(files=(file,), reason="stopped")
            case GetRecording() if self.recording is not None:
                return RecordingStatus(
                    recording=True,
                    path=f"{self.recording}/x.part.mp4",
                    since=SINCE,
                    duration_s=12.0,
                    participants=people,
                    packets_dropped=3,
                )
            case GetRecording():
                left = LeftoverRecording(path="/left/y.part.mp4", bytes=1, started=SINCE)
                return RecordingStatus(recording=False, leftovers=(left,))
            case MarkRecording(text=text) if self.recording is not None:
                return RecordingMarked(at_s=3.2, text=text)
            case _:
                raise StateError("Nothing can be recorded, or is.", hint="`blink record status`")

    def _known(self, peer: str) -> Did:
        for did, nickname in ((BOB, "bob"), (CAROL, "carol")):
            if peer == nickname or did.startswith(peer):
                return did
        raise NotFoundError(f"No peer is called {peer!r}.", hint="`blink peers` lists those that were seen")

    async def _offer(self, peers: tuple[str, ...], wait_s: float | None, *, withdraw: bool) -> OfferPlaced:
        invited = [self._known(peer) for peer in peers]
        left = None if self.state.call is None else self.state.call.id
        links = {did: LinkState.CONNECTED if did == BOB else LinkState.ABSENT for did in invited}
        self._enter(CALL, links)
        if wait_s is not None and BOB not in invited:
            self.waits_begun.set()
            await asyncio.sleep(wait_s)
            if withdraw:
                self.end_call(EndReason.LEFT)
            raise NotFoundError(f"Nobody was connected within {wait_s:g} s.")
        return OfferPlaced(call=CALL, connected=tuple(did for did in invited if did == BOB), left=left)

    async def _accept(self, call: str | None, wait_s: float | None) -> CallAccepted:
        try:
            async with asyncio.timeout(wait_s or 0):
                self.waits_begun.set()
                await self._rang.wait()
        except TimeoutError as error:
            raise NotFoundError("No call rings.", hint="`--wait S` waits for one") from error
        pending = self.state.pending_calls[0]
        if call is not None and not pending.id.startswith(call):
            raise NotFoundError(f"No call begins with {call!r}.", hint="`blink calls` lists them")
        self._enter(pending.id, {BOB: LinkState.CONNECTED})
        return CallAccepted(call=pending.id, connected=(BOB,))

    def _enter(self, call_id: CallId, links: dict[Did, LinkState]) -> None:
        names = {BOB: "bob", CAROL: "carol"}
        me = participant(ALICE, self.state.nickname, LinkState.SELF)
        others = tuple(participant(did, names[did], link) for did, link in links.items())
        call = CurrentCall(id=call_id, state="in_call", since=SINCE, participants=(me, *others))
        self.state = msgspec.structs.replace(self.state, call=call, pending_calls=())
        self.publish(CallJoined(call_id=call_id))
        for did, link in links.items():
            if link is LinkState.CONNECTED:
                self.publish(ParticipantJoined(call_id=call_id, did=did, nickname=names[did]))

    async def aclose(self) -> None:
        """End as a session does: leave, say so, end every iteration."""
        if self._pictures is not None:
            self._pictures.close()
        if self.state.call is not None:
            self.end_call(EndReason.LEFT)
        self.publish(SessionEnding())
        self.hub.close()


@asynccontextmanager
async def scripted_session(
    options: SessionOptions, profile: str = "alice", *, into: list[ScriptedSession] | None = None
) -> AsyncIterator[ScriptedSession]:
    """Run one; `into` is given it too."""
    session = ScriptedSession(options, profile=profile)
    if into is not None:
        into.append(session)
    session.publish(PeerAppeared(did=BOB, nickname="bob"))
    if os.environ.get("BLINK_TEST_RINGS"):
        session.ring()
    talk = asyncio.get_running_loop().call_later(0.05, session.publish, TalkingStarted(did=BOB))
    try:
        yield session
    finally:
        talk.cancel()
        await session.aclose()


def main() -> None:
    """Be `blink` with this session."""

    def open_session(
        profile: Profile, identity: Identity, options: SessionOptions, log: Path | None
    ) -> AbstractAsyncContextManager[ScriptedSession]:
        return scripted_session(options, profile.name)

    running.open_session = open_session
    blink()


if __name__ == "__main__":
    main()

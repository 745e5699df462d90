"""A session, as a program holds it: the same object and the same methods for one that it opened and one that runs elsewhere.

    Session ──request──> ReachedSession ──> app.session.Session, or the control socket ──> typed reply

Each method is a request that the command of the same name makes too (docs/api.md); `ask` carries out any.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar, overload

from typing_extensions import override

from blink_cli.api.already_happened import already
from blink_cli.api.call import Call
from blink_cli.api.checking import ExpectationError, check, read_expectations
from blink_cli.api.codec_of_session import SessionCodec
from blink_cli.api.documents import AssertReport
from blink_cli.api.echo_of_session import SessionEcho
from blink_cli.api.event_stream import EventStream
from blink_cli.api.impairment_words import OFF, impairment_request
from blink_cli.api.option_words import (
    camera_device,
    checked_echo_cancel,
    checked_noise_suppress,
    input_device,
    output_device,
)
from blink_cli.api.reached_session import ReachedSession
from blink_cli.api.recorder import Recorder, RtpLog
from blink_cli.api.typed_path import absolute
from blink_cli.core.api.events import IncomingCall
from blink_cli.core.api.replies.calls import Calls, MarkMade, Mesh, Participants
from blink_cli.core.api.replies.devices import DeviceSet
from blink_cli.core.api.replies.document import Done
from blink_cli.core.api.replies.impairment import ImpairmentShown
from blink_cli.core.api.replies.loudness import Levels
from blink_cli.core.api.replies.network import IceServerList
from blink_cli.core.api.replies.peers import Peers, PeerVolumeSet
from blink_cli.core.api.replies.pictures import PictureShown, SnapshotSaved
from blink_cli.core.api.replies.processing import ProcessingSet
from blink_cli.core.api.replies.statistics import RtpStatistics, StatisticsReset
from blink_cli.core.api.replies.status import Status, Trace
from blink_cli.core.api.replies.video import VideoSet
from blink_cli.core.api.requests import (
    AcceptCall,
    GetCalls,
    GetIceServers,
    GetImpairment,
    GetLevels,
    GetMesh,
    GetParticipants,
    GetPeers,
    GetPicture,
    GetRtpStatistics,
    GetStatus,
    GetTrace,
    LeaveCall,
    Mark,
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
)
from blink_cli.core.audio_format import HIGHEST_GAIN_DB, LOWEST_GAIN_DB
from blink_cli.core.call.room_policy import Via
from blink_cli.core.errors import NotFoundError, UsageError, session_ended
from blink_cli.core.fact import Fact, snake_case
from blink_cli.core.ids import Did
from blink_cli.core.media.processing_settings import ProcessingChoice
from blink_cli.core.media.tap_point import TAP_POINTS, TapPoint

if TYPE_CHECKING:
    from blink_cli.app.media.sound_taps import SoundTap  # numpy

E = TypeVar("E", bound=Fact)


class Session:
    """Made by `open_session` and `connect`. Belongs to one event loop; its methods may run side by side.

    Errors of all methods are `BlinkError`s: `NoSessionError` once the session has ended, `NotFoundError` where nobody and nothing of that name is there or nobody
    answered in time, `StateError` for what is not possible now, `UsageError` for what cannot be meant. Cancelling any is safe: it stops waiting, and what it began
    (an offer, an accepted call) stays.
    """

    def __init__(self, reached: ReachedSession, first: Status) -> None:
        """Use `open_session` or `connect`."""
        self._reached = reached
        self._streams: set[EventStream] = set()
        self.did: Did = first.did
        """Who it is."""

        self.nickname = first.nickname
        """What it calls itself."""

        self.profile = first.profile
        self.record = Recorder(reached)
        self.rtp_log = RtpLog(reached)
        self.codec = SessionCodec(reached)
        self.echo = SessionEcho(reached)

    @override
    def __repr__(self) -> str:
        return f"Session(profile={self.profile!r}, nickname={self.nickname!r})"

    # asking and listening

    async def ask(self, request: Request[R]) -> R:
        """Carry out any request of `blink_cli.requests`, and return the reply that it names."""
        return await self._reached.ask(request)

    def events(self) -> EventStream:
        """Follow what happens. Use as a context manager to listen from a known moment on; see `EventStream`."""
        stream = EventStream(self._reached.events, self._streams.discard)
        self._streams.add(stream)
        return stream

    async def wait_for(
        self,
        kind: type[E],
        *,
        timeout_s: float | None = None,
        where: Callable[[E], bool] = lambda _: True,
        new: bool = False,
    ) -> E:
        """Return the next event of a kind.

        A call that rings already counts as `IncomingCall`, and one that the session is in as `CallJoined`, so that a program need not be
        faster than its session. All other events count from now on: what may come before is read of `events()`, begun earlier.

        Args:
            kind: A class of `blink_cli.events`.
            timeout_s: In seconds; None: for ever.
            where: What else must be so.
            new: Only what happens from now on counts.

        Raises:
            NotFoundError: None came in time.
            NoSessionError: The session ended before.

        """
        name = snake_case(kind.__name__)
        try:
            async with asyncio.timeout(timeout_s), self.events() as events:
                known = None if new else already(name, events.snapshot)
                if isinstance(known, kind) and where(known):
                    return known
                async for event in events:
                    if isinstance(event, kind) and where(event):
                        return event
        except TimeoutError as error:
            raise NotFoundError(f"No {name} came within {timeout_s:g} s.") from error
        raise session_ended()

    async def until(
        self,
        holds: Callable[[Status], bool],
        *,
        timeout_s: float | None = None,
        what: str = "the condition",
    ) -> Status:
        """Wait until something holds of the session's status, and return that. It is looked at again after each event.

        Args:
            holds: Told of the status.
            timeout_s: In seconds; None: for ever.
            what: For the error's sentence.

        Raises:
            NotFoundError: It was not so in time.
            NoSessionError: The session ended before.

        """
        try:
            async with asyncio.timeout(timeout_s), self.events() as events:
                status = events.snapshot
                while not holds(status):
                    if await anext(events, None) is None:
                        raise session_ended()
                    status = await self.status()
                return status
        except TimeoutError as error:
            raise NotFoundError(f"There was not {what} within {timeout_s:g} s.") from error

    async def status(self) -> Status:
        """The session at a glance."""
        return await self.ask(GetStatus())

    async def quit(self) -> Done:
        """End the session. One of this process ends with its `async with`; `until_ended` tells its program to go there."""
        return await self.ask(Quit())

    async def until_ended(self) -> None:
        """Return when somebody told the session to end (`blink quit`), or it has ended."""
        await self._reached.until_ended()

    # people and calls

    async def peers(self) -> Peers:
        """Peers seen, and known from contacts."""
        return await self.ask(GetPeers())

    async def offer(
        self,
        *peers: str,
        wait_s: float | None = None,
        discover_s: float = 2.0,
        via: Literal["auto", "sfu", "mesh"] = "auto",
        withdraw: bool = False,
    ) -> Call:
        """Invite peers to a new call; one that the session is in is left first.

        Args:
            peers: Nicknames, DIDs, or prefixes that fit one only.
            wait_s: Return when the first one's audio link stands.
            discover_s: How long a peer that was not seen yet is looked for.
            via: How the voice goes: through an SFU, by direct connections, or by the call's size.
            withdraw: Leave again if nobody is connected in time.

        Raises:
            NotFoundError: Nobody of that name, or nobody came in time.

        """
        request = PlaceOffer(
            peers=peers, wait_s=wait_s, discover_s=discover_s, via=Via(via), withdraw=withdraw
        )
        reply = await self.ask(request)
        return Call(self, reply.call, reply.connected)

    async def accept(self, call: str | None = None, *, wait_s: float | None = None) -> Call:
        """Join a pending call.

        Args:
            call: Its id or a prefix; None where one fits.
            wait_s: Wait for an offer that has not come yet, and until the first audio link stands.

        Raises:
            NotFoundError: There is none, or nobody was connected in time.

        """
        reply = await self.ask(AcceptCall(call=call, wait_s=wait_s))
        return Call(self, reply.call, reply.connected)

    async def reject(self, call: str | None = None) -> Done:
        """Decline a pending call; it stays listed while it goes on."""
        return await self.ask(RejectCall(call=call))

    async def leave(self) -> Done:
        """Leave the current call."""
        return await self.ask(LeaveCall())

    async def next_call(self, *, timeout_s: float | None = None) -> Call:
        """Wait until a call rings, or return one that does; `accept` or `reject` it.

        Raises:
            NotFoundError: None came in time.

        """
        return Call(self, (await self.wait_for(IncomingCall, timeout_s=timeout_s)).call_id)

    async def current_call(self) -> Call | None:
        """The call that the session is in."""
        call = (await self.calls()).call
        return None if call is None else Call(self, call.id)

    async def calls(self) -> Calls:
        """The current call, and those that can be joined."""
        return await self.ask(GetCalls())

    async def participants(self) -> Participants:
        """Who is in the current call, or invited to it."""
        return await self.ask(GetParticipants())

    async def reload_contacts(self) -> Done:
        """Read the contacts' file again."""
        return await self.ask(ReloadContacts())

    # voice and volume

    @overload
    async def mute(self) -> Done: ...

    @overload
    async def mute(self, peer: str) -> PeerVolumeSet: ...

    async def mute(self, peer: str | None = None) -> Done | PeerVolumeSet:
        """Send silence; with a peer: do not play it, here alone, now and later."""
        return await self.ask(SetMuted(muted=True) if peer is None else SetPeerMuted(peer=peer, muted=True))

    @overload
    async def unmute(self) -> Done: ...

    @overload
    async def unmute(self, peer: str) -> PeerVolumeSet: ...

    async def unmute(self, peer: str | None = None) -> Done | PeerVolumeSet:
        """The opposite of `mute`."""
        return await self.ask(SetMuted(muted=False) if peer is None else SetPeerMuted(peer=peer, muted=False))

    async def deafen(self) -> Done:
        """Play nobody."""
        return await self.ask(SetDeafened(deafened=True))

    async def undeafen(self) -> Done:
        """Play everybody again."""
        return await self.ask(SetDeafened(deafened=False))

    async def gain(self, peer: str, gain_db: float) -> PeerVolumeSet:
        """Play a peer louder, or with a negative number softer, here, now and later.

        Raises:
            UsageError: It is not from -60 to 20 dB.
            NotFoundError: There is no such peer.

        """
        if not LOWEST_GAIN_DB <= gain_db <= HIGHEST_GAIN_DB:
            raise UsageError(
                f"A gain of {gain_db:g} dB is not possible.",
                hint=f"Choose {LOWEST_GAIN_DB:g} to {HIGHEST_GAIN_DB:g}.",
            )
        return await self.ask(SetGain(peer=peer, gain_db=gain_db))

    async def video(self, *, on: bool) -> VideoSet:
        """Turn the camera on or off, in the current call: everybody in it sees the pictures."""
        return await self.ask(SetVideo(on=on))

    async def set_camera(self, camera: str) -> VideoSet:
        """Use another camera: its name, `testsrc`, `file:PATH?loop=1`, `image:PATH` or `blank`. One that is off stays off."""
        return await self.ask(SetCamera(camera=camera_device(camera)))

    async def echo_cancel(self, word: str) -> ProcessingSet:
        """Take what the speaker plays out of the microphone's sound: on, off or auto."""
        return await self._process(ProcessingChoice(echo_cancel=checked_echo_cancel(word)))

    async def noise_suppress(self, word: str) -> ProcessingSet:
        """Take steady noise out of it: off, low or high."""
        return await self._process(ProcessingChoice(noise_suppress=checked_noise_suppress(word)))

    async def auto_gain(self, *, on: bool) -> ProcessingSet:
        """Bring it to the usual loudness, or not."""
        return await self._process(ProcessingChoice(auto_gain=on))

    async def automute(self, *, on: bool) -> ProcessingSet:
        """Mute it while others talk, or not."""
        return await self._process(ProcessingChoice(automute=on))

    async def _process(self, choice: ProcessingChoice) -> ProcessingSet:
        return await self.ask(SetProcessing(choice=choice))

    async def set_input(self, device: str) -> DeviceSet:
        """Use another microphone, in the middle of a call too.

        Raises:
            DeviceError: It cannot be used; the one before goes on.

        """
        return await self.ask(SetDevice(direction="input", device=input_device(device)))

    async def set_output(self, device: str) -> DeviceSet:
        """Use another speaker, in the middle of a call too. Raises as `set_input`."""
        return await self.ask(SetDevice(direction="output", device=output_device(device)))

    # figures

    async def picture(
        self,
        peer: str | None = None,
        *,
        width: int = 160,
        height: int = 90,
        than: int = 0,
        wait_s: float = 0.0,
    ) -> PictureShown:
        """Return the newest picture of a participant, or of oneself, fitted into `width` by `height`, once it is newer than number `than`.

        Asked again and again with the last number it is a stream whose pace is yours: what comes in between is skipped, and nothing waits.
        """
        return await self.ask(GetPicture(peer=peer, width=width, height=height, than=than, wait_s=wait_s))

    async def snapshot(
        self, path: Path | str, peer: str | None = None, *, replace: bool = False, wait_s: float = 2.0
    ) -> SnapshotSaved:
        """Write the newest picture of a participant, or of oneself, into a file: PNG, JPEG or WebP, as its suffix says.

        Raises:
            UsageError: It has another suffix, or none.
            StateError: Nothing is to be seen, or the file exists and `replace` is not said.

        """
        return await self.ask(SaveSnapshot(path=absolute(path), peer=peer, replace=replace, wait_s=wait_s))

    async def rtp_stats(self, *, total: bool = False) -> RtpStatistics:
        """Figures of the current call, per peer and direction; `total`: whatever was reset since its beginning.

        Raises:
            StateError: There is no call.

        """
        return await self.ask(GetRtpStatistics(total=total))

    async def levels(self) -> Levels:
        """How loud everybody of the current call is now; cheap, for level bars."""
        return await self.ask(GetLevels())

    async def mesh(self) -> Mesh:
        """Who of the current call has a link to whom, and how it does, by each one's own word."""
        return await self.ask(GetMesh())

    async def mark(self, text: str = "") -> MarkMade:
        """Mark this moment of the current call: an event, a row of the RTP log, a marker of the recording, where these run."""
        return await self.ask(Mark(text=text))

    async def stats_reset(self) -> StatisticsReset:
        """Count the figures of the current call from now on."""
        return await self.ask(ResetStatistics())

    async def ice_servers(self) -> IceServerList:
        """The configured STUN and TURN servers, once each has been asked."""
        return await self.ask(GetIceServers())

    async def trace(self) -> Trace:
        """The last steps of the rules of calls."""
        page = await self.ask(GetTrace())
        steps = list(page.steps)
        first = page.first
        while page.more and page.steps:
            page = await self.ask(GetTrace(first=page.first + len(page.steps)))
            steps.extend(page.steps)
        return Trace(did=page.did, first=first, more=False, steps=tuple(steps))

    async def impair(self, *words: str) -> ImpairmentShown:
        """Make the network of calls bad on purpose, in the words of `blink impair`: `impair("bob", "in", "loss=3%", "seed=7")`, `impair("off")`.

        Raises:
            UsageError: A word cannot be meant.

        """
        return await self.ask(impairment_request(words or (OFF,)))

    async def impairment(self) -> ImpairmentShown:
        """What is impaired on purpose, and what that did."""
        return await self.ask(GetImpairment())

    async def check(self, *expectations: str, for_s: float | None = None) -> AssertReport:
        """Say whether the current call is as expected, in the words of `blink assert`: `check("loss<1%", "mos(bob)>4", for_s=10)`.

        Args:
            expectations: All of everybody whom they are about.
            for_s: For how long is looked, in seconds, counting what happens meanwhile; None: counts are those of the call so far, and
                what changes from moment to moment is looked at for 1 s, or as long as it may take `within`.

        Raises:
            UsageError: None is named, or one cannot be read, or `for_s` is not 0 to 86400.
            NotFoundError: There is no call, or it ended meanwhile.

        """
        return await check(self._reached, read_expectations(expectations), for_s)

    async def expect(self, *expectations: str, for_s: float | None = None) -> AssertReport:
        """Check, and raise where something does not hold.

        Raises:
            ExpectationError: With what was measured. It is an `AssertionError` too.

        """
        report = await self.check(*expectations, for_s=for_s)
        if not report.ok:
            raise ExpectationError(report)
        return report

    # sound

    def tap(self, *points: TapPoint) -> "SoundTap":
        """Hand out sound as it passes: frames of 10 ms, by `async for`, in this call and later ones. Close it, or use `async with`.

        It stands behind the voice: who reads too slowly loses frames (`lost_frames`), and the call notices nothing.

        Args:
            points: `peers`, `mix` or `captured`; all if none is named.

        Raises:
            UsageError: There is no such point.
            StateError: It is a session of another process.

        """
        for unknown in set(points).difference(TAP_POINTS):
            raise UsageError(f"There is no point {unknown!r}.", hint=f"Choose of {', '.join(TAP_POINTS)}.")
        return self._reached.tap(points or TAP_POINTS)

    async def close_streams(self) -> None:
        """End every event stream. `open_session` and `connect` do that in the end."""
        for stream in list(self._streams):
            await stream.aclose()

"""A session: one identity, in at most one call, on this machine's devices and network. The composition root.

    open    devices -> voice path -> calls -> gossip on UDP -> neighbourhood (presence, DNS-SD)
    close   leave is said, links say goodbye, then everything in the reverse order

Everything here runs on one event loop; the two audio threads live inside the voice path.
"""

import asyncio
import gc
import os
import secrets
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final, Self, assert_never

from blink_cli.app.call_runner import CallRunner
from blink_cli.app.call_waiting import until
from blink_cli.app.contacts import Contacts
from blink_cli.app.event_hub import EventHub
from blink_cli.app.media_taps import MediaTaps
from blink_cli.app.neighbourhood import Neighbourhood
from blink_cli.app.profile import Profile, session_nickname
from blink_cli.app.quality_watch import QualityWatch
from blink_cli.app.recording_memory import RecordingMemory
from blink_cli.app.recordings import Recordings
from blink_cli.app.rtp_logging import RtpLogging
from blink_cli.app.settings import Settings, load_settings
from blink_cli.app.talkers import Talkers
from blink_cli.app.views import Views, ice_server_list, signal_counters
from blink_cli.app.voice_path import VoicePath
from blink_cli.audio.devices.interface import InputDevice, OutputDevice
from blink_cli.audio.devices.opener import DeviceOpener
from blink_cli.audio.sink_mixer import SWITCH_INTERVAL_S
from blink_cli.audio.urgency import make_loop_urgent
from blink_cli.core.errors import DeviceError, NotFoundError, StateError
from blink_cli.core.events import (
    DeviceChanged,
    DeviceLost,
    Event,
    IceServerFailed,
    IceServerRecovered,
    IncomingCall,
    LinkState,
    SessionEnding,
)
from blink_cli.core.gossip import Acknowledged, Gossip, Received
from blink_cli.core.ice_server import ConfiguredServer
from blink_cli.core.identity import Identity
from blink_cli.core.names import CallId, Did
from blink_cli.core.replies import (
    CallAccepted,
    Calls,
    Clocks,
    DeviceSet,
    Done,
    OfferPlaced,
    Participants,
    Peers,
    Reply,
    RtpStatistics,
    SignalCounters,
    Status,
)
from blink_cli.core.requests import (
    AcceptCall,
    GetCalls,
    GetIceServers,
    GetParticipants,
    GetPeers,
    GetRecording,
    GetRtpLog,
    GetRtpStatistics,
    GetStatus,
    LeaveCall,
    MarkRecording,
    PauseRtpLog,
    PlaceOffer,
    Quit,
    RejectCall,
    ReloadContacts,
    Request,
    ResumeRtpLog,
    SetDeafened,
    SetDevice,
    SetGain,
    SetMuted,
    StartRecording,
    StartRtpLog,
    StopRecording,
    StopRtpLog,
    Subscribe,
)
from blink_cli.core.session_options import IceTransport, SessionOptions
from blink_cli.core.signals import Presence
from blink_cli.net.gossip_driver import GossipDriver
from blink_cli.net.ice_servers import IceServers
from blink_cli.net.interfaces import list_interfaces, require_interfaces
from blink_cli.net.link_settings import LinkSettings, new_certificate
from blink_cli.net.tasks import TaskOwner
from blink_cli.net.udp_transport import UdpTransport

FAREWELL_S: Final = 0.25
"""How long a closing session stays to repeat its Leave: three copies 60 ms apart, and a Cancel's first repetitions."""

LINKS_CLOSE_S: Final = 1.0
"""How long links and devices have to close before what is left of them is cancelled."""

ACCEPT_LINK_S: Final = 3.0
"""How long `accept --wait` waits for audio at least, when the offer came in its last moment: a link takes 0.1 s, and a second when
packets of its handshake are lost."""


class Session:
    """Implements `SessionPort`. Made by `Session.open`; belongs to one event loop."""

    def __init__(
        self,
        *,
        profile: Profile,
        nickname: str,
        own: Did,
        hub: EventHub,
        runner: CallRunner,
        neighbourhood: Neighbourhood,
        views: Views,
        ice_servers: IceServers,
        ice_transport: IceTransport,
        rtp_log: RtpLogging,
        recordings: Recordings,
        notices: tuple[Event, ...],
        signals: Callable[[], SignalCounters],
    ) -> None:
        """Join what `open` built."""
        self._profile = profile
        self._nickname = nickname
        self._own = own
        self._hub = hub
        self._runner = runner
        self._neighbourhood = neighbourhood
        self._views = views
        self._ice_servers = ice_servers
        self._ice_transport = ice_transport
        self._rtp_log = rtp_log
        self._recordings = recordings
        self._notices = notices
        self._signals = signals

        self.ended: asyncio.Event = asyncio.Event()
        """Set when the session was told to quit."""

    @classmethod
    @asynccontextmanager
    async def open(cls, profile: Profile, identity: Identity, options: SessionOptions) -> AsyncIterator[Self]:
        """Run a session for as long as the context lasts.

        Args:
            profile: Where settings and contacts are; its folders exist.
            identity: Who it is.
            options: What it is started with.

        Raises:
            UsageError: An option or a setting is wrong.
            DeviceError: A device that was named cannot be used.
            NotFoundError: There is no such device.
            BlinkError: The network cannot be used.

        """
        settings = load_settings(profile.settings_path)
        codec = settings.codec.with_options(options.codec)
        nickname = session_nickname(options.nickname or settings.nickname, profile)
        hub = EventHub()
        opener = DeviceOpener()
        input_device, output_device, losses = await _open_devices(opener, options)
        async with AsyncExitStack() as stack:
            stack.callback(hub.close)
            tasks = TaskOwner("session")
            stack.push_async_callback(tasks.aclose, patience_s=LINKS_CLOSE_S)
            talkers = Talkers(identity.did, hub.publish)
            taps = MediaTaps()
            quality = QualityWatch(identity.did, hub.publish)
            taps.add(quality)
            rtp_log = RtpLogging(identity.did, taps, hub.publish)
            stack.push_async_callback(rtp_log.aclose)
            listener = _Listener()
            transport = UdpTransport(
                options.group, interfaces=options.interfaces, neighbours=options.neighbours
            )
            post = GossipDriver(Gossip(identity, secrets.token_bytes), transport, listener.hear)
            ice_servers = IceServers(
                options.ice_servers or tuple(section.server() for section in settings.ice_servers),
                on_change=lambda server, reason: hub.publish(_ice_server_event(server, reason)),
            )
            link_settings = _link_settings(options, settings, dtx=codec.dtx)
            runner = CallRunner(
                own=identity.did,
                nickname=lambda: nickname,
                post=post,
                talkers=talkers,
                taps=taps,
                publish=hub.publish,
                tasks=tasks,
                link_settings=link_settings,
                certificate=new_certificate(),
                codec=codec,
                ice_servers=ice_servers,
                watchers=(quality, rtp_log),
            )
            voice = VoicePath(
                opener=opener,
                input_device=input_device,
                output_device=output_device,
                codec=codec,
                tasks=tasks,
                observer=runner,
                taps=taps,
            )
            runner.attach(voice)
            stack.push_async_callback(voice.aclose)
            neighbourhood = Neighbourhood(
                contacts=Contacts(profile.contacts_path),
                own=identity.did,
                nickname=nickname,
                post=post,
                publish=hub.publish,
                call_claims=runner.claims,
            )
            listener.join(runner, neighbourhood)
            recordings = Recordings(
                own=identity.did,
                runner=runner,
                taps=taps,
                hub=hub,
                name_of=neighbourhood.name_of,
                memory=RecordingMemory(profile),
                codec=codec,
            )
            stack.push_async_callback(recordings.aclose)
            await stack.enter_async_context(ice_servers)
            await stack.enter_async_context(post)
            await stack.enter_async_context(neighbourhood.running(transport.port, options))
            session = cls(
                profile=profile,
                nickname=nickname,
                own=identity.did,
                hub=hub,
                runner=runner,
                neighbourhood=neighbourhood,
                views=Views(runner, talkers, neighbourhood.name_of, quality.analysis),
                ice_servers=ice_servers,
                ice_transport="relay" if link_settings.relay_only else "all",
                rtp_log=rtp_log,
                recordings=recordings,
                notices=tuple(losses),
                signals=lambda: signal_counters(post.counters(), transport.counters()),
            )
            if options.auto_accept:
                tasks.start(session._accept_all(), name="auto-accept")
            stack.push_async_callback(session._say_goodbye)
            yield session

    @property
    def did(self) -> Did:
        """Who it is."""
        return self._own

    @property
    def nickname(self) -> str:
        """What it calls itself."""
        return self._nickname

    async def ask(self, request: Request) -> Reply:  # noqa: C901, PLR0911, PLR0912 - one row per request, as in a table
        """See `SessionPort.ask`."""
        match request:
            case GetStatus() | Subscribe():
                return self.status()
            case Quit():
                self.ended.set()
            case GetPeers():
                return Peers(peers=self._neighbourhood.peers())
            case PlaceOffer():
                return await self._offer(request)
            case AcceptCall():
                return await self._accept(request)
            case RejectCall(call=name):
                self._runner.reject(self._pending(name, ringing=True))
            case LeaveCall():
                self._runner.leave()
            case GetCalls():
                return Calls(call=self._views.current_call(), pending_calls=self._views.pending_calls())
            case GetParticipants():
                return self._participants()
            case SetMuted(muted=muted):
                self._runner.set_muted(muted=muted)
                self._recordings.own_mute(muted=muted)
            case SetDeafened(deafened=deafened):
                self._runner.set_deafened(deafened=deafened)
            case SetGain(peer=name, gain_db=gain_db):
                self._runner.voice.set_gain(self._neighbourhood.resolve(name), gain_db)
            case SetDevice():
                return await self._set_device(request)
            case GetRtpStatistics():
                return self._statistics()
            case StartRtpLog() | PauseRtpLog() | ResumeRtpLog() | StopRtpLog() | GetRtpLog():
                return await self._rtp_log.answer(
                    request, lambda: (self._runner.current, self._runner.links.formats)
                )
            case StartRecording() | StopRecording() | GetRecording() | MarkRecording():
                return await self._recordings.answer(request)
            case GetIceServers():
                await self._ice_servers.settled()
                return ice_server_list(self._ice_servers.verdicts(), self._ice_transport)
            case ReloadContacts():
                self._neighbourhood.reload_contacts()
            case _:
                assert_never(request)
        return Done()

    @property
    def notices(self) -> tuple[Event, ...]:
        """What every listener hears first: what went otherwise than asked while the session opened, and which servers fail."""
        failing = (verdict for verdict in self._ice_servers.verdicts() if verdict.error is not None)
        return self._notices + tuple(_ice_server_event(v.server, v.error) for v in failing)

    async def events(self) -> AsyncGenerator[Event | Status, None]:
        """See `SessionPort.events`."""
        listener = self._hub.listen()
        first = (
            self.status(),
            *self.notices,
        )  # at one moment with the listening, so that nothing comes twice
        try:
            for known in first:
                yield known
            while (event := await listener.next_event()) is not None:
                yield event
        finally:
            self._hub.forget(listener)

    def status(self) -> Status:
        """The session at a glance."""
        voice = self._runner.voice
        now_s = time.monotonic()
        input_s, output_s = voice.positions_s(now_s)
        return Status(
            profile=self._profile.name,
            did=self._own,
            nickname=self._nickname,
            pid=os.getpid(),
            input=voice.input_name,
            output=voice.output_name,
            muted=self._runner.muted,
            deafened=self._runner.deafened,
            clocks=Clocks(monotonic_s=now_s, input_position_s=input_s, output_position_s=output_s),
            call=self._views.current_call(),
            pending_calls=self._views.pending_calls(),
            signals=self._signals(),
        )

    # requests

    async def _offer(self, request: PlaceOffer) -> OfferPlaced:
        dids = [await self._find(name, request.discover_s) for name in request.peers]
        call = self._runner.offer(dids)
        if request.wait_s is None:
            return OfferPlaced(call=call, connected=())
        connected = await until(self._hub, lambda: self._connected_or_over(call), request.wait_s)
        if not connected:
            raise self._nobody(call, request)
        return OfferPlaced(call=call, connected=connected)

    def _nobody(self, call: CallId, request: PlaceOffer) -> NotFoundError:
        snapshot = self._runner.snapshot().call
        if snapshot is None or snapshot.call_id != call:
            return NotFoundError("The call is over: nobody came.", hint="`blink events` tells who declined.")
        delivered = any(view.delivered and view.link is not LinkState.SELF for view in snapshot.participants)
        hint = (
            "The offer has reached them and still rings; `blink leave` withdraws it."
            if delivered
            else "The offer has reached nobody yet; it is repeated until you `blink leave`. Do `blink peers` show them alive?"
        )
        return NotFoundError(
            f"Nobody answered in {request.wait_s:g} s: {', '.join(request.peers)}.", hint=hint
        )

    async def _accept(self, request: AcceptCall) -> CallAccepted:
        deadline_s = None if request.wait_s is None else time.monotonic() + request.wait_s
        if request.wait_s is None:
            call = self._pending(request.call, ringing=False)
        else:
            found = await until(self._hub, lambda: self._pending_or_none(request.call), request.wait_s)
            if found is None:
                raise NotFoundError(
                    f"No call came in {request.wait_s:g} s.",
                    hint="Is the caller on the same network and group? `blink peers` shows who is heard.",
                )
            call = found
        self._runner.accept(call)
        if deadline_s is None:
            return CallAccepted(call=call, connected=())
        patience_s = max(deadline_s - time.monotonic(), ACCEPT_LINK_S)
        connected = await until(self._hub, lambda: self._connected_or_over(call), patience_s)
        if not connected:
            raise NotFoundError(
                "The call is accepted, but no audio link to anybody came up.",
                hint="`blink participants` shows the links. Does a firewall stop UDP between the machines?",
            )
        return CallAccepted(call=call, connected=connected)

    def _connected_or_over(self, call: CallId) -> tuple[Did, ...] | None:
        """Whose links stand; empty when the call is over; None while there is hope."""
        snapshot = self._runner.snapshot().call
        if snapshot is None or snapshot.call_id != call:
            return ()
        connected = tuple(view.did for view in snapshot.participants if view.link is LinkState.CONNECTED)
        return connected or None

    async def _find(self, name: str, patience_s: float) -> Did:
        """The peer of this name; one that has not been seen yet may still appear."""
        try:
            return self._neighbourhood.resolve(name)
        except NotFoundError:
            found = await until(self._hub, lambda: self._neighbourhood.resolve_or_none(name), patience_s)
            return self._neighbourhood.resolve(name) if found is None else found

    def _pending(self, name: str | None, *, ringing: bool) -> CallId:
        found = self._fitting(name, ringing=ringing)
        if len(found) == 1:
            return found[0]
        if found:
            raise NotFoundError(
                "Several calls fit: " + ", ".join(call[:8] for call in found) + ".",
                hint="Name one by the first digits of its id; `blink calls` lists them.",
            )
        if name is not None and self._runner.current is not None and self._runner.current.startswith(name):
            raise StateError("This session is already in that call.", hint="`blink leave` leaves it.")
        raise NotFoundError(
            "No call is waiting." if name is None else f"No waiting call's id begins with {name!r}.",
            hint="`blink calls` lists what can be joined; `blink accept --wait 30` waits for one.",
        )

    def _pending_or_none(self, name: str | None) -> CallId | None:
        found = self._fitting(name, ringing=False)
        return found[0] if len(found) == 1 or (found and name is None) else None

    def _fitting(self, name: str | None, *, ringing: bool) -> tuple[CallId, ...]:
        pending = self._runner.snapshot().pending
        if name is None:
            # What rings comes before what was already refused or left.
            rings = self._runner.ringing
            return rings if rings or ringing else tuple(view.call_id for view in pending)
        return tuple(view.call_id for view in pending if view.call_id.startswith(name.lower()))

    def _participants(self) -> Participants:
        call = self._views.current_call()
        if call is None:
            raise _no_call()
        return Participants(call=call.id, participants=call.participants)

    def _statistics(self) -> RtpStatistics:
        call = self._runner.current
        if call is None:
            raise _no_call()
        return self._views.rtp_statistics(call, time.monotonic())

    async def _set_device(self, request: SetDevice) -> DeviceSet:
        voice = self._runner.voice
        change = voice.set_input if request.direction == "input" else voice.set_output
        device = await change(request.device)
        self._hub.publish(DeviceChanged(direction=request.direction, device=device))
        return DeviceSet(direction=request.direction, device=device)

    # background

    async def _accept_all(self) -> None:
        listener = self._hub.listen()
        try:
            while (event := await listener.next_event()) is not None:
                match event:
                    case IncomingCall(call_id=call) if self._runner.current is None:
                        if call in self._runner.ringing:
                            self._runner.accept(call)
                    case _:
                        pass
        finally:
            self._hub.forget(listener)

    async def _say_goodbye(self) -> None:
        self._hub.publish(SessionEnding())
        busy = self._runner.current is not None
        self._runner.shut_down()
        if busy:
            await asyncio.sleep(FAREWELL_S)


def prepare_process() -> None:
    """Set up this whole process for voice: how threads share the interpreter, and how urgent it is. Once, before the first session.

    What the imports left is put out of the garbage collector's reach: a full collection of it holds every thread, the playout's too, for
    40 ms.
    """
    gc.freeze()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    make_loop_urgent()


class _Listener:
    """Sends what the gossip hears to the part that it is for."""

    def __init__(self) -> None:
        self._runner: CallRunner | None = None
        self._neighbourhood: Neighbourhood | None = None

    def join(self, runner: CallRunner, neighbourhood: Neighbourhood) -> None:
        """Say who hears; before the gossip starts."""
        self._runner = runner
        self._neighbourhood = neighbourhood

    def hear(self, effect: Received | Acknowledged) -> None:
        """Called by the gossip's driver."""
        assert self._runner is not None, "joined before the gossip starts"
        assert self._neighbourhood is not None, "joined before the gossip starts"
        if isinstance(effect, Acknowledged):
            self._neighbourhood.heard(effect.peer)
            self._runner.acknowledged(effect.peer, effect.signal)
            return
        if isinstance(effect.signal, Presence):
            self._neighbourhood.presence(effect.sender, effect.signal, effect.source)
            return
        self._neighbourhood.heard(effect.sender)
        self._runner.signal(effect.sender, effect.signal, effect.call_id)


async def _open_devices(
    opener: DeviceOpener, options: SessionOptions
) -> tuple[InputDevice, OutputDevice, list[Event]]:
    """The devices of the options. `default` without any audio system is silence, with a word about it; a name is an error."""
    losses: list[Event] = []
    try:
        input_device = await asyncio.to_thread(opener.open_input, options.input)
    except DeviceError as reason:
        if options.input != "default":
            raise
        input_device = opener.open_input("silence")
        losses.append(
            DeviceLost(direction="input", device="default", reason=reason.message, replacement="silence")
        )
    try:
        output_device = await asyncio.to_thread(opener.open_output, options.output)
    except DeviceError as reason:
        if options.output != "default":
            raise
        output_device = opener.open_output("null")
        losses.append(
            DeviceLost(direction="output", device="default", reason=reason.message, replacement="null")
        )
    return input_device, output_device, losses


def _link_settings(options: SessionOptions, settings: Settings, *, dtx: bool) -> LinkSettings:
    addresses: tuple[str, ...] = ()
    if options.interfaces:
        addresses = tuple(
            interface.address for interface in require_interfaces(options.interfaces, list_interfaces())
        )
    return LinkSettings(
        addresses=addresses,
        relay_only=(options.ice_transport or settings.ice_transport) == "relay",
        dtx=dtx,
    )


def _ice_server_event(server: ConfiguredServer, reason: str | None) -> Event:
    if reason is None:
        return IceServerRecovered(url=server.url)
    return IceServerFailed(url=server.url, reason=reason)


def _no_call() -> StateError:
    return StateError(
        "This session is in no call.", hint="`blink offer PEER` makes one; `blink calls` lists what rings."
    )

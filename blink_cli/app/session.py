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

from blink_cli.app.call_requests import CallRequests
from blink_cli.app.call_runner import CallRunner
from blink_cli.app.contacts import Contacts
from blink_cli.app.event_hub import EventHub
from blink_cli.app.first_devices import open_first_devices
from blink_cli.app.media_taps import MediaTaps
from blink_cli.app.neighbourhood import Neighbourhood
from blink_cli.app.profile import Profile, session_nickname
from blink_cli.app.quality_watch import QualityWatch
from blink_cli.app.recording_memory import RecordingMemory
from blink_cli.app.recordings import Recordings
from blink_cli.app.rtp_logging import RtpLogging
from blink_cli.app.settings import Settings, load_settings
from blink_cli.app.signal_listener import SignalListener
from blink_cli.app.talkers import Talkers
from blink_cli.app.views import Views, ice_server_list, signal_counters
from blink_cli.app.voice_path import VoicePath
from blink_cli.audio.devices.opener import DeviceOpener
from blink_cli.audio.sink_mixer import SWITCH_INTERVAL_S
from blink_cli.audio.urgency import make_loop_urgent
from blink_cli.core.errors import StateError, UsageError
from blink_cli.core.events import (
    DeviceChanged,
    Event,
    IceServerFailed,
    IceServerRecovered,
    SessionEnding,
)
from blink_cli.core.gossip import Gossip
from blink_cli.core.ice_server import ConfiguredServer
from blink_cli.core.identity import Identity
from blink_cli.core.names import Did
from blink_cli.core.replies import (
    Calls,
    Clocks,
    DeviceSet,
    Done,
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
        self._calls = CallRequests(runner, neighbourhood, hub)
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
        input_device, output_device, losses = await open_first_devices(opener, options)
        async with AsyncExitStack() as stack:
            stack.callback(hub.close)
            tasks = TaskOwner("session")
            stack.push_async_callback(tasks.aclose, patience_s=LINKS_CLOSE_S)
            talkers = Talkers(identity.did, hub.publish)
            taps = MediaTaps()
            quality = QualityWatch(
                identity.did,
                hub.publish,
                lambda peer, ssrc: runner.links.reception(peer, ssrc),  # noqa: PLW0108 - the runner is made below
            )
            taps.add(quality)
            rtp_log = RtpLogging(identity.did, taps, hub.publish)
            stack.push_async_callback(rtp_log.aclose)
            listener = SignalListener()
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
                tasks.start(session._calls.accept_all(), name="auto-accept")
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
                return await self._calls.offer(request)
            case AcceptCall():
                return await self._calls.accept(request)
            case RejectCall():
                self._calls.reject(request)
            case LeaveCall():
                self._runner.leave()
            case GetCalls():
                return Calls(call=self._views.current_call(), pending_calls=self._views.pending_calls())
            case GetParticipants():
                return self._participants()
            case SetMuted(muted=muted):
                self._runner.set_muted(muted=muted)
            case SetDeafened(deafened=deafened):
                self._runner.set_deafened(deafened=deafened)
            case SetGain(peer=name, gain_db=gain_db):
                self._set_gain(self._neighbourhood.resolve(name), gain_db)
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

    def _set_gain(self, peer: Did, gain_db: float) -> None:
        if peer == self.did:
            raise UsageError(
                "A session does not hear itself, so its own voice has no gain.",
                hint="`blink mute` silences it.",
            )
        self._runner.voice.set_gain(peer, gain_db)

    async def _set_device(self, request: SetDevice) -> DeviceSet:
        voice = self._runner.voice
        change = voice.set_input if request.direction == "input" else voice.set_output
        device = await change(request.device)
        self._hub.publish(DeviceChanged(direction=request.direction, device=device))
        return DeviceSet(direction=request.direction, device=device)

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

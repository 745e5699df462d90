"""A session: one identity, in at most one call, on this machine's devices and network. The composition root.

    open    devices -> voice path -> calls -> gossip on UDP -> directory (presence, DNS-SD)
    close   leave is said, links say goodbye, then everything in the reverse order

Everything here runs on one event loop; the two audio threads live inside the voice path.
"""

import asyncio
import gc
import os
import secrets
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final, Self

from blink_cli.app.call.auto_accept import AutoAcceptor
from blink_cli.app.call.call_requests import CallRequests
from blink_cli.app.call.call_runner import CallRunner
from blink_cli.app.call.echo_answering import EchoAnswerer
from blink_cli.app.call.echo_requests import EchoRequests
from blink_cli.app.call.impairment_requests import ImpairmentRequests
from blink_cli.app.call.local_echo import LocalEcho
from blink_cli.app.call.peer_directory import PeerDirectory
from blink_cli.app.call.signal_dispatcher import SignalDispatcher
from blink_cli.app.call.video_requests import VideoRequests
from blink_cli.app.call.volume_requests import VolumeRequests
from blink_cli.app.device_requests import DeviceRequests
from blink_cli.app.event_hub import EventHub
from blink_cli.app.files.marking import Marking
from blink_cli.app.files.recording_exports import RecordingExports
from blink_cli.app.files.recordings import Recordings
from blink_cli.app.files.rtp_logging import RtpLogging
from blink_cli.app.media.codec_control import CodecControl
from blink_cli.app.media.first_devices import open_first_devices
from blink_cli.app.media.media_taps import MediaTaps
from blink_cli.app.media.mesh_media import MeshMedia
from blink_cli.app.media.opus_libraries import dred_version, opus_libraries
from blink_cli.app.media.quality_watch import QualityWatch
from blink_cli.app.media.sound_taps import SoundTap
from blink_cli.app.media.video.video_views import video_state
from blink_cli.app.picture_requests import PictureRequests
from blink_cli.app.profile.codec_memory import CodecMemory
from blink_cli.app.profile.contacts import Contacts
from blink_cli.app.profile.device_memory import DeviceMemory
from blink_cli.app.profile.processing_memory import ProcessingMemory
from blink_cli.app.profile.profile import Profile, session_nickname
from blink_cli.app.profile.recording_memory import RecordingMemory
from blink_cli.app.profile.replay_file import ReplayFile
from blink_cli.app.profile.settings import Settings, load_settings
from blink_cli.app.profile.sfu_choice import sfu_choice
from blink_cli.app.profile.signal_choice import signal_choice
from blink_cli.app.profile.volume_memory import VolumeMemory
from blink_cli.app.request_table import RequestTable
from blink_cli.app.signal_ways import SignalWays
from blink_cli.app.statistics_requests import StatisticsRequests
from blink_cli.app.views.call_views import CallViews
from blink_cli.app.views.device_views import capture_figures, device_at, mix_figures
from blink_cli.app.views.network_views import (
    ice_server_list,
    shown_versions,
    signal_counters,
    why_nobody_is_seen,
)
from blink_cli.app.views.statistics_views import StatisticsViews
from blink_cli.audio.devices.opener import DeviceOpener
from blink_cli.audio.thread_priority import SWITCH_INTERVAL_S, make_loop_urgent
from blink_cli.core.api.control_protocol import MAX_LINE_BYTES
from blink_cli.core.api.events import (
    Event,
    IceServerFailed,
    IceServerRecovered,
    SessionEnding,
)
from blink_cli.core.api.ice_server import ConfiguredServer
from blink_cli.core.api.replies.codec import OpusLibraries
from blink_cli.core.api.replies.devices import Clocks
from blink_cli.core.api.replies.document import Done
from blink_cli.core.api.replies.network import IceServerList, NetworkUse, SignalCounters
from blink_cli.core.api.replies.peers import Peers, WrongClock
from blink_cli.core.api.replies.status import Status, Trace
from blink_cli.core.api.requests import (
    GetIceServers,
    GetPeers,
    GetStatus,
    GetTrace,
    Quit,
    R,
    ReloadContacts,
    Request,
    SetDeafened,
    SetMuted,
    Subscribe,
)
from blink_cli.core.api.session_options import AutoAccept, EchoOptions, IceTransport, SessionOptions
from blink_cli.core.gossip import Gossip
from blink_cli.core.identity.identity import Identity
from blink_cli.core.ids import Did
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.media_tap import Observer
from blink_cli.core.media.tap_point import TapPoint
from blink_cli.core.text.version_words import version_sentence
from blink_cli.net.host.interfaces import list_interfaces, require_interfaces
from blink_cli.net.ice.ice_servers import IceServers
from blink_cli.net.link_settings import LinkCertificate, LinkSettings
from blink_cli.net.signaling.gossip_driver import GossipDriver
from blink_cli.runtime.tasks import TaskOwner

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
        media: MeshMedia,
        directory: PeerDirectory,
        quality: QualityWatch,
        ice_servers: IceServers,
        ice_transport: IceTransport,
        rtp_log: RtpLogging,
        recordings: Recordings,
        device_memory: DeviceMemory,
        processing_memory: ProcessingMemory,
        volumes: VolumeRequests,
        impairments: ImpairmentRequests,
        notices: Callable[[], tuple[Event, ...]],
        signal_notices: Callable[[], tuple[Event, ...]],
        signals: Callable[[], SignalCounters],
        why_nobody: Callable[[], str],
        auto_accept: AutoAccept | None,
        opus: OpusLibraries | None,
        codec: CodecControl,
        log: Path | None,
        network: Callable[[], NetworkUse],
        taps: MediaTaps,
        local_echo: LocalEcho,
        echo: EchoOptions | None,
    ) -> None:
        """Join what `open` built."""
        self._profile = profile
        self._nickname = nickname
        self._own = own
        self._hub = hub
        self._runner = runner
        self._directory = directory
        self._media = media
        self._calls = CallRequests(runner, media.links, directory, hub)
        self._auto_acceptor = AutoAcceptor(
            auto_accept, runner, directory, hub, lambda: media.guard.microphone_wanted
        )
        self._views = CallViews(runner, media, directory)
        statistics = StatisticsViews(runner, media, self._views, directory.name_of, quality)
        self._statistics = StatisticsRequests(runner, self._views, statistics, quality)
        self._devices = DeviceRequests(
            media, self._auto_acceptor, device_memory, processing_memory, is_echo=echo is not None
        )
        self._ice_servers = ice_servers
        self._ice_transport = ice_transport
        self._rtp_log = rtp_log
        rtp_log.note_impairments(media.links.impaired.note)
        self._recordings = recordings
        self._volumes = volumes
        self._impairments = impairments
        self._notices = notices
        self._signal_notices = signal_notices
        self._signals = signals
        self._why_nobody = why_nobody
        self._opus = opus
        self._codec = codec
        self._video = VideoRequests(runner, media.video)
        self._echo = EchoRequests(runner, taps, local_echo, directory.name_of, statistics.link_figures)
        self._table = self._request_table()
        self._log = log
        self._network = network

        self.ended: asyncio.Event = asyncio.Event()
        """Set when the session was told to quit."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls, profile: Profile, identity: Identity, options: SessionOptions, log: Path | None = None
    ) -> AsyncIterator[Self]:
        """Run a session for as long as the context lasts.

        Args:
            profile: Where settings and contacts are; its folders exist.
            identity: Who it is.
            options: What it is started with.
            log: Where this process logs, to be told to users.

        Raises:
            UsageError: An option or a setting is wrong.
            DeviceError: A device that was named cannot be used.
            NotFoundError: There is no such device.
            BlinkError: The network cannot be used.

        """
        settings = load_settings(profile.settings_path)
        nickname = session_nickname(options.nickname or settings.nickname, profile)
        hub = EventHub()
        codec = CodecControl(settings.codec, options.codec, CodecMemory(profile), hub.publish)
        opener = DeviceOpener()
        device_memory = DeviceMemory(profile)
        first = await open_first_devices(opener, options, device_memory)
        processing_memory = ProcessingMemory(profile)
        remembered = await asyncio.to_thread(processing_memory.chosen)
        async with AsyncExitStack() as stack:
            stack.callback(hub.close)
            tasks = TaskOwner("session")
            stack.push_async_callback(tasks.aclose, patience_s=LINKS_CLOSE_S)
            exports = await stack.enter_async_context(RecordingExports(hub.publish))
            taps = MediaTaps(hub.publish)
            local_echo = LocalEcho(options)
            stack.push_async_callback(local_echo.stop)
            rtp_log = RtpLogging(
                identity.did,
                taps,
                hub.publish,
                lambda shown: runner.set_recording(Observer.PLAYOUT_LOG, recording=shown),
            )
            stack.push_async_callback(rtp_log.aclose)
            listener = SignalDispatcher()
            ways = SignalWays(
                options,
                await asyncio.to_thread(signal_choice, profile, settings.signal, options),
                hub.publish,
                listener.broker_changed,
            )
            replay_file = ReplayFile(profile.replay_path)
            opus = await asyncio.to_thread(opus_libraries)
            post = GossipDriver(
                Gossip(identity, secrets.token_bytes, memory=await asyncio.to_thread(replay_file.take)),
                ways.transport,
                listener.hear,
            )
            stack.push_async_callback(_hand_on, post, replay_file)
            ice_servers = IceServers(
                options.ice_servers or tuple(section.server() for section in settings.ice_servers),
                on_change=lambda server, reason: hub.publish(_ice_server_event(server, reason)),
            )
            link_settings = _link_settings(options, settings, codec.settings)
            sfus = await asyncio.to_thread(sfu_choice, profile, settings.sfu, options)
            media = MeshMedia(
                own=identity.did,
                opener=opener,
                devices=first,
                codec=codec.settings,
                link_settings=link_settings,
                certificate=LinkCertificate(),
                taps=taps,
                publish=hub.publish,
                tasks=tasks,
                ice_servers=ice_servers,
                processing=options.processing.over(remembered.over(settings.processing.settings())),
                heard_at_once=settings.sfu.heard_at_once,
                sfus=sfus.servers,
                camera=options.camera,
            )
            stack.push_async_callback(media.aclose)
            await media.find_out()
            codec.steer(media)
            volume_memory = VolumeMemory(profile)
            for peer, volume in (await asyncio.to_thread(volume_memory.volumes)).items():
                media.links.set_volume(peer, volume)
            quality = QualityWatch(identity.did, hub.publish, media.links.reception, media.links.tell_heard)
            taps.add(quality)
            directory = PeerDirectory(
                contacts=Contacts(profile.contacts_path),
                own=identity.did,
                nickname=nickname,
                post=post,
                publish=hub.publish,
            )
            runner = CallRunner(
                own=identity.did,
                nickname=nickname,
                post=post,
                media=media,
                publish=hub.publish,
                media_heard=directory.media_heard,
                rooms=sfus.policy,
            )
            hub.name_with(directory.named)
            listener.join(runner, directory, media.links)
            recordings = Recordings(
                own=identity.did,
                runner=runner,
                links=media.links,
                taps=taps,
                hub=hub,
                name_of=directory.name_of,
                memory=RecordingMemory(profile),
                codec=lambda: codec.settings,
                voice=media.voice,
                exports=exports,
                pictures=lambda: media.video.path,
            )
            stack.push_async_callback(recordings.aclose)
            await stack.enter_async_context(ice_servers)
            await stack.enter_async_context(post)
            await stack.enter_async_context(directory.running(ways.port, options, runner))
            session = cls(
                profile=profile,
                nickname=nickname,
                own=identity.did,
                hub=hub,
                runner=runner,
                media=media,
                directory=directory,
                quality=quality,
                ice_servers=ice_servers,
                ice_transport="relay" if link_settings.relay_only else "all",
                rtp_log=rtp_log,
                recordings=recordings,
                device_memory=device_memory,
                processing_memory=processing_memory,
                volumes=VolumeRequests(identity.did, media.links, directory, volume_memory),
                impairments=ImpairmentRequests(
                    identity.did,
                    media.links.impaired,
                    directory,
                    hub.publish,
                    note=partial(_note_impairment, rtp_log, recordings),
                ),
                notices=partial(first.losses_still_so, media.guard.missed),
                signal_notices=ways.notices,
                signals=lambda: signal_counters(post.counters(), ways.counters()),
                why_nobody=lambda: why_nobody_is_seen(
                    post.counters(),
                    ways.reach(),
                    discovery=options.discovery,
                    other_versions=tuple(
                        version_sentence(other, other.nickname or other.did or "")
                        for other in shown_versions(directory)
                    ),
                ),
                auto_accept=options.auto_accept,
                opus=opus,
                codec=codec,
                log=log,
                network=lambda: NetworkUse(
                    group=options.group,
                    interfaces=options.interfaces,
                    discovery=options.discovery,
                    multicast=ways.port is not None,
                    signal_servers=ways.servers(),
                    sfu=sfus.use,
                ),
                taps=taps,
                local_echo=local_echo,
                echo=options.echo,
            )
            session._answer_by_itself(tasks, options)
            stack.push_async_callback(session._say_goodbye)
            yield session

    def _answer_by_itself(self, tasks: TaskOwner, options: SessionOptions) -> None:
        """Let calls be answered without anybody who sits here, where the options say so."""
        if options.echo is not None:
            answerer = EchoAnswerer(options.echo, self._own, self._runner, self._hub, self.ended.set)
            tasks.start(answerer.run(), name="echo answerer")
        if options.auto_accept is not None:
            tasks.start(self._auto_acceptor.run(), name="auto-accept")

    @property
    def did(self) -> Did:
        """Who it is."""
        return self._own

    @property
    def nickname(self) -> str:
        """What it calls itself."""
        return self._nickname

    async def ask(self, request: Request[R]) -> R:
        """See `SessionPort.ask`."""
        return await self._table.answer(request)

    def _request_table(self) -> RequestTable:
        table = RequestTable()
        table.add(GetStatus, self._get_status)
        table.add(Subscribe, self._get_status)
        table.add(GetTrace, self._get_trace)
        table.add(Quit, self._quit)
        table.add(GetPeers, self._get_peers)
        table.add(ReloadContacts, self._reload_contacts)
        table.add(SetMuted, self._set_muted)
        table.add(SetDeafened, self._set_deafened)
        table.add(GetIceServers, self._get_ice_servers)
        self._calls.add_to(table)
        self._devices.add_to(table)
        self._statistics.add_to(table)
        self._codec.add_to(table)
        self._volumes.add_to(table)
        self._impairments.add_to(table)
        self._echo.add_to(table)
        video = self._media.video
        PictureRequests(self._own, self._directory, lambda: video.pictures, looks_at=video.looks_at).add_to(
            table
        )
        self._video.add_to(table)
        Marking(self._runner, self._hub, self._rtp_log, self._recordings).add_to(table)
        self._rtp_log.add_to(table, lambda: (self._runner.current, self._media.links.formats))
        self._recordings.add_to(table)
        assert not table.missing(), table.missing()
        return table

    @property
    def notices(self) -> tuple[Event, ...]:
        """What every listener hears first: what went otherwise than asked while the session opened, and which servers fail."""
        failing = (verdict for verdict in self._ice_servers.verdicts() if verdict.error is not None)
        servers = tuple(_ice_server_event(v.server, v.error) for v in failing)
        return self._notices() + servers + self._signal_notices() + self._impairments.notices()

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
        voice = self._media.voice
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
            input_place=device_at(voice.place("input")),
            output_place=device_at(voice.place("output")),
            machine=self._media.machine_state(),
            wrong_clocks=tuple(
                WrongClock(
                    did=did,
                    nickname=self._directory.name_of(did),
                    ahead_s=round(clock.ahead_s, 3),
                    proved=clock.proved,
                )
                for did, clock in self._directory.wrong_clocks.items()
            ),
            capture=capture_figures(voice.source_statistics(now_s)),
            mix=mix_figures(voice.mixer_statistics(now_s)),
            volumes=self._volumes.heard_peers(),
            opus=self._opus,
            other_versions=shown_versions(self._directory),
            processing=self._media.processing.state(),
            codec=self._codec.in_use(),
            video=video_state(self._media.video),
            log=None if self._log is None else str(self._log),
            network=self._network(),
            missed_input=self._media.guard.missed("input"),
            missed_output=self._media.guard.missed("output"),
            impairment=self._media.links.impaired.state(),
        )

    # requests

    async def _get_status(self, _: GetStatus | Subscribe) -> Status:
        return self.status()

    async def _get_trace(self, request: GetTrace) -> Trace:
        page = self._runner.trace.page(request.first, MAX_LINE_BYTES // 2)
        return Trace(did=self._own, first=page.first, more=page.more, steps=page.steps)

    def tap(self, points: Iterable[TapPoint]) -> SoundTap:
        """The sound at some points from now on, for this process alone. See `SoundTap`."""
        return self._media.voice.tap(points)

    def hurry(self) -> None:
        """End without waiting for what can be made later as well. For who has told it to end, and does so again."""
        self._recordings.hurry()

    async def _quit(self, _: Quit) -> Done:
        self.ended.set()
        return Done()

    async def _get_peers(self, _: GetPeers) -> Peers:
        peers = self._directory.peers()
        return Peers(
            peers=peers,
            why_nobody=None if any(peer.alive for peer in peers) else self._why_nobody(),
            other_versions=shown_versions(self._directory),
        )

    async def _reload_contacts(self, _: ReloadContacts) -> Done:
        self._directory.reload_contacts()
        self._auto_acceptor.contacts_changed()
        return Done()

    async def _set_muted(self, request: SetMuted) -> Done:
        self._runner.set_muted(muted=request.muted)
        return Done()

    async def _set_deafened(self, request: SetDeafened) -> Done:
        self._runner.set_deafened(deafened=request.deafened)
        return Done()

    async def _get_ice_servers(self, _: GetIceServers) -> IceServerList:
        await self._ice_servers.settled()
        return ice_server_list(self._ice_servers.verdicts(), self._ice_transport)

    async def _say_goodbye(self) -> None:
        self._hub.publish(SessionEnding())
        busy = self._runner.current is not None
        self._runner.shut_down()
        self._media.guard.end()
        if busy:
            await asyncio.sleep(FAREWELL_S)


def _note_impairment(rtp_log: RtpLogging, recordings: Recordings, note: str) -> None:
    rtp_log.impairment_changed(note)
    recordings.impairment_changed(note)


async def _hand_on(post: GossipDriver, replay_file: ReplayFile) -> None:
    """After the last signal was heard: tell the next session of this profile what this one has seen."""
    memory = post.memory()
    if memory is not None:
        await asyncio.to_thread(replay_file.leave, memory)


def prepare_process() -> None:
    """Set up this whole process for voice: how threads share the interpreter, and how urgent it is. Once, before the first session.

    What the imports left is put out of the garbage collector's reach: a full collection of it holds every thread, the playout's too, for
    40 ms.
    """
    gc.freeze()
    share_interpreter()
    make_loop_urgent()


def share_interpreter() -> None:
    """Have threads of this process take turns often enough for voice."""
    sys.setswitchinterval(min(SWITCH_INTERVAL_S, sys.getswitchinterval()))


def _link_settings(options: SessionOptions, settings: Settings, codec: CodecSettings) -> LinkSettings:
    require_interfaces(options.interfaces, list_interfaces())
    return LinkSettings(
        addresses=options.interfaces,
        relay_only=(options.ice_transport or settings.ice_transport) == "relay",
        dtx=codec.dtx,
        stereo=codec.stereo,
        packet_ms=codec.frame_ms,
        dred=dred_version(),
    )


def _ice_server_event(server: ConfiguredServer, reason: str | None) -> Event:
    if reason is None:
        return IceServerRecovered(url=server.url)
    return IceServerFailed(url=server.url, reason=reason)

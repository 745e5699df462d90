"""A call's media: a connection to each participant, or one to a room on an SFU, or both for a while; one microphone for all, one speaker.

capture thread --> VoicePath --> MeshMedia --frame--> each connected ParticipantMedia, on that thread; a little later RoomMedia and the taps, on the event loop
ten times a second: who is heard, who stopped talking, losses to report, devices; once a second: readings for those who watch
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blink_cli.app.media.device_guard import DeviceGuard
from blink_cli.app.media.machine_watch import MachineWatch
from blink_cli.app.media.media_readings import PeerReading, SourceReading
from blink_cli.app.media.participant_media import MediaParts, ParticipantMedia
from blink_cli.app.media.peer_links import PeerLinks
from blink_cli.app.media.room.room_media import RoomMedia
from blink_cli.app.media.side_watch import SideWatch
from blink_cli.app.media.sound_processing import SoundProcessing
from blink_cli.app.media.talkers import Talkers
from blink_cli.app.media.video.video_media import VideoMedia
from blink_cli.app.media.voice_path import VoicePath
from blink_cli.audio.playout.settings import PlayoutSettings
from blink_cli.core.analysis.load_relief import relieved
from blink_cli.core.analysis.voip_metrics import BufferState
from blink_cli.core.api.sfu_server import NamedSfus
from blink_cli.core.call.inputs import Heard, MediaInput, OwnTalk, Reception
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.processing_settings import ProcessingSettings
from blink_cli.core.media.receiver_wishes import fitted
from blink_cli.core.media.redundancy_policy import least_copy_bps
from blink_cli.core.media.room_slots import HEARD_AT_ONCE
from blink_cli.core.media.side_health import WELL, SideHealth
from blink_cli.net.host.arrival import WALL_CLOCK
from blink_cli.net.ice.ice_servers import IceServers
from blink_cli.net.link.media_round import MediaRound
from blink_cli.runtime.clock import Clock, MonotonicClock
from blink_cli.runtime.wake_timer import LEAST_DELAY_S, WakeTimer, next_beat_s

if TYPE_CHECKING:
    from collections.abc import Callable

    from blink_cli.app.media.call_media import MediaOwner
    from blink_cli.app.media.first_devices import FirstDevices
    from blink_cli.app.media.media_taps import MediaTaps
    from blink_cli.audio.devices.opener import DeviceOpener
    from blink_cli.audio.sink_mixer import MixerStatistics
    from blink_cli.audio.source_track import SourceStatistics
    from blink_cli.core.api.events import Event
    from blink_cli.core.api.replies.status import MachineState
    from blink_cli.core.media.codec_settings import CodecSettings
    from blink_cli.core.media.rtp import EncodedFrame, SentPacket
    from blink_cli.core.media.talking import TalkingChange
    from blink_cli.net.link_settings import LinkCertificate, LinkSettings
    from blink_cli.runtime.tasks import TaskOwner

PULSE_S: Final = 0.1
"""How often slow things are looked at: who is still heard, who stopped talking, what to report of losses."""

LINE_BEATS: Final = 3
"""Each line is looked at in every third of these: between two reports, which are looked at when they come, its plan changes by time alone, and slowly."""

LOOK_S: Final = 1.0
"""How often the watchers get a reading."""

HEARD_S: Final = 0.5
"""How often the call is told that a peer is heard, and how well; that it is, once more when it falls silent, so that silence is counted from the last word."""

SUSPICIOUS_SILENCE_S: Final = 1.5
"""A link that carries nothing for so long may have lost its relay: the servers are asked before it is given up. Even a silent
peer's reports come every 1.25 s."""


class MeshMedia:
    """Implements `CallMedia`, for one call after the other, on the devices of the session. Belongs to the event loop."""

    def __init__(
        self,
        *,
        own: Did,
        opener: DeviceOpener,
        devices: FirstDevices,
        codec: CodecSettings,
        link_settings: LinkSettings,
        certificate: LinkCertificate,
        taps: MediaTaps,
        publish: Callable[[Event], None],
        tasks: TaskOwner,
        ice_servers: IceServers | None = None,
        clock: Clock | None = None,
        processing: ProcessingSettings | None = None,
        heard_at_once: int = HEARD_AT_ONCE,
        sfus: NamedSfus = NamedSfus(),  # noqa: B008 - a value, and frozen
        camera: str | None = None,
    ) -> None:
        """Have no call yet.

        Args:
            own: Who this session is.
            opener: Finds devices.
            devices: Those to begin with.
            codec: How voice is encoded.
            link_settings: How links are made.
            certificate: The session's.
            taps: Everyone who listens in.
            publish: Takes events.
            tasks: Owns what takes time, the closing of links too.
            ice_servers: Those that are known to answer.
            clock: Time.
            processing: What is done to the microphone's sound.
            heard_at_once: How many are heard at once in a room.
            sfus: How the servers of rooms are reached.
            camera: Which one is used when it is turned on; None: the system's first.

        """
        self._clock = clock or MonotonicClock()
        self._own = own
        self._taps = taps
        self._ice_servers = ice_servers or IceServers()
        self._round = MediaRound()
        self.voice: Final = VoicePath(
            opener=opener,
            input_device=devices.input,
            output_device=devices.output,
            codec=codec,
            tasks=tasks,
            events=self,
            ticks=taps,
            voice_round=self._round,
        )
        self.guard: Final = DeviceGuard(own, self.voice, publish, tasks, wanted=devices.wanted)
        self.talkers: Final = Talkers(
            own, publish, self._clock, mute=self.voice.set_automuted, own_talk=self._own_talk
        )
        self.processing: Final = SoundProcessing(
            self.voice, self.talkers.automute, processing or ProcessingSettings(), publish
        )
        parts = MediaParts(self.voice, taps, self.talkers, publish, self._clock)
        self.links: Final = PeerLinks(
            link_settings,
            certificate,
            tasks,
            parts,
            self._told,
            ice_servers=self._ice_servers,
            media_round=self._round,
        )
        self.video: Final = VideoMedia(own, tasks, publish, taps, camera=camera)
        self.room: Final = RoomMedia(
            own,
            link_settings,
            tasks,
            listener=self.links.participant,
            tell=self._told,
            publish=publish,
            codec=codec,
            clock=self._clock,
            pictures=self.video,
            heard_at_once=heard_at_once,
            ice_servers=self._ice_servers,
            sfus=sfus,
            media_round=self._round,
        )
        taps.before_change = self._round.catch_up
        taps.when_changed = lambda: self.room.hear_everybody(everybody=taps.wants_everybody)
        self._codec = codec
        self.links.when_connected_changes = self._connected_changed
        self._machine_watch = MachineWatch(publish)
        self._side = SideWatch(self.voice)
        self._owner: MediaOwner | None = None
        self._pulse = WakeTimer(self._beat, slack_s=LEAST_DELAY_S)
        self._pulse_due_s = 0.0
        self._beats = 0
        self._next_look_s = 0.0
        self.when_ended: Callable[[], None] | None = None
        """Called when a call's media have ended."""

        self.guard.start()

    def machine_state(self) -> MachineState | None:
        """Whether this machine keeps up with the call; None while no media run."""
        return self._machine_watch.state()

    def relay_rtt_ms(self) -> float | None:
        """The round trip to the TURN server in use, when it was asked last; None without one."""
        in_use = (one for one in self._ice_servers.verdicts() if one.in_use and one.server.kind == "turn")
        return next((one.rtt_ms for one in in_use), None)

    async def find_out(self) -> None:
        """Learn what the machine can do of what was chosen for the session's beginning.

        Raises:
            BlinkError: There is no such camera.

        """
        await self.processing.find_out()
        await self.video.find_camera()

    async def aclose(self) -> None:
        """Let the devices go. A call must have ended before."""
        self.guard.end()
        await self.video.aclose()
        await self.links.aclose()
        await self.voice.aclose()
        self._round.close()

    # CallMedia

    def begin(self, call: CallId, owner: MediaOwner) -> None:
        """See `CallMedia`."""
        self._owner = owner
        self.voice.begin()
        self._taps.media_began(call)
        self._machine_watch.begin()
        self._side.begin()
        self._set_pulse(self._clock.now_s())

    def end(self) -> None:
        """See `CallMedia`."""
        self._pulse.cancel()
        self._machine_watch.end()
        self._round.give_back()
        self.room.end()
        self.video.end_call()
        self.links.hang_up_all()
        self.voice.end()
        self._taps.media_ended()
        self.talkers.clear()
        self.guard.forget()
        self._owner = None
        if self.when_ended is not None:
            self.when_ended()

    def set_muted(self, *, muted: bool) -> None:
        """See `CallMedia`."""
        self.voice.set_muted(muted=muted)
        self.talkers.set_muted(muted=muted)

    def set_deafened(self, *, deafened: bool) -> None:
        """See `CallMedia`."""
        self.voice.set_deafened(deafened=deafened)

    def set_codec(self, settings: CodecSettings) -> None:
        """Encode so from the next frame on, and in later calls, as far as those who listen take it; later links are described so too."""
        self._codec = settings
        self.links.codec_changed(settings)
        self.room.codec_changed(settings)
        self._fit_codec()

    @property
    def codec_eased(self) -> CodecSettings:
        """The settings that were chosen, less what the machine cannot do in time."""
        return relieved(self._codec, self._machine_watch.relief)

    @property
    def codec_sent(self) -> CodecSettings:
        """Those, fitted to what everyone connected takes."""
        return fitted(self.codec_eased, self.links.wishes)

    # VoiceEvents

    def frame_encoded(self, frame: EncodedFrame) -> None:
        """Send what was captured to everyone connected, and in the room, on the capture thread."""
        sent = [(one.peer, told) for one in self.links.connected if (told := one.send(frame)) is not None]
        upload = self.room.upload
        in_room = None if upload is None else upload.send(frame)
        self._round.tell(self._frame_sent, frame, sent, in_room)

    def talking_changed(self, change: TalkingChange, at_s: float) -> None:
        """Tell that this session talks, or would if it were not muted."""
        self.talkers.on_own_voice(change, at_s)

    def device_failed(self, direction: str, reason: str) -> None:
        """Let another device take over from one that does not start."""
        self.guard.replace(direction, reason)

    # inside

    def _frame_sent(
        self, frame: EncodedFrame, sent: list[tuple[Did, SentPacket]], in_room: SentPacket | None
    ) -> None:
        """Tell those who listen in."""
        now_s = self._clock.now_s()
        for peer, packet in sent:
            self._taps.packet_sent(peer, packet)
        if in_room is not None:
            self._taps.packet_sent(self._own, in_room)
        self._taps.frame_encoded(frame, now_s)

    def _prepare_for_losses(self) -> None:
        """There is one encoder: it prepares for the worst line's loss, and for none when nobody needs FEC."""
        plans = [one.plan for one in self.links.connected]
        upload = self.room.upload
        if upload is not None and upload.plan is not None:
            plans.append(upload.plan)
        self.voice.set_fec_loss(max((plan.fec_loss_percent for plan in plans if plan.fec), default=None))
        self.voice.set_dred(enabled=any(one.plan.dred for one in self.links.connected))
        self.voice.make_short_copies(least_copy_bps(plans))

    def _own_talk(self, talking: bool) -> None:  # noqa: FBT001 - the state, as it comes
        self.room.own_talk(talking=talking)
        self._told(OwnTalk(talking))

    def _connected_changed(self) -> None:
        self._fit_codec()
        self.video.links_changed(self.links.connected)

    def _fit_codec(self) -> None:
        settings = self.codec_sent
        if settings != self.voice.codec:
            self.voice.set_codec(settings)

    def _told(self, event: MediaInput) -> None:
        if self._owner is not None:
            self._owner.media_told(event)

    def _set_pulse(self, now_s: float) -> None:
        self._pulse_due_s = next_beat_s(now_s, PULSE_S)
        self._pulse.set(self._pulse_due_s)

    def _beat(self) -> None:
        now_s = self._clock.now_s()
        WALL_CLOCK.look()  # a clock that was set is noticed although no datagram comes
        self._machine_watch.loop_woke(now_s - self._pulse_due_s)
        loop_late_s = now_s - self._pulse_due_s
        self._set_pulse(now_s)  # first: whatever fails below, this is not the last beat
        source, mixer = self.voice.source_statistics(now_s), self.voice.mixer_statistics(now_s)
        self._side.look(source, mixer, loop_late_s, now_s)
        self._round.look()
        self._round.catch_up()
        self.guard.look(source, mixer, now_s)
        self.processing.look()
        self.links.look(now_s)
        self.room.look(now_s)
        self._beats += 1
        for number, participant in enumerate(self.links.connected, self._beats):
            if number % LINE_BEATS == 0:
                participant.look_at_line(now_s)
            self._look_at(participant, now_s)
        self._prepare_for_losses()
        if now_s >= self._next_look_s:
            self._next_look_s = now_s + LOOK_S
            self._let_watch(source, mixer, now_s)

    def _look_at(self, participant: ParticipantMedia, now_s: float) -> None:
        heard_s = None if participant.link is None else participant.link.last_heard_s
        if heard_s is not None and heard_s != participant.heard_s:
            participant.heard_s = heard_s
            if heard_s - participant.heard_told_s >= HEARD_S:
                self._tell_heard(participant)
        elif participant.heard_told_s < participant.heard_s:
            self._tell_heard(participant)  # it falls silent: the call counts from its last word
        elif participant.connected and now_s - participant.heard_s > SUSPICIOUS_SILENCE_S:
            self._ice_servers.doubt()
        figures = participant.playout
        if figures is not None:
            loss = figures.loss
            participant.report_losses(
                LossReport(
                    loss.fraction_lost,
                    loss.mean_burst_packets,
                    loss.longest_burst_packets,
                    loss.jitter_s,
                    self._side.health,
                ),
                now_s,
            )

    def _tell_reception(self, participant: ParticipantMedia) -> None:
        figures = participant.playout
        if figures is not None:
            loss = figures.loss
            self._told(
                Reception(participant.peer, round(1000 * loss.fraction_lost), loss.longest_burst_packets)
            )

    def _tell_heard(self, participant: ParticipantMedia) -> None:
        participant.heard_told_s = participant.heard_s
        self._told(Heard(participant.peer, participant.epoch, participant.heard_s))
        self._tell_reception(participant)

    def _let_watch(
        self, source: SourceStatistics | None, mixer: MixerStatistics | None, now_s: float
    ) -> None:
        standing = frozenset[Did]() if self._owner is None else self._owner.standing
        if self._owner is not None and self.room.packets_sent:
            self.room.told_losses(self._owner.our_losses_permille(), now_s)
        watched: list[PeerReading] = []
        sent_in_room = self.room.packets_sent
        for one in self.links.peers.values():
            has_slot = self.room.has_slot(one.peer)
            if has_slot and not one.connected:
                self._tell_reception(one)
            if one.peer in standing and (has_slot or one.connected):
                also_sent = 0 if one.room is None else sent_in_room
                watched.append(_reading(one, self._side.health, self.voice.codec.frame_ms, also_sent))
        peers = tuple(watched)
        threads = tuple(thread.lateness for thread in (source, mixer) if thread is not None)
        self._machine_watch.poll(threads, now_s)
        self._fit_codec()
        own = None
        if source is not None:
            own = SourceReading(source.captured_frames, source.clipped_frames, self.processing.state())
        self._taps.look(peers, own, now_s)


_BUFFER: Final = PlayoutSettings()


def _reading(
    participant: ParticipantMedia, own: SideHealth, packet_ms: float, sent_in_room: int
) -> PeerReading:
    figures = participant.playout
    playout = None if figures is None else figures.playout
    playing = playout is not None and playout.total_samples_received > 0
    return PeerReading(
        peer=participant.peer,
        packets_sent=participant.totals.packets_sent + sent_in_room,
        concealed_samples=0 if playout is None else playout.concealed_samples,
        silent_concealed_samples=0 if playout is None else playout.silent_concealed_samples,
        total_samples=0 if playout is None else playout.total_samples_received,
        delay_ms=playout.delay_ms if playing and playout is not None else None,
        remote=participant.remote,
        rtt_s=None if participant.source is None else participant.source.rtt_s,
        own_health=own,
        packet_ms=packet_ms,
        buffer=BufferState(
            playout.delay_ms,
            playout.target_delay_ms + _BUFFER.capacity_ms,
            _BUFFER.maximum_delay_ms + _BUFFER.capacity_ms,
        )
        if playing and playout is not None
        else None,
        health=WELL if participant.loss_told is None else participant.loss_told.health,
    )

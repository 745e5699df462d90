"""One participant's media: its link now, what is remembered of those before it, and its place in what is played.

MediaLink --LinkEvents---> ParticipantMedia --> inbox of its sink track, then the taps, then who talks
RoomVisit --RoomListener-> '
MeshMedia --frame--------> ParticipantMedia --> MediaLink, with the redundancy that the line needs

It may come by a link, through a room, or both while a call goes over from one to the other. Then it is played from the room while that brings it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec
from typing_extensions import override

from blink_cli.app.media.linked_participant import LinkedParticipant
from blink_cli.app.media.media_taps import MediaTaps
from blink_cli.app.media.talkers import Talkers
from blink_cli.app.media.voice_path import VoicePath
from blink_cli.core.api.events import Event, PathChanged
from blink_cli.core.media.extended_report import StatisticsSummary, VoipMetrics
from blink_cli.core.media.level_meter import LevelMeter
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.loss_reporter import LossReporter
from blink_cli.core.media.peer_volume import AS_IT_COMES, PeerVolume
from blink_cli.core.media.redundancy_policy import RedundancyPlan, RedundancyPolicy
from blink_cli.core.media.rtp import (
    EncodedFrame,
    ReceptionReport,
    RepeatedPacket,
    RtpPacket,
    SenderReport,
    SentPacket,
)
from blink_cli.runtime.clock import Clock

if TYPE_CHECKING:  # aiortc: see `LinkSet`
    from blink_cli.app.media.link_totals import LinkTotals
    from blink_cli.audio.sink_track import SinkStatistics, SinkTrack
    from blink_cli.core.ids import Did
    from blink_cli.core.media.codec_settings import CodecSettings
    from blink_cli.core.media.media_format import MediaFormat
    from blink_cli.core.media.room_stream import RoomStream
    from blink_cli.net.ice.ice_connection import Way
    from blink_cli.net.link.link_events import RtcpReport
    from blink_cli.net.link.media_link import MediaLink

PLAN_LASTS_S: Final = 0.1
"""How often `look_at_line` is called: between two reports a plan changes by time alone, and slowly."""

BITRATE_WINDOW_S: Final = 1.0
"""The sent bit rate is that of the last whole window, so that it is steady enough to read."""

ROOM_HOLDS_S: Final = 0.2
"""For so long after a packet came through a room, what a link brings is the same voice again, or older."""

_NOTHING_ADDED: Final = RedundancyPlan(red_levels=0, full_copies=0, fec=False, fec_loss_percent=0)
_NEVER_S: Final = float("-inf")


class MediaParts(msgspec.Struct, frozen=True):
    """What all participants of a session share."""

    voice: VoicePath
    taps: MediaTaps
    talkers: Talkers
    publish: Callable[[Event], None]
    clock: Clock


class ParticipantMedia(LinkedParticipant):
    """The participant of a session that speaks and listens. Belongs to the event loop."""

    __slots__ = (
        "_again_before",
        "_bitrate_since_s",
        "_bytes_before",
        "_clock",
        "_format",
        "_parts",
        "_policy",
        "_talkers",
        "_talking",
        "_taps",
        "bitrate_bps",
        "heard_s",
        "heard_there",
        "heard_told_s",
        "level",
        "level_dbov",
        "loss_reporter",
        "loss_told",
        "loudness",
        "plan",
        "remote",
        "room",
        "room_heard_s",
        "sink",
        "summary_there",
        "volume",
    )

    def __init__(
        self,
        peer: Did,
        parts: MediaParts,
        *,
        volume: PeerVolume = AS_IT_COMES,
    ) -> None:
        """Have no link yet."""
        super().__init__(peer)
        self.sink: SinkTrack | None = None
        """Where its voice is played; None before its first link stood."""

        self.loudness = parts.voice.measure()
        """Of its voice as it was decoded, over all its links."""

        self.volume = volume
        self.level_dbov: int | None = None
        """Of its last packet (RFC 6464); None when that has none, or nothing came."""

        self.level = LevelMeter()
        """The same with its peak, for bars."""

        self.room: RoomStream | None = None
        """By what it is heard in a room; None while it is not."""

        self.room_heard_s = _NEVER_S
        """The last arrival of its voice through the room."""

        self.loss_reporter = LossReporter()
        self.heard_s = 0.0
        """The last arrival that was seen, or when the link stood."""

        self.heard_told_s = 0.0
        """The one of which the call was told last."""

        self.bitrate_bps: float | None = None
        self._parts = parts
        self._clock = parts.clock
        self._taps = parts.taps
        self._talkers = parts.talkers
        self._talking = parts.talkers.detector(peer)
        self._format: MediaFormat | None = None
        """Of the sink track."""

        self._bitrate_since_s = 0.0
        self._bytes_before = 0
        self._again_before = 0
        self.forget_line()

    @override
    def forget_line(self) -> None:
        """Begin anew with what is known of the network path: another link may take another one."""
        codec = self._parts.voice.codec
        self._policy = RedundancyPolicy(codec)
        self.plan: RedundancyPlan = _NOTHING_ADDED
        self.remote: ReceptionReport | None = None
        self.loss_told: LossReport | None = None
        """The peer's last word on how our stream is lost, in bursts or not."""

        self.heard_there: VoipMetrics | None = None
        """The peer's last word on how it hears us, after its repair and in its buffer."""

        self.summary_there: StatisticsSummary | None = None

    def codec_changed(self, codec: CodecSettings) -> None:
        """Plan redundancy by other settings from the next frame on."""
        self._policy.change(codec)
        self._plan_anew()

    @property
    def playout(self) -> SinkStatistics | None:
        """The latest figures of how it is played; None before its first link stood."""
        return None if self.sink is None else self.sink.statistics

    @property
    def standing(self) -> bool:
        """Whether media of it can come, by a link or through a room."""
        return self.connected or self.room is not None

    @property
    def media_format(self) -> MediaFormat | None:
        """With which payload types it comes; None while nothing of it can."""
        if self.room is not None:
            return self.room.media_format
        return self._format if self.connected else None

    @property
    def source(self) -> MediaLink | RoomStream | None:
        """By what its figures are known: the room's stream while that brings it, else its link."""
        room = self.room
        return room if room is not None and (self.link is None or self._room_brings(room)) else self.link

    @property
    @override
    def totals(self) -> LinkTotals:
        """Figures of all links and rooms up to now."""
        totals = super().totals
        if self.room is not None:
            totals.add_room(self.room)
        return totals

    # the link comes and goes

    @override
    def link_up(self, media: MediaFormat, now_s: float) -> None:
        """Hear this peer from now on, and speak to it."""
        was_standing = self.standing
        super().link_up(media, now_s)
        if media.rtx is not None:
            self._policy.peer_asks()
        if media.dred is not None:
            self._policy.peer_reads_dred()
        if self.link is not None and (rtt_s := self.link.checked_rtt_s) is not None:
            self._policy.round_trip(rtt_s)
        # Not before the link stands: the policy's opening copies are for its first frames.
        self._plan_anew()
        self._play(media)
        if self.link is not None:
            self.link.receiving.hear = self._hear
        self._may_be_heard(media, was_standing=was_standing)
        self.loss_reporter = LossReporter()
        self.heard_s = self.heard_told_s = now_s

    def _may_be_heard(self, media: MediaFormat, *, was_standing: bool) -> None:
        self._parts.voice.start_devices()
        if not was_standing:
            self._taps.link_connected(self.peer, media.opus, media.red)

    def _play(self, media: MediaFormat) -> None:
        voice = self._parts.voice
        if (
            self.sink is not None
            and self._format is not None
            and self._format.payload_types != media.payload_types
        ):
            voice.play_no_more(self.sink)
            self.sink = None
        if self.sink is None:
            self.sink = voice.play(
                media,
                partial(self._taps.frame_played, self.peer),
                volume=self.volume,
                loudness=self.loudness.feed,
                peer=self.peer,
            )
            self._format = media

    @override
    def link_down(self) -> MediaLink | None:
        """Have no link any more; those who listen in are told."""
        was_standing = self.standing
        link = super().link_down()
        if was_standing and not self.standing:
            self._taps.link_ended(self.peer)
        return link

    # RoomListener

    def room_up(self, stream: RoomStream, now_s: float) -> None:
        """Hear this peer through the room, when it has a slot there."""
        del now_s
        was_standing = self.standing
        self.room, self.room_heard_s = stream, _NEVER_S
        if self.sink is not None:
            self._play(stream.media_format)
        self._may_be_heard(stream.media_format, was_standing=was_standing)

    def room_down(self) -> None:
        """Hear it there no more; those who listen in are told if it is heard by nothing else."""
        room, self.room = self.room, None
        self.room_heard_s = _NEVER_S  # what a link brings is played from the next packet on
        if room is not None:
            self.past.add_room(room)
            if not self.connected:
                self.room_slot_lost()
                self._taps.link_ended(self.peer)

    def room_slot_given(self, *, talking: bool) -> None:
        """Play what comes; a word that has begun from its first sound, however late that is."""
        if self.room is None:
            return
        self._play(self.room.media_format)  # not before: of many in a room, few are ever heard
        if talking and not self.connected and self.sink is not None:
            self.sink.rest()

    def room_slot_lost(self) -> None:
        """Play nothing in place of what is not brought."""
        if self.sink is not None and not self.connected:
            self.sink.rest()

    def play_from_room(self, packet: RtpPacket) -> None:
        """Put it into the inbox. On the thread that read its datagram."""
        self.room_heard_s = packet.arrival_s
        if self.sink is not None:
            self.sink.receive(packet)

    def heard_in_room(self, packet: RtpPacket) -> None:
        """Take what is known of a packet that is in its inbox."""
        self._tell(packet)

    def reported_in_room(self, report: SenderReport | ReceptionReport) -> None:
        """Pass on what it says of its clock, and remember what it says of us."""
        if isinstance(report, ReceptionReport):
            self.remote = report
        if isinstance(report, SenderReport) or not self.connected:
            self._taps.reported(self.peer, report)

    def _room_brings(self, room: RoomStream) -> bool:
        return room.last_heard_s is not None and self._clock.now_s() - self.room_heard_s < ROOM_HOLDS_S

    # voice out

    def send(self, frame: EncodedFrame) -> SentPacket | None:
        """Send one frame, with the copies that the line needs. Returns what went out. On the voice thread, or any other."""
        link = self.link
        sending = None if link is None else link.sending
        return None if sending is None else sending.send(frame)

    def look_at_line(self, now_s: float) -> None:
        """Plan for what time has changed, and measure what is sent; to be called a few times a second."""
        link = self.link
        if link is None or not self.connected:
            return
        self._plan_anew()
        if now_s - self._bitrate_since_s >= BITRATE_WINDOW_S:
            bytes_sent = link.send_counters.bytes_sent
            if self._bitrate_since_s and bytes_sent >= self._bytes_before:
                self.bitrate_bps = 8 * (bytes_sent - self._bytes_before) / (now_s - self._bitrate_since_s)
            self._bitrate_since_s, self._bytes_before = now_s, bytes_sent

    def _plan_anew(self) -> None:
        """Have the next frames sent as the line needs it now: what the reports of the peer say, and what is long ago."""
        link = self.link
        if link is None or not self.connected:
            return
        now_s = self._clock.now_s()
        self.plan = self._policy.plan(now_s)
        link.set_redundancy(self.plan.red_levels, self.plan.full_copies, self.plan.sent_twice)
        link.set_dred(enabled=self.plan.dred)
        again = link.send_counters.retransmitted_packets_sent
        if again != self._again_before:
            self._again_before = again
            self._policy.sent_again(now_s)
        link.answer_requests(wanted=self._policy.answers(now_s))

    def report_losses(self, report: LossReport, now_s: float) -> None:
        """Tell the peer how its stream is lost, when that is due. Of a stream of which nothing has come yet nothing is known."""
        link = self.link
        if link is None or not self.connected or link.reception is None:
            return
        if self.loss_reporter.due(report, now_s):
            link.send_loss_report(report)

    def set_volume(self, volume: PeerVolume) -> None:
        """Play it louder, softer or not at all."""
        self.volume = volume
        if self.sink is not None:
            self.sink.gain_db, self.sink.muted = volume.gain_db, volume.muted

    # LinkEvents, of the present link alone

    @override
    def packet_received(self, packet: RtpPacket) -> None:
        """Take what is known of a packet that is in its inbox, unless the room brings the same voice."""
        if packet.arrival_s - self.room_heard_s >= ROOM_HOLDS_S:
            self._tell(packet)

    def _hear(self, packet: RtpPacket) -> None:
        """Put it into the inbox, unless the room brings the same voice. On the thread that read its datagram."""
        if self.sink is not None and packet.arrival_s - self.room_heard_s >= ROOM_HOLDS_S:
            self.sink.receive(packet)

    def _tell(self, packet: RtpPacket) -> None:
        """Tell those who listen in, then its level to the talkers."""
        self._taps.packet_received(self.peer, packet)
        if packet.retransmitted:
            return  # how loud it was then
        level_dbov = self.level_dbov = packet.audio_level_dbov
        if level_dbov is not None:
            self.level.take(level_dbov, packet.arrival_s)
            change = self._talking.update(level_dbov, voice=packet.voice, now_s=packet.arrival_s)
            if change is not None:
                self._talkers.tell(self.peer, change, packet.arrival_s)

    @override
    def packet_repeated(self, packet: RepeatedPacket) -> None:
        """Pass on that a copy came."""
        self._taps.packet_repeated(self.peer, packet)

    @override
    def reported(self, report: RtcpReport) -> None:
        """Adapt what is sent to what arrives there, and pass the report on. Recordings keep their time by sender reports."""
        if isinstance(report, SenderReport):
            self._taps.reported(self.peer, report)
            return
        if isinstance(report, VoipMetrics):
            self.heard_there = report
            return
        if isinstance(report, StatisticsSummary):
            self.summary_there = report
            return
        now_s = self._clock.now_s()
        if isinstance(report, LossReport):
            self.loss_told = report
            self._policy.on_loss_report(report, now_s)
            self._plan_anew()
            return
        self.remote = report
        self._policy.on_reception_report(report, now_s)
        self._plan_anew()
        self._taps.reported(self.peer, report)

    @override
    def path_changed(self, left: Way, taken: Way) -> None:
        """Tell that media go another way."""
        self._parts.publish(
            PathChanged(
                did=self.peer,
                interface="" if taken.local is None else taken.local.interface,
                local="" if taken.local is None else taken.local.address,
                remote=taken.remote[0],
                left_interface="" if left.local is None else left.local.interface,
                left_local="" if left.local is None else left.local.address,
                left_remote=left.remote[0],
            )
        )

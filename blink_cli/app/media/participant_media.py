"""One participant's media: its link now, what is remembered of those before it, and its place in what is played.

MediaLink --LinkEvents--> ParticipantMedia --> inbox of its sink track, then the taps, then who talks
MeshMedia --frame-------> ParticipantMedia --> MediaLink, with the redundancy that the line needs
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from blink_cli.app.media.linked_participant import LinkedParticipant
from blink_cli.app.media.media_taps import MediaTaps
from blink_cli.app.media.talkers import Talkers
from blink_cli.app.media.voice_path import VoicePath
from blink_cli.audio.sink_track import SinkStatistics, SinkTrack
from blink_cli.core.api.events import Event, PathChanged
from blink_cli.core.ids import Did
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.extended_report import StatisticsSummary, VoipMetrics
from blink_cli.core.media.level_meter import LevelMeter
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.loss_reporter import LossReporter
from blink_cli.core.media.media_format import MediaFormat
from blink_cli.core.media.media_tap import FramePlayed, PlayoutOutcome
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
from blink_cli.net.link.link_events import RtcpReport
from blink_cli.runtime.clock import Clock

if TYPE_CHECKING:  # aiortc: see `LinkSet`
    from blink_cli.net.ice.ice_connection import Way
    from blink_cli.net.link.media_link import MediaLink

PLAN_LASTS_S: Final = 0.1
"""Between two reports a plan changes by time alone, and slowly: it is made anew this often, and at once when a report has come."""

BITRATE_WINDOW_S: Final = 1.0
"""The sent bit rate is that of the last whole window, so that it is steady enough to read."""

_NOTHING_ADDED: Final = RedundancyPlan(red_levels=0, fec=False, fec_loss_percent=0)
_NEVER_S: Final = float("-inf")


@dataclass(frozen=True, slots=True)
class MediaParts:
    """What all participants of a session share."""

    voice: VoicePath
    taps: MediaTaps
    talkers: Talkers
    publish: Callable[[Event], None]
    clock: Clock


class ParticipantMedia(LinkedParticipant):
    """The participant of a session that speaks and listens. Belongs to the event loop."""

    __slots__ = (
        "_bitrate_since_s",
        "_bytes_before",
        "_clock",
        "_format",
        "_parts",
        "_planned_s",
        "_policy",
        "_talkers",
        "_talking",
        "_taps",
        "bitrate_bps",
        "heard_s",
        "heard_there",
        "level",
        "level_dbov",
        "loss_reporter",
        "loss_told",
        "loudness",
        "plan",
        "remote",
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

        self.loss_reporter = LossReporter()
        self.heard_s = 0.0
        """The last arrival of which the call was told, or when the link stood."""

        self.bitrate_bps: float | None = None
        self._parts = parts
        self._clock = parts.clock
        self._taps = parts.taps
        self._talkers = parts.talkers
        self._talking = parts.talkers.detector(peer)
        self._format: MediaFormat | None = None
        self._bitrate_since_s = 0.0
        self._bytes_before = 0
        self.forget_line()

    @override
    def forget_line(self) -> None:
        """Begin anew with what is known of the network path: another link may take another one."""
        codec = self._parts.voice.codec
        self._policy = RedundancyPolicy(codec.redundancy, fec=codec.fec)
        self.plan: RedundancyPlan = _NOTHING_ADDED
        self.remote: ReceptionReport | None = None
        self.loss_told: LossReport | None = None
        """The peer's last word on how our stream is lost, in bursts or not."""

        self.heard_there: VoipMetrics | None = None
        """The peer's last word on how it hears us, after its repair and in its buffer."""

        self.summary_there: StatisticsSummary | None = None
        self._planned_s = _NEVER_S

    def codec_changed(self, codec: CodecSettings) -> None:
        """Plan redundancy by other settings from the next frame on."""
        self._policy.change(codec.redundancy, fec=codec.fec)
        self._planned_s = _NEVER_S

    @property
    def playout(self) -> SinkStatistics | None:
        """The latest figures of how it is played; None before its first link stood."""
        return None if self.sink is None else self.sink.statistics

    # the link comes and goes

    @override
    def link_up(self, media: MediaFormat, now_s: float) -> None:
        """Hear this peer from now on, and speak to it."""
        super().link_up(media, now_s)
        # Not before the link stands: the policy's opening copies are for its first frames.
        self.plan = self._policy.plan(now_s)
        self._planned_s = _NEVER_S
        voice = self._parts.voice
        if self.sink is not None and self._format != media:
            voice.play_no_more(self.sink)
            self.sink = None
        if self.sink is None:
            self.sink = voice.play(
                media, self._frame_played, volume=self.volume, loudness=self.loudness.feed, peer=self.peer
            )
            self._format = media
        voice.start_devices()
        self._taps.link_connected(self.peer, media.opus, media.red)
        self.loss_reporter = LossReporter()
        self.heard_s = now_s

    def _frame_played(self, ssrc: int, timestamp: int, outcome: PlayoutOutcome) -> None:
        """On the playout thread."""
        self._taps.played(FramePlayed(self.peer, ssrc, timestamp, outcome))

    @override
    def link_down(self) -> "MediaLink | None":
        """Have no link any more; those who listen in are told."""
        was_connected = self.connected
        link = super().link_down()
        if was_connected:
            self._taps.link_ended(self.peer)
        return link

    # voice out

    def send(self, frame: EncodedFrame, now_s: float) -> SentPacket | None:
        """Send one frame, with the copies that the line needs. Returns what went out."""
        link = self.link
        assert link is not None, "only a connected link sends"
        if now_s - self._planned_s >= PLAN_LASTS_S:
            self._planned_s = now_s
            self.plan = self._policy.plan(now_s)
            link.set_redundancy(self.plan.red_levels)
        sent = link.send_frame(frame)
        if now_s - self._bitrate_since_s >= BITRATE_WINDOW_S:
            bytes_sent = link.send_counters.bytes_sent
            if self._bitrate_since_s and bytes_sent >= self._bytes_before:
                self.bitrate_bps = 8 * (bytes_sent - self._bytes_before) / (now_s - self._bitrate_since_s)
            self._bitrate_since_s, self._bytes_before = now_s, bytes_sent
        return sent

    def report_losses(self, report: LossReport, now_s: float) -> None:
        """Tell the peer how its stream is lost, when that is due."""
        if self.link is not None and self.connected and self.loss_reporter.due(report, now_s):
            self.link.send_loss_report(report)

    def set_volume(self, volume: PeerVolume) -> None:
        """Play it louder, softer or not at all."""
        self.volume = volume
        if self.sink is not None:
            self.sink.gain_db, self.sink.muted = volume.gain_db, volume.muted

    # LinkEvents, of the present link alone

    @override
    def packet_received(self, packet: RtpPacket) -> None:
        """Take a packet on its way: to the playout thread, then to those who listen in, then its level to the talkers."""
        if self.sink is not None:
            self.sink.receive(packet)
        self._taps.packet_received(self.peer, packet)
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
        self._planned_s = _NEVER_S  # a new plan before the next frame
        if isinstance(report, LossReport):
            self.loss_told = report
            self._policy.on_loss_report(report, now_s)
            return
        self.remote = report
        self._policy.on_reception_report(report, now_s)
        self._taps.reported(self.peer, report)

    @override
    def path_changed(self, left: "Way", taken: "Way") -> None:
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

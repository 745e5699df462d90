"""The figures of a call, as they are shown."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from blink_cli.app.media.echo_meter import LinkFigures
from blink_cli.app.media.video.video_views import sent_to_room, video_statistics
from blink_cli.app.views.device_views import device_figures, seconds_of_ticks
from blink_cli.app.views.participant_views import loudness_of, media_path, refused_in_room
from blink_cli.core.api.replies.statistics import (
    Inbound,
    OneWay,
    Outbound,
    PeerStatistics,
    RefusedByKind,
    Remote,
    RtpStatistics,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from blink_cli.app.call.call_runner import CallRunner
    from blink_cli.app.media.mesh_media import MeshMedia
    from blink_cli.app.media.participant_media import ParticipantMedia
    from blink_cli.app.media.quality_watch import QualityWatch
    from blink_cli.app.views.call_views import CallViews
    from blink_cli.core.ids import CallId, Did


class StatisticsViews:
    """What was counted of every link, and how both ends do."""

    def __init__(
        self,
        runner: CallRunner,
        media: MeshMedia,
        calls: CallViews,
        name_of: Callable[[Did], str],
        quality: QualityWatch,
    ) -> None:
        self._runner = runner
        self._media = media
        self._own_loudness = calls.own_loudness
        self._name_of = name_of
        self._analysis_of = quality.analysis
        self._disturbance_of = quality.disturbance

    def rtp_statistics(self, call: CallId, now_s: float) -> RtpStatistics:
        """Figures of everyone who has or had a link in the current call, in the order of its participants."""
        voice = self._media.voice
        mixer, source = voice.mixer_statistics(now_s), voice.source_statistics(now_s)
        standing = self._runner.standing
        # In the order of the call's participants, as every list is; who is no participant any more comes last.
        view = self._runner.snapshot().call
        places = {} if view is None else {one.did: place for place, one in enumerate(view.participants)}
        entries = sorted(
            self._media.links.peers.values(), key=lambda entry: places.get(entry.peer, len(places))
        )
        peers = (self._peer_statistics(entry, now_s) for entry in entries)
        return RtpStatistics(
            call=call,
            peers=tuple(peer if peer.did in standing else _without_gauges(peer) for peer in peers),
            input=None if source is None else device_figures(voice.input_device, source),
            output=None if mixer is None else device_figures(voice.output_device, mixer),
            loudness=self._own_loudness(),
            late_ticks=0 if mixer is None else mixer.lateness.over_10_ms,
            impairment=self._media.links.impaired.state(),
            refused_in_room=refused_in_room(self._media),
            shown_in_room=sent_to_room(self._media.video),
        )

    def link_figures(self, peer: Did) -> LinkFigures | None:
        """How the link to a peer does now, for an echo test; None when there is none."""
        entry = self._media.links.peers.get(peer)
        if entry is None or not entry.standing:
            return None
        return LinkFigures(
            self._peer_statistics(entry, time.monotonic()), entry.loss_told, entry.plan.red_levels
        )

    def _peer_statistics(self, entry: ParticipantMedia, now_s: float) -> PeerStatistics:
        return PeerStatistics(
            did=entry.peer,
            nickname=self._name_of(entry.peer),
            rtt_s=None if entry.source is None else entry.source.rtt_s,
            inbound=self._inbound(entry),
            outbound=_outbound(entry),
            loudness=loudness_of(entry),
            one_way=_one_way(entry, now_s),
            path=media_path(entry, self._media),
            limited_s=0.0 if entry.playout is None else seconds_of_ticks(entry.playout.limited_blocks),
            video=video_statistics(self._media.video, entry.peer),
        )

    def _inbound(self, entry: ParticipantMedia) -> Inbound | None:
        figures = entry.playout
        if figures is None:
            return None
        totals, playout = entry.totals, figures.playout
        reception = None if entry.source is None else entry.source.reception
        return Inbound(
            packets_received=totals.packets_received,
            packets_lost=totals.packets_lost,
            packets_duplicated=totals.packets_duplicated,
            packets_reordered=totals.packets_reordered,
            datagrams_refused=totals.datagrams_refused,
            datagrams_refused_by_kind=RefusedByKind(
                stun=totals.stun_refused,
                dtls=totals.dtls_refused,
                srtp=totals.srtp_refused,
                other=totals.others_refused,
            ),
            packets_discarded=playout.packets_discarded + figures.packets_dropped,
            packets_recovered=playout.packets_recovered,
            jitter=None if reception is None else reception.jitter_s,
            concealed_samples=playout.concealed_samples,
            skipped_samples=playout.skipped_samples,
            silent_concealed_samples=playout.silent_concealed_samples,
            concealment_events=playout.concealment_events,
            inserted_samples_for_deceleration=playout.inserted_samples_for_deceleration,
            removed_samples_for_acceleration=playout.removed_samples_for_acceleration,
            total_samples_received=playout.total_samples_received,
            jitter_buffer_delay=playout.jitter_buffer_delay_s,
            jitter_buffer_emitted_count=playout.jitter_buffer_emitted_count,
            jitter_buffer_target_delay=playout.jitter_buffer_target_delay_s,
            delay_ms=playout.delay_ms,
            audio_level_dbov=entry.level_dbov,
            nack_count=totals.nacks_sent,
            retransmitted_packets_received=totals.retransmitted_packets_received,
            analysis=self._analysis_of(entry.peer),
            disturbance=self._disturbance_of(entry.peer),
        )


def _without_gauges(peer: PeerStatistics) -> PeerStatistics:
    """What was counted stays; what was last seen of a link that does not stand is not how it is now."""
    inbound, outbound = peer.inbound, peer.outbound
    if inbound is not None:
        inbound = msgspec.structs.replace(inbound, jitter=None, delay_ms=None, audio_level_dbov=None)
    if outbound is not None:
        outbound = msgspec.structs.replace(outbound, bitrate=None, remote=None)
    return msgspec.structs.replace(peer, rtt_s=None, inbound=inbound, outbound=outbound, one_way=None)


def _one_way(entry: ParticipantMedia, now_s: float) -> OneWay | None:
    if entry.link is None or not entry.connected:
        return None
    found = entry.link.one_way_delay(now_s)
    return OneWay(
        incoming_ms=_milliseconds(found.incoming_s),
        outgoing_ms=_milliseconds(found.outgoing_s),
        error_ms=_milliseconds(found.error_s),
        method=found.method,
        clock_ahead_ms=_milliseconds(found.clock_ahead_s),
        clock_error_ms=_milliseconds(found.clock_error_s),
        why=found.why,
    )


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(1000 * seconds, 3) + 0.0  # -0.0 is 0.0


def _outbound(entry: ParticipantMedia) -> Outbound | None:
    totals = entry.totals
    if entry.link is None and totals.packets_sent == 0:
        return None
    remote = entry.remote
    return Outbound(
        packets_sent=totals.packets_sent,
        bytes_sent=totals.bytes_sent,
        bitrate=entry.bitrate_bps,
        redundancy_levels=entry.plan.red_levels,
        nack_count=totals.nacks_received,
        retransmitted_packets_sent=totals.retransmitted_packets_sent,
        retransmitted_bytes_sent=totals.retransmitted_bytes_sent,
        remote=None
        if remote is None
        else Remote(
            fraction_lost=remote.fraction_lost,
            jitter=remote.jitter_s,
            rtt_s=remote.rtt_s,
            packets_lost=remote.packets_lost,
            packets_expected=None
            if entry.link is None
            else entry.link.packets_expected_by(remote.highest_sequence),
            voip_metrics=entry.heard_there,
            statistics_summary=entry.summary_there,
        ),
    )

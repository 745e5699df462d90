"""Builds replies from what the parts of a session know. Nothing here changes anything."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from blink_cli.app.call.call_runner import CallRunner
from blink_cli.app.media.channel_teller import soft_reason
from blink_cli.app.media.echo_meter import LinkFigures
from blink_cli.app.media.mesh_media import MeshMedia
from blink_cli.app.media.participant_media import ParticipantMedia
from blink_cli.audio.channel_mix import ChannelReading
from blink_cli.audio.devices.interface import InputDevice, OutputDevice
from blink_cli.audio.loudness.live_loudness import LoudnessReading
from blink_cli.audio.sink_mixer import MixerStatistics
from blink_cli.audio.source_track import SourceStatistics
from blink_cli.core.analysis.culprit import Disturbance
from blink_cli.core.analysis.figures import InboundFigures
from blink_cli.core.api.replies import (
    AddressesTried,
    CallPeer,
    CaptureFigures,
    CurrentCall,
    DeviceFigures,
    IceServerList,
    IceServerState,
    Inbound,
    InputChannels,
    Levels,
    Loudness,
    MediaPath,
    Mesh,
    MeshLink,
    MeshParticipant,
    MixFigures,
    OneWay,
    OtherVersion,
    Outbound,
    Participant,
    PeerStatistics,
    PendingCall,
    RefusedByKind,
    RelayUse,
    Remote,
    RtpStatistics,
    SignalCounters,
    VoiceLevel,
)
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_MS
from blink_cli.core.call.facts import LinkState
from blink_cli.core.call.snapshot import CallView, ParticipantView, PendingView
from blink_cli.core.endpoint import endpoint_text
from blink_cli.core.gossip import GossipCounters
from blink_cli.core.ids import CallId, Did
from blink_cli.core.presence.other_versions import OtherSession
from blink_cli.core.presence.reach import Reach, why_nobody
from blink_cli.core.text.utc_text import utc_text_of
from blink_cli.net.ice.ice_servers import CHANNEL_DATA_BYTES, ServerVerdict
from blink_cli.net.signaling.udp_transport import TransportCounters


def ice_server_list(verdicts: Sequence[ServerVerdict], transport: str) -> IceServerList:
    """The configured servers as they are shown."""
    return IceServerList(
        transport=transport, servers=tuple(_ice_server_state(verdict) for verdict in verdicts)
    )


def _ice_server_state(verdict: ServerVerdict) -> IceServerState:
    address = None if verdict.address is None else endpoint_text(verdict.address)
    kind = verdict.server.kind
    return IceServerState(
        url=verdict.server.url,
        kind=kind,
        alive=bool(verdict.alive),
        in_use=verdict.in_use,
        rtt_ms=None if verdict.rtt_ms is None else round(verdict.rtt_ms, 3),
        outside_address=address if kind == "stun" else None,
        relay_address=address if kind == "turn" else None,
        last_error=verdict.error,
    )


def signal_counters(gossip: GossipCounters, transport: TransportCounters) -> SignalCounters:
    """The counts of the gossip as they are shown."""
    return SignalCounters(
        received=gossip.received,
        delivered=gossip.delivered,
        not_for_us=gossip.not_for_us,
        duplicates=gossip.duplicates,
        malformed=gossip.malformed + gossip.oversize + gossip.other_version,
        unopened=gossip.unopened,
        forged=gossip.forgeries,
        replayed=gossip.replays,
        stale=gossip.stale,
        rate_limited=gossip.rate_limited,
        transmitted=gossip.transmitted,
        repeated=gossip.repeated,
        given_up=gossip.given_up,
        relayed=gossip.relayed,
        send_failures=transport.send_failures,
        flooded=transport.pauses,
    )


def why_nobody_is_seen(
    gossip: GossipCounters, reach: Reach, *, discovery: bool, other_versions: tuple[str, ...]
) -> str:
    """Where the session looks for others, and what may be in the way."""
    other = gossip.malformed + gossip.oversize + gossip.other_version
    return why_nobody(
        reach, heard=gossip.received, other=other, discovery=discovery, other_versions=other_versions
    )


class OtherVersionsKnown(Protocol):
    """Who knows the sessions that speak another version of the protocol."""

    def other_versions(self) -> tuple[OtherSession, ...]:
        """Those heard of lately."""

    def name_of_claim(self, did: Did, claim: str) -> str:
        """What somebody is called here who only says who it is."""


def shown_versions(known: OtherVersionsKnown) -> tuple[OtherVersion, ...]:
    """The sessions that speak another version of the protocol, with their names as they are shown here."""
    return tuple(
        OtherVersion(
            address=other.address,
            did=other.did,
            nickname="" if other.did is None else known.name_of_claim(other.did, other.nickname),
            lowest=other.lowest,
            highest=other.highest,
            newer=other.newer,
        )
        for other in known.other_versions()
    )


class Naming(Protocol):
    """What peers are called here."""

    def name_of(self, did: Did) -> str:
        """What to call this one."""

    def is_contact(self, did: Did) -> bool:
        """Whether this profile has a name for it."""

    def is_there(self, did: Did) -> bool:
        """Whether it is heard."""


class Views:
    """The session as its users see it."""

    def __init__(
        self,
        runner: CallRunner,
        media: MeshMedia,
        naming: Naming,
        analysis_of: Callable[[Did], InboundFigures | None],
        disturbance_of: Callable[[Did], Disturbance | None],
    ) -> None:
        self._runner = runner
        self._media = media
        self._name_of = naming.name_of
        self._is_contact = naming.is_contact
        self._is_there = naming.is_there
        self._analysis_of = analysis_of
        self._disturbance_of = disturbance_of

    def current_call(self) -> CurrentCall | None:
        """The call that the session is in."""
        call = self._runner.snapshot().call
        return None if call is None else self._current_call(call)

    def pending_calls(self) -> tuple[PendingCall, ...]:
        """Calls that can be joined."""
        return tuple(self._pending_call(view) for view in self._runner.snapshot().pending)

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
        peers = (self._peer_statistics(entry) for entry in entries)
        return RtpStatistics(
            call=call,
            peers=tuple(peer if peer.did in standing else _without_gauges(peer) for peer in peers),
            input=None if source is None else _device_figures(voice.input_device, source),
            output=None if mixer is None else _device_figures(voice.output_device, mixer),
            loudness=self._own_loudness(),
            late_ticks=0 if mixer is None else mixer.lateness.over_10_ms,
            impairment=self._media.links.impaired.state(),
        )

    def levels(self, call: CallId, now_s: float) -> Levels:
        """How loud everybody of the current call is."""
        view = self._runner.snapshot().call
        people = () if view is None else view.participants
        return Levels(call=call, levels=tuple(self._level(person, now_s) for person in people))

    def mesh(self, call: CallId) -> Mesh:
        """Who has a link to whom, by each one's own word."""
        view = self._runner.snapshot().call
        people = () if view is None else view.participants
        return Mesh(
            call=call,
            participants=tuple(
                MeshParticipant(
                    did=person.did,
                    nickname=self._name_of(person.did),
                    self=person.link is LinkState.SELF,
                    present=person.present,
                    hears=tuple(
                        MeshLink(did=one.did, link=LinkState(one.link), lost_share=one.loss_permille / 1000)
                        for one in person.hears
                    ),
                )
                for person in people
            ),
        )

    def link_figures(self, peer: Did) -> LinkFigures | None:
        """How the link to a peer does now, for an echo test; None when there is none."""
        entry = self._media.links.peers.get(peer)
        if entry is None or not entry.connected:
            return None
        return LinkFigures(self._peer_statistics(entry), entry.loss_told, entry.plan.red_levels)

    def capture(self, now_s: float) -> CaptureFigures | None:
        """How whole the microphone's sound is; None while no media run."""
        source = self._media.voice.source_statistics(now_s)
        if source is None:
            return None
        last = source.recent_gaps[-1] if source.recent_gaps else None
        return CaptureFigures(
            gaps=source.gaps,
            missing_s=round(source.missing_samples / SAMPLE_RATE_HZ, 4),
            late_s=round(source.late_samples / SAMPLE_RATE_HZ, 4),
            last_gap_at_s=None if last is None else round(last.began_at, 4),
            last_gap_s=None if last is None else round(last.missing_s, 4),
            channels=None if source.channels is None else _channels(source.device, source.channels),
            clipped_frames=source.clipped_frames,
            frames=source.captured_frames,
        )

    def mix(self, now_s: float) -> MixFigures | None:
        """Whether everybody together is too loud; None while no media run."""
        mixer = self._media.voice.mixer_statistics(now_s)
        if mixer is None:
            return None
        return MixFigures(
            limited_s=_seconds(mixer.limited_blocks),
            limited_now_db=round(mixer.limited_now_db, 1),
        )

    def _current_call(self, view: CallView) -> CurrentCall:
        return CurrentCall(
            id=view.call_id,
            state=view.state.value,
            since=utc_text_of(view.since_wall_ms / 1000),
            participants=tuple(self._participant(participant) for participant in view.participants),
        )

    def _participant(self, view: ParticipantView) -> Participant:
        volume = self._media.links.volume(view.did)
        return Participant(
            did=view.did,
            nickname=self._name_of(view.did),
            self=view.link == "self",
            link=view.link,
            muted=view.muted,
            deafened=view.deafened,
            recording=view.recording,
            talking=self._media.talkers.is_talking(view.did),
            gain_db=volume.gain_db,
            muted_here=volume.muted,
            loudness=self._loudness(view),
            busy=view.busy,
            ringing=view.rings and self._is_there(view.did),
            no_path=self._no_path(view),
            path=self._path(self._media.links.peers.get(view.did)),
            in_contacts=self._is_contact(view.did),
        )

    def _level(self, view: ParticipantView, now_s: float) -> VoiceLevel:
        if view.link is LinkState.SELF:
            reading, voice = self._media.voice.own_level(now_s)
        else:
            entry = self._media.links.peers.get(view.did)
            standing = entry is not None and entry.connected
            reading = entry.level.reading(now_s) if entry is not None and standing else None
            voice = self._media.talkers.is_talking(view.did)
        return VoiceLevel(
            did=view.did,
            level_dbov=None if reading is None else reading.level_dbov,
            peak_dbov=None if reading is None else reading.peak_dbov,
            voice=voice,
        )

    def _loudness(self, view: ParticipantView) -> Loudness | None:
        if view.link is LinkState.SELF:
            return self._own_loudness()
        entry = self._media.links.peers.get(view.did)
        return None if entry is None else _loudness_of(entry)

    def _own_loudness(self) -> Loudness | None:
        reading = self._media.voice.own_loudness
        return None if reading is None else _loudness(reading)

    def _no_path(self, view: ParticipantView) -> AddressesTried | None:
        entry = self._media.links.peers.get(view.did)
        tried = entry.search.no_path if entry is not None and view.present else None
        return None if tried is None else AddressesTried(tried.ours, tried.left_out, tried.theirs)

    def _path(self, entry: ParticipantMedia | None) -> MediaPath | None:
        if entry is None or entry.link is None or not entry.connected or (way := entry.link.way) is None:
            return None
        relay = None
        if way.relay_url is not None:
            rtt_ms = self._media.relay_rtt_ms()
            relay = RelayUse(way.relay_url, None if rtt_ms is None else round(rtt_ms, 1), CHANNEL_DATA_BYTES)
        return MediaPath(way.kind, way.remote[0].partition("%")[0], relay)

    def _pending_call(self, view: PendingView) -> PendingCall:
        return PendingCall(
            id=view.call_id,
            caller=self._named(view.caller),
            participants=tuple(self._named(did) for did in view.participants),
            joined=tuple(self._named(did) for did in view.joined),
            rejected=view.rejected,
            left=view.left,
        )

    def _named(self, did: Did) -> CallPeer:
        return CallPeer(did=did, nickname=self._name_of(did), in_contacts=self._is_contact(did))

    def _peer_statistics(self, entry: ParticipantMedia) -> PeerStatistics:
        return PeerStatistics(
            did=entry.peer,
            nickname=self._name_of(entry.peer),
            rtt_s=None if entry.link is None else entry.link.rtt_s,
            inbound=self._inbound(entry),
            outbound=_outbound(entry),
            loudness=_loudness_of(entry),
            one_way=_one_way(entry),
            path=self._path(entry),
            limited_s=0.0 if entry.playout is None else _seconds(entry.playout.limited_blocks),
        )

    def _inbound(self, entry: ParticipantMedia) -> Inbound | None:
        figures = entry.playout
        if figures is None:
            return None
        totals, playout = entry.totals, figures.playout
        reception = None if entry.link is None else entry.link.reception
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


def _one_way(entry: ParticipantMedia) -> OneWay | None:
    if entry.link is None or not entry.connected:
        return None
    found = entry.link.one_way_delay(time.monotonic())
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


def _seconds(ticks: int) -> float:
    return round(ticks * TICK_MS / 1000, 2)


def _loudness_of(entry: ParticipantMedia) -> Loudness | None:
    return None if entry.sink is None else _loudness(entry.loudness.reading)


def _loudness(reading: LoudnessReading) -> Loudness:
    return Loudness(
        momentary_lufs=_rounded(reading.momentary_lufs),
        short_term_lufs=_rounded(reading.short_term_lufs),
        integrated_lufs=_rounded(reading.integrated_lufs),
    )


def _rounded(lufs: float | None) -> float | None:
    return None if lufs is None else round(lufs, 2)


def _channels(device: str, reading: ChannelReading) -> InputChannels:
    return InputChannels(
        channels=reading.channels,
        chosen=reading.chosen,
        loudest=reading.loudest,
        below_db=reading.below_db,
        warning=soft_reason(device, reading) if reading.soft else None,
    )


def _device_figures(
    device: InputDevice | OutputDevice, figures: SourceStatistics | MixerStatistics
) -> DeviceFigures:
    reading = figures.reading
    return DeviceFigures(
        device=device.parameters.name,
        latency_ms=round(1000 * reading.latency_s, 3),
        lost_ms=round(1000 * reading.lost_frames / device.parameters.sample_rate_hz, 3),
        late_ticks=figures.lateness.over_10_ms,
        lateness_p99_ms=figures.lateness.p99_ms,
    )


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

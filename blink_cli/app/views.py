"""Builds replies from what the parts of a session know. Nothing here changes anything."""

from collections.abc import Callable, Sequence

import msgspec

from blink_cli.app.call_runner import CallRunner
from blink_cli.app.peer_links import PeerLink
from blink_cli.app.talkers import Talkers
from blink_cli.audio.devices.interface import InputDevice, OutputDevice
from blink_cli.audio.sink_mixer import MixerStatistics
from blink_cli.audio.source_track import SourceStatistics
from blink_cli.core.analysis.figures import InboundFigures
from blink_cli.core.call.snapshot import CallView, ParticipantView, PendingView
from blink_cli.core.gossip import GossipCounters
from blink_cli.core.names import CallId, Did
from blink_cli.core.replies import (
    CurrentCall,
    DeviceFigures,
    IceServerList,
    IceServerState,
    Inbound,
    NamedPeer,
    Outbound,
    Participant,
    PeerStatistics,
    PendingCall,
    Remote,
    RtpStatistics,
    SignalCounters,
)
from blink_cli.core.utc_text import utc_text_of
from blink_cli.net.ice_servers import ServerVerdict
from blink_cli.net.udp_transport import TransportCounters


def ice_server_list(verdicts: Sequence[ServerVerdict], transport: str) -> IceServerList:
    """The configured servers as they are shown."""
    return IceServerList(
        transport=transport, servers=tuple(_ice_server_state(verdict) for verdict in verdicts)
    )


def _ice_server_state(verdict: ServerVerdict) -> IceServerState:
    address = None if verdict.address is None else f"{verdict.address[0]}:{verdict.address[1]}"
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


class Views:
    """The session as its users see it."""

    def __init__(
        self,
        runner: CallRunner,
        talkers: Talkers,
        name_of: Callable[[Did], str],
        analysis_of: Callable[[Did], InboundFigures | None],
    ) -> None:
        self._runner = runner
        self._talkers = talkers
        self._name_of = name_of
        self._analysis_of = analysis_of

    def current_call(self) -> CurrentCall | None:
        """The call that the session is in."""
        call = self._runner.snapshot().call
        return None if call is None else self._current_call(call)

    def pending_calls(self) -> tuple[PendingCall, ...]:
        """Calls that can be joined."""
        return tuple(self._pending_call(view) for view in self._runner.snapshot().pending)

    def rtp_statistics(self, call: CallId, now_s: float) -> RtpStatistics:
        """Figures of everyone who has or had a link in the current call."""
        voice = self._runner.voice
        mixer, source = voice.mixer_statistics(now_s), voice.source_statistics(now_s)
        standing = self._runner.standing
        peers = (self._peer_statistics(entry) for entry in self._runner.links.peers.values())
        return RtpStatistics(
            call=call,
            peers=tuple(peer if peer.did in standing else _without_gauges(peer) for peer in peers),
            input=None if source is None else _device_figures(voice.input_device, source),
            output=None if mixer is None else _device_figures(voice.output_device, mixer),
            late_ticks=0 if mixer is None else mixer.lateness.over_10_ms,
        )

    def _current_call(self, view: CallView) -> CurrentCall:
        return CurrentCall(
            id=view.call_id,
            state=view.state.value,
            since=utc_text_of(view.since_wall_ms / 1000),
            participants=tuple(self._participant(participant) for participant in view.participants),
        )

    def _participant(self, view: ParticipantView) -> Participant:
        return Participant(
            did=view.did,
            nickname=self._name_of(view.did),
            self=view.link == "self",
            link=view.link,
            muted=view.muted,
            deafened=view.deafened,
            recording=view.recording,
            talking=self._talkers.is_talking(view.did),
            gain_db=self._runner.voice.gain_db(view.did),
            busy=view.busy,
        )

    def _pending_call(self, view: PendingView) -> PendingCall:
        return PendingCall(
            id=view.call_id,
            caller=self._named(view.caller),
            participants=tuple(self._named(did) for did in view.participants),
            joined=tuple(self._named(did) for did in view.joined),
            rejected=view.rejected,
            left=view.left,
        )

    def _named(self, did: Did) -> NamedPeer:
        return NamedPeer(did=did, nickname=self._name_of(did))

    def _peer_statistics(self, entry: PeerLink) -> PeerStatistics:
        return PeerStatistics(
            did=entry.peer,
            nickname=self._name_of(entry.peer),
            rtt_s=None if entry.link is None else entry.link.rtt_s,
            inbound=self._inbound(entry),
            outbound=_outbound(entry),
        )

    def _inbound(self, entry: PeerLink) -> Inbound | None:
        figures = self._runner.voice.stream_figures(entry.peer)
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
            packets_discarded=playout.packets_discarded,
            packets_recovered=playout.packets_recovered,
            jitter=None if reception is None else reception.jitter_s,
            concealed_samples=playout.concealed_samples,
            silent_concealed_samples=playout.silent_concealed_samples,
            concealment_events=playout.concealment_events,
            inserted_samples_for_deceleration=playout.inserted_samples_for_deceleration,
            removed_samples_for_acceleration=playout.removed_samples_for_acceleration,
            total_samples_received=playout.total_samples_received,
            jitter_buffer_delay=playout.jitter_buffer_delay_s,
            jitter_buffer_emitted_count=playout.jitter_buffer_emitted_count,
            jitter_buffer_target_delay=playout.jitter_buffer_target_delay_s,
            delay_ms=playout.delay_ms,
            audio_level_dbov=self._runner.level_dbov(entry.peer),
            analysis=self._analysis_of(entry.peer),
        )


def _without_gauges(peer: PeerStatistics) -> PeerStatistics:
    """What was counted stays; what was last seen of a link that does not stand is not how it is now."""
    inbound, outbound = peer.inbound, peer.outbound
    if inbound is not None:
        inbound = msgspec.structs.replace(inbound, jitter=None, delay_ms=None, audio_level_dbov=None)
    if outbound is not None:
        outbound = msgspec.structs.replace(outbound, bitrate=None, remote=None)
    return msgspec.structs.replace(peer, rtt_s=None, inbound=inbound, outbound=outbound)


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


def _outbound(entry: PeerLink) -> Outbound | None:
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
        else Remote(fraction_lost=remote.fraction_lost, jitter=remote.jitter_s, rtt_s=remote.rtt_s),
    )

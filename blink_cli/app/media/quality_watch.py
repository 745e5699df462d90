"""Says when audio becomes bad, when it is good again, and which problems last.

media tap ──> CallAnalysis (the analyser of `rtp-analyze`) ──┐
readings, once a second ─────────────────────────────────────┴──> QualityMachine per peer and direction ──> events
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from typing_extensions import override

from blink_cli.app.media.media_readings import MediaWatcher, PeerReading, SourceReading
from blink_cli.core.analysis.arrival_meter import ArrivalMeter
from blink_cli.core.analysis.call_analysis import CallAnalysis
from blink_cli.core.analysis.culprit import (
    Culprit,
    CulpritFinder,
    Disturbance,
    Evidence,
    culprit_of_sending,
)
from blink_cli.core.analysis.figures import InboundFigures
from blink_cli.core.analysis.loss_pattern import LossFigures
from blink_cli.core.analysis.quality import (
    BUFFER_DELAY_MS,
    CONCEALED,
    FAR_JITTER_MS,
    FAR_LOSS,
    JITTER_MS,
    ROUND_TRIP_MS,
    UNREPAIRED,
    Degraded,
    LastingProblem,
    ProblemChange,
    QualityMachine,
    Recovered,
)
from blink_cli.core.analysis.stream_analysis import StreamAnalysis
from blink_cli.core.analysis.voip_metrics import voip_metrics
from blink_cli.core.api.events import (
    AudioDegraded,
    AudioDisturbed,
    AudioRecovered,
    Event,
    Observer,
    StreamDirection,
    StreamFailed,
    StreamProblem,
    StreamRestored,
)
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.extended_report import VoipMetrics
from blink_cli.core.media.media_tap import FramePlayed
from blink_cli.core.media.mix_tick import MixTick
from blink_cli.core.media.reception_statistics import ReceptionStatistics
from blink_cli.core.media.rtp import ReceptionReport, RepeatedPacket, RtpPacket, SenderReport

WINDOW_READINGS: Final = 3
"""Shares are over so many seconds: a second has 50 packets, of which one is 2 %."""

LEAST_PACKETS: Final = 50
"""Fewer in a window say nothing of shares: a muted peer sends two a second."""

NO_AUDIO_AFTER_S: Final = 5.0
"""Even a muted sender sends two packets a second."""

BROKEN_AFTER_S: Final = 3.0
LEAPS_PER_READING: Final = 5
"""Of sequence numbers, two seconds of voice each: a network that fails and comes back makes one."""

CLIPPING_AFTER_S: Final = 5.0
CLIPPED_SHARE: Final = 0.1
"""Of the frames in a window. A shout clips a syllable; a gain that is too high every second word."""

TAKEN_AT_ONCE: Final = 16
"""Packets of one peer are analysed when so many wait, or somebody looks: one after the other they cost half of what each would alone."""

OPENING_READINGS: Final = 3
"""Of a link, in which devices start and the playout learns its delay: nobody is blamed for what happens meanwhile."""

OUTCOMES_KEPT: Final = 4000
"""Outcomes that wait for the event loop: ten seconds of eight peers. More is dropped, the oldest first: figures, not sound."""


@dataclass(slots=True)
class _Peer:
    inbound: QualityMachine = field(
        default_factory=lambda: QualityMachine(CONCEALED, UNREPAIRED, BUFFER_DELAY_MS, JITTER_MS)
    )
    outbound: QualityMachine = field(
        default_factory=lambda: QualityMachine(FAR_LOSS, FAR_JITTER_MS, ROUND_TRIP_MS)
    )
    nothing_received: LastingProblem = field(default_factory=lambda: LastingProblem(NO_AUDIO_AFTER_S))
    broken: LastingProblem = field(default_factory=lambda: LastingProblem(BROKEN_AFTER_S))
    came: list[RtpPacket] = field(default_factory=list)
    arrivals: ArrivalMeter = field(default_factory=ArrivalMeter)
    culprits: CulpritFinder = field(default_factory=CulpritFinder)
    concealed_before: int = 0
    readings: int = 0
    leaps_before: int = 0
    packets_received: int = 0
    received_before: int = -1
    window: deque[tuple[int, int, int, int]] = field(
        default_factory=lambda: deque(maxlen=WINDOW_READINGS + 1)
    )
    """Concealed and all samples, missing and expected packets, at the last readings."""


class QualityWatch(MediaWatcher):
    """Belongs to the event loop, but for `played`. Its work is one analysis for each packet that comes: about 3 us."""

    observer = Observer.QUALITY_WATCH

    def __init__(
        self,
        own: Did,
        publish: Callable[[Event], None],
        statistics_of: Callable[[Did, int], ReceptionStatistics | None],
        tell_heard: Callable[[Did, VoipMetrics], None] = lambda _peer, _metrics: None,
    ) -> None:
        """Watch nobody yet.

        Args:
            own: Who this session is: problems of its own microphone are told of it.
            publish: Takes the events.
            tell_heard: Takes once a second how a peer is heard, to be told to it.
            statistics_of: How the present link to a peer counts one of its streams, in which a packet counts before it comes here. None
                where that link knows no such stream.

        """
        self._own = own
        self._publish = publish
        self._statistics_of = statistics_of
        self._tell_heard = tell_heard
        self._call = CallAnalysis()
        self._counts_itself = False
        """Since figures were wanted anew: the links count on."""

        self._peers: dict[Did, _Peer] = {}
        self._outcomes: deque[tuple[FramePlayed, float]] = deque(maxlen=OUTCOMES_KEPT)
        self._sent_before: dict[Did, int] = {}
        self._nothing_sent = LastingProblem(NO_AUDIO_AFTER_S)
        self._clipping = LastingProblem(CLIPPING_AFTER_S)
        self._source_window: deque[SourceReading] = deque(maxlen=WINDOW_READINGS + 1)

    def analysis(self, peer: Did) -> InboundFigures | None:
        """Everything about the stream of this peer that was heard last; None before its first packet."""
        self._catch_up()
        stream = self._call.current(peer)
        return None if stream is None else stream.figures(self._call.round_trip(peer))

    def begin_anew(self) -> None:
        """Analyse from now on. What is judged goes on: a problem that lasts is told once."""
        self._catch_up()
        self._call = CallAnalysis()
        self._counts_itself = True
        for entry in self._peers.values():
            entry.window.clear()
            entry.leaps_before = 0

    def disturbance(self, peer: Did) -> Disturbance | None:
        """Who damages this peer's voice now; None while it is whole."""
        entry = self._peers.get(peer)
        return None if entry is None else entry.culprits.current

    # ---- MediaTap

    @override
    def media_began(self, call: CallId) -> None:
        """Begin anew."""
        del call
        self._forget()

    @override
    def media_ended(self) -> None:
        """Nobody is left to watch; the end of the call ends every problem without a word."""
        self._forget()

    @override
    def tap_failed(self, reason: str) -> None:
        """Show no figures of a moment that is past."""
        del reason
        self._forget()

    @override
    def link_connected(self, peer: Did, opus: int, red: int | None) -> None:
        """Watch this peer from now on."""
        del opus, red
        self._peers[peer] = _Peer()
        self._call.forget_received(peer)  # the new link counts anew

    @override
    def link_ended(self, peer: Did) -> None:
        """Judge it no more; that the link is gone is told by the link."""
        self._peers.pop(peer, None)

    @override
    def packet_received(self, peer: Did, packet: RtpPacket) -> None:
        """Analyse what comes."""
        entry = self._peers.get(peer)
        if entry is None:
            return
        if packet.retransmitted:  # lost all the same; what the playout makes of it says whether it is missed
            repeated = self._call.stream(peer, packet.ssrc)
            if repeated is not None:
                repeated.retransmitted()
            return
        entry.packets_received += 1
        entry.came.append(packet)
        if len(entry.came) >= TAKEN_AT_ONCE:
            self._analyse(peer, entry)

    def _analyse(self, peer: Did, entry: _Peer) -> None:
        """Take what came of a peer and waits."""
        came, entry.came = entry.came, []
        for packet in came:
            entry.arrivals.packet(packet)
            if self._counts_itself:
                self._count(peer, packet)
                continue
            stream = self._call.stream(peer, packet.ssrc) or self._new_stream(peer, packet.ssrc)
            if stream is not None:
                stream.counted(
                    packet.sequence_number,
                    packet.timestamp,
                    packet.arrival_s,
                    level_dbov=packet.audio_level_dbov,
                    voice=packet.voice,
                )

    def _new_stream(self, peer: Did, ssrc: int) -> StreamAnalysis | None:
        """Begin with a stream that the link counts; None of one that came over a link that was replaced meanwhile."""
        statistics = self._statistics_of(peer, ssrc)
        if statistics is None:
            return None
        stream = StreamAnalysis(ssrc, statistics)
        self._call.begin(peer, stream)
        return stream

    def _count(self, peer: Did, packet: RtpPacket) -> None:
        self._call.receiving(peer, packet.ssrc).packet(
            packet.sequence_number,
            packet.timestamp,
            packet.arrival_s,
            len(packet.payload),
            marker=packet.marker,
            level_dbov=packet.audio_level_dbov,
            voice=packet.voice,
        )

    @override
    def packet_repeated(self, peer: Did, packet: RepeatedPacket) -> None:
        """Count a copy, where the link does not."""
        stream = self._call.stream(peer, packet.ssrc) if self._counts_itself else None
        if stream is not None:
            stream.repeated(packet.sequence_number, packet.timestamp, packet.arrival_s, marker=packet.marker)

    @override
    def reported(self, peer: Did, report: SenderReport | ReceptionReport) -> None:
        """Keep what the peer hears of us, and what it says of its clock."""
        if isinstance(report, ReceptionReport):
            self._call.reported(peer, report)
        else:
            entry = self._peers.get(peer)
            if entry is not None:
                self._analyse(peer, entry)
            self._call.sender_reported(peer, report.ssrc, report.rtp_timestamp, report.arrival_s)

    @override
    def played(self, what: FramePlayed | MixTick) -> None:
        """Keep it for the event loop. On the playout thread."""
        if isinstance(what, FramePlayed):
            self._outcomes.append((what, time.monotonic()))

    # ---- MediaWatcher

    @override
    def look(self, peers: tuple[PeerReading, ...], source: SourceReading | None, now_s: float) -> None:
        """Judge everyone; once a second."""
        self._catch_up()
        for lost in self._peers.keys() - {reading.peer for reading in peers}:
            self._peers[lost] = _Peer()  # what was bad before ends without a word: that it is lost is told
        for reading in peers:
            entry = self._peers.get(reading.peer)
            if entry is not None:
                self._judge(entry, reading, now_s)
        self._judge_sending(peers, now_s)
        if source is not None:
            self._judge_source(source, now_s)

    def _catch_up(self) -> None:
        """Take what waits: packets first, of which the outcomes tell."""
        for peer, entry in self._peers.items():
            self._analyse(peer, entry)
        outcomes = self._outcomes
        for _ in range(len(outcomes)):
            played, at_s = outcomes.popleft()
            self._call.outcome(played.peer, played.ssrc, played.timestamp, played.outcome, at_s)

    def _judge(self, entry: _Peer, reading: PeerReading, now_s: float) -> None:
        peer = reading.peer
        self._call.playout(peer, reading.concealed_samples, reading.total_samples)
        stream = self._call.current(peer)
        missing = expected = 0
        jitter_ms = None
        if stream is not None:
            jitter_ms = 1000 * stream.statistics.jitter_s
            if stream.outcomes_known:
                after_repair = stream.patterns()[1]
                missing, expected = after_repair.lost, after_repair.packets
                self._say_how_it_is_heard(stream, after_repair, reading)
        heard = reading.concealed_samples - reading.silent_concealed_samples
        entry.window.append((heard, reading.total_samples, missing, expected))
        concealed, unrepaired = _shares(entry.window)
        self._look_for_culprit(entry, reading)
        change = entry.inbound.update((concealed, unrepaired, reading.delay_ms, jitter_ms), now_s)
        culprit = entry.culprits.current
        self._tell(peer, StreamDirection.INBOUND, change, None if culprit is None else culprit.culprit)
        remote = reading.remote
        far = (None, None) if remote is None else (remote.fraction_lost, 1000 * remote.jitter_s)
        round_trip_ms = None if reading.rtt_s is None else 1000 * reading.rtt_s
        change = entry.outbound.update((*far, round_trip_ms), now_s)
        sending = culprit_of_sending(reading.own_health, reading.health)
        self._tell(peer, StreamDirection.OUTBOUND, change, sending)
        leaps = 0 if stream is None else stream.leaps
        leapt = leaps - entry.leaps_before > LEAPS_PER_READING
        entry.leaps_before = leaps
        self._tell_problem(
            peer,
            StreamProblem.BROKEN_STREAM,
            entry.broken.update(wrong=leapt, now_s=now_s),
            "broken stream: its packets jump in their numbering, so what is lost of it cannot be told",
        )
        nothing_came = entry.packets_received == entry.received_before
        entry.received_before = entry.packets_received
        self._tell_problem(
            peer,
            StreamProblem.NOTHING_RECEIVED,
            entry.nothing_received.update(wrong=nothing_came, now_s=now_s),
            f"the link stands, but no audio has come for {NO_AUDIO_AFTER_S:g} s: is its microphone or session stuck?",
        )

    def _say_how_it_is_heard(
        self, stream: StreamAnalysis, unplayed: LossFigures, reading: PeerReading
    ) -> None:
        if reading.buffer is None:
            return
        metrics = voip_metrics(
            stream,
            unplayed,
            buffer=reading.buffer,
            packet_ms=reading.packet_ms,
            round_trip_ms=None if reading.rtt_s is None else 1000 * reading.rtt_s,
        )
        if metrics is not None:
            self._tell_heard(reading.peer, metrics)

    def _judge_sending(self, peers: tuple[PeerReading, ...], now_s: float) -> None:
        sent = {reading.peer: reading.packets_sent for reading in peers}
        nothing_went = bool(sent) and all(
            self._sent_before.get(peer) == count for peer, count in sent.items()
        )
        self._sent_before = sent
        self._tell_problem(
            self._own,
            StreamProblem.NOTHING_SENT,
            self._nothing_sent.update(wrong=nothing_went, now_s=now_s),
            f"links stand, but nothing of the microphone has gone out for {NO_AUDIO_AFTER_S:g} s: does it still run?",
        )

    def _judge_source(self, reading: SourceReading, now_s: float) -> None:
        window = self._source_window
        if window and reading.frames < window[-1].frames:
            window.clear()  # another source track
        window.append(reading)
        frames = reading.frames - window[0].frames
        clipped = reading.clipped_frames - window[0].clipped_frames
        self._tell_problem(
            self._own,
            StreamProblem.CLIPPING,
            self._clipping.update(wrong=clipped > CLIPPED_SHARE * frames, now_s=now_s),
            "the microphone is too loud and distorts: turn its gain down",
        )

    # ---- events

    def _look_for_culprit(self, entry: _Peer, reading: PeerReading) -> None:
        before, entry.concealed_before = entry.concealed_before, reading.concealed_samples
        arrivals = entry.arrivals.read()
        entry.readings += 1
        if entry.readings <= OPENING_READINGS:
            return
        found = entry.culprits.update(
            Evidence(
                damage_ms=1000 * max(reading.concealed_samples - before, 0) / SAMPLE_RATE_HZ,
                packets_lost=arrivals.packets_lost,
                packets_expected=arrivals.packets_expected,
                frame_ms=arrivals.frame_ms,
                held_ms=arrivals.held_ms,
                jumped_ms=arrivals.jumped_ms,
                own=reading.own_health,
                other=reading.health,
            )
        )
        if found is not None:
            self._publish(
                AudioDisturbed(
                    did=reading.peer, culprit=found.culprit, reason=found.reason, damage_ms=found.damage_ms
                )
            )

    def _tell(
        self,
        peer: Did,
        direction: StreamDirection,
        change: Degraded | Recovered | None,
        culprit: Culprit | None = None,
    ) -> None:
        match change:
            case Degraded(reason=reason):
                self._publish(AudioDegraded(did=peer, reason=reason, direction=direction, culprit=culprit))
            case Recovered(lasted_s=lasted_s):
                self._publish(AudioRecovered(did=peer, direction=direction, lasted_s=round(lasted_s, 1)))
            case None:
                pass

    def _tell_problem(
        self, did: Did, problem: StreamProblem, change: ProblemChange | None, reason: str
    ) -> None:
        match change:
            case ProblemChange.BEGAN:
                self._publish(StreamFailed(did=did, reason=reason, problem=problem))
            case ProblemChange.ENDED:
                self._publish(StreamRestored(did=did, problem=problem))
            case None:
                pass

    def _forget(self) -> None:
        self._call = CallAnalysis()
        self._counts_itself = False
        self._peers = {}
        self._outcomes.clear()
        self._sent_before = {}
        self._nothing_sent = LastingProblem(NO_AUDIO_AFTER_S)
        self._clipping = LastingProblem(CLIPPING_AFTER_S)
        self._source_window.clear()


def _shares(window: deque[tuple[int, int, int, int]]) -> tuple[float | None, float | None]:
    """Shares of concealed samples and of missing packets over the window; None where too little was counted."""
    first, last = window[0], window[-1]
    samples = last[1] - first[1]
    packets = last[3] - first[3]
    if packets < LEAST_PACKETS:
        return None, None
    concealed = max(last[0] - first[0], 0) / samples if samples > 0 else None
    return concealed, max(last[2] - first[2], 0) / packets

"""The streams of a call, both directions: what the live monitor feeds as things happen, and the offline command row by row."""

from dataclasses import dataclass, field
from typing import Any, Final

from blink_cli.core.analysis.figures import RoundTripFigures, StreamFigures
from blink_cli.core.analysis.round_trips import RoundTrips
from blink_cli.core.analysis.sent_analysis import SentAnalysis
from blink_cli.core.analysis.stream_analysis import StreamAnalysis
from blink_cli.core.ids import Did
from blink_cli.core.media.media_tap import PlayoutOutcome
from blink_cli.core.media.rtp import ReceptionReport

MAX_STREAMS: Final = 64
"""Of one peer and direction. Each reconnect makes one; of a peer that makes more, the oldest are forgotten."""

MAX_PEERS: Final = 256
MAX_STREAMS_IN_ALL: Final = 1_024
"""No call has so many; a log that claims to has only the last ones told."""


@dataclass(slots=True)
class _Peer:
    inbound: dict[int, StreamAnalysis] = field(default_factory=dict)
    outbound: dict[int, SentAnalysis] = field(default_factory=dict)
    current: StreamAnalysis | None = None
    round_trips: RoundTrips = field(default_factory=RoundTrips)


class CallAnalysis:
    """Not thread-safe; time comes in."""

    def __init__(self) -> None:
        """Know nobody yet."""
        self._peers: dict[Did, _Peer] = {}
        self._streams = 0
        self.streams_forgotten = 0
        """Because there were too many."""

    # ---- what happens

    def receiving(self, peer: Did, ssrc: int) -> StreamAnalysis:
        """The stream that a packet which has just come belongs to: made with its first one, and this peer's present one from now on."""
        entry = self._peer(peer)
        stream = entry.inbound.get(ssrc)
        if stream is None:
            stream = StreamAnalysis(ssrc)
            self.begin(peer, stream)
        entry.current = stream
        return stream

    def begin(self, peer: Did, stream: StreamAnalysis) -> None:
        """Take a stream that another one counts: this peer's present one from now on."""
        entry = self._peer(peer)
        before = len(entry.inbound)
        entry.inbound[stream.ssrc] = entry.current = stream
        self._streams += len(entry.inbound) - before
        self._make_room(peer, entry.inbound)

    def forget_received(self, peer: Did) -> None:
        """Forget what came from this peer; what is known of the way to it stays."""
        entry = self._peer(peer)
        self._streams -= len(entry.inbound)
        entry.inbound.clear()
        entry.current = None

    def outcome(
        self, peer: Did, ssrc: int, timestamp: int, outcome: PlayoutOutcome, played_s: float | None = None
    ) -> None:
        """Learn what became of a frame; see `StreamAnalysis.outcome`."""
        stream = self._peer(peer).inbound.get(ssrc)
        if stream is not None:
            stream.outcome(timestamp, outcome, played_s)

    def playout(self, peer: Did, concealed_samples: int, total_samples: int) -> None:
        """Take the running counts of this peer's playout; they are its present stream's."""
        stream = self._peer(peer).current
        if stream is not None:
            stream.playout(concealed_samples, total_samples)

    def sending(self, peer: Did, ssrc: int) -> SentAnalysis:
        """The stream that a packet which has just gone out belongs to; made with its first one."""
        entry = self._peer(peer)
        stream = entry.outbound.get(ssrc)
        if stream is None:
            stream = entry.outbound[ssrc] = SentAnalysis(ssrc)
            self._streams += 1
            self._make_room(peer, entry.outbound)
        return stream

    def sender_reported(self, peer: Did, ssrc: int, timestamp: int, arrival_s: float) -> None:
        """Take what this peer says of its clock; see `StreamAnalysis.sender_reported`."""
        stream = self._peer(peer).inbound.get(ssrc)
        if stream is not None:
            stream.sender_reported(timestamp, arrival_s)

    def reported(self, peer: Did, report: ReceptionReport) -> None:
        """Take this peer's report of our stream."""
        entry = self._peer(peer)
        if report.rtt_s is not None:
            entry.round_trips.measured(report.rtt_s)
        stream = entry.outbound.get(report.ssrc)
        if stream is not None:
            stream.reported(report)

    def interrupted(self) -> None:
        """Nobody watched for a while: what was not seen is not lost."""
        for entry in self._peers.values():
            for stream in entry.inbound.values():
                stream.interrupted()
            for sent in entry.outbound.values():
                sent.interrupted()

    # ---- what it says

    def current(self, peer: Did) -> StreamAnalysis | None:
        """The stream of this peer that was heard last."""
        entry = self._peers.get(peer)
        return None if entry is None else entry.current

    def stream(self, peer: Did, ssrc: int) -> StreamAnalysis | None:
        """One received stream."""
        entry = self._peers.get(peer)
        return None if entry is None else entry.inbound.get(ssrc)

    def round_trip(self, peer: Did) -> RoundTripFigures | None:
        """Round trips to this peer so far."""
        entry = self._peers.get(peer)
        return None if entry is None else entry.round_trips.figures()

    def figures(self) -> tuple[StreamFigures, ...]:
        """Every stream, peers and their streams in the order in which they appeared; received before sent."""
        found: list[StreamFigures] = []
        for did, entry in self._peers.items():
            round_trip = entry.round_trips.figures()
            found.extend(
                StreamFigures(
                    peer=did, direction="received", inbound=stream.figures(round_trip), outbound=None
                )
                for stream in entry.inbound.values()
            )
            found.extend(
                StreamFigures(peer=did, direction="sent", inbound=None, outbound=sent.figures(round_trip))
                for sent in entry.outbound.values()
            )
        return tuple(found)

    def _peer(self, did: Did) -> _Peer:
        entry = self._peers.get(did)
        if entry is None:
            if len(self._peers) >= MAX_PEERS:
                self._forget(next(iter(self._peers)))
            entry = self._peers[did] = _Peer()
        return entry

    def _make_room(self, peer: Did, streams: dict[int, Any]) -> None:
        """Forget the oldest of a peer's streams, or the peer that came first."""
        if len(streams) > MAX_STREAMS:
            del streams[next(iter(streams))]
            self._streams -= 1
            self.streams_forgotten += 1
        while self._streams > MAX_STREAMS_IN_ALL:
            self._forget(next(did for did in self._peers if did != peer))

    def _forget(self, did: Did) -> None:
        entry = self._peers.pop(did)
        streams = len(entry.inbound) + len(entry.outbound)
        self._streams -= streams
        self.streams_forgotten += streams

"""What a load came to: the document of `blink load --json` (docs/load.md). `load_figures.py` makes it.

A figure that cannot be had is null. Shares are 0 to 1.
"""

from typing import Literal

import msgspec

from blink_cli.core.ids import CallId, Did

Ending = Literal["time", "interrupted", "peers_left"]


class Percentiles(msgspec.Struct, frozen=True, kw_only=True):
    """What a series is like. The p-th percentile is the smallest value that p % of all do not exceed."""

    count: int
    min: float
    p50: float
    p95: float
    p99: float
    max: float


class LoadReceived(msgspec.Struct, frozen=True, kw_only=True):
    """What came from a peer, on all links to it; RTP packets, as a capture of the network counts them."""

    packets: int
    """Each counted once."""

    packets_expected: int
    """By their sequence numbers."""

    packets_lost: int
    loss: float | None
    """Share of those expected."""

    packets_duplicated: int
    packets_reordered: int
    payload_bytes: int
    jitter_ms: float | None
    """Interarrival jitter at the end (RFC 3550, section 6.4.1); of several streams the worst."""

    mean_jitter_ms: float | None
    """Of the whole stream; of several the worst, as the next one."""

    max_jitter_ms: float | None
    interval_ms: Percentiles | None
    """From one arrival to the next, in steps of half a millisecond; two seconds and more count as two seconds."""


class LoadSent(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent to a peer, and what it reported of that. What went to a room went to everybody who is met there; the total counts it once."""

    packets: int
    payload_bytes: int
    packets_discarded: int
    """That the system did not take."""

    reported_lost: int | None
    """Cumulative, of its last receiver report; null before the first."""

    reported_loss: float | None
    """Share of what was sent by the streams that were reported of."""

    reported_jitter_ms: float | None


class LoadDelays(msgspec.Struct, frozen=True, kw_only=True):
    """Looked at once a second on each link."""

    round_trip_ms: Percentiles | None
    """By RTCP (RFC 3550, section 6.4.1)."""

    received_ms: Percentiles | None
    """From the peer to here, one way, by the exchange of clocks over the link."""

    sent_ms: Percentiles | None
    """From here to the peer."""

    why: str | None
    """Why one way is not known; null when it is."""


class LoadStream(msgspec.Struct, frozen=True, kw_only=True):
    """One RTP stream of a link, by which a capture can be compared."""

    ssrc: int
    packets: int
    highest_sequence: int | None
    """Extended, of what was received; null for what was sent."""


class LoadLink(msgspec.Struct, frozen=True, kw_only=True):
    """A participant's links to one peer."""

    peer: Did
    nickname: str
    connected: bool
    """At the end, before it was left."""

    setup_ms: float | None
    """From the moment when the call wanted a link until one stood first; null if none did."""

    received: LoadReceived
    sent: LoadSent
    delays: LoadDelays
    streams_received: tuple[LoadStream, ...]
    streams_sent: tuple[LoadStream, ...]


class LoadParticipant(msgspec.Struct, frozen=True, kw_only=True):
    """One light participant."""

    did: Did
    nickname: str
    links: tuple[LoadLink, ...]


class LoadTotal(msgspec.Struct, frozen=True, kw_only=True):
    """All links of all participants together: counts are sums, jitter the worst, percentiles over everything."""

    links_wanted: int
    links_connected: int
    """At the end, before they were left."""

    setup_ms: Percentiles | None
    received: LoadReceived
    sent: LoadSent
    delays: LoadDelays


class LoadProcess(msgspec.Struct, frozen=True, kw_only=True):
    """What this process itself took and added, while everybody spoke."""

    cpu: float | None
    """Share of one processor; null for less than a second."""

    send_late_ms: Percentiles | None
    """How much later than planned packets were sent, in steps of 0.05 ms. What stands here is part of the jitter that the peers see."""


class LoadReport(msgspec.Struct, frozen=True, kw_only=True):
    """A load, from the first link to the last."""

    schema: int = 1
    call: CallId
    ended: Ending
    """By time; by Ctrl-C; or because every peer had left or was lost."""

    seconds: float
    """For which it was spoken, from when everybody was connected, or had long enough to be."""

    participants: tuple[LoadParticipant, ...]
    total: LoadTotal
    process: LoadProcess

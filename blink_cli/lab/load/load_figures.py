"""Makes the report of a load from what its participants counted."""

from collections.abc import Iterable, Mapping, Sequence

from blink_cli.core.ids import Did
from blink_cli.core.media.rtp_sender import SendCounters
from blink_cli.lab.load.light_media import LightLink, interval_counts
from blink_cli.lab.load.light_participant import LightParticipant
from blink_cli.lab.load.load_report import (
    LoadDelays,
    LoadLink,
    LoadParticipant,
    LoadReceived,
    LoadSent,
    LoadStream,
    LoadTotal,
    Percentiles,
)

SentStream = tuple[int, SendCounters]
"""An SSRC and what was sent under it."""


def percentiles(values: Sequence[float]) -> Percentiles | None:
    """Return what a series is like; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    last = len(ordered) - 1

    def at(share: float) -> float:
        return round(ordered[min(last, max(0, -(-round(share * len(ordered) * 1000) // 1000) - 1))], 3)

    return Percentiles(
        count=len(ordered),
        min=round(ordered[0], 3),
        p50=at(0.5),
        p95=at(0.95),
        p99=at(0.99),
        max=round(ordered[-1], 3),
    )


def received(links: Iterable[LightLink]) -> LoadReceived:
    """Count what came on these. All links have ended."""
    links = tuple(links)
    streams = [stream for link in links for _, stream in link.receptions]
    heard = [stream for stream in streams if stream.packets_received]
    expected = sum(stream.packets_expected for stream in streams)
    lost = sum(stream.packets_lost for stream in streams)
    intervals = interval_counts()
    intervals.add(link.intervals for link in links)
    return LoadReceived(
        packets=sum(stream.packets_received for stream in streams),
        packets_expected=expected,
        packets_lost=lost,
        loss=lost / expected if expected else None,
        packets_duplicated=sum(stream.packets_duplicated for stream in streams),
        packets_reordered=sum(stream.packets_reordered for stream in streams),
        payload_bytes=sum(stream.bytes_received for stream in streams),
        jitter_ms=_ms(max((stream.jitter_s for stream in heard), default=None)),
        mean_jitter_ms=_ms(max((stream.mean_jitter_s for stream in heard), default=None)),
        max_jitter_ms=_ms(max((stream.max_jitter_s for stream in heard), default=None)),
        interval_ms=intervals.percentiles(),
    )


def sent(links: Iterable[LightLink], to_rooms: Iterable[SentStream] = ()) -> LoadSent:
    """Count what went out on these, and to rooms. All links have ended."""
    links, to_rooms = tuple(links), tuple(to_rooms)
    counters = [one for _, one in (*to_rooms, *(stream for link in links for stream in link.sent))]
    packets = sum(one.packets_sent for one in counters)
    reports = [link.remote for link in links if link.remote is not None]
    lost = sum(report.packets_lost for report in reports) if reports else None
    # Of who reported nothing, nothing is known; a report is of one stream, and not of those before it.
    told_of = sum(
        one.packets_sent
        for link in links
        for ssrc, one in (*link.sent, *to_rooms)
        if link.remote is not None and ssrc == link.remote.ssrc
    )
    return LoadSent(
        packets=packets,
        payload_bytes=sum(one.bytes_sent for one in counters),
        packets_discarded=sum(one.packets_discarded for one in counters),
        reported_lost=lost,
        reported_loss=None if lost is None or not told_of else max(lost, 0) / told_of,
        reported_jitter_ms=_ms(max((report.jitter_s for report in reports), default=None)),
    )


def streams_sent(link: LightLink, to_rooms: Iterable[SentStream] = ()) -> tuple[LoadStream, ...]:
    """Return the streams to a peer, and to rooms, of which anything went. All links have ended."""
    return tuple(
        LoadStream(ssrc=ssrc, packets=counted.packets_sent, highest_sequence=None)
        for ssrc, counted in (*link.sent, *to_rooms)
        if counted.packets_sent
    )


def delays(links: Iterable[LightLink]) -> LoadDelays:
    """Gather the delays of these."""
    links = tuple(links)
    incoming = percentiles([value for link in links for value in link.delays_in_ms])
    return LoadDelays(
        round_trip_ms=percentiles([value for link in links for value in link.round_trips_ms]),
        received_ms=incoming,
        sent_ms=percentiles([value for link in links for value in link.delays_out_ms]),
        why=None if incoming is not None else next((link.no_delay for link in links), "no link stood"),
    )


def participants(
    members: Sequence[LightParticipant], peers: Mapping[Did, str], connected: Mapping[Did, frozenset[Did]]
) -> tuple[LoadParticipant, ...]:
    """Return the figures of each.

    Args:
        members: Who has left the call.
        peers: Whom they called, with their names.
        connected: To whom each was connected at the end.

    """
    return tuple(
        LoadParticipant(
            did=member.did,
            nickname=member.nickname,
            links=tuple(
                _link(
                    link,
                    peers[link.peer],
                    member.sent_to_rooms if link.met_in_room else (),
                    connected=link.peer in connected[member.did],
                )
                for link in member.links
                if link.peer in peers
            ),
        )
        for member in members
    )


def total(
    members: Sequence[LightParticipant], peers: Mapping[Did, str], connected: Mapping[Did, frozenset[Did]]
) -> LoadTotal:
    """Return the figures of all together; arguments as for `participants`."""
    links = [link for member in members for link in member.links if link.peer in peers]
    to_rooms = [stream for member in members for stream in member.sent_to_rooms]
    return LoadTotal(
        links_wanted=len(members) * len(peers),
        links_connected=sum(len(connected[member.did] & peers.keys()) for member in members),
        setup_ms=percentiles([1000 * link.setup_s for link in links if link.setup_s is not None]),
        received=received(links),
        sent=sent(links, to_rooms),
        delays=delays(links),
    )


def _link(link: LightLink, nickname: str, to_rooms: Sequence[SentStream], *, connected: bool) -> LoadLink:
    return LoadLink(
        peer=link.peer,
        nickname=nickname,
        connected=connected,
        setup_ms=_ms(link.setup_s),
        received=received((link,)),
        sent=sent((link,), to_rooms),
        delays=delays((link,)),
        streams_received=tuple(
            LoadStream(ssrc=ssrc, packets=stream.packets_received, highest_sequence=stream.highest_sequence)
            for ssrc, stream in link.receptions
        ),
        streams_sent=streams_sent(link, to_rooms),
    )


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(1000 * seconds, 3)

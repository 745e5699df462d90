"""What expectations ask of a running session, from its figures read again and again. Pure.

    rtp-stats, again and again     ──> counters: the last reading less the first      loss, late, recovered, concealed, bitrate, mos, frames, frozen
                                  └──> gauges: a value of each reading                 delay, jitter, rtt, level
    events, and who talks at first ──> when each was told to talk                      talking

Names and meanings are those of `core.expectation.vocabulary`, as the laboratory has them. Of what comes the session knows all of these but `bitrate`. Of what it sends it knows that one and what each listener reports of it:

    loss, jitter   by receiver reports, about one a second (RFC 3550)         mos, late   by extended reports, of the whole call (RFC 3611)
    rtt            the same both ways                                         delay, recovered, concealed, level: nobody reports them
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from blink_cli.core.analysis.e_model import FRAME_MS, LOOK_AHEAD_MS, estimate
from blink_cli.core.api.replies.calls import Participant
from blink_cli.core.api.replies.devices import DeviceFigures
from blink_cli.core.api.replies.statistics import Inbound, PeerStatistics, RtpStatistics
from blink_cli.core.api.replies.video import VideoReceived
from blink_cli.core.api.statistics_since import counted_since
from blink_cli.core.errors import NotFoundError
from blink_cli.core.expectation.expectation import Expectation, Subject
from blink_cli.core.expectation.judgement import Judgement, Measured, judge, of_series
from blink_cli.core.expectation.quantity import Kind
from blink_cli.core.expectation.vocabulary import vocabulary
from blink_cli.core.identity.shown_name import shown_name
from blink_cli.core.ids import Did

LIVE_FIGURES: Final = vocabulary(
    (
        *("mos", "delay", "jitter", "rtt", "loss", "late", "recovered", "concealed", "level", "bitrate"),
        *("talking", "frames", "frozen"),
    )
)
"""Those of the vocabulary that a session knows of itself."""

ME: Final = "me"
"""This session, where nobody is called so."""

_REPORTED: Final = frozenset({"loss", "jitter", "mos", "late"})
"""What listeners tell of this session's voice."""

_REPORTED_BY_SOME: Final = frozenset({"mos", "late"})
"""What browsers and older builds do not tell, and nobody of a stretch."""

_SHORTEST_PREFIX: Final = 2


@dataclass(slots=True)
class Watched:
    """What was seen of a call."""

    own: Did
    names: Mapping[Did, str]
    """Of everybody in it, each another name."""

    from_its_beginning: bool
    """Whether counters are those of the whole call, or since they were reset; else from the first reading on."""

    readings: list[tuple[float, RtpStatistics]] = field(default_factory=list)
    """When, in seconds since the watching began, and what."""

    talked: dict[Did, float] = field(default_factory=dict)
    """After how many seconds each was told to talk first; 0 of who talked when it began."""

    talking: list[tuple[Did, float]] = field(default_factory=list)
    """Who talked at which reading."""


def names_in_call(participants: Sequence[Participant]) -> dict[Did, str]:
    """Return what everybody is called, each by another name."""
    names = {one.did: shown_name(one.nickname, one.did) for one in participants}
    common = {name for name in names.values() if list(names.values()).count(name) > 1}
    return {did: did if name in common else name for did, name in names.items()}


def meant(expectation: Expectation, names: Mapping[Did, str], own: Did) -> Expectation:
    """Return the expectation with names as they are shown; `me` is this session unless somebody is called so.

    Raises:
        NotFoundError: Nobody of the call is called so, or more than one.

    """
    subject = expectation.subject
    speaker, listener = (
        None if who is None else _named(who, names, own) for who in (subject.speaker, subject.listener)
    )
    return replace(expectation, subject=Subject(speaker, listener))


def _named(text: str, names: Mapping[Did, str], own: Did) -> str:
    wanted = text.casefold()
    if wanted == ME and own in names and not any(name.casefold().startswith(ME) for name in names.values()):
        return names[own]
    exact = [name for did, name in names.items() if wanted in (name.casefold(), did.casefold())]
    begun = [
        name for did, name in names.items() if name.casefold().startswith(wanted) or did.startswith(text)
    ]
    found = exact or (begun if len(text) >= _SHORTEST_PREFIX else [])
    if len(found) != 1:
        problem = f"fits {', '.join(found)}" if found else "is nobody in this call"
        raise NotFoundError(f"{text!r} {problem}.", hint=f"In the call are {', '.join(names.values())}.")
    return found[0]


def judged(expectation: Expectation, watched: Watched) -> Judgement:
    """Hold what was seen against an expectation."""
    own = watched.names[watched.own]
    subject = expectation.subject
    measured: dict[str, Measured] = {}
    if expectation.figure.kind is Kind.HAPPENING:
        for did, name in watched.names.items():
            if (did != watched.own or subject.speaker == own) and subject.covers(name, own):
                measured[f"{name}->{own}"] = watched.talked.get(did, False)
        return judge(expectation, measured)
    if not watched.readings:
        return judge(expectation, {})
    for peer in watched.readings[-1][1].peers:
        name = watched.names.get(peer.did, peer.did)
        figure = expectation.figure.name
        if (
            expectation.figure.of_pictures
            and subject.speaker is None
            and (peer.video is None or not peer.video.received.packets_received)
        ):
            continue  # it shows nothing
        if figure != "bitrate" and subject.covers(name, own):
            measured[f"{name}->{own}"] = _measured(expectation, watched, peer.did)
        if not subject.covers(own, name):
            continue
        if figure == "bitrate" or (figure == "rtt" and subject.speaker == own):
            measured[f"{own}->{name}"] = _measured(expectation, watched, peer.did)
        elif figure in _REPORTED:
            found = _reported(expectation, watched, peer.did)
            # Nobody who names no direction asks for what this listener does not tell.
            if found is not None or subject != Subject() or figure not in _REPORTED_BY_SOME:
                measured[f"{own}->{name}"] = found
        elif subject.speaker == own:
            measured[f"{own}->{name}"] = None
    return judge(expectation, measured)


def _reported(expectation: Expectation, watched: Watched, did: Did) -> Measured:
    """What a listener tells of this session's voice."""
    name = expectation.figure.name
    if name == "jitter":
        told = (
            peer.outbound.remote.jitter
            for _, _, peer in _of(watched, did)
            if peer.outbound is not None and peer.outbound.remote is not None
        )
        return of_series(list(told), expectation.statistic)
    peer = _counted(watched, did)
    if peer is None or peer.outbound is None or peer.outbound.remote is None:
        return None
    remote = peer.outbound.remote
    if name == "loss":
        if remote.packets_lost is None or remote.packets_expected is None:
            return None
        return _share(remote.packets_lost, remote.packets_expected)
    # Of the listener's whole call: it says nothing of a stretch, nor of what began with `stats reset`.
    if (
        remote.voip_metrics is None
        or not watched.from_its_beginning
        or watched.readings[-1][1].since is not None
    ):
        return None
    heard = remote.voip_metrics
    return heard.mos_conversational if name == "mos" else heard.discard_rate


def is_decided(expectation: Expectation, watched: Watched) -> bool:
    """Whether more watching changes nothing: what was to happen has happened."""
    return (
        expectation.figure.kind is Kind.HAPPENING
        and not expectation.negated
        and bool((judgement := judged(expectation, watched)).findings)
        and all(finding.measured is not False for finding in judgement.findings)
    )


def _measured(expectation: Expectation, watched: Watched, did: Did) -> Measured:
    name = expectation.figure.name
    if expectation.figure.is_series:
        seen = _of(watched, did)
        if name == "level":
            talked = {at_s for who, at_s in watched.talking if who == did}
            seen = [one for one in seen if one[0] in talked]
        values = (
            mouth_to_ear_s(peer, reading.output) if name == "delay" else _GAUGES[name](peer)
            for _, reading, peer in seen
        )
        return of_series([value for value in values if value is not None], expectation.statistic)
    peer = _counted(watched, did)
    if peer is None:
        return None
    if name == "bitrate":
        return _bitrate(watched, did, peer)
    if name == "mos":
        return _mos(watched, did, peer)
    if expectation.figure.of_pictures:
        return None if peer.video is None else _PICTURES[name](peer.video.received)
    return None if peer.inbound is None else _SHARES[name](peer.inbound)


def _of(watched: Watched, did: Did) -> list[tuple[float, RtpStatistics, PeerStatistics]]:
    """All readings of one peer, while its link stood: when, the whole of it, and the peer's part."""
    return [
        (at_s, reading, peer)
        for at_s, reading in watched.readings
        for peer in reading.peers
        if peer.did == did
    ]


def _counted(watched: Watched, did: Did) -> PeerStatistics | None:
    """What was counted of a peer."""
    (_, first), (_, last) = watched.readings[0], watched.readings[-1]
    counted = last if watched.from_its_beginning else counted_since(last, first, "")
    return next((peer for peer in counted.peers if peer.did == did), None)


def _share(part: float, whole: float) -> float | None:
    return max(part, 0) / whole if whole > 0 else None


_SHARES: Final[dict[str, Callable[[Inbound], float | None]]] = {
    "loss": lambda one: _share(one.packets_lost, one.packets_received + one.packets_lost),
    "late": lambda one: _share(one.packets_discarded, one.packets_received),
    "recovered": lambda one: _share(one.packets_recovered, one.packets_received),
    "concealed": lambda one: _share(one.concealed_samples, one.total_samples_received),
}


_PICTURES: Final[dict[str, Callable[[VideoReceived], float]]] = {
    "frames": lambda one: one.frames_decoded,
    "frozen": lambda one: one.total_freezes_duration,
}


def mouth_to_ear_s(peer: PeerStatistics, output: DeviceFigures | None) -> float | None:
    """Return the delay of one reading: as the `quality` of `rtp-analyze` has it, with the buffer and the round trip of that moment, and with what the listener's speaker adds.

    None where it cannot be known.
    """
    if peer.inbound is None or peer.inbound.delay_ms is None or peer.rtt_s is None:
        return None
    sending_ms = None if peer.inbound.analysis is None else peer.inbound.analysis.sending_delay_ms
    kept_ms = FRAME_MS if sending_ms is None else sending_ms
    device_ms = 0.0 if output is None else output.latency_ms
    return peer.rtt_s / 2 + (kept_ms + peer.inbound.delay_ms + LOOK_AHEAD_MS + device_ms) / 1000


_GAUGES: Final[dict[str, Callable[[PeerStatistics], float | None]]] = {
    "jitter": lambda peer: None if peer.inbound is None else peer.inbound.jitter,
    "rtt": lambda peer: peer.rtt_s,
    "level": lambda peer: None if peer.inbound is None else peer.inbound.audio_level_dbov,
}


def _bitrate(watched: Watched, did: Did, peer: PeerStatistics) -> float | None:
    """Of what was sent: over the time that was watched, or of the last second."""
    if peer.outbound is None:
        return None
    times = [at_s for at_s, _, _ in _of(watched, did)]
    if watched.from_its_beginning or times[-1] <= times[0]:
        return peer.outbound.bitrate
    return 8 * peer.outbound.bytes_sent / (times[-1] - times[0])


def _mos(watched: Watched, did: Did, peer: PeerStatistics) -> float | None:
    """Of the time that was watched, by concealment and delay; of the whole call as `rtp-stats` has it."""
    if peer.inbound is None:
        return None
    if watched.from_its_beginning:
        analysis = peer.inbound.analysis
        return None if analysis is None or analysis.quality is None else analysis.quality.mos
    delays = [
        delay
        for _, reading, one in _of(watched, did)
        if (delay := mouth_to_ear_s(one, reading.output)) is not None
    ]
    concealed = _SHARES["concealed"](peer.inbound)
    if not delays or concealed is None:
        return None
    delay_ms = 1000 * statistics.median(delays)
    return estimate(lost_share=concealed, burst_ratio=1.0, one_way_delay_ms=delay_ms).mos

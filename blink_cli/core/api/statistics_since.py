"""Figures of a call counted from a chosen moment on: what is counted now, less what was counted then.

Counters are subtracted here and nowhere else: what counts them knows of no reset, nor do the reports to peers, the log of packets and the judge of quality.
"""

from typing import Any, Final, TypeVar

import msgspec

from blink_cli.core.api.replies.devices import DeviceFigures
from blink_cli.core.api.replies.paths import RefusedInRoom
from blink_cli.core.api.replies.statistics import Inbound, Outbound, PeerStatistics, Remote, RtpStatistics
from blink_cli.core.api.replies.video import VideoSent, VideoStatistics

S = TypeVar("S", bound=msgspec.Struct)

_INBOUND: Final = (
    "packets_received", "packets_lost", "packets_duplicated", "packets_reordered", "datagrams_refused",
    "nack_count", "retransmitted_packets_received",
)  # fmt: skip
_PLAYOUT: Final = (
    "total_samples_received", "packets_discarded", "packets_recovered", "concealed_samples",
    "silent_concealed_samples", "concealment_events", "inserted_samples_for_deceleration", "skipped_samples",
    "removed_samples_for_acceleration", "jitter_buffer_delay", "jitter_buffer_emitted_count", "jitter_buffer_target_delay",
)  # fmt: skip
"""Of one playout buffer: another format makes another buffer, which counts from zero. The first of them always grows."""

_OUTBOUND: Final = (
    "packets_sent", "bytes_sent", "nack_count", "retransmitted_packets_sent", "retransmitted_bytes_sent",
)  # fmt: skip
_VIDEO_SENT: Final = (
    "frames_sent", "key_frames_sent", "packets_sent", "bytes_sent", "retransmitted_packets_sent", "packets_discarded",
    "nack_count", "pli_count", "fir_count",
)  # fmt: skip
_VIDEO_RECEIVED: Final = (
    "packets_received", "bytes_received", "retransmitted_packets_received", "frames_received", "frames_decoded",
    "key_frames_decoded", "frames_dropped", "freeze_count", "total_freezes_duration", "total_decode_time", "nack_count",
    "pli_count",
)  # fmt: skip
"""Without those of one link alone: another one counts its lost packets from zero."""

_REFUSED: Final = ("stun", "dtls", "srtp", "other")
_DEVICE: Final = ("lost_ms", "late_ticks")


def counted_since(now: RtpStatistics, then: RtpStatistics, moment: str) -> RtpStatistics:
    """Return what was counted between two moments of one call; figures of the present are those of now.

    Args:
        now: What is counted now.
        then: What was counted when it shall begin; of another call, it changes nothing.
        moment: When that was, ISO 8601, UTC.

    """
    if now.call != then.call:
        return now
    earlier = {peer.did: peer for peer in then.peers}
    return msgspec.structs.replace(
        now,
        since=moment,
        peers=tuple(
            peer if peer.did not in earlier else _peer(peer, earlier[peer.did]) for peer in now.peers
        ),
        late_ticks=max(now.late_ticks - then.late_ticks, 0),
        refused_in_room=_refused_in_room(now.refused_in_room, then.refused_in_room),
        shown_in_room=_shown_in_room(now.shown_in_room, then.shown_in_room),
        input=_device(now.input, then.input),
        output=_device(now.output, then.output),
    )


def _refused_in_room(now: RefusedInRoom | None, then: RefusedInRoom | None) -> RefusedInRoom | None:
    if now is None or then is None:
        return now
    before = msgspec.structs.asdict(then)
    return RefusedInRoom(
        **{name: max(count - before[name], 0) for name, count in msgspec.structs.asdict(now).items()}
    )


def _shown_in_room(now: VideoSent | None, then: VideoSent | None) -> VideoSent | None:
    """Of another stay in a room all is counted: its counters begin anew."""
    if now is None or then is None or now.packets_sent < then.packets_sent:
        return now
    return _less(now, then, _VIDEO_SENT)


def _peer(now: PeerStatistics, then: PeerStatistics) -> PeerStatistics:
    return msgspec.structs.replace(
        now,
        inbound=_inbound(now.inbound, then.inbound),
        outbound=_outbound(now.outbound, then.outbound),
        limited_s=round(max(now.limited_s - then.limited_s, 0.0), 2),
        video=_video(now.video, then.video),
    )


def _video(now: VideoStatistics | None, then: VideoStatistics | None) -> VideoStatistics | None:
    if now is None or then is None:
        return now
    lost = now.received.packets_lost - then.received.packets_lost
    received = _less(now.received, then.received, _VIDEO_RECEIVED)
    return VideoStatistics(
        sent=_less(now.sent, then.sent, _VIDEO_SENT),
        received=msgspec.structs.replace(
            received, packets_lost=lost if lost >= 0 else now.received.packets_lost
        ),
    )


def _inbound(now: Inbound | None, then: Inbound | None) -> Inbound | None:
    if now is None or then is None:
        return now
    less = _less(now, then, _INBOUND)
    refused = now.datagrams_refused_by_kind
    if refused is not None and then.datagrams_refused_by_kind is not None:
        refused = _less(refused, then.datagrams_refused_by_kind, _REFUSED)
    less = msgspec.structs.replace(less, datagrams_refused_by_kind=refused)
    return less if now.total_samples_received < then.total_samples_received else _less(less, then, _PLAYOUT)


def _outbound(now: Outbound | None, then: Outbound | None) -> Outbound | None:
    if now is None or then is None:
        return now
    return msgspec.structs.replace(_less(now, then, _OUTBOUND), remote=_remote(now.remote, then.remote))


def _remote(now: Remote | None, then: Remote | None) -> Remote | None:
    if (
        now is None
        or then is None
        or now.packets_lost is None
        or now.packets_expected is None
        or then.packets_lost is None
        or then.packets_expected is None
        or now.packets_expected < then.packets_expected
    ):
        return now  # another link counts from zero
    return msgspec.structs.replace(
        now,
        packets_lost=now.packets_lost - then.packets_lost,
        packets_expected=now.packets_expected - then.packets_expected,
    )


def _device(now: DeviceFigures | None, then: DeviceFigures | None) -> DeviceFigures | None:
    if now is None or then is None or now.device != then.device or now.late_ticks < then.late_ticks:
        return now  # another device, or the same opened again, counts from zero
    return _less(now, then, _DEVICE)


def _less(now: S, then: S, names: tuple[str, ...]) -> S:
    differences: dict[str, Any] = {}
    for name in names:
        difference = getattr(now, name) - getattr(then, name)
        differences[name] = round(difference, 6) if isinstance(difference, float) else difference
    return msgspec.structs.replace(now, **differences)

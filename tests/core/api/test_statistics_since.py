"""Figures from a chosen moment on: every counter is less what it was, and nothing else changes."""

from typing import Any

import msgspec
import pytest

from blink_cli.core.api.replies.devices import DeviceFigures
from blink_cli.core.api.replies.statistics import (
    Inbound,
    Outbound,
    PeerStatistics,
    RefusedByKind,
    RtpStatistics,
)
from blink_cli.core.api.replies.video import VideoReceived, VideoSent, VideoStatistics
from blink_cli.core.api.statistics_since import counted_since
from blink_cli.core.ids import CallId, Did

CALL, BOB, CAROL = CallId("c0ffee"), Did("did:key:bob"), Did("did:key:carol")
MOMENT = "2026-01-01T00:00:00.000Z"
GAUGES = {"jitter", "delay_ms", "audio_level_dbov", "analysis", "disturbance", "datagrams_refused_by_kind"}


def inbound(count: int) -> Inbound:
    """Each counter a number of its own, all of them larger with a larger count."""
    counters = [name for name in Inbound.__struct_fields__ if name not in GAUGES]
    values: dict[str, Any] = {name: count * (place + 1) for place, name in enumerate(counters)}
    refused = RefusedByKind(stun=count, dtls=2 * count, srtp=3 * count, other=4 * count)
    return Inbound(
        **values,
        jitter=0.001 * count,
        delay_ms=60.0 + count,
        audio_level_dbov=-count,
        datagrams_refused_by_kind=refused,
    )


def statistics(count: int, *dids: Did) -> RtpStatistics:
    outbound = Outbound(
        packets_sent=50 * count,
        bytes_sent=4000 * count,
        bitrate=32e3 + count,
        redundancy_levels=count,
        remote=None,
    )
    device = DeviceFigures(
        device="null", latency_ms=count, lost_ms=1.5 * count, late_ticks=count, lateness_p99_ms=count
    )
    return RtpStatistics(
        call=CALL,
        peers=tuple(
            PeerStatistics(did=did, nickname="", rtt_s=0.01 * count, inbound=inbound(count), outbound=outbound, limited_s=0.25 * count)
            for did in dids
        ),
        late_ticks=7 * count,
        input=device,
        output=device,
    )  # fmt: skip


def test_every_counter_begins_anew_and_every_gauge_is_of_now() -> None:
    found = counted_since(statistics(5, BOB), statistics(3, BOB), MOMENT)

    (peer,) = found.peers
    assert (found.since, found.late_ticks, peer.rtt_s, peer.limited_s) == (MOMENT, 14, 0.05, 0.5)
    expected = msgspec.structs.replace(inbound(2), jitter=0.005, delay_ms=65.0, audio_level_dbov=-5)
    assert peer.inbound == expected
    assert peer.outbound is not None
    assert (peer.outbound.packets_sent, peer.outbound.bytes_sent, peer.outbound.bitrate) == (
        100,
        8000,
        32_005,
    )
    assert found.output is not None
    assert (found.output.lost_ms, found.output.late_ticks, found.output.latency_ms) == (3.0, 2, 5)


def test_who_came_later_is_counted_whole_and_so_is_another_call() -> None:
    now = statistics(5, BOB, CAROL)
    assert counted_since(now, statistics(3, BOB), MOMENT).peers[1] == now.peers[1]
    other = msgspec.structs.replace(statistics(3, BOB), call=CallId("beef"))
    assert counted_since(now, other, MOMENT) == now


def test_a_new_playout_buffer_counts_from_zero() -> None:
    now, then = statistics(2, BOB), statistics(3, BOB)
    new = msgspec.structs.replace(
        now.peers[0], inbound=msgspec.structs.replace(inbound(2), packets_received=10), outbound=None
    )
    (peer,) = counted_since(msgspec.structs.replace(now, peers=(new,)), then, MOMENT).peers
    assert peer.inbound is not None
    assert peer.inbound.packets_received == 10 - inbound(3).packets_received
    assert peer.inbound.concealed_samples == inbound(2).concealed_samples
    assert peer.outbound is None


def test_nothing_of_a_counter_is_forgotten() -> None:
    zero = counted_since(statistics(3, BOB), statistics(3, BOB), MOMENT).peers[0].inbound
    assert zero is not None
    left = {name: getattr(zero, name) for name in Inbound.__struct_fields__ if name not in GAUGES}
    assert left == dict.fromkeys(left, 0)
    assert zero.datagrams_refused == pytest.approx(0)


def pictures(count: int) -> VideoStatistics:
    fields: dict[Any, dict[str, Any]] = {
        kind: {field.name: count for field in msgspec.structs.fields(kind)}
        for kind in (VideoSent, VideoReceived)
    }
    for named in fields.values():
        named["mime_type"] = "video/VP8"
    return VideoStatistics(
        sent=VideoSent(**fields[VideoSent]), received=VideoReceived(**fields[VideoReceived])
    )


def test_counters_of_pictures_begin_anew_too() -> None:
    now, then = (
        msgspec.structs.replace(
            one, peers=tuple(msgspec.structs.replace(peer, video=pictures(count)) for peer in one.peers)
        )
        for one, count in ((statistics(5, BOB), 5), (statistics(3, BOB), 3))
    )
    video = counted_since(now, then, MOMENT).peers[0].video
    assert video is not None
    gauges = {"target_bitrate", "queue_ms", "fraction_lost", "rtt_s"} | {
        "frame_width", "frame_height", "frames_per_second", "jitter",
    }  # fmt: skip
    for side in (video.sent, video.received):
        for name, figure in msgspec.structs.asdict(side).items():
            expected = "video/VP8" if name == "mime_type" else 5 if name in gauges else 2
            assert figure == expected, name

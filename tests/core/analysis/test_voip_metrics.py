"""How a stream is heard, as its sender is told: RFC 3611's words for what the analysis counts."""

import pytest

from blink_cli.core.analysis.stream_analysis import StreamAnalysis
from blink_cli.core.analysis.voip_metrics import BufferState, voip_metrics
from blink_cli.core.media.extended_report import VoipMetrics
from blink_cli.core.media.media_tap import PlayoutOutcome

pytestmark = pytest.mark.no_clock

FRAME = 960
BUFFER = BufferState(66.0, 1_066.0, 1_400.0)


def metrics(stream: StreamAnalysis, round_trip_ms: float | None = 20.0) -> VoipMetrics | None:
    return voip_metrics(
        stream, stream.patterns()[1], buffer=BUFFER, packet_ms=20.0, round_trip_ms=round_trip_ms
    )


def heard(lost: set[int], late: set[int], recovered: set[int], *, packets: int = 1_000) -> StreamAnalysis:
    stream = StreamAnalysis(7)
    for index in range(packets):
        if index not in lost:
            stream.packet(
                index, index * FRAME, index * 0.02, 80, marker=False, level_dbov=-30, voice=index % 2 == 0
            )
        if index in recovered:
            stream.outcome(index * FRAME, PlayoutOutcome.RECOVERED)
        elif index not in lost | late:
            stream.outcome(index * FRAME, PlayoutOutcome.PLAYED, index * 0.02 + 0.06)
        if index in late:
            stream.outcome(index * FRAME, PlayoutOutcome.LATE)
    return stream


def test_lost_is_what_nothing_made_good_and_late_is_discarded() -> None:
    told = metrics(heard({100, 101, 102, 103, 300}, {104, 500}, {103, 500}))
    assert told is not None
    assert told.loss_rate == pytest.approx(4 / 1000)  # 100, 101, 102, 300
    assert told.discard_rate == pytest.approx(2 / 1000)
    assert told.burst_density == pytest.approx(4 / 5)  # 100 to 104, and 103 was rebuilt
    assert told.burst_duration_ms == 100
    assert told.gmin_packets == 16
    assert (told.round_trip_ms, told.end_system_delay_ms) == (20, 92)
    assert told.signal_dbm0 == -24
    assert told.r_factor is not None
    assert told.mos_listening is not None
    assert told.mos_conversational is not None
    assert told.noise_dbm0 is told.residual_echo_return_loss_db is told.external_r_factor is None
    assert (told.buffer_nominal_ms, told.buffer_maximum_ms, told.buffer_absolute_maximum_ms) == (
        66,
        1_066,
        1_400,
    )


def test_what_was_settled_long_ago_counts_the_same() -> None:
    late = set(range(50, 4_000, 100))
    told = metrics(heard(set(), late, set(), packets=4_000))
    assert told is not None
    assert told.loss_rate == 0.0
    assert told.discard_rate == pytest.approx(len(late) / 4_000)


def test_nothing_is_said_of_what_is_not_known() -> None:
    stream = StreamAnalysis(7)
    stream.packet(1, 0, 0.0, 80, marker=False)
    assert metrics(stream) is None
    told = metrics(heard(set(), set(), set()), round_trip_ms=None)
    assert told is not None
    assert told.round_trip_ms is told.r_factor is told.mos_conversational is None
    assert told.mos_listening is not None

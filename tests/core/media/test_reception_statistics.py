"""Reception statistics: tables, wraps, restarts, a naive second count of random traces, and tshark's."""

import itertools
import random
import struct
from pathlib import Path

import pytest

from blink_cli.core.media.reception_statistics import HISTORY_PACKETS, ReceptionStatistics
from tests.support.captures import rtp_streams, write_rtp_capture

Arrival = tuple[int, int, float]
"""Sequence number, timestamp, arrival in seconds."""


def count(arrivals: list[Arrival], clock_rate_hz: int = 48_000) -> ReceptionStatistics:
    statistics = ReceptionStatistics(clock_rate_hz)
    for sequence, timestamp, arrival_s in arrivals:
        statistics.received(sequence & 0xFFFF, timestamp & 0xFFFFFFFF, arrival_s, 100)
    return statistics


def steady(numbers: list[int], *, start: int = 0) -> list[Arrival]:
    """Packets on time, by their index in the stream, which may leave some out or repeat them."""
    return [(start + n, start * 960 + n * 960, index * 0.02) for index, n in enumerate(numbers)]


@pytest.mark.parametrize(
    ("numbers", "received", "lost", "duplicated", "reordered"),
    [
        ([0, 1, 2, 3], 4, 0, 0, 0),
        ([0, 1, 3, 4], 4, 1, 0, 0),
        ([0, 1, 3, 2, 4], 5, 0, 0, 1),
        ([0, 1, 1, 1, 2], 3, 0, 2, 0),
        ([0, 3, 3, 4], 3, 2, 1, 0),  # a duplicate does not hide a loss
        ([2, 0, 1, 3], 4, 0, 0, 2),  # what was sent before the first to arrive
        ([0, 2, 1, 1], 3, 0, 1, 1),  # a late packet and its duplicate
        ([5], 1, 0, 0, 0),
        ([], 0, 0, 0, 0),
    ],
)
@pytest.mark.parametrize("start", [100, 65534, 0, 2**16 - 1])
def test_counts(
    numbers: list[int], received: int, lost: int, duplicated: int, reordered: int, start: int
) -> None:
    statistics = count(steady(numbers, start=start))
    assert statistics.packets_received == received
    assert statistics.packets_lost == lost
    assert statistics.packets_duplicated == duplicated
    assert statistics.packets_reordered == reordered
    assert statistics.bytes_received == received * 100


def test_ten_lost_and_ten_duplicated_are_not_nothing() -> None:
    numbers = [n for n in range(100) if n % 10] + [n for n in range(90, 100) if n % 10]
    statistics = count(steady(numbers))
    assert statistics.packets_lost == 9  # the first one, 0, was never known to be sent
    assert statistics.packets_duplicated == 9


def test_extended_sequence_counts_the_cycles() -> None:
    statistics = ReceptionStatistics()
    for n in range(0, 3 * 65536, 1000):
        statistics.received(n & 0xFFFF, 0, 0.0)
    assert statistics.highest_sequence == 196_000
    assert statistics.packets_expected == 196_001
    assert ReceptionStatistics().highest_sequence is None


def test_a_long_outage_is_loss_and_not_a_restart() -> None:
    statistics = count([(0, 0, 0.0), (20_000, 20_000 * 960, 400.0)])
    assert (statistics.packets_lost, statistics.restarts) == (19_999, 0)
    assert statistics.max_delta_s == 400.0


def test_a_sender_that_began_anew_loses_nothing() -> None:
    statistics = count([*steady([0, 1, 3], start=30_000), *steady([0, 1, 2], start=500)])
    assert statistics.restarts == 1
    assert statistics.packets_received == 6
    assert statistics.packets_lost == 1
    assert statistics.highest_sequence == 502


def test_history_is_long_enough_for_its_window() -> None:
    statistics = count(steady(list(range(HISTORY_PACKETS))))
    assert not statistics.received(1, 960, 30.0)
    assert statistics.packets_duplicated == 1


def test_jitter_follows_the_formula_across_the_wrap_of_timestamps() -> None:
    start = 2**32 - 1500
    lateness_s = [0.0, 0.004, 0.001, 0.0, 0.010]
    arrivals = [(n, start + 960 * n, 5 + 0.02 * n + late_s) for n, late_s in enumerate(lateness_s)]
    expected_s = 0.0
    for before_s, after_s in itertools.pairwise(lateness_s):
        expected_s += (abs(after_s - before_s) - expected_s) / 16
    assert count(arrivals).jitter_s == pytest.approx(expected_s, abs=1e-9)


def test_a_pause_of_the_sender_is_neither_jitter_nor_delta() -> None:
    statistics = ReceptionStatistics()
    statistics.received(0, 0, 0.0)
    statistics.received(1, 960, 0.02)
    statistics.received(2, 960 + 48_000, 1.02, marker=True)
    assert statistics.jitter_s == pytest.approx(0.0, abs=1e-12)
    assert statistics.max_delta_s == pytest.approx(0.02)


def test_a_marker_on_every_packet_ends_no_pause() -> None:
    statistics = ReceptionStatistics()
    for number in (0, 1, 2, 5, 6):  # as FFmpeg sends Opus; two are lost
        statistics.received(number, 960 * number, 0.02 * number, marker=True)
    assert statistics.max_delta_s == pytest.approx(0.06)
    assert statistics.mean_delta_s == pytest.approx(0.12 / 4)
    statistics.received(7, 960 * 6 + 48_000, 1.12, marker=True)
    assert statistics.max_delta_s == pytest.approx(0.06), "a second of RTP time in one packet is a pause"


def test_reports_cover_an_interval_each() -> None:
    statistics = count(steady([0, 1, 2, 4]))
    first = statistics.report()
    assert first.fraction_lost == pytest.approx(0.2)
    assert (first.packets_lost, first.highest_sequence) == (1, 4)
    assert statistics.report().fraction_lost == 0.0
    statistics.received(3, 3 * 960, 0.2)  # it came after all: not a negative loss
    assert statistics.report().fraction_lost == 0.0
    assert statistics.report().packets_lost == 0


def trace(seed: int) -> list[Arrival]:
    """A random network: loss, duplicates, jitter with reordering, wraps of both counters."""
    chance = random.Random(seed)
    start = chance.randrange(65536)
    clock = chance.randrange(2**32)
    arrivals: list[Arrival] = []
    for n in range(chance.randrange(50, 400)):
        if chance.random() < 0.1:
            continue
        copies = 1 + (chance.random() < 0.05)
        arrivals += [
            (start + n, clock + 960 * n, 0.02 * n + chance.expovariate(1 / 0.015)) for _ in range(copies)
        ]
    return sorted(arrivals, key=lambda arrival: arrival[2])


@pytest.mark.parametrize("seed", range(60))
def test_random_traces_agree_with_a_naive_count(seed: int) -> None:
    arrivals = trace(seed)
    statistics = count(arrivals)
    numbers = [sequence for sequence, _, _ in arrivals]
    highest, reordered = -1, 0
    for index, number in enumerate(numbers):
        reordered += number < highest and number not in numbers[:index]
        highest = max(highest, number)
    assert statistics.packets_received == len(set(numbers))
    assert statistics.packets_duplicated == len(numbers) - len(set(numbers))
    assert statistics.packets_lost == max(numbers) - min(numbers) + 1 - len(set(numbers))
    assert statistics.packets_reordered == reordered


@pytest.mark.parametrize("seed", range(3))
def test_tshark_counts_the_same(seed: int, tmp_path: Path) -> None:
    """A static payload type of 44.1 kHz, since tshark knows no clock rate of a dynamic one without its SDP."""
    chance = random.Random(seed)
    arrivals = []
    for n in range(600):
        if chance.random() < 0.05 and 0 < n < 599:
            continue
        arrivals.append((65_300 + n, 2**32 - 50_000 + 882 * n, 0.02 * n + abs(chance.gauss(0, 0.004))))
    packets = [
        (
            arrival_s,
            struct.pack("!BBHII", 0x80, 11, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, 1234) + bytes(60),
        )
        for sequence, timestamp, arrival_s in arrivals
    ]
    write_rtp_capture(tmp_path / "call.pcap", packets)
    (stream,) = rtp_streams(tmp_path / "call.pcap")
    statistics = count(arrivals, clock_rate_hz=44_100)
    assert stream.packets == statistics.packets_received
    assert stream.lost == statistics.packets_lost > 10
    assert stream.max_delta_ms == pytest.approx(statistics.max_delta_s * 1000, abs=0.01)
    assert stream.mean_jitter_ms == pytest.approx(statistics.mean_jitter_s * 1000, abs=0.05)
    assert stream.max_jitter_ms == pytest.approx(statistics.max_jitter_s * 1000, abs=0.05)


@pytest.mark.parametrize("seed", range(4))
def test_tshark_measures_the_same_when_packets_overtake_and_come_twice(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    arrivals = sorted(
        (
            (100 + n, 882 * n, 0.02 * n + abs(chance.gauss(0.04, 0.02)))
            for n in range(700)
            if chance.random() > 0.05
            for _ in range(1 + (chance.random() < 0.08))
        ),
        key=lambda arrival: arrival[2],
    )
    packets = [
        (arrival_s, struct.pack("!BBHII", 0x80, 11, sequence, timestamp, 1234) + bytes(60))
        for sequence, timestamp, arrival_s in arrivals
    ]
    write_rtp_capture(tmp_path / "call.pcap", packets)
    (stream,) = rtp_streams(tmp_path / "call.pcap")
    statistics = count(arrivals, clock_rate_hz=44_100)
    assert stream.packets == statistics.packets_received + statistics.packets_duplicated
    assert stream.max_delta_ms == pytest.approx(statistics.max_delta_s * 1000, abs=0.01)
    assert stream.mean_jitter_ms == pytest.approx(statistics.mean_jitter_s * 1000, abs=0.2)
    assert stream.max_jitter_ms == pytest.approx(statistics.max_jitter_s * 1000, abs=0.2)


def test_a_refused_copy_counts_and_only_a_true_and_young_one_is_measured() -> None:
    statistics = count(steady(list(range(100))))
    jitter_s = statistics.jitter_s
    statistics.duplicated(99, 99 * 960 + 48_000, 1.99)  # another timestamp: forged
    statistics.duplicated(200, 99 * 960, 1.99)  # never came
    statistics.duplicated(10, 10 * 960, 1.99)  # an old packet, replayed
    assert (statistics.packets_duplicated, statistics.jitter_s) == (3, jitter_s)
    statistics.duplicated(99, 99 * 960, 1.99)
    assert statistics.packets_duplicated == 4
    assert statistics.jitter_s > jitter_s
    assert statistics.packets_lost == 0


def test_what_nobody_watched_is_neither_lost_nor_measured() -> None:
    statistics = count(steady(list(range(10))))
    statistics.interrupted()
    statistics.duplicated(5, 5 * 960, 100.0)
    for index in range(500, 510):
        statistics.received(index, index * 960, 200.0 + index * 0.02)
    assert statistics.packets_lost == 0
    assert statistics.packets_expected == 20
    assert statistics.max_delta_s == pytest.approx(0.02)
    assert statistics.mean_delta_s == pytest.approx(0.02)
    assert statistics.max_jitter_s == pytest.approx(0.0, abs=1e-9)
    assert statistics.restarts == 0


def test_a_summary_is_of_what_came_since_the_one_before() -> None:
    statistics = ReceptionStatistics()
    assert statistics.summary(7) is None
    for number in (65_534, 65_535, 1, 1, 2):  # 0 is lost, 1 comes twice
        index = (number - 65_534) & 0xFFFF
        statistics.received(number, index * 960, index * 0.02 + (0.01 if number == 2 else 0.0))
    first = statistics.summary(7)
    assert first is not None
    assert (first.begin_sequence, first.end_sequence) == (65_534, 3)
    assert (first.packets_lost, first.packets_duplicated) == (1, 1)
    assert (first.min_jitter_ticks, first.max_jitter_ticks, first.mean_jitter_ticks) == (0, 480, 120)
    assert first.deviation_ticks == round(480 * (3 / 16) ** 0.5)
    assert statistics.summary(7) is None
    statistics.received(0, 2 * 960, 0.1)  # after all: the stretch before is told already
    statistics.received(3, 5 * 960, 0.12)
    second = statistics.summary(7)
    assert second is not None
    assert (second.begin_sequence, second.end_sequence, second.packets_lost) == (3, 4, 0)

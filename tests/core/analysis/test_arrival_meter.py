"""What came of a stream: losses, what was held up, jumps of media time; pauses and wraps are none of them."""

import pytest

from blink_cli.core.analysis.arrival_meter import ArrivalMeter, Arrivals
from blink_cli.core.media.rtp import RtpPacket


def packet(
    index: int,
    *,
    late_s: float = 0.0,
    jump: int = 0,
    payload: bytes = bytes(40),
    level_dbov: int = -30,
    marker: bool = False,
) -> RtpPacket:
    return RtpPacket(
        ssrc=1,
        sequence_number=(65_500 + index) % 2**16,
        timestamp=(2**32 - 20_000 + index * 960 + jump) % 2**32,
        payload_type=111,
        marker=marker,
        payload=payload,
        arrival_s=10 + index * 0.02 + jump / 48_000 + late_s,
        audio_level_dbov=level_dbov,
    )


def read(*packets: RtpPacket) -> Arrivals:
    meter = ArrivalMeter()
    for one in packets:
        meter.packet(one)
    return meter.read()


def figures(arrivals: Arrivals) -> tuple[int, int, float, float, float]:
    """Without what floating-point numbers make of nothing."""
    return (
        arrivals.packets_lost,
        arrivals.packets_expected,
        round(arrivals.held_ms, 6),
        arrivals.jumped_ms,
        arrivals.frame_ms,
    )


def test_a_clean_stream_across_both_wraps() -> None:
    assert figures(read(*[packet(index) for index in range(100)])) == (0, 100, 0.0, 0.0, 20.0)


def test_losses_are_taken_back_when_they_come_after_all() -> None:
    meter = ArrivalMeter()
    for index in (0, 1, 4, 5):
        meter.packet(packet(index))
    assert (meter.read().packets_lost, meter.read().packets_lost) == (2, 0)
    meter.packet(packet(2, late_s=0.08))
    assert meter.read().packets_lost == -1


def test_what_was_held_up_is_late_by_the_earliest() -> None:
    held = [packet(index, late_s=0.3 - index * 0.02) for index in range(10, 20)]
    assert read(*[packet(index) for index in range(10)], *held).held_ms == pytest.approx(100)


def test_a_slower_route_is_the_measure_after_ten_seconds() -> None:
    meter = ArrivalMeter()
    for index in range(1200):
        meter.packet(packet(index, late_s=0.05 if index > 500 else 0.0))
        if index == 600:
            assert meter.read().held_ms == pytest.approx(50)
    meter.read()
    meter.packet(packet(1200, late_s=0.05))
    assert meter.read().held_ms == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"payload": bytes(1)}, {}),
        ({"level_dbov": -127}, {}),
        ({}, {"marker": True}),
    ],
    ids=["DTX", "digital silence", "a marked talk spurt"],
)
def test_a_pause_is_no_jump(before: dict[str, object], after: dict[str, object]) -> None:
    first = [packet(index) for index in range(5)]
    ended = packet(5, **before)  # type: ignore[arg-type]
    assert read(*first, ended, packet(6, jump=9_600, **after)).jumped_ms == 0  # type: ignore[arg-type]


def test_sound_that_was_never_captured_is_a_jump_and_no_loss() -> None:
    arrivals = read(*[packet(index) for index in range(6)], packet(6, jump=9_600))
    assert (arrivals.jumped_ms, arrivals.packets_lost, arrivals.frame_ms) == (200.0, 0, 20.0)


def test_another_beginning_is_counted_anew() -> None:
    meter = ArrivalMeter()
    for index in range(10):
        meter.packet(packet(index))
    meter.packet(packet(20_000))
    meter.packet(packet(20_001))
    assert figures(meter.read()) == (0, 2, 0.0, 0.0, 20.0)

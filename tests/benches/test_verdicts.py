"""What the benches conclude from their figures."""

from dataclasses import replace

import pytest
from benches.mesh import Figures, row_of
from benches.voice_sockets import SocketRow, mean_of, verdict

CLEAN = SocketRow(
    receiver="blink",
    trace="clean",
    calls=1,
    pesq=4.5,
    delay_ms=45.0,
    delay_p95_ms=70.0,
    bitrate_bps=30_000.0,
    concealed_percent=0.0,
    late_ticks=0,
    send_late_ms=1.0,
    wire_late_ms=1.0,
    stolen_percent=0.0,
    freeze_left_ms=None,
)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (CLEAN, "ok"),
        (replace(CLEAN, pesq=4.2), "PESQ 0.20 short"),
        (replace(CLEAN, delay_ms=61.0), "delay 11 ms over"),
        (replace(CLEAN, pesq=4.0, delay_ms=60.0), "PESQ 0.40 short, delay 10 ms over"),
        (replace(CLEAN, trace="freeze", freeze_left_ms=-4.0), "ok"),
        (replace(CLEAN, trace="freeze", freeze_left_ms=50.0), "delay 30 ms over"),
        (replace(CLEAN, trace="freeze"), "the delay after it was not found"),
        (replace(CLEAN, trace="loss2"), ""),
    ],
)
def test_a_row_is_judged_by_its_targets(row: SocketRow, said: str) -> None:
    assert verdict(row) == said


def test_a_mean_is_of_all_calls() -> None:
    mean = mean_of([CLEAN, replace(CLEAN, pesq=4.3, freeze_left_ms=10.0)])
    assert mean.calls == 2
    assert mean.pesq == pytest.approx(4.4)
    assert mean.freeze_left_ms == 10.0


def test_a_mesh_counts_what_came_between_two_readings() -> None:
    before = [Figures({"b": 1000}, {"b": 100}, 3, 1, 1.0), Figures({"a": 1000}, {"a": 0}, 0, 0, 1.0)]
    after = [Figures({"b": 2000}, {"b": 110}, 5, 1, 1.5), Figures({"a": 2000}, {"a": 0}, 0, 2, 1.5)]
    row = row_of(before, after, elapsed_s=10.0, stolen=0.0)
    assert row.worst_concealed_percent == pytest.approx(1.0)
    assert row.concealed_percent == pytest.approx(0.5)
    assert (row.packets_late, row.late_ticks, row.loses_nothing) == (2, 2, False)
    assert row.core_percent_per_participant == pytest.approx(5.0)
    assert row_of(before, before, elapsed_s=10.0, stolen=0.0).loses_nothing

"""When a session sends longer packets because its machine is too slow, and when it goes back."""

from blink_cli.core.analysis.load_relief import (
    CALM_S,
    CALM_SHARE,
    LATE_S,
    LATE_SHARE,
    LoadRelief,
    relief_remarks,
    relieved,
)
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.receiver_wishes import ReceiverWishes, fitted

LATE, CALM = 2 * LATE_SHARE, CALM_SHARE / 2
BETWEEN = (LATE_SHARE + CALM_SHARE) / 2


def steps(relief: LoadRelief, shares: list[float | None], begin_s: int = 0) -> list[int]:
    told = []
    for second, share in enumerate(shares, begin_s):
        relief.update(share, float(second))
        told.append(relief.step)
    return told


def test_a_machine_that_stays_late_is_spared_more_and_more_up_to_a_bound() -> None:
    told = steps(LoadRelief(), [LATE] * 20)
    late_s = int(LATE_S)
    assert told[: 2 * late_s + 1] == [0] * late_s + [1] * late_s + [2]
    assert set(told[2 * late_s :]) == {2}


def test_moments_and_what_is_not_known_spare_nothing() -> None:
    moments: list[float | None] = [LATE, LATE, BETWEEN, None] * 10
    assert set(steps(LoadRelief(), moments)) == {0}


def test_work_comes_back_step_by_step_and_each_time_later_where_it_was_too_much() -> None:
    relief = LoadRelief()
    steps(relief, [LATE] * (int(LATE_S) + 1))
    calm: list[float | None] = [CALM] * 400
    first = steps(relief, calm, begin_s=100).index(0)
    steps(relief, [LATE] * (int(LATE_S) + 1), begin_s=600)
    second = steps(relief, calm, begin_s=700).index(0)
    assert CALM_S <= first < second


def test_between_late_and_calm_everything_stays() -> None:
    relief = LoadRelief()
    steps(relief, [LATE] * (int(LATE_S) + 1))
    assert set(steps(relief, [BETWEEN] * 600, begin_s=100)) == {1}


def test_longer_packets_and_less_effort_but_never_shorter_ones_nor_more() -> None:
    chosen = CodecSettings()
    assert relieved(chosen, 0) == chosen
    assert [relieved(chosen, step).frame_ms for step in (1, 2)] == [40, 60]
    assert relieved(CodecSettings(frame_ms=60, complexity=2), 1) == CodecSettings(frame_ms=60, complexity=2)
    assert relief_remarks(chosen, chosen) == ()
    assert "40 ms" in relief_remarks(chosen, relieved(chosen, 1))[0]


def test_who_listens_and_takes_no_longer_packets_gets_none() -> None:
    eased = relieved(CodecSettings(), 2)
    assert fitted(eased, [ReceiverWishes(longest_packet_ms=20)]).frame_ms == 20

"""The fates of datagrams, in virtual time: what was asked is what happens, and a seed replays."""

import itertools
import math
import random
import statistics
from collections.abc import Iterable

import pytest

from blink_cli.core.impairment.conditions import Conditions, FourStates, JitterShape, Outage
from blink_cli.core.impairment.delay_trace import DelayTrace
from blink_cli.core.impairment.line import Line, with_wrong_bit

DATAGRAMS = 20_000
INTERVAL_S = 0.02
SIZE_BYTES = 150


def line(conditions: Conditions, seed: str = "7") -> Line:
    return Line(conditions, random.Random(seed).random)


def delays_ms(
    conditions: Conditions, seed: str = "7", *, datagrams: int = DATAGRAMS
) -> list[tuple[float, ...]]:
    impaired = line(conditions, seed)
    fates = [impaired.fate(n * INTERVAL_S, SIZE_BYTES) for n in range(datagrams)]
    return [tuple((copy.due_at - n * INTERVAL_S) * 1000 for copy in copies) for n, copies in enumerate(fates)]


def runs(lost: Iterable[bool]) -> list[int]:
    return [len(list(run)) for is_lost, run in itertools.groupby(lost) if is_lost]


def near(share: float, count: int, *, correlation: float = 1.0) -> object:
    """Within four standard errors of a share of so many; in bursts, fewer of them are independent."""
    return pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) * correlation / count))


def test_a_perfect_line_delivers_everything_at_once() -> None:
    assert all(fate == pytest.approx((0,), abs=1e-6) for fate in delays_ms(Conditions()))


@pytest.mark.parametrize("seed", ["1", "2"])
@pytest.mark.parametrize("loss", [0.02, 0.3])
@pytest.mark.parametrize("burst", [1.0, 4.0, 20.0])
def test_loss_and_its_bursts_are_as_asked(loss: float, burst: float, seed: str) -> None:
    lost = [not fate for fate in delays_ms(Conditions(loss=loss, burst_packets=burst), seed)]
    assert sum(lost) / DATAGRAMS == near(loss, DATAGRAMS, correlation=2 * burst)
    lengths = runs(lost)
    expected = burst if burst > 1 else 1 / (1 - loss)
    # A geometric length has a standard deviation of about its mean.
    assert statistics.mean(lengths) == pytest.approx(expected, abs=4 * expected / math.sqrt(len(lengths)))


def test_bad_times_lose_a_part_and_good_ones_a_little() -> None:
    conditions = Conditions(loss=0.1, burst_packets=50, bad_loss=0.5, good_loss=0.01)
    lost = [not fate for fate in delays_ms(conditions)]
    assert sum(lost) / DATAGRAMS == near(0.1, DATAGRAMS, correlation=60)
    # Behind a lost one it is mostly still bad: nearly half of those are lost too, and hardly ever all.
    behind = [later for earlier, later in itertools.pairwise(lost) if earlier]
    assert 0.40 < sum(behind) / len(behind) < 0.50


def test_loss_in_bursts_holds_for_short_calls_too() -> None:
    conditions = Conditions(loss=0.2, burst_packets=30)
    lost = sum(
        not fate for seed in range(1_000) for fate in delays_ms(conditions, f"short {seed}", datagrams=20)
    )
    assert lost / 20_000 == pytest.approx(0.2, abs=0.03)


def test_four_states_are_as_their_transitions_say() -> None:
    states = FourStates(p13=0.02, p31=0.3, p32=0.1, p23=0.6, p14=0.01)
    lost = [not fate for fate in delays_ms(Conditions(four_states=states), datagrams=60_000)]
    # Balance of the chain: in and out of {2, 3}, of 2, and of 4.
    bad = states.p13 / states.p31
    weights = 1.0, bad * states.p32 / states.p23, bad, states.p14
    expected = (weights[2] + weights[3]) / sum(weights)
    assert sum(lost) / len(lost) == near(expected, len(lost), correlation=4)
    assert statistics.mean(runs(lost)) == pytest.approx(
        # Visits to 3 last 1/(p31+p32); those to 4 are one long; they come as often as they are entered.
        (bad + states.p14) / (bad * (states.p31 + states.p32) + states.p14),
        rel=0.05,
    )


def test_jitter_spreads_around_the_delay_and_reorders() -> None:
    delays = [fate[0] for fate in delays_ms(Conditions(delay_ms=200, jitter_ms=20))]
    assert statistics.mean(delays) == pytest.approx(200, abs=4 * 20 / math.sqrt(DATAGRAMS))
    assert statistics.stdev(delays) == pytest.approx(20, rel=0.02)
    assert statistics.quantiles(delays, n=1000)[-1] == pytest.approx(200 + 3.09 * 20, abs=3)
    arrivals = [n * INTERVAL_S * 1000 + delay for n, delay in enumerate(delays)]
    assert any(later < earlier for earlier, later in itertools.pairwise(arrivals))


def test_paretos_jitter_has_a_long_tail_on_the_late_side() -> None:
    delays = [fate[0] for fate in delays_ms(Conditions(delay_ms=200, jitter_ms=20, jitter_shape="pareto"))]
    quantiles = statistics.quantiles(delays, n=100)
    for percent in (10, 50, 90, 99):
        share = percent / 100
        late = (1 - share) ** (-1 / 3)
        # Four standard errors of a quantile, by the density there.
        error = 4 * math.sqrt(share * (1 - share) / DATAGRAMS) * late**4 / 3
        assert quantiles[percent - 1] == pytest.approx(
            200 + 20 * (late - 1.5) / math.sqrt(0.75), abs=20 * error / math.sqrt(0.75)
        )
    assert min(delays) == pytest.approx(200 - 20 * 0.5 / math.sqrt(0.75), abs=0.1)
    assert statistics.mean(delays) == pytest.approx(200, abs=1)


@pytest.mark.parametrize("shape", ["normal", "pareto"])
def test_kept_order_is_kept(shape: JitterShape) -> None:
    conditions = Conditions(delay_ms=200, jitter_ms=40, jitter_shape=shape, keep_order=True)
    delays = [fate[0] for fate in delays_ms(conditions)]
    arrivals = [n * INTERVAL_S * 1000 + delay for n, delay in enumerate(delays)]
    assert all(later >= earlier - 1e-6 for earlier, later in itertools.pairwise(arrivals))


def test_reordered_datagrams_come_behind_the_next_ones() -> None:
    delays = [fate[0] for fate in delays_ms(Conditions(delay_ms=50, reordering=0.1, keep_order=True))]
    assert sum(delay > 99 for delay in delays) / DATAGRAMS == near(0.1, DATAGRAMS)
    assert set(map(round, delays)) == {50, 100}


def test_duplicates_arrive_twice() -> None:
    fates = delays_ms(Conditions(duplication=0.2, jitter_ms=5, delay_ms=20))
    assert sum(len(fate) == 2 for fate in fates) / DATAGRAMS == near(0.2, DATAGRAMS)
    assert all(list(fate) == sorted(fate) for fate in fates)


def test_corrupted_datagrams_have_one_wrong_bit_anywhere() -> None:
    impaired = line(Conditions(corruption=0.05))
    datagram = bytes(SIZE_BYTES)
    flipped = []
    for n in range(DATAGRAMS):
        (copy,) = impaired.fate(n, SIZE_BYTES)
        if copy.wrong_at is not None:
            wrong = int.from_bytes(with_wrong_bit(datagram, copy.wrong_at))
            assert wrong.bit_count() == 1
            flipped.append(SIZE_BYTES * 8 - wrong.bit_length())
    assert len(flipped) / DATAGRAMS == near(0.05, DATAGRAMS)
    assert impaired.counters.datagrams_corrupted == len(flipped)
    assert min(flipped) < 20
    assert max(flipped) > SIZE_BYTES * 8 - 20
    assert statistics.mean(flipped) == pytest.approx(SIZE_BYTES * 4, rel=0.05)


def test_a_narrow_line_delays_what_fits_and_drops_the_rest() -> None:
    # 150 bytes each 20 ms are 60 kb/s.
    wide = delays_ms(Conditions(rate_kbps=120))
    assert all(fate[0] == pytest.approx(10, abs=0.01) for fate in wide)
    narrow = delays_ms(Conditions(rate_kbps=30, queue_ms=100))
    assert sum(not fate for fate in narrow) / DATAGRAMS == pytest.approx(0.5, abs=0.02)
    assert max(fate[0] for fate in narrow if fate) == pytest.approx(140, abs=1)


def test_an_outage_loses_what_is_sent_meanwhile_and_no_more() -> None:
    outages = (Outage(1.0, 0.5), Outage(3.0, 0.1))
    impaired = Line(Conditions(outages=outages), random.Random(1).random, began_at=100.0)
    lost = [n for n in range(500) if not impaired.fate(100 + (n + 0.5) / 100, SIZE_BYTES)]
    assert lost == [*range(100, 150), *range(300, 310)]
    assert impaired.counters.datagrams_lost_in_outages == len(lost)
    assert impaired.counters.datagrams_lost == 0


def test_a_freeze_lets_out_at_its_end_what_was_due() -> None:
    impaired = line(Conditions(delay_ms=100, outages=(Outage(1.0, 0.5, held=True),)))
    due_at = [impaired.fate(n / 100, SIZE_BYTES)[0].due_at for n in range(300)]
    for n, due in enumerate(due_at):
        plain = n / 100 + 0.1
        assert due == pytest.approx(1.5 if 1.0 <= plain < 1.5 else plain)


def test_a_trace_says_what_becomes_of_each() -> None:
    trace = DelayTrace("mine", (5.0, None, 20.0))
    assert delays_ms(Conditions(delay_ms=10, trace=trace), datagrams=6) == [
        pytest.approx(fate) for fate in ((15.0,), (), (30.0,), (15.0,), (), (30.0,))
    ]


def test_a_trace_over_time_says_what_becomes_of_what_is_sent_then() -> None:
    trace = DelayTrace("mine", (0.0, 100.0, None), (0.0, 0.1, 0.2))
    impaired = Line(Conditions(trace=trace), random.Random(1).random, began_at=5.0)
    fates = [impaired.fate(5.01 + n * INTERVAL_S, SIZE_BYTES) for n in range(30)]
    late_ms = [
        copies and round(1000 * (copies[0].due_at - 5.01 - n * INTERVAL_S)) for n, copies in enumerate(fates)
    ]
    assert late_ms == ([0] * 5 + [100] * 5 + [()] * 5) * 2


def test_a_seed_replays_and_another_differs() -> None:
    conditions = Conditions(loss=0.1, jitter_ms=20, delay_ms=40, duplication=0.05, reordering=0.02)
    assert delays_ms(conditions, "1", datagrams=5000) == delays_ms(conditions, "1", datagrams=5000)
    assert delays_ms(conditions, "1", datagrams=5000) != delays_ms(conditions, "2", datagrams=5000)


def test_the_fate_of_one_does_not_depend_on_when_the_others_came() -> None:
    conditions = Conditions(loss=0.1, burst_packets=3, jitter_ms=20, delay_ms=40, duplication=0.05)
    steady, ragged = line(conditions), line(conditions)
    for n in range(2000):
        early = [copy.due_at for copy in steady.fate(0, SIZE_BYTES)]
        late = [copy.due_at - n**1.5 for copy in ragged.fate(n**1.5, SIZE_BYTES)]
        assert early == pytest.approx(late, abs=1e-6)


def test_outages_count_from_where_they_are_told_and_chances_go_on() -> None:
    conditions = Conditions(loss=0.2, burst_packets=3.0, outages=(Outage(1.0, 0.5),))
    told, known = (Line(conditions, random.Random(1).random, began_at=began) for began in (2.0, 5.0))
    early = [line.fate(4.9, 100) for line in (told, known)]
    assert early[0] == early[1]
    told.count_from(5.0)
    moments = [5.0 + 0.02 * number for number in range(200)]
    assert [told.fate(at, 100) for at in moments] == [known.fate(at, 100) for at in moments]
    assert told.counters.datagrams_lost_in_outages == 25


def test_a_change_of_conditions_leaves_the_draws_in_step() -> None:
    changed, steady = line(Conditions(loss=0.5, burst_packets=3)), line(Conditions(), "7")
    for n in range(100):
        changed.fate(n, SIZE_BYTES)
        steady.fate(n, SIZE_BYTES)
    changed.change(Conditions(loss=0.3, jitter_ms=10, delay_ms=20), 100)
    steady.change(Conditions(loss=0.3, jitter_ms=10, delay_ms=20), 100)
    for n in range(100, 200):
        assert changed.fate(n, SIZE_BYTES) == steady.fate(n, SIZE_BYTES)


TIMED = Conditions(loss=0.1, bad_time_ms=100, bad_loss=0.75)


@pytest.mark.parametrize("seed", ["1", "2"])
def test_bad_times_by_the_clock_last_as_long_whatever_is_sent(seed: str) -> None:
    for interval_s in (0.005, 0.02, 0.1):
        impaired = line(Conditions(loss=0.1, bad_time_ms=100), seed)
        count = int(2_000 / interval_s)
        lost = [not impaired.fate(n * interval_s, SIZE_BYTES) for n in range(count)]
        assert sum(lost) * interval_s / 2_000 == near(0.1, int(2_000 / 0.2))
        if interval_s < 0.01:
            mean_s = statistics.mean(runs(lost)) * interval_s
            assert mean_s == pytest.approx(0.1 + interval_s / 2, rel=0.12)


def test_what_goes_beside_the_voice_meets_the_state_of_its_own_moment() -> None:
    voice = line(TIMED)
    beside = Line(TIMED, random.Random("8").random, beside=voice)
    lost_behind: dict[float, list[bool]] = {0.002: [], 0.1: [], 1.0: []}
    # A pause of the voice for two seconds behind each packet: the state goes on meanwhile.
    for n in range(4_000):
        if not voice.fate(2 * n, SIZE_BYTES):
            for later_s, lost in lost_behind.items():
                lost.append(not beside.fate(2 * n + later_s, SIZE_BYTES))
    shares = [sum(lost) / len(lost) for lost in lost_behind.values()]
    # Bad a moment later by exp(-t / 0.1 s), in the main; by chance after a second.
    assert shares == [pytest.approx(expected, abs=0.09) for expected in (0.74, 0.31, 0.1)], shares


def test_bad_times_lie_where_they_lay_whenever_one_asks() -> None:
    in_order, back_and_forth = line(TIMED), line(TIMED)
    for one in (in_order, back_and_forth):
        one.fate(0.0, SIZE_BYTES)
    moments = [n * 0.01 for n in range(2_000)]
    shuffled = random.Random(3).sample(moments, len(moments))
    shares = {moment: back_and_forth.loss_share_at(moment) for moment in shuffled}
    assert [in_order.loss_share_at(moment) for moment in moments] == [shares[moment] for moment in moments]
    assert set(shares.values()) == {0.0, 0.75}


def test_bad_times_by_the_clock_may_take_any_share() -> None:
    always = line(Conditions(loss=0.5, bad_time_ms=50, bad_loss=0.5))
    lost = [not always.fate(n * INTERVAL_S, SIZE_BYTES) for n in range(DATAGRAMS)]
    assert sum(lost) / DATAGRAMS == near(0.5, DATAGRAMS)
    mostly = line(Conditions(loss=0.95, bad_time_ms=50))
    lost = [not mostly.fate(n * INTERVAL_S, SIZE_BYTES) for n in range(DATAGRAMS)]
    assert sum(lost) / DATAGRAMS == near(0.95, DATAGRAMS, correlation=3)

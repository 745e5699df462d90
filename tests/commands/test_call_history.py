"""The last minute of a call, from readings of its figures."""

import msgspec
import pytest

from blink_cli.commands.call_history import LAST_S, CallHistory
from blink_cli.core.api.replies.statistics import PeerStatistics, RtpStatistics
from blink_cli.core.ids import CallId
from tests.support.scripted_session import BOB, CALL, inbound, outbound

pytestmark = pytest.mark.no_clock


def reading(second: int, *, lost: int = 0, concealed: int = 0, delay_ms: float = 60.0) -> RtpStatistics:
    stream = inbound(
        packets_received=50 * second - lost,
        packets_lost=lost,
        total_samples_received=48_000 * second,
        concealed_samples=concealed,
        delay_ms=delay_ms,
    )
    peer = PeerStatistics(did=BOB, nickname="bob", rtt_s=0.02, inbound=stream, outbound=outbound())
    return RtpStatistics(call=CALL, peers=(peer,), late_ticks=0)


def test_each_second_has_its_delay_and_what_was_lost_in_it() -> None:
    history = CallHistory()
    for second, lost in enumerate((0, 0, 5, 5)):
        history.take(reading(second + 1, lost=lost, delay_ms=60.0 + second), 100.0 + second)
        history.take(reading(second + 1, lost=lost + 1), 100.5 + second)  # too soon to be a second of its own
    trend = history.trends[BOB]
    assert trend.delay_ms == (60.0, 61.0, 62.0, 63.0)
    assert trend.lost_share == (0.0, 0.1, 0.0)


def test_no_more_than_a_minute_is_kept() -> None:
    history = CallHistory()
    for second in range(3 * LAST_S):
        history.take(reading(second), float(second))
    assert len(history.trends[BOB].delay_ms) == len(history.trends[BOB].lost_share) == LAST_S


def test_it_sounds_as_the_last_seconds_did() -> None:
    history = CallHistory()
    grades = []
    concealed = 0
    for second in range(1, 61):
        concealed += 4_800 if 20 <= second < 35 else 0  # a tenth
        history.take(reading(second, concealed=concealed), float(second))
        grades.append(history.trends[BOB].grade)
    assert grades[0] is None
    assert grades[18] == "good"
    assert grades[33] == "poor"
    assert "fair" in grades[18:34]
    assert grades[-1] == "good"


def test_a_long_delay_is_not_good_though_nothing_is_missing() -> None:
    history = CallHistory()
    for second in range(1, 12):
        history.take(reading(second, delay_ms=700.0), float(second))
    assert history.trends[BOB].grade in {"fair", "poor"}


def test_another_call_a_reset_and_no_call_begin_anew() -> None:
    for other in (
        msgspec.structs.replace(reading(1), call=CallId("0" * 32)),
        msgspec.structs.replace(reading(1), since="2026-01-01T00:00:00.000Z"),
    ):
        history = CallHistory()
        history.take(reading(5, lost=3), 1.0)
        history.take(other, 2.0)
        assert history.trends[BOB].lost_share == ()
        history.take(None, 3.0)
        assert history.trends == {}

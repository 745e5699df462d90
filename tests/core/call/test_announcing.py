"""When this session announces itself."""

import pytest

from blink_cli.core.call.announcing import Announcer
from blink_cli.core.call.settings import LAN


def _times(announcer: Announcer, until: float) -> list[float]:
    times = []
    while announcer.due_at <= until:
        times.append(announcer.due_at)
        announcer.take(announcer.due_at)
    return times


def test_after_a_change_it_hurries_and_then_calms_down() -> None:
    announcer = Announcer(LAN, 10.0)
    announcer.hurry(10.0)
    assert _times(announcer, 13.6) == pytest.approx([10.0, 10.1, 10.25, 10.5, 11.5, 12.5, 13.5])


def test_every_announce_has_the_next_number() -> None:
    announcer = Announcer(LAN, 10.0)
    assert [announcer.take(10.0), announcer.take(10.5)] == [1, 2]


def test_replies_keep_their_distance() -> None:
    announcer = Announcer(LAN, 10.0)
    announcer.take(10.0)
    for number in range(20):
        announcer.reply(10.0 + number / 1000)
    assert _times(announcer, 10.9) == pytest.approx([10.0 + LAN.reply_gap_s])


def test_a_reply_does_not_delay_what_is_due_anyway() -> None:
    announcer = Announcer(LAN, 10.0)
    announcer.hurry(10.0)
    announcer.take(10.0)
    announcer.reply(10.01)
    assert announcer.due_at == pytest.approx(10.1)


def test_only_the_repetitions_of_news_are_news_repeated() -> None:
    announcer = Announcer(LAN, 10.0)
    announcer.hurry(10.0)
    repeated = []
    while (now := announcer.due_at) <= 12.0:
        repeated.append(announcer.repeats_news(now))
        announcer.take(now)
    assert repeated == [False, True, True, True, False]
    announcer.reply(12.0)
    assert not announcer.repeats_news(announcer.due_at), "an answer to one is not for all"

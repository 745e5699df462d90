"""Who knows this session's present life, and whether a newer one that somebody tells of is over."""

import pytest

from blink_cli.core.call.recognition import Recognition
from blink_cli.core.call.settings import LAN
from blink_cli.core.ids import Did
from blink_cli.core.signaling.signals import PeerReception
from tests.core.call.party import did

ALICE, CAROL, DAVE = did("alice"), did("carol"), did("dave")


class _Told:
    """Announces by the second."""

    def __init__(self) -> None:
        self.recognition = Recognition(LAN)

    def newer(self, by: Did, link: str, now: float) -> bool:
        return self.recognition.is_passed_over(by, PeerReception(did("bob"), link, 2000), now)

    def counts_in(self, by: Did, now: float) -> None:
        self.recognition.counted_in(by, now)


@pytest.mark.parametrize("link", ["connecting", "connected", "lost", "absent"])
def test_who_was_never_counted_in_believes_any_newer_life(link: str) -> None:
    assert _Told().newer(ALICE, link, 10.0)


@pytest.mark.parametrize("link", ["connecting", "connected"])
def test_who_was_counted_in_does_not_displace_a_life_that_is_heard(link: str) -> None:
    told = _Told()
    told.counts_in(CAROL, 10.0)
    assert not [at for at in range(11, 60) if told.newer(ALICE, link, at)]


@pytest.mark.parametrize("link", ["lost", "absent"])
def test_a_life_that_is_over_is_believed_when_nobody_counts_us_in_any_more(link: str) -> None:
    told = _Told()
    told.counts_in(CAROL, 10.0)
    assert not told.newer(ALICE, link, 12.9)
    assert told.newer(ALICE, link, 13.0)


@pytest.mark.parametrize("link", ["lost", "absent"])
def test_a_life_that_is_over_is_believed_after_a_while_although_others_count_us_in(link: str) -> None:
    told = _Told()
    passed_over = []
    for at in (10.0, 11.0, 12.0):
        told.counts_in(CAROL, at)
        passed_over.append(told.newer(ALICE, link, at + 0.5))
    assert passed_over == [False, False, True]


def test_as_long_as_somebody_hears_the_newer_life_it_is_not_over() -> None:
    told = _Told()
    passed_over = []
    for at in (10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0):
        told.counts_in(CAROL, at)
        if at <= 13.0:
            told.newer(DAVE, "connected", at)
        passed_over.append(told.newer(ALICE, "lost", at + 0.5))
    assert passed_over == [False, False, False, False, False, False, True]


def test_who_hears_it_again_or_counts_us_in_waits_anew() -> None:
    told = _Told()
    for at in (10.0, 11.0):
        told.counts_in(CAROL, at)
        assert not told.newer(ALICE, "lost", at)
    told.newer(ALICE, "connected", 12.0)
    for at in (13.0, 14.0):
        told.counts_in(CAROL, at)
        assert not told.newer(ALICE, "lost", at)
    told.counts_in(ALICE, 15.0)
    for at in (16.0, 17.0):
        told.counts_in(CAROL, at)
        assert not told.newer(ALICE, "lost", at)
    told.recognition.tells_nothing(ALICE)
    told.counts_in(CAROL, 18.0)
    assert not told.newer(ALICE, "lost", 18.0)


def test_each_is_heeded_once_while_others_count_us_in() -> None:
    told = _Told()
    heeded = []
    for at in range(10, 60):
        told.counts_in(CAROL, at)
        heeded += [by for by in (ALICE, DAVE) if told.newer(by, "lost", at)]
    assert heeded == [ALICE, DAVE]

"""Whose fault a damaged voice is: who is sure is asked first, and the network is not blamed before the other side could speak."""

import msgspec
import pytest

from blink_cli.core.analysis.culprit import Culprit, CulpritFinder, Disturbance, Evidence
from blink_cli.core.media.side_health import WELL, SideHealth

QUIET = Evidence(
    damage_ms=0.0,
    packets_lost=0,
    packets_expected=50,
    frame_ms=20.0,
    held_ms=4.0,
    jumped_ms=0.0,
    own=WELL,
    other=WELL,
)


def seconds(*evidence: Evidence) -> list[tuple[int, Culprit]]:
    finder = CulpritFinder()
    told = [(second, finder.update(one)) for second, one in enumerate(evidence)]
    return [(second, found.culprit) for second, found in told if found is not None]


def second(**changed: object) -> Evidence:
    return msgspec.structs.replace(QUIET, damage_ms=200.0, **changed)


@pytest.mark.parametrize(
    ("evidence", "culprit"),
    [
        (second(own=SideHealth(machine_late_ms=300, speaker_missing_ms=200)), Culprit.RECEIVER_MACHINE),
        (second(own=SideHealth(speaker_missing_ms=200)), Culprit.RECEIVER_DEVICE),
        (second(packets_lost=10, own=SideHealth(machine_late_ms=60)), Culprit.NETWORK_IN),
        (second(packets_lost=10, own=SideHealth(machine_late_ms=300)), Culprit.RECEIVER_MACHINE),
        (second(packets_lost=10, other=SideHealth(machine_late_ms=60)), Culprit.NETWORK_IN),
        (second(other=SideHealth(machine_late_ms=300, capture_missing_ms=250)), Culprit.SENDER_MACHINE),
        (second(other=SideHealth(capture_missing_ms=250)), Culprit.SENDER_CAPTURE),
        (second(jumped_ms=200.0), Culprit.SENDER_CAPTURE),
    ],
)
def test_who_is_sure_is_believed_at_once(evidence: Evidence, culprit: Culprit) -> None:
    assert seconds(QUIET, evidence, QUIET, QUIET) == [(1, culprit)]


def test_what_was_held_up_is_the_networks_unless_the_other_side_says_otherwise() -> None:
    held = second(held_ms=400.0)
    assert seconds(QUIET, held, QUIET, QUIET) == [(2, Culprit.NETWORK_IN)]
    word = msgspec.structs.replace(QUIET, other=SideHealth(machine_late_ms=400))
    assert seconds(QUIET, held, word, QUIET) == [(2, Culprit.SENDER_MACHINE)]


def test_while_nothing_comes_nobody_is_blamed_for_three_seconds() -> None:
    nothing = second(packets_expected=0)
    back = second(packets_expected=80, other=SideHealth(machine_late_ms=2000))
    assert seconds(QUIET, nothing, nothing, back) == [(3, Culprit.SENDER_MACHINE)]
    assert seconds(QUIET, nothing, nothing, nothing, nothing) == [(3, Culprit.NETWORK_IN)]


def test_what_nothing_explains_is_the_buffers() -> None:
    assert seconds(QUIET, second(), second()) == [(2, Culprit.BUFFER)]


def test_two_frames_are_no_degradation() -> None:
    frame = msgspec.structs.replace(QUIET, damage_ms=20.0, packets_lost=1)
    assert seconds(*[QUIET, frame, QUIET, QUIET] * 5) == []


def test_a_voice_that_nobody_heard_is_damaged_though_nothing_was_made_up() -> None:
    unheard = msgspec.structs.replace(QUIET, own=SideHealth(speaker_missing_ms=300))
    assert seconds(QUIET, unheard) == [(1, Culprit.RECEIVER_DEVICE)]


def test_one_culprit_is_told_once_until_it_was_quiet_for_five_seconds() -> None:
    lossy = second(packets_lost=10)
    finder = CulpritFinder()
    told = [finder.update(one) for one in [lossy] * 6 + [QUIET] * 6]
    assert [found is not None for found in told] == [True] + [False] * 11
    assert finder.current == told[0]
    assert finder.update(QUIET) is None
    assert finder.current is None
    again = finder.update(lossy)
    assert isinstance(again, Disturbance)
    assert again.reason == "10 of 150 packets were lost on the way here"

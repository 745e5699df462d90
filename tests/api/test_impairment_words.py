"""How `impair` reads its line, and what it says."""

import msgspec
import pytest

from blink_cli.api.impairment_words import impairment_request
from blink_cli.commands.impairment_text import change_sentence, impairment_lines, impairment_texts
from blink_cli.core.api.replies.impairment import (
    ImpairedDatagrams,
    ImpairedLine,
    ImpairmentRule,
    ImpairmentState,
)
from blink_cli.core.api.requests import SetImpairment
from blink_cli.core.errors import UsageError
from tests.support.scripted_session import BOB

pytestmark = pytest.mark.no_clock


@pytest.mark.parametrize(
    ("line", "request_"),
    [
        ("loss=3% seed=7", SetImpairment(words=("loss=3%", "seed=7"))),
        ("off", SetImpairment()),
        ("bob off", SetImpairment(peer="bob")),
        ("clean", SetImpairment()),
        ("in delay=40ms", SetImpairment(ways=("in",), words=("delay=40ms",))),
        ("bob out outage=5s+2s", SetImpairment(peer="bob", ways=("out",), words=("outage=5s+2s",))),
        ("bob both loss=1%", SetImpairment(peer="bob", words=("loss=1%",))),
        ("trace=/tmp/a.csv", SetImpairment(words=("trace=/tmp/a.csv",))),
    ],
)
def test_lines_are_read(line: str, request_: SetImpairment) -> None:
    assert impairment_request(line.split()) == request_


def test_a_trace_is_named_by_its_whole_path(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    assert impairment_request(["trace=a.csv"]).words == (f"trace={tmp_path}/a.csv",)


@pytest.mark.parametrize(
    "line", ["bob", "in", "bob out", "bob carol loss=1%", "loss=3", "off loss=3%", "los=3%"]
)
def test_what_is_wrong_is_refused_before_it_is_asked(line: str) -> None:
    with pytest.raises(UsageError):
        impairment_request(line.split())


def rule(direction: str, conditions: str | None, did: str | None = None) -> ImpairmentRule:
    return msgspec.convert(
        {
            "did": did,
            "nickname": None if did is None else "bob",
            "direction": direction,
            "conditions": conditions,
            "seed": None if conditions is None else 7,
        },
        ImpairmentRule,
    )


def test_what_is_impaired_is_told_in_few_words() -> None:
    state = ImpairmentState(
        rules=(
            rule("in", "loss=3%"),
            rule("out", "loss=3%"),
            rule("in", None, BOB),
            rule("out", "delay=40ms", BOB),
        ),
        lines=(),
    )
    assert impairment_texts(state) == (
        "impaired on purpose: loss=3% seed=7",
        "impaired on purpose with bob, what comes: not at all",
        "impaired on purpose with bob, what is sent: delay=40ms seed=7",
    )
    assert impairment_texts(None) == ()


def test_what_was_done_is_told_for_each_peer() -> None:
    rtp = ImpairedDatagrams(
        datagrams=100,
        lost=3,
        lost_in_outages=0,
        dropped=2,
        duplicated=1,
        corrupted=0,
        held_back=0,
        delivered=96,
        overtaken=4,
        under_way=0,
        mean_delay_ms=40.04,
    )
    line = ImpairedLine(did=BOB, nickname="bob", direction="out", conditions="loss=3%", rtp=rtp, other=rtp)
    state = ImpairmentState(rules=(rule("out", "loss=3%"),), lines=(line,))
    assert impairment_lines(state)[1:] == (
        "  of 100 packets to bob: 3 lost, 2 dropped by a full queue, 1 doubled, 4 overtaken, 40 ms late on average",
    )


@pytest.mark.parametrize(
    ("nickname", "incoming", "outgoing", "sentence"),
    [
        ("", "loss=3% seed=7", "loss=3% seed=7", "audio is impaired on purpose: loss=3% seed=7"),
        ("bob", None, None, "the audio with bob is not impaired on purpose any more"),
        (
            "bob",
            "loss=3% seed=7",
            None,
            "the audio with bob is impaired on purpose, what comes: loss=3% seed=7",
        ),
    ],
)
def test_a_change_is_a_sentence(
    nickname: str, incoming: str | None, outgoing: str | None, sentence: str
) -> None:
    assert change_sentence(nickname, incoming, outgoing) == sentence

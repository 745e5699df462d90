"""What is impaired on purpose, in words: wherever figures are shown, so that nobody takes them for the network's."""

from collections.abc import Iterator
from typing import Final

from blink_cli.commands.names_shown import milliseconds_text
from blink_cli.core.api.replies.impairment import (
    ImpairedDatagrams,
    ImpairedLine,
    ImpairmentRule,
    ImpairmentState,
)
from blink_cli.core.identity.shown_name import shown_name

IMPAIRED: Final = "impaired on purpose"

WAY_WORDS: Final = {"in": "what comes", "out": "what is sent"}


def impairment_texts(state: ImpairmentState | None) -> tuple[str, ...]:
    """A text for each rule, both directions in one where they are alike; empty where nothing is impaired."""
    if state is None:
        return ()
    by_peer: dict[str | None, list[ImpairmentRule]] = {}
    for rule in state.rules:
        by_peer.setdefault(rule.did, []).append(rule)
    return tuple(text for rules in by_peer.values() for text in _texts(rules))


def _texts(rules: list[ImpairmentRule]) -> Iterator[str]:
    first = rules[0]
    who = "" if first.did is None else f" with {shown_name(first.nickname or '', first.did)}"
    if len(rules) == 2 and _words(rules[0]) == _words(rules[1]):
        yield f"{IMPAIRED}{who}: {_words(first)}"
        return
    for rule in rules:
        yield f"{IMPAIRED}{who}, {WAY_WORDS[rule.direction]}: {_words(rule)}"


def _words(rule: ImpairmentRule) -> str:
    return "not at all" if rule.conditions is None else f"{rule.conditions} seed={rule.seed}"


def impairment_lines(state: ImpairmentState | None) -> tuple[str, ...]:
    """The same, and what was done to the packets of each peer."""
    lines = () if state is None else state.lines
    return (*impairment_texts(state), *(text for line in lines for text in _deeds(line)))


def _deeds(line: ImpairedLine) -> Iterator[str]:
    yield _deed(line, line.rtp, "packets")
    if line.video is not None:
        yield _deed(line, line.video, "packets of pictures")


def _deed(line: ImpairedLine, rtp: ImpairedDatagrams, what: str) -> str:
    deeds = [
        f"{rtp.lost} lost",
        f"{rtp.lost_in_outages} lost in outages" if rtp.lost_in_outages else "",
        f"{rtp.dropped} dropped by a full queue" if rtp.dropped else "",
        f"{rtp.duplicated} doubled" if rtp.duplicated else "",
        f"{rtp.corrupted} corrupted" if rtp.corrupted else "",
        f"{rtp.overtaken} overtaken" if rtp.overtaken else "",
        f"{milliseconds_text(rtp.mean_delay_ms)} late on average" if rtp.mean_delay_ms else "",
    ]
    name = shown_name(line.nickname, line.did)
    whose = (
        f"of {rtp.datagrams} {what} from {name}"
        if line.direction == "in"
        else f"of {rtp.datagrams} {what} to {name}"
    )
    return f"  {whose}: {', '.join(filter(None, deeds))}"


def change_sentence(nickname: str, incoming: str | None, outgoing: str | None) -> str:
    """What is said of a change.

    Args:
        nickname: Whose links; empty for everybody's.
        incoming: How what comes is impaired.
        outgoing: What is sent, likewise.

    """
    whose = f"the audio with {nickname}" if nickname else "audio"
    if incoming == outgoing:
        how = "not impaired on purpose any more" if incoming is None else f"{IMPAIRED}: {incoming}"
        return f"{whose} is {how}"
    parts = [
        f"{words}: {text}"
        for words, text in ((WAY_WORDS["in"], incoming), (WAY_WORDS["out"], outgoing))
        if text is not None
    ]
    return f"{whose} is {IMPAIRED}, {'; '.join(parts)}"

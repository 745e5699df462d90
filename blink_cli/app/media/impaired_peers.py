"""Which links are impaired on purpose, and how: what the user said, and the lines that follow from it for the peers of this call.

impair loss=3%, impair bob in delay=40ms  -> rules -> a LinkImpairment for each peer, from its first link in the call to the call's end
"""

import time
from collections.abc import Callable, Collection, Iterator

import msgspec

from blink_cli.core.api.replies.impairment import (
    ImpairedDatagrams,
    ImpairedLine,
    ImpairmentRule,
    ImpairmentState,
)
from blink_cli.core.api.requests import BOTH_WAYS, Way
from blink_cli.core.ids import Did
from blink_cli.core.impairment.chances import line_seed
from blink_cli.core.impairment.conditions import Conditions
from blink_cli.core.impairment.line import LineCounters
from blink_cli.core.impairment.words import conditions_text
from blink_cli.net.link_impairment import SENDING_LEAD_S, ImpairedDirection, LinkImpairment


class Rule(msgspec.Struct, frozen=True):
    """How one direction is to be."""

    conditions: Conditions
    seed: int


class ImpairedPeers:
    """Belongs to the event loop. Nothing is impaired at first."""

    def __init__(self) -> None:
        self._own = Did("")
        self._name_of: Callable[[Did], str] = str
        self._general: dict[Way, Rule] = {}
        self._special: dict[Did, dict[Way, Rule | None]] = {}
        """Of single peers, before the general ones; None: spared."""

        self._links: dict[Did, LinkImpairment] = {}

    def name_with(self, own: Did, name_of: Callable[[Did], str]) -> None:
        """Have this session and its peers called so: names are a part of the seeds, so that a run with other keys meets the same chances."""
        self._own, self._name_of = own, name_of

    def link_impairment(self, peer: Did) -> LinkImpairment:
        """What is done to this peer's links, in this call."""
        known = self._links.get(peer)
        if known is None:
            known = self._links[peer] = LinkImpairment()
            for way in BOTH_WAYS:
                self._apply(peer, way)
        return known

    def change(self, peer: Did | None, ways: Collection[Way], rule: Rule | None) -> None:
        """Impair from now on, with new chances and outages counted from here.

        Args:
            peer: Whose links; None: everybody's, those with rules of their own too.
            ways: Which directions.
            rule: How; None: not at all.

        """
        for way in ways:
            if peer is None:
                for special in self._special.values():
                    special.pop(way, None)
                if rule is None:
                    self._general.pop(way, None)
                else:
                    self._general[way] = rule
            elif rule is None and way not in self._general:
                self._special.get(peer, {}).pop(way, None)
            else:
                self._special.setdefault(peer, {})[way] = rule
        self._special = {did: rules for did, rules in self._special.items() if rules}
        for known in self._links if peer is None else {peer} & self._links.keys():
            for way in ways:
                self._apply(known, way)

    def end_call(self) -> None:
        """Forget the lines; what was said stays, and the next call begins with fresh ones."""
        for impairment in self._links.values():
            impairment.close()
        self._links.clear()

    def state(self) -> ImpairmentState | None:
        """What was said, and what was done in this call; None: nothing is impaired."""
        rules = tuple(self._rules())
        return ImpairmentState(rules=rules, lines=tuple(self._lines())) if rules else None

    def note(self) -> str:
        """What was said, in one line for files: `in and out: loss=3% seed=7; bob in: not at all`. Empty: nothing is impaired."""
        ways: dict[tuple[str, str], list[str]] = {}
        for rule in self._rules():
            how = "not at all" if rule.conditions is None else f"{rule.conditions} seed={rule.seed}"
            ways.setdefault((rule.nickname or "", how), []).append(rule.direction)
        return "; ".join(
            f"{name} {' and '.join(found)}: {how}".lstrip() for (name, how), found in ways.items()
        )

    def rule(self, peer: Did | None, way: Way) -> Rule | None:
        """How this direction is impaired: of a peer, or of those without rules of their own."""
        special = {} if peer is None else self._special.get(peer, {})
        return special[way] if way in special else self._general.get(way)

    def _apply(self, peer: Did, way: Way) -> None:
        rule = self.rule(peer, way)
        direction = None
        if rule is not None:
            ends = (peer, self._own) if way == "in" else (self._own, peer)
            sender, receiver = map(self._name_of, ends)
            direction = ImpairedDirection(
                rule.conditions,
                lambda kind: line_seed(rule.seed, sender, receiver, kind),
                began_at=time.monotonic(),
                lead_s=0.0 if way == "in" else SENDING_LEAD_S,
            )
        impairment = self._links[peer]
        if way == "in":
            impairment.set_incoming(direction)
        else:
            impairment.set_outgoing(direction)

    def _rules(self) -> Iterator[ImpairmentRule]:
        everyone: list[tuple[Did | None, dict[Way, Rule | None]]] = [(None, {**self._general})]
        for did, rules in [*everyone, *self._special.items()]:
            for way in BOTH_WAYS:
                if way in rules:
                    rule = rules[way]
                    yield ImpairmentRule(
                        did=did,
                        nickname=None if did is None else self._name_of(did),
                        direction=way,
                        conditions=None if rule is None else conditions_text(rule.conditions),
                        seed=None if rule is None else rule.seed,
                    )

    def _lines(self) -> Iterator[ImpairedLine]:
        for did, impairment in self._links.items():
            for way in BOTH_WAYS:
                direction = impairment.incoming if way == "in" else impairment.outgoing
                if direction is not None:
                    yield ImpairedLine(
                        did=did,
                        nickname=self._name_of(did),
                        direction=way,
                        conditions=conditions_text(direction.conditions),
                        rtp=_datagrams(direction.rtp, direction.rtp_under_way),
                        other=_datagrams(direction.other, direction.other_under_way),
                        video=_datagrams(direction.video, direction.video_under_way)
                        if direction.video.datagrams
                        else None,
                    )


def _datagrams(counters: LineCounters, under_way: int) -> ImpairedDatagrams:
    delivered = counters.datagrams_delivered
    return ImpairedDatagrams(
        datagrams=counters.datagrams,
        lost=counters.datagrams_lost,
        lost_in_outages=counters.datagrams_lost_in_outages,
        dropped=counters.datagrams_dropped,
        duplicated=counters.datagrams_duplicated,
        corrupted=counters.datagrams_corrupted,
        held_back=counters.datagrams_held_back,
        delivered=delivered,
        overtaken=counters.datagrams_overtaken,
        under_way=under_way,
        mean_delay_ms=round(1000 * counters.delay_total_s / delivered, 3) if delivered else None,
    )

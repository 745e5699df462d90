"""What everybody heard of everybody during some seconds of a call, and how it is told when it is not as expected."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from blink_cli.core.errors import NotInstalledError
from blink_cli.lab.envelopes import Heard, envelope
from blink_cli.lab.listening import Listener, Speaker, who_is_heard
from blink_cli.lab.speech_quality import aligned, pesq_wb

HEARD_FROM = 0.6
"""Correlation of envelopes: a voice that is there has 0.9 and more, 0.8 where three talk at once for 3 s; one that is not has less than 0.3."""

LEAST_SHARE = 0.5
"""Of the frames in which somebody spoke: a burst at the beginning can look like any voice."""

SPOKEN_SHARE = 0.03
"""Of the loudest frames' amplitude (-30 dB): softer ones are breath and room."""

PRESENT_SHARE = 0.05
"""Of what would have been heard: softer than that is what is made up, or noise."""

SOFTEST = 0.003
"""Peak, below which there is nothing to judge."""

LEAST_JUDGED_S = 2.0
"""PESQ of less speech is chance."""


@dataclass(frozen=True, slots=True)
class HeardPair:
    """How one voice came through to one listener."""

    speaker: str
    listener: str
    correlation: float
    """Of 20 ms envelopes, -1 to 1."""

    share_heard: float
    """Of the frames in which it spoke: those in which something was heard, 0 to 1."""

    delay_ms: float
    """From mouth to ear."""

    pesq_wb: float | None
    """ITU-T P.862.2, 1 to 4.64; None where several talk, the extra `lab` is not installed, or it was too short."""

    @property
    def was_heard(self) -> bool:
        """Whether the voice was there."""
        return self.correlation >= HEARD_FROM and self.share_heard >= LEAST_SHARE

    @override
    def __str__(self) -> str:
        quality = "" if self.pesq_wb is None else f", PESQ-WB {self.pesq_wb:.2f}"
        if not self.was_heard:
            return (
                f"{self.speaker} -> {self.listener}: NOT HEARD (correlation {self.correlation:.2f}, "
                f"{self.share_heard:.0%} of what was spoken)"
            )
        return (
            f"{self.speaker} -> {self.listener}: heard, {self.delay_ms:.0f} ms, "
            f"correlation {self.correlation:.2f}{quality}"
        )


@dataclass(frozen=True, slots=True)
class WhoWasHeard:
    """Everybody's part in what everybody else heard."""

    pairs: tuple[HeardPair, ...]
    seconds: float

    def __iter__(self) -> Iterator[HeardPair]:
        return iter(self.pairs)

    def of(self, speaker: str, listener: str) -> HeardPair:
        """Return one pair, by nicknames.

        Raises:
            KeyError: There is no such pair.

        """
        for pair in self.pairs:
            if (pair.speaker, pair.listener) == (speaker, listener):
                return pair
        raise KeyError(f"{speaker} -> {listener}: known are {', '.join(map(_name, self.pairs))}")

    def expect_all(self, *, pesq_wb: float | None = None, delay_ms: float | None = None) -> None:
        """Fail unless everybody heard everybody, at least so well and at most so late.

        Raises:
            AssertionError: With the whole table.

        """
        __tracebackhide__ = True  # pytest shows the line of the test
        wrong = [pair for pair in self.pairs if _what_is_wrong(pair, pesq_wb, delay_ms)]
        if wrong or not self.pairs:
            reasons = [f"  {_name(pair)}: {_what_is_wrong(pair, pesq_wb, delay_ms)}" for pair in wrong]
            raise AssertionError("\n".join(["Not everybody was heard as expected:", *reasons, str(self)]))

    @override
    def __str__(self) -> str:
        lines = [f"what was heard in {self.seconds:g} s:", *(f"  {pair}" for pair in self.pairs)]
        return "\n".join(lines)


def _name(pair: HeardPair) -> str:
    return f"{pair.speaker} -> {pair.listener}"


def _what_is_wrong(pair: HeardPair, pesq: float | None, delay_ms: float | None) -> str | None:
    if not pair.was_heard:
        return "not heard"
    if pesq is not None and pair.pesq_wb is None:
        return "PESQ-WB could not be measured: install blink-cli[lab], listen longer, and let two talk only"
    if pesq is not None and pair.pesq_wb is not None and pair.pesq_wb < pesq:
        return f"PESQ-WB {pair.pesq_wb:.2f}, {pesq:g} was expected"
    if delay_ms is not None and pair.delay_ms > delay_ms:
        return f"{pair.delay_ms:.0f} ms, {delay_ms:g} ms was expected"
    return None


def judged(
    speakers: Mapping[str, Speaker], listeners: Mapping[str, Listener], start_s: float, seconds: float
) -> WhoWasHeard:
    """Compare what each listener heard during some seconds of the monotonic clock with what each other one said. Blocks."""
    pairs: list[HeardPair] = []
    for name, listener in listeners.items():
        others = {who: speaker for who, speaker in speakers.items() if who != name}
        found = who_is_heard(listener, others, start_s, seconds)
        for who, heard in found.items():
            share = _share(others[who], listener, start_s, seconds, heard)
            quality = _pesq(others, listener, start_s, seconds)
            pairs.append(_pair(who, name, heard, share, quality))
    return WhoWasHeard(tuple(pairs), seconds)


def _pair(speaker: str, listener: str, heard: Heard, share: float, pesq: float | None) -> HeardPair:
    return HeardPair(
        speaker,
        listener,
        round(heard.correlation, 3),
        round(share, 3),
        round(heard.delay_s * 1000, 1),
        pesq,
    )


def _share(speaker: Speaker, listener: Listener, start_s: float, seconds: float, heard: Heard) -> float:
    """Of the frames in which somebody spoke, how many reached the listener's ear."""
    said = envelope(speaker.between(start_s, seconds))
    came = envelope(listener.between(start_s + heard.delay_s, seconds))
    spoken = said > SPOKEN_SHARE * float(np.max(said, initial=0.0))
    if not np.any(spoken) or heard.gain <= 0.0:
        return 0.0
    return float(np.mean((came > PRESENT_SHARE * heard.gain * said)[spoken]))


def _pesq(
    speakers: Mapping[str, Speaker], listener: Listener, start_s: float, seconds: float
) -> float | None:
    if len(speakers) != 1 or seconds < LEAST_JUDGED_S:
        return None
    (speaker,) = speakers.values()
    said, heard, _ = aligned(speaker.between(start_s, seconds), listener.between(start_s, seconds))
    if min(float(np.max(np.abs(one), initial=0.0)) for one in (said, heard)) < SOFTEST:
        return None
    try:
        return round(pesq_wb(said, heard), 2)
    except NotInstalledError:
        return None

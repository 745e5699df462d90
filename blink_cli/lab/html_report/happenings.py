"""What was done to a voice on its way from one to another, in the order of time: what the network was like, and what both people did."""

from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

from blink_cli.core.errors import UsageError
from blink_cli.core.impairment.conditions import Outage
from blink_cli.core.impairment.words import impairment_from_text
from blink_cli.lab.verdict.report import CaseResult, LineResult, StepResult

Kind = Literal["muted", "still", "away", "outage"]

KINDS: Final[dict[Kind, str]] = {
    "muted": "muted",
    "still": "process stands still",
    "away": "not in the call",
    "outage": "nothing passes",
}
"""Each with its name."""

_PERFECT: Final = "perfect"
_CLEAN: Final = ("", "clean")

_ENDS: Final[dict[str, tuple[Kind, tuple[str, ...]]]] = {
    "mute": ("muted", ("unmute",)),
    "stop": ("still", ("continue", "kill")),
    "kill": ("away", ("restart", "join")),
    "leave": ("away", ("join",)),
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """From a moment to another one something was so."""

    start_s: float
    end_s: float
    kind: Kind
    about: str


@dataclass(frozen=True, slots=True)
class Moment:
    """What was done at one time."""

    number: int
    """By which plots name it."""

    at_s: float
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Happenings:
    """Of one voice."""

    at_first: str
    """What the line was like at the beginning."""

    moments: tuple[Moment, ...]
    stretches: tuple[Stretch, ...]


def happenings(case: CaseResult, speaker: str, listener: str) -> Happenings:
    """Return what was done to a voice."""
    lines = [one for one in case.lines if (one.speaker, one.listener) == (speaker, listener)]
    steps = [one for one in case.steps if one.who in (speaker, listener)]
    first = next((one.line for one in reversed(lines) if one.at_s == 0), "clean")
    told = [(one.at_s, _line_text(one)) for one in lines if one.at_s > 0]
    told += [(one.at_s, _step_text(one)) for one in steps if not (one.do == "join" and one.at_s == 0)]
    told.sort(key=lambda one: one[0])
    return Happenings(
        at_first=_conditions(first),
        moments=tuple(
            Moment(number, at_s, tuple(dict.fromkeys(text for _, text in texts)))
            for number, (at_s, texts) in enumerate(groupby(told, key=lambda one: one[0]), 1)
        ),
        stretches=tuple(
            sorted(
                [*_of_steps(steps, case.duration_s), *_of_lines(lines, case.duration_s)],
                key=lambda one: one.start_s,
            )
        ),
    )


def _line_text(change: LineResult) -> str:
    return f"the line {change.speaker} → {change.listener} becomes {_conditions(change.line)}"


def _conditions(line: str) -> str:
    return _PERFECT if line in _CLEAN else line


def _step_text(step: StepResult) -> str:
    words = {
        "join": "joins",
        "leave": "leaves",
        "mute": "mutes the microphone",
        "unmute": "unmutes the microphone",
        "speak": f"says {step.sound}",
        "set-input": f"takes another microphone, which hears {step.sound}",
        "record": "begins to record the call",
        "stop-recording": "ends the recording",
        "camera-on": "turns the camera on",
        "camera-off": "turns the camera off",
        "set-camera": f"takes another camera, {step.camera}",
        "stop": "stands still (SIGSTOP)",
        "continue": "goes on (SIGCONT)",
        "kill": "is killed",
        "restart": "is started again",
    }
    return f"{step.who} {words.get(step.do, step.do)}"


def _of_steps(steps: list[StepResult], end_s: float) -> list[Stretch]:
    found: list[Stretch] = []
    for place, step in enumerate(steps):
        begins = _ENDS.get(step.do)
        if begins is None:
            continue
        kind, ends = begins
        until_s = next(
            (one.at_s for one in steps[place + 1 :] if one.who == step.who and one.do in ends), end_s
        )
        found.append(Stretch(step.at_s, until_s, kind, f"{step.who}: {KINDS[kind]}"))
    for who in dict.fromkeys(step.who for step in steps):
        first = next((one for one in steps if one.who == who and one.do == "join"), None)
        if first is not None and first.at_s > 0:
            found.append(Stretch(0.0, first.at_s, "away", f"{who}: {KINDS['away']}"))
    return found


def _of_lines(lines: list[LineResult], end_s: float) -> list[Stretch]:
    found: list[Stretch] = []
    for place, change in enumerate(lines):
        until_s = lines[place + 1].at_s if place + 1 < len(lines) else end_s
        for outage in _outages(change.line):
            start_s = change.at_s + outage.start_s
            if start_s < until_s:
                word = "held" if outage.held else "lost"
                found.append(
                    Stretch(
                        start_s, min(start_s + outage.length_s, until_s), "outage", f"the line: all is {word}"
                    )
                )
    return found


def _outages(line: str) -> tuple[Outage, ...]:
    words = " ".join(word for word in line.split() if word.startswith(("outage=", "freeze=")))
    try:
        return impairment_from_text(words).conditions.outages
    except UsageError:  # of a later version, in a report that is kept
        return ()

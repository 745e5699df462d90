"""The decision log: what the playout did, and why, one JSON object a line (docs/replay.md).

Ticks in which a stream rests, or plays the background of a pause, are told together: the line of a run says how many samples it had.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from blink_cli.core.audio_format import TICK_SAMPLES
from blink_cli.core.ids import Did
from blink_cli.core.media.mix_tick import MixTick
from blink_cli.core.media.playout_decision import PlayoutAction, PlayoutDecision, PlayoutReason

SUFFIX: Final = ".playout.jsonl"
"""Behind the log's name; no `.csv`, so that who reads all logs of a folder by that ending finds logs."""

_RUNS: Final = frozenset(
    {PlayoutAction.BACKGROUND, PlayoutAction.WAITED, PlayoutAction.SLEPT, PlayoutAction.SILENCED}
)

MOST_RUN_SAMPLES: Final = 48_000
"""A run is told at least once a second, so that a crash costs little."""


class DecisionLine(msgspec.Struct, frozen=True, gc=False):
    """One line."""

    time_s: float
    """Of the tick: monotonic, of the session that wrote it, as in the RTP log."""

    peer: Did | None
    """None: all streams together."""

    track: int | None
    action: PlayoutAction
    reason: PlayoutReason
    ssrc: int | None
    timestamp: int | None
    sequence: int | None
    samples: int
    waited_ms: float | None
    delay_ms: float | None
    target_ms: float | None
    frames_waiting: int | None
    late_ms: float
    """How late the tick ran."""

    heard: bool
    """Whether the device took it."""


@dataclass(slots=True)
class _Run:
    line: DecisionLine
    samples: int


class DecisionLines:
    """Ticks in, finished lines out. One per log; used by one thread."""

    def __init__(self) -> None:
        self._runs: dict[int | None, _Run] = {}

    def take(self, tick: MixTick) -> list[bytes]:
        """Return the lines that are complete with this tick."""
        lines: list[bytes] = []
        if tick.is_silence:
            self._add(lines, None, _silenced(tick))
        else:
            self._close(lines, None)
        for one in tick.tracks:
            number = one.track.number
            for decision in one.decisions:
                self._add(lines, number, _line(tick, one.track.peer, number, decision))
        return lines

    def finish(self) -> list[bytes]:
        """Return what is left: the runs that go on."""
        lines: list[bytes] = []
        for number in list(self._runs):
            self._close(lines, number)
        return lines

    def _add(self, lines: list[bytes], number: int | None, line: DecisionLine) -> None:
        run = self._runs.get(number)
        if run is not None:
            if _goes_on(run.line, line) and run.samples < MOST_RUN_SAMPLES:
                run.samples += line.samples
                return
            self._close(lines, number)
        if line.action in _RUNS:
            self._runs[number] = _Run(line, line.samples)
        else:
            lines.append(msgspec.json.encode(line))

    def _close(self, lines: list[bytes], number: int | None) -> None:
        run = self._runs.pop(number, None)
        if run is not None:
            lines.append(msgspec.json.encode(msgspec.structs.replace(run.line, samples=run.samples)))


def _goes_on(run: DecisionLine, line: DecisionLine) -> bool:
    return (run.action, run.reason, run.ssrc, run.heard) == (line.action, line.reason, line.ssrc, line.heard)


def _line(tick: MixTick, peer: Did, number: int, decision: PlayoutDecision) -> DecisionLine:
    return DecisionLine(
        time_s=round(tick.at_s, 6),
        peer=peer,
        track=number,
        action=decision.action,
        reason=decision.reason,
        ssrc=decision.ssrc,
        timestamp=decision.timestamp,
        sequence=decision.sequence,
        samples=decision.samples,
        waited_ms=decision.waited_ms,
        delay_ms=decision.delay_ms,
        target_ms=decision.target_ms,
        frames_waiting=decision.frames_waiting,
        late_ms=round(1000 * tick.late_s, 3),
        heard=tick.heard_at is not None,
    )


def _silenced(tick: MixTick) -> DecisionLine:
    return DecisionLine(
        time_s=round(tick.at_s, 6),
        peer=None,
        track=None,
        action=PlayoutAction.SILENCED,
        reason=PlayoutReason.DEVICE_STOOD_STILL,
        ssrc=None,
        timestamp=None,
        sequence=None,
        samples=TICK_SAMPLES,
        waited_ms=None,
        delay_ms=None,
        target_ms=None,
        frames_waiting=None,
        late_ms=round(1000 * tick.late_s, 3),
        heard=tick.heard_at is not None,
    )

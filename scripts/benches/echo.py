"""How much echo a session takes out in simulated rooms, in virtual time; what it leaves of a near voice; what that costs.

Each room is tried as it is, with clocks that drift apart by 100 ppm, and with a delay that jumps by 20 ms at half time. Single talk: dB removed
in the first second that echo is heard, from the second one on, at the worst in any second, and from a second after the jump on. Double talk: PESQ-WB of the near voice, who
begins at 3 s, as the microphone heard it, behind AEC3 alone, and as it is sent. At the end a voice alone, and the processor time of a block.
"""

import argparse
import itertools
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.exit_codes import ExitCode
from blink_cli.lab.echo_path import Situation, canceller_alone, conversation, send
from blink_cli.lab.rooms import ROOMS, Room
from blink_cli.lab.speech_quality import pesq_wb
from blink_cli.lab.voices import voice

NEAR_FROM_S = 3.0


@dataclass(frozen=True)
class SingleTalk:
    """What was removed, in dB."""

    room: str
    change: str
    first_second_db: float
    later_db: float
    worst_second_db: float
    again_db: float | None
    """From a second after the delay jumped."""

    told_removed_db: float | None
    told_delay_ms: float | None
    cost_us: float | None


@dataclass(frozen=True)
class DoubleTalk:
    """PESQ-WB of the near voice."""

    room: str
    heard: float
    canceller_alone: float
    sent: float


def single_talk(room: Room, change: str, talker: int, lasts_s: float) -> SingleTalk:
    """Let the far side talk alone."""
    far = voice(talker, lasts_s)
    sent = send(
        Situation(
            room,
            far,
            np.zeros_like(far),
            drift_ppm=100.0 if change == "drift" else 0.0,
            slip_at_s=lasts_s / 2 if change == "slip" else None,
        )
    )
    begin_s = room.delay_ms / 1000 + 0.03
    seconds = np.arange(begin_s, lasts_s - 1.0, 1.0)
    echo = sent.figures.echo
    return SingleTalk(
        room.name,
        change,
        sent.removed_db(begin_s, begin_s + 1.0),
        sent.removed_db(begin_s + 1.0, lasts_s),
        min(sent.removed_db(float(second), float(second) + 1.0) for second in seconds),
        sent.removed_db(lasts_s / 2 + begin_s + 1.0, lasts_s) if change == "slip" else None,
        None if echo is None else echo.removed_db,
        None if echo is None else echo.delay_ms,
        sent.figures.cost_us,
    )


def double_talk(room: Room, talker: int, lasts_s: float) -> DoubleTalk:
    """Let both talk, as loud as each other at the microphone or nearly so."""
    far, near = conversation(
        voice(talker, lasts_s), voice(talker + 1, lasts_s) * np.float32(0.5), NEAR_FROM_S
    )
    sent = send(Situation(room, far, near))
    part = slice(round(NEAR_FROM_S * SAMPLE_RATE_HZ), len(near) - SAMPLE_RATE_HZ // 10)
    alone = canceller_alone(far, sent.heard)
    return DoubleTalk(
        room.name,
        pesq_wb(near[part], sent.heard[part]),
        pesq_wb(near[part], alone[part]),
        pesq_wb(near[part], sent.sent[part]),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and tell."""
    parser = argparse.ArgumentParser(prog="scripts/bench echo", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one document instead of tables")
    parser.add_argument("--quick", action="store_true", help="one voice, and the rooms as they are")
    parser.add_argument("--lasts", type=float, default=9.0, help="seconds of each try (default 9)")
    options = parser.parse_args(arguments)
    talkers = (0,) if options.quick else (0, 1, 2)
    changes = ("none",) if options.quick else ("none", "drift", "slip")
    tell: Callable[[str], None] = (lambda _: None) if options.json else _print_now
    tell(
        f"{'single talk':30} {'change':6} {'1st s':>6} {'later':>6} {'worst':>6} {'again':>6} {'told dB':>8} {'told ms':>8} {'us':>5}"
    )
    single = []
    for room, change, talker in itertools.product(ROOMS, changes, talkers):
        one = single_talk(room, change, talker, options.lasts)
        single.append(one)
        tell(
            f"{one.room:30} {one.change:6} {one.first_second_db:6.1f} {one.later_db:6.1f} {one.worst_second_db:6.1f}"
            f" {'' if one.again_db is None else f'{one.again_db:.1f}':>6}"
            f" {one.told_removed_db or 0.0:8.1f} {one.told_delay_ms or 0.0:8.1f} {one.cost_us or 0.0:5.0f}"
        )
    tell(f"\n{'double talk, PESQ-WB':30} {'heard':>6} {'AEC3':>6} {'sent':>6}")
    double = []
    for room, talker in itertools.product(ROOMS, talkers[:2]):
        both = double_talk(room, talker, options.lasts)
        double.append(both)
        tell(f"{both.room:30} {both.heard:6.2f} {both.canceller_alone:6.2f} {both.sent:6.2f}")
    near = voice(1, options.lasts)
    alone = send(Situation(ROOMS[0], np.zeros_like(near), near))
    score = pesq_wb(alone.heard, alone.sent)
    if options.json:
        document = {
            "single_talk": [asdict(one) for one in single],
            "double_talk": [asdict(one) for one in double],
            "near_alone_pesq": score,
            "delay_ms": alone.latest_s * 1000,
        }
        print(json.dumps(document, indent=2))
        return ExitCode.DONE
    print(f"\nnear voice alone: PESQ-WB {score:.2f}; the chain's delay: {alone.latest_s * 1000:.1f} ms")
    return ExitCode.DONE


def _print_now(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""Play the call rules on a seeded, hostile network in virtual time, and tell how many seeds held."""

import argparse
import os
import sys
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import msgspec

from blink_cli.core.api.replies.status import Trace
from blink_cli.core.text.json_text import loads
from blink_cli.lab.simulation.replay import replay
from blink_cli.lab.simulation.scenario import Outcome, SeedFailedError, run_seed

SHOWN_FAILURES = 10
"""In full; the rest by number only."""

SEEDS_AT_ONCE = 100
"""Given to a process in one piece: some seconds of work."""


def play(seeds: range) -> list[Outcome | tuple[int, str]]:
    """The outcome of each seed, or its number and what broke."""
    found: list[Outcome | tuple[int, str]] = []
    for seed in seeds:
        try:
            found.append(run_seed(seed))
        except SeedFailedError as failure:
            found.append((seed, str(failure)))
    return found


def pieces(first: int, count: int) -> Iterator[range]:
    """The seeds from `first` on, in pieces."""
    for begin in range(first, first + count, SEEDS_AT_ONCE):
        yield range(begin, min(begin + SEEDS_AT_ONCE, first + count))


def replay_file(path: Path) -> int:
    """Play a session's trace again; 0 when the rules come out as they did, 1 where not, 2 when the file cannot be read."""
    try:
        trace = msgspec.convert(loads(path.read_bytes()), Trace)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{path} is no trace of a session: {error}\n")
        sys.stderr.write("  `blink status --trace --json >FILE` writes one.\n")
        return 2
    if trace.first > 0:
        sys.stdout.write(
            f"the trace begins with step {trace.first}: only one from 0 on can be played again\n"
        )
        return 1
    differing = list(replay(trace.did, trace.steps))
    for one in differing:
        sys.stdout.write(f"step {one.index}: {one.step.told} {one.step.fields}\n")
        sys.stdout.write("".join(f"    was  {effect}\n" for effect in one.step.effects))
        sys.stdout.write("".join(f"    now  {effect}\n" for effect in one.instead))
    sys.stdout.write(f"{len(trace.steps)} steps played, {len(differing)} differ\n")
    return 1 if differing else 0


def main() -> int:
    """Run; 0 when every seed held, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="scripts/simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20_000, metavar="N", help="how many (default 20000)")
    parser.add_argument("--first", type=int, default=0, metavar="S", help="the first of them (default 0)")
    parser.add_argument("--seed", type=int, metavar="S", help="replay this one alone, with a trace")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (one per core)"
    )
    parser.add_argument(
        "--replay", type=Path, metavar="FILE", help="instead: play what `blink status --trace --json` wrote"
    )
    options = parser.parse_args()
    if options.replay is not None:
        return replay_file(options.replay)

    if options.seed is not None:
        try:
            print(run_seed(options.seed, trace=print))
        except SeedFailedError:
            traceback.print_exc()
            return 1
        return 0

    began = time.perf_counter()
    outcomes: list[Outcome] = []
    failed: list[int] = []
    with ProcessPoolExecutor(options.jobs) as pool:
        for found in pool.map(play, pieces(options.first, options.seeds)):
            for outcome in found:
                if isinstance(outcome, Outcome):
                    outcomes.append(outcome)
                    continue
                seed, reason = outcome
                failed.append(seed)
                if len(failed) <= SHOWN_FAILURES:
                    print(reason, flush=True)
    took_s = time.perf_counter() - began
    steps = sum(outcome.steps for outcome in outcomes)
    in_calls = sum(outcome.longest_call > 1 for outcome in outcomes)
    print(
        f"{options.seeds} seeds played in {took_s:.1f} s, {steps} steps checked,"
        f" {in_calls} ended within a call, {len(failed)} failed"
    )
    if failed:
        print("failed:", *failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

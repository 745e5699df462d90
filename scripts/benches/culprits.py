"""Whether the culprit of a damaged voice is the right one: faults of each kind on each side of a call of two, in virtual time, and calls in which nothing is wrong.

Each fault has a call of its own, with a strength, a length and a line drawn from its number. Right is: the first word is the right one, comes within 3 s of the
fault's beginning (of its end, where it keeps everything from coming), and no other one follows.
"""

import argparse
import json
import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import msgspec

from blink_cli.core.exit_codes import ExitCode
from blink_cli.lab.culprit_trials import FAULTS, clean_call, run_trial

LEAST_RIGHT = 0.95


def main() -> int:
    """Read the options, run, print. Fails below `LEAST_RIGHT`, or when anybody is blamed in a clean call."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="the number of the first one")
    parser.add_argument("--minutes", type=int, default=100, help="of calls in which nothing is wrong")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    numbers = range(options.first, options.first + options.faults)
    kinds = [FAULTS[number % len(FAULTS)] for number in numbers]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        trials = list(pool.map(run_trial, numbers, kinds))
        lengths = [min(10, options.minutes - begun) for begun in range(0, options.minutes, 10)]
        blamed = [told for call in pool.map(clean_call, range(len(lengths)), lengths) for told in call]
    audible = [trial for trial in trials if trial.is_audible]
    right = [trial for trial in audible if trial.is_right]
    if options.json:
        print(json.dumps({"trials": msgspec.to_builtins(trials), "blamed_in_clean_calls": blamed}))
    else:
        for kind in FAULTS:
            count = Counter(trial.is_right for trial in audible if trial.fault == kind)
            print(f"{kind:10} {count[True]:4} of {count.total():4} right")
        for trial in audible:
            if not trial.is_right:
                print(
                    f"  wrong: number {trial.seed}, {trial.fault}: expected {trial.expected}, told {trial.told}"
                )
        latest_s = max((trial.told[0][0] for trial in right), default=0.0)
        print(f"{len(right)} of {len(audible)} right, the latest after {latest_s:.1f} s;", end=" ")
        print(f"{len(trials) - len(audible)} faults were not heard;", end=" ")
        print(f"{len(blamed)} times somebody was blamed in {options.minutes} clean minutes")
    is_good = len(right) >= LEAST_RIGHT * len(audible) and not blamed
    return ExitCode.DONE if is_good else ExitCode.ASSERTION_FAILED


if __name__ == "__main__":
    raise SystemExit(main())

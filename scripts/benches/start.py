"""What it costs to start: `--help`, a command that asks a running session, `serve` until it is ready, the prompt; and the memory of a session that waits.

Rounds are interleaved: each runs everything of this checkout, then everything of the other one (`--against REV`), with the same interpreter and packages, both compiled.
Figures are processor time, user and system together, since that is what other work on the machine changes least; beside them the time that passed. Memory is PSS
(proportional set size: shared pages count by their share) of a session that has been ready for a second and hears nobody.
"""

import argparse
import contextlib
import json
import os
import pty
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benches.checkouts import Checkout, checked_out, interpreter
from benches.processes import processor_s, pss_mb
from blink_cli.lab.sessions import free_group

SESSION: Final = (
    "--input",
    "silence",
    "--output",
    "null",
    "--interface",
    "127.0.0.1",
    "--group",
    free_group(),
)
"""A group of its own: a session that hears others of this machine loads what a call takes."""

PATIENCE_S: Final = 20.0
STATUS_A_ROUND: Final = 3
MEASURED: Final = ("help", "status", "serve", "prompt")


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one start."""

    processor_ms: float
    passed_ms: float


def _ended(checkout: Checkout, *words: str) -> Cost:
    began = time.perf_counter()
    process = subprocess.Popen(
        checkout.command(*words), cwd=checkout.folder, env=checkout.environment, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{checkout.name}: {' '.join(words)} ended with {process.returncode}")
    return Cost((used.ru_utime + used.ru_stime) * 1e3, (time.perf_counter() - began) * 1e3)


@contextlib.contextmanager
def _serving(checkout: Checkout) -> Iterator[tuple[int, Cost]]:
    began = time.perf_counter()
    process = subprocess.Popen(
        checkout.command("serve", "--json", *SESSION),
        cwd=checkout.folder,
        env=checkout.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None  # a pipe was asked for
    with process.stdout:
        if not process.stdout.readline():
            raise RuntimeError(f"{checkout.name}: serve ended with {process.wait()}")
        cost = Cost(processor_s(process.pid) * 1e3, (time.perf_counter() - began) * 1e3)
        try:
            yield process.pid, cost
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def _prompted(checkout: Checkout) -> Cost:
    began = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(checkout.folder)
        command = checkout.command("repl", *SESSION)
        os.execve(command[0], command, {**checkout.environment, "TERM": "xterm-256color"})  # noqa: S606 - it becomes the program
    try:
        shown = b""
        while b"blink>" not in shown:
            ready, _, _ = select.select([terminal], [], [], PATIENCE_S)
            if not ready:
                raise RuntimeError(f"{checkout.name}: no prompt after {PATIENCE_S:g} s: {shown!r}")
            shown += os.read(terminal, 65_536)
            if b"\x1b[6n" in shown:  # where the cursor is: a terminal answers
                os.write(terminal, b"\x1b[1;1R")
                shown = shown.replace(b"\x1b[6n", b"")
        cost = Cost(processor_s(pid) * 1e3, (time.perf_counter() - began) * 1e3)
    finally:
        os.kill(pid, signal.SIGTERM)
        with contextlib.suppress(OSError):  # the terminal's other end is closed when it has ended
            while os.read(terminal, 65_536):
                pass
        os.waitpid(pid, 0)
        os.close(terminal)
    return cost


def measured(checkouts: Sequence[Checkout], rounds: int) -> dict[str, dict[str, list[dict[str, float]]]]:
    """Return by checkout and what was measured every round's figures."""
    told: dict[str, dict[str, list[dict[str, float]]]] = {
        one.name: {what: [] for what in (*MEASURED, "memory")} for one in checkouts
    }

    def note(checkout: Checkout, what: str, cost: Cost) -> None:
        told[checkout.name][what].append({"processor_ms": cost.processor_ms, "passed_ms": cost.passed_ms})

    for _ in range(rounds):
        for one in checkouts:
            note(one, "help", _ended(one, "--help"))
        for one in checkouts:
            with _serving(one) as (pid, cost):
                note(one, "serve", cost)
                for _ in range(STATUS_A_ROUND):
                    note(one, "status", _ended(one, "status"))
                time.sleep(1.0)
                told[one.name]["memory"].append({"pss_mb": pss_mb(pid)})
        for one in checkouts:
            note(one, "prompt", _prompted(one))
    return told


def _table(told: dict[str, dict[str, list[dict[str, float]]]]) -> Iterator[str]:
    names = list(told)
    yield f"| | {' | '.join(names)} |{' ratio |' if len(names) > 1 else ''}"
    yield f"|---|{'---|' * len(names)}{'---|' if len(names) > 1 else ''}"
    for what, figure, unit in (
        *((what, "processor_ms", "ms processor") for what in MEASURED),
        *((what, "passed_ms", "ms passed") for what in MEASURED),
        ("memory", "pss_mb", "MB PSS"),
    ):
        series = [[row[figure] for row in told[name][what]] for name in names]
        middles = [statistics.median(values) for values in series]
        cells = [
            f"{middle:.0f} ({min(values):.0f} to {max(values):.0f})"
            for middle, values in zip(middles, series, strict=True)
        ]
        ratio = f" {middles[0] / middles[1]:.2f} |" if len(names) > 1 else ""
        yield f"| {what}, {unit} | {' | '.join(cells)} |{ratio}"


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(prog="scripts/bench start", description=__doc__.partition("\n")[0])
    parser.add_argument("--against", metavar="REV", help="measure this revision too, in the same rounds")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="blink-start-") as work:
        python = interpreter(Path(work) / "python")
        checkouts = [checked_out("now", None, Path(work), python)]
        if options.against:
            checkouts.append(checked_out(options.against, options.against, Path(work), python))
        told = measured(checkouts, options.rounds)
    if options.json:
        json.dump(told, sys.stdout)
        sys.stdout.write("\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _table(told)))


if __name__ == "__main__":
    main()

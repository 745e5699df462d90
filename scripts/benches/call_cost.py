"""What a participant of a call costs, in this checkout and in another revision, in turns: processor, wake-ups, memory. `cpu --against REV` runs it.

    sessions      so many peers and one more, each a real `blink serve`; the mean of all
    participant   one process that has the media of one participant, and talks to itself over links in pairs (participant.py): for more peers
                  than the machine has room for as processes, an even number. What signals cost is left out, and packets come in bursts

Everything happens in each round with each version, so that a machine that is busy with other things disturbs both alike: what is told are medians with
least and most, and the ratio of the medians.
"""

import contextlib
import json
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from benches.checkouts import Checkout, checked_out, interpreter
from benches.line_fit import Line, line_through
from benches.processes import counts, pss_mb
from blink_cli.lab.voices import voice, write_mono

SETTLE_S: Final = 3.0
"""Opening copies, the first reports, and the search for a better way are over by then."""

PATIENCE_S: Final = 30.0
MOST_SESSIONS: Final = 5
"""More peers than these are measured with `participant`."""

FIGURES: Final = {
    "core_percent": "% of a core",
    "wake_ups": "wake-ups a second",
    "switches": "preempted a second",
    "pss_mb": "MB PSS",
}


@dataclass(frozen=True, slots=True)
class CallCost:
    """Of one participant."""

    core_percent: float
    wake_ups: float
    switches: float
    pss_mb: float


def cost_of(pids: Sequence[int | str], seconds: float) -> CallCost:
    """Watch processes, and return their mean."""
    before, began_s = [counts(pid) for pid in pids], time.monotonic()
    time.sleep(seconds)
    spent = [counts(pid).since(earlier) for pid, earlier in zip(pids, before, strict=True)]
    elapsed_s = time.monotonic() - began_s
    return CallCost(
        core_percent=100 * statistics.mean(one.processor_s for one in spent) / elapsed_s,
        wake_ups=statistics.mean(one.wake_ups for one in spent) / elapsed_s,
        switches=statistics.mean(one.switches for one in spent) / elapsed_s,
        pss_mb=statistics.mean(pss_mb(pid) for pid in pids),
    )


def sessions(checkout: Checkout, peers: int, seconds: float, speech: Path) -> CallCost:
    """Let real sessions call each other."""
    group = f"239.255.66.80:{20_000 + secrets.randbelow(20_000)}"
    sound = ("--input", f"file:{speech}?loop=1", "--output", "null")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="blink-cost-")))
        homes = [folder / f"p{number}" for number in range(peers + 1)]
        pids, dids = [], []
        for home in homes:
            home.mkdir()
            words = ("--json", "--auto-accept", "--interface", "127.0.0.1", "--group", group, *sound)
            ready = stack.enter_context(_serving(checkout, home, words))
            pids.append(ready["pid"])
            dids.append(ready["did"])
        _asked(checkout, homes[0], "offer", *dids[1:], "--wait", f"{PATIENCE_S:g}")
        for home in homes:
            _wait_for_links(checkout, home, peers)
        time.sleep(SETTLE_S)
        return cost_of(pids, seconds)


@contextlib.contextmanager
def _serving(checkout: Checkout, home: Path, words: Sequence[str]) -> Iterator[dict[str, Any]]:
    process = subprocess.Popen(
        checkout.command("serve", *words),
        cwd=checkout.folder,
        env=checkout.environment_of(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None  # a pipe was asked for
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{checkout.name}: serve ended with {process.wait()}")
        yield json.loads(line)
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
        process.stdout.close()


def _asked(checkout: Checkout, home: Path, *words: str) -> str:
    return subprocess.run(
        checkout.command(*words),
        cwd=checkout.folder,
        env=checkout.environment_of(home),
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    ).stdout


def _wait_for_links(checkout: Checkout, home: Path, peers: int) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        document = json.loads(_asked(checkout, home, "participants", "--json"))
        if sum(one["link"] == "connected" for one in document["participants"]) == peers:
            return
    raise TimeoutError(f"{checkout.name}: {peers} peers did not all connect within {PATIENCE_S:g} s")


def participant(checkout: Checkout, peers: int, seconds: float, speech: Path) -> CallCost:
    """Let a process of that checkout talk to itself: `participant_process.py` of this one, with everything else of that one."""
    script = Path(__file__).with_name("participant_process.py")
    process = subprocess.Popen(
        [str(checkout.python), "-P", str(script), str(peers), str(speech)],
        cwd=checkout.folder,
        env={**checkout.environment, "PYTHONPATH": f"{checkout.folder / 'scripts'}:{checkout.folder}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None and process.stdout is not None  # noqa: PT018 - pipes were asked for
    with process.stdout:
        if not process.stdout.readline():
            raise RuntimeError(f"{checkout.name}: the participant ended with {process.wait()}")
        time.sleep(SETTLE_S)
        cost = cost_of([process.pid], seconds)
        process.stdin.close()
        process.wait(PATIENCE_S)
    return cost


def even(peers: int) -> int:
    """Return how many peers are measured where they are the ends of pairs."""
    return peers + peers % 2


def measured(
    checkouts: Sequence[Checkout], peers: Sequence[int], seconds: float, rounds: int
) -> dict[int, dict[str, list[CallCost]]]:
    """Return by number of peers and checkout every round's cost."""
    told: dict[int, dict[str, list[CallCost]]] = {
        number if number < MOST_SESSIONS else even(number): {one.name: [] for one in checkouts}
        for number in peers
    }
    with tempfile.TemporaryDirectory(prefix="blink-cost-") as folder:
        speech = write_mono(Path(folder) / "says.wav", voice(0, 10.0))
        for round_number in range(rounds):
            for number in told:
                measure = sessions if number < MOST_SESSIONS else participant
                for one in checkouts if round_number % 2 == 0 else tuple(reversed(checkouts)):
                    told[number][one.name].append(measure(one, number, seconds, speech))
    return told


def lines(costs: dict[int, dict[str, list[CallCost]]]) -> Iterator[tuple[str, str, Line]]:
    """Of each kind and checkout, through the medians; of three numbers of peers or more."""
    for kind, few in (("sessions", True), ("participant", False)):
        of_kind = {number: by_name for number, by_name in costs.items() if (number < MOST_SESSIONS) is few}
        for name in next(iter(costs.values())):
            line = line_through(
                {
                    number: statistics.median(one.core_percent for one in by_name[name])
                    for number, by_name in of_kind.items()
                }
            )
            if line is not None:
                yield kind, name, line


def table(costs: dict[int, dict[str, list[CallCost]]]) -> Iterator[str]:
    """Tell medians with least and most, and the ratios."""
    names = list(next(iter(costs.values())))
    yield f"| peers | | {' | '.join(names)} | ratio |"
    yield f"|---|---|{'---|' * len(names)}---|"
    for number, by_name in costs.items():
        for figure, unit in FIGURES.items():
            series = [[getattr(cost, figure) for cost in by_name[name]] for name in names]
            middles = [statistics.median(values) for values in series]
            cells = [
                f"{middle:.1f} ({min(values):.1f} to {max(values):.1f})"
                for middle, values in zip(middles, series, strict=True)
            ]
            kind = "sessions" if number < MOST_SESSIONS else "participant"
            yield f"| {number} ({kind}) | {unit} | {' | '.join(cells)} | {middles[0] / max(middles[1], 0.05):.2f} |"


def run(revision: str, peers: Sequence[int], seconds: float, rounds: int, *, as_json: bool) -> None:
    """Measure and tell."""
    with tempfile.TemporaryDirectory(prefix="blink-cost-") as work:
        python = interpreter(Path(work) / "python")
        checkouts = [
            checked_out("now", None, Path(work), python),
            checked_out(revision, revision, Path(work), python),
        ]
        told = measured(checkouts, peers, seconds, rounds)
    if as_json:
        rows = {
            number: {name: [asdict(cost) for cost in costs] for name, costs in by_name.items()}
            for number, by_name in told.items()
        }
        fits = [{"kind": kind, "checkout": name, **asdict(line)} for kind, name, line in lines(told)]
        json.dump(
            {"schema": 1, "bench": "cpu", "against": revision, "costs": rows, "lines": fits}, sys.stdout
        )
        sys.stdout.write("\n")
        return
    sys.stdout.write("".join(f"{line}\n" for line in table(told)))
    for kind, name, line in lines(told):
        sys.stdout.write(f"{kind}, {name}: {line}\n")

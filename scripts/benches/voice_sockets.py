"""The same voice and the same seeded networks as `voice_simulation`, between two real `blink serve` processes over real sockets.

    alice  file:speech -> `serve` -> [network namespace] -> TraceWire -> [network namespace] -> `serve` -> wav:heard  bob
    and the other way round, in the same call

Each process's `status` says where its input and output stood on the machine's monotonic clock, so mouth-to-ear delay is read from the two
files. A virtual machine whose host takes the processors away for tens of milliseconds adds a network of its own: a call during which that
happened much is made again, and the share is told (`stolen`).
"""

import asyncio
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
import soxr

from benches.machine_noise import stolen_percent, stolen_s
from benches.traces import FREEZE_LENGTH_S, FREEZE_START_S
from benches.voice_metrics import RATE_HZ, Samples, delays_ms, pesq_wideband
from tests.netlab.lab import Host, Laboratory
from tests.support.listening import Clocks
from tests.support.sessions import Session, call_of, together

TAIL_S: Final = 1.5
"""After the last word: what is still under way is heard too."""

QUIET_PERCENT: Final = 0.3
"""Of the machine's time taken by its host during a call: below it, the threads of a call wake in time."""

ROUNDS: Final = 200
"""Questions for `status` while a call lasts: far more than needed, an end for a stuck call."""


class TraceLaboratory(Laboratory):
    """Two hosts whose media meet a trace."""

    wire_module = "benches.trace_wire"

    async def set_trace(self, name: str, seed: int) -> None:
        """Let what follows meet this network."""
        await self._order(do="trace", name=name, seed=seed)


@dataclass(frozen=True, slots=True)
class Ear:
    """What one side of a call heard, and its own figures."""

    trace: str
    seed: int
    listener: str
    heard: Path
    begins_s: float
    """Second of the file at which the other side's first word was spoken."""

    statistics: dict[str, Any]
    """The peer's object in `rtp-stats`."""

    sender: dict[str, Any]
    """The other side's figures of the same direction."""

    late_ticks: int
    wire_late_ms: float
    """99th percentile of how much later than the trace says the wire delivered."""

    stolen_percent: float
    device: Any = None


@dataclass(frozen=True, slots=True)
class SocketRow:
    """One direction of one call."""

    trace: str
    seed: int
    pesq: float
    delay_ms: float
    delay_p95_ms: float
    bitrate_bps: float
    concealed_percent: float
    late_ticks: int
    wire_late_ms: float
    stolen_percent: float
    before_freeze_ms: float | None
    frozen_ms: float | None
    """Delay two to three seconds after a freeze."""


async def calls(
    cases: Sequence[tuple[str, int]], speech: Sequence[Path], folder: Path, *, tries: int
) -> list[Ear]:
    """Make one call for each (trace, seed); the n-th speaks the n-th voice, again and again.

    A call is made up to `tries` times, until the machine was quiet; the quietest one counts.
    """
    ears: list[Ear] = []
    for number, (trace, seed) in enumerate(cases):
        made: list[list[Ear]] = []
        while len(made) < tries and (not made or made[-1][0].stolen_percent > QUIET_PERCENT):
            made.append(await _call(trace, seed, speech[number % len(speech)], folder, f"{number}-{len(made)}"))
        ears += min(made, key=lambda pair: pair[0].stolen_percent)
    return ears


async def _call(trace: str, seed: int, speech: Path, folder: Path, number: str) -> list[Ear]:
    length_s = soundfile.info(speech).duration
    async with TraceLaboratory(seed) as lab:
        hosts = await lab.hosts(f"a{number}", f"b{number}")
        await lab.set_trace(trace, seed)
        heard = [folder / f"{trace}-{seed}-{host.name}.wav" for host in hosts]
        sessions = await together(*(_serve(host, speech, file) for host, file in zip(hosts, heard, strict=True)))
        async with call_of(*sessions, wait_s=20):
            before_s, began_s = stolen_s(), time.monotonic()
            said = await _all_said(sessions, length_s + TAIL_S)
            stolen = stolen_percent(before_s, time.monotonic() - began_s)
            figures = await together(*(session.ask("rtp-stats") for session in sessions))
        await together(*(session.quit() for session in sessions))
        lateness_s = (await lab.counts()).lateness_s
    late_ms = 1000 * lateness_s[int(0.99 * (len(lateness_s) - 1))] if lateness_s else 0.0
    ears = []
    for here in range(2):
        mouth, ear = said[1 - here], said[here]
        assert mouth.input_position_s is not None
        begins_s = ear.output_at(mouth.monotonic_s - mouth.input_position_s)
        inbound, outbound = figures[here]["peers"][0], figures[1 - here]["peers"][0]
        ears.append(
            Ear(trace, seed, hosts[here].name, heard[here], begins_s, inbound, outbound, figures[here]["late_ticks"], late_ms, stolen, (figures[here]['input'],figures[here]['output']))
        )
    return ears


async def _serve(host: Host, speech: Path, heard: Path) -> Session:
    return await host.machine.serve(host.name, "--input", f"file:{speech}", "--output", f"wav:{heard}")


async def _all_said(sessions: Sequence[Session], until_s: float) -> list[Clocks]:
    """Wait until every input stands behind `until_s`; where they stood then."""
    for _ in range(ROUNDS):
        clocks = [Clocks.of(await session.ask("status")) for session in sessions]
        left_s = until_s - min(clock.input_position_s or 0.0 for clock in clocks)
        if left_s <= 0:
            return clocks
        await asyncio.sleep(left_s + 0.1)
    raise TimeoutError("the inputs stand still")


def judged(ear: Ear, speech: Path) -> SocketRow:
    """Compare what was heard with what was said. Runs in a process of its own."""
    samples, rate_hz = soundfile.read(speech, dtype="float32", always_2d=True)
    reference = np.asarray(soxr.resample(samples[:, 0], rate_hz, RATE_HZ), np.float32)
    frames, heard_hz = soundfile.read(ear.heard, dtype="float32")
    first = round(ear.begins_s * heard_hz)
    frames = np.concatenate((np.zeros(max(-first, 0), np.float32), frames[max(first, 0) :]))
    sound: Samples = np.asarray(soxr.resample(frames, heard_hz, RATE_HZ), np.float32)
    sound = sound[: len(reference) + int(TAIL_S * RATE_HZ)]
    delays = delays_ms(reference, sound)
    values = [value for _, value in delays] or [float("nan")]
    end_s = FREEZE_START_S + FREEZE_LENGTH_S
    before = [value for at, value in delays if FREEZE_START_S - 3 <= at < FREEZE_START_S - 0.5]
    after = [value for at, value in delays if end_s + 2 <= at < end_s + 3]
    freezes = ear.trace == "freeze"
    inbound = ear.statistics["inbound"]
    return SocketRow(
        trace=ear.trace,
        seed=ear.seed,
        pesq=pesq_wideband(reference, sound),
        delay_ms=float(np.median(values)),
        delay_p95_ms=float(np.percentile(values, 95)),
        bitrate_bps=8 * ear.sender["outbound"]["bytesSent"] / (len(reference) / RATE_HZ + TAIL_S),
        concealed_percent=100 * inbound["concealedSamples"] / max(inbound["totalSamplesReceived"], 1),
        late_ticks=ear.late_ticks,
        wire_late_ms=ear.wire_late_ms,
        stolen_percent=ear.stolen_percent,
        before_freeze_ms=statistics.mean(before) if freezes and before else None,
        frozen_ms=statistics.mean(after) if freezes and after else None,
    )


def measure(
    traces: Sequence[str], seeds: int, speech: Sequence[Path], folder: Path, *, tries: int
) -> list[SocketRow]:
    """Make all calls, then judge them, so that judging takes nothing from a call."""
    cases = [(trace, seed) for trace in traces for seed in range(seeds)]
    ears = asyncio.run(calls(cases, speech, folder, tries=tries))
    with ProcessPoolExecutor(2) as pool:
        return list(pool.map(judged, ears, [speech[n // 2 % len(speech)] for n in range(len(ears))]))


if __name__ == "__main__":
    import sys
    import tempfile
    root = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory() as folder:
        for row in measure(sys.argv[1].split(","), int(sys.argv[2]), [root / "tests/speech/speech.flac"], Path(folder), tries=int(sys.argv[3])):
            print(row)

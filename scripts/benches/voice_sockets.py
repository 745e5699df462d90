"""The same voice and the same seeded networks as `voice_simulation`, between two real `blink serve` processes over real sockets.

    alice  file:speech -> `serve` -> [network namespace] -> TraceWire -> [network namespace] -> `serve` -> wav:heard  bob
    and the other way round, in the same call

With `--libwebrtc` each call is made once more, between two ends of libwebrtc with RED and NACK (PyPI's `wrtc`), on hosts and a wire like those.

Each process's `status` says where its input and output stood on the machine's monotonic clock, so mouth-to-ear delay is read from the two
files. A virtual machine whose host takes the processors away for tens of milliseconds adds a network of its own: a call during which that
happened much is made again, and the share is told (`stolen`).
"""

import argparse
import asyncio
import importlib.util
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import soundfile
import soxr

from benches.libwebrtc_end import libwebrtc_end
from benches.machine_noise import stolen_percent, stolen_s
from benches.voice_libwebrtc_peer import Heard
from blink_cli.core.exit_codes import ExitCode
from blink_cli.lab.listening import Clocks
from blink_cli.lab.network.laboratory import Host, Laboratory
from blink_cli.lab.network.named_conditions import FREEZE, NAMED_CONDITIONS
from blink_cli.lab.requirements import UnavailableError
from blink_cli.lab.session_calls import call_of, together
from blink_cli.lab.sessions import Session
from blink_cli.lab.voice_metrics import RATE_HZ, Samples, delays_ms, pesq_wideband

TAIL_S: Final = 1.5
"""After the last word: what is still under way is heard too."""

QUIET_PERCENT: Final = 0.3
"""Of the machine's time taken by its host during a call: below it, the threads of a call wake in time."""

SPEECH: Final = Path(__file__).resolve().parents[2] / "blink_cli/lab/speech/speech.flac"

TARGETS: Final = {
    "clean": (4.4, 50),
    "loss5": (4.25, 85),
    "loss10": (4.15, 85),
    "loss20": (3.8, 95),
    "ge10": (3.3, 95),
    "jit20": (4.35, 100),
    "jit40": (4.3, 150),
    "l5j20": (4.2, 105),
}
"""PESQ-WB at least, and median delay in ms at most: what this program promises."""

FREEZE_LEFT_MS: Final = 20.0
"""How much later than before the voice may still be, 2 s after a freeze."""

JUDGED: Final = (*TARGETS, "freeze")
QUICK: Final = ("clean", "loss10", "jit40", "freeze")

ROUNDS: Final = 200
"""Questions for `status` while a call lasts: far more than needed, an end for a stuck call."""


class MediaLaboratory(Laboratory):
    """Two hosts whose media meet a trace."""

    wire_module = "blink_cli.lab.network.media_wire"

    async def set_media_conditions(self, name: str, seed: int) -> None:
        """Let the media that follow meet this network."""
        await self._order(
            do="media", conditions=msgspec.to_builtins(NAMED_CONDITIONS[name]), seed=f"{name} {seed}"
        )


@dataclass(frozen=True, slots=True)
class Ear:
    """What one side of a call heard, and what the sessions say of that direction."""

    receiver: str
    """Who made the call: `blink` or `libwebrtc`."""

    trace: str
    seed: int
    heard: Path
    begins_s: float
    """Second of the file at which the other side's first word was spoken."""

    inbound: Mapping[str, Any]
    """The listener's figures of the stream, by the names of W3C's webrtc-stats."""

    bytes_sent: int
    late_ticks: int
    send_late_ms: float
    """99th percentile of how late the speaker's capture thread ran."""

    wire_late_ms: float
    """99th percentile of how much later than the trace says the wire delivered."""

    stolen_percent: float
    """Of the machine, by its host, during the call."""


@dataclass(frozen=True, slots=True)
class SocketRow:
    """One direction of one call; or, in a table, the means of a trace."""

    receiver: str
    trace: str
    calls: int
    pesq: float
    delay_ms: float
    delay_p95_ms: float
    bitrate_bps: float
    """Payload, redundancy included."""

    concealed_percent: float
    late_ticks: float
    send_late_ms: float
    wire_late_ms: float
    stolen_percent: float
    freeze_left_ms: float | None
    """How much later the voice still is 2 to 3 s after a freeze than before it."""


@dataclass(frozen=True, slots=True)
class Call:
    """One to be made."""

    receiver: str
    trace: str
    seed: int
    speech: Path


async def calls(cases: Sequence[Call], folder: Path, *, tries: int) -> list[Ear]:
    """Make the calls, one after the other; two ears each.

    A call is made up to `tries` times, until the machine was quiet; the quietest one counts.
    """
    ears: list[Ear] = []
    for number, call in enumerate(cases):
        make = CALLERS[call.receiver]
        made: list[list[Ear]] = []
        while len(made) < tries and (not made or made[-1][0].stolen_percent > QUIET_PERCENT):
            made.append(await make(call, folder, f"{number}-{len(made)}"))
        quietest = min(made, key=_stolen_percent)
        ears += quietest
    return ears


def _stolen_percent(call: Sequence[Ear]) -> float:
    return call[0].stolen_percent


async def _by_sessions(call: Call, folder: Path, number: str) -> list[Ear]:
    trace, seed, speech = call.trace, call.seed, call.speech
    length_s = soundfile.info(speech).duration
    async with MediaLaboratory(seed) as lab:
        hosts = await lab.hosts(f"a{number}", f"b{number}")
        await lab.set_media_conditions(trace, seed)
        heard = [folder / f"{trace}-{seed}-{host.name}.wav" for host in hosts]
        sessions = await together(
            *(_serve(host, speech, file) for host, file in zip(hosts, heard, strict=True))
        )
        async with call_of(*sessions, wait_s=20):
            before_s, began_s = stolen_s(), time.monotonic()
            said = await _all_said(sessions, length_s + TAIL_S)
            stolen = stolen_percent(before_s, time.monotonic() - began_s)
            figures = await together(*(session.ask("rtp-stats") for session in sessions))
        await together(*(session.quit() for session in sessions))
        lateness_s = (await lab.counts()).lateness_s
    late_ms = _p99_ms(lateness_s)
    return [
        Ear(
            receiver=call.receiver,
            trace=trace,
            seed=seed,
            heard=heard[here],
            begins_s=_first_word_s(said[here], said[1 - here]),
            inbound=figures[here]["peers"][0]["inbound"],
            bytes_sent=figures[1 - here]["peers"][0]["outbound"]["bytesSent"],
            late_ticks=figures[here]["late_ticks"],
            send_late_ms=figures[1 - here]["input"]["lateness_p99_ms"],
            wire_late_ms=late_ms,
            stolen_percent=stolen,
        )
        for here in range(2)
    ]


async def _by_libwebrtc(call: Call, folder: Path, number: str) -> list[Ear]:
    seconds = soundfile.info(call.speech).duration + TAIL_S
    async with MediaLaboratory(call.seed) as lab:
        hosts = await lab.hosts(f"a{number}", f"b{number}")
        await lab.set_media_conditions(call.trace, call.seed)
        files = [folder / f"{call.trace}-{call.seed}-{host.name}-libwebrtc.wav" for host in hosts]
        async with AsyncExitStack() as stack:
            one, other = [
                await stack.enter_async_context(libwebrtc_end(host.prefix, call.speech, file))
                for host, file in zip(hosts, files, strict=True)
            ]
            offer = await one.ask(description=None)
            answer = await other.ask(description=offer["description"])
            await one.ask(description=answer["description"])
            await together(one.ask(connected=True), other.ask(connected=True))
            before_s, began_s = stolen_s(), time.monotonic()
            told = await together(one.ask(speak=seconds), other.ask(speak=seconds))
            stolen = stolen_percent(before_s, time.monotonic() - began_s)
        lateness_s = (await lab.counts()).lateness_s
    heard = [Heard(**answer["heard"]) for answer in told]
    return [
        Ear(
            receiver=call.receiver,
            trace=call.trace,
            seed=call.seed,
            heard=files[here],
            begins_s=heard[1 - here].spoke_at - heard[here].began_at,
            inbound={
                "concealedSamples": heard[here].concealed_samples,
                "totalSamplesReceived": heard[here].total_samples,
            },
            bytes_sent=heard[1 - here].bytes_sent,
            late_ticks=0,
            send_late_ms=heard[1 - here].send_late_ms,
            wire_late_ms=_p99_ms(lateness_s),
            stolen_percent=stolen,
        )
        for here in range(2)
    ]


CALLERS: Final[dict[str, Callable[[Call, Path, str], Awaitable[list[Ear]]]]] = {
    "blink": _by_sessions,
    "libwebrtc": _by_libwebrtc,
}


def _p99_ms(lateness_s: Sequence[float]) -> float:
    return 1000 * lateness_s[int(0.99 * (len(lateness_s) - 1))] if lateness_s else 0.0


def _first_word_s(listener: Clocks, speaker: Clocks) -> float:
    """Which second of the listener's file is the moment when the speaker's began."""
    assert speaker.input_position_s is not None, "its input ran"
    return listener.output_at(speaker.monotonic_s - speaker.input_position_s)


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
    end_s = FREEZE.start_s + FREEZE.length_s
    before = [value for at, value in delays if FREEZE.start_s - 3 <= at < FREEZE.start_s - 0.5]
    after = [value for at, value in delays if end_s + 2 <= at < end_s + 3]
    inbound = ear.inbound
    return SocketRow(
        receiver=ear.receiver,
        trace=ear.trace,
        calls=1,
        pesq=pesq_wideband(reference, sound),
        delay_ms=float(np.median(values)),
        delay_p95_ms=float(np.percentile(values, 95)),
        bitrate_bps=8 * ear.bytes_sent / (len(reference) / RATE_HZ + TAIL_S),
        concealed_percent=100 * inbound["concealedSamples"] / max(inbound["totalSamplesReceived"], 1),
        late_ticks=ear.late_ticks,
        send_late_ms=ear.send_late_ms,
        wire_late_ms=ear.wire_late_ms,
        stolen_percent=ear.stolen_percent,
        freeze_left_ms=statistics.mean(after) - statistics.mean(before)
        if ear.trace == "freeze" and before and after
        else None,
    )


def measure(cases: Sequence[Call], folder: Path, *, tries: int) -> list[SocketRow]:
    """Make all calls, then judge them, so that judging takes nothing from a call."""
    ears = asyncio.run(calls(cases, folder, tries=tries))
    with ProcessPoolExecutor(2) as pool:
        return list(pool.map(judged, ears, [cases[n // 2].speech for n in range(len(ears))]))


def mean_of(rows: Sequence[SocketRow]) -> SocketRow:
    """The means of one trace's rows."""
    left = [row.freeze_left_ms for row in rows if row.freeze_left_ms is not None]
    figures = {
        name: statistics.mean(getattr(row, name) for row in rows)
        for name in SocketRow.__slots__
        if name not in {"receiver", "trace", "calls", "freeze_left_ms"}
    }
    return SocketRow(
        receiver=rows[0].receiver,
        trace=rows[0].trace,
        calls=len(rows),
        freeze_left_ms=statistics.mean(left) if left else None,
        **figures,
    )


def verdict(row: SocketRow) -> str:
    """What a trace's means are worth against its targets; empty where there is none."""
    if row.receiver != "blink":
        return ""
    if row.trace == "freeze":
        if row.freeze_left_ms is None:
            return "the delay after it was not found"
        return (
            "ok"
            if row.freeze_left_ms <= FREEZE_LEFT_MS
            else f"delay {row.freeze_left_ms - FREEZE_LEFT_MS:.0f} ms over"
        )
    if row.trace not in TARGETS:
        return ""
    pesq, delay_ms = TARGETS[row.trace]
    faults = []
    if round(row.pesq, 2) < pesq:
        faults.append(f"PESQ {pesq - row.pesq:.2f} short")
    if round(row.delay_ms) > delay_ms:
        faults.append(f"delay {row.delay_ms - delay_ms:.0f} ms over")
    return ", ".join(faults) or "ok"


def table(rows: Sequence[SocketRow]) -> str:
    """Print means beside targets."""
    lines = [
        "| trace | receiver | PESQ-WB | at least | delay ms | at most | 95 % ms | kb/s | concealed % | late ticks | send late | wire late | stolen % | |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        pesq, delay_ms = TARGETS.get(row.trace, ("", ""))
        lines.append(
            f"| {row.trace} | {row.receiver} | {row.pesq:.2f} | {pesq} | {row.delay_ms:.0f} | {delay_ms} | {row.delay_p95_ms:.0f} |"
            f" {row.bitrate_bps / 1000:.0f} | {row.concealed_percent:.2f} | {row.late_ticks:.1f} | {row.send_late_ms:.1f} |"
            f" {row.wire_late_ms:.1f} | {row.stolen_percent:.1f} | {verdict(row)} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or with `--json` one document."""
    parser = argparse.ArgumentParser(
        prog="bench voice --sockets", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    parser.add_argument("--quick", action="store_true", help="one call of four traces")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="calls for each trace (default 3)")
    parser.add_argument(
        "--first", type=int, default=0, metavar="SEED", help="the first of these seeds (default 0)"
    )
    parser.add_argument(
        "--libwebrtc",
        action="store_true",
        help="the same calls through libwebrtc too, with RED and NACK (pip install wrtc)",
    )
    parser.add_argument("--traces", default="", metavar="A,B", help=f"of {','.join(JUDGED)}")
    parser.add_argument(
        "--speech", default=str(SPEECH), metavar="PATHS", help="other voices, separated by commas"
    )
    parser.add_argument(
        "--tries",
        type=int,
        default=3,
        metavar="N",
        help="for a call on a machine that was not quiet (default 3)",
    )
    options = parser.parse_args(arguments)
    traces = options.traces.split(",") if options.traces else list(QUICK if options.quick else JUDGED)
    if unknown := sorted(set(traces) - set(NAMED_CONDITIONS)):
        parser.error(f"no such trace: {', '.join(unknown)}; there are {', '.join(NAMED_CONDITIONS)}")
    speech = [Path(path).absolute() for path in options.speech.split(",")]
    seeds = 1 if options.quick else options.seeds
    receivers = ["blink", "libwebrtc"] if options.libwebrtc else ["blink"]
    if options.libwebrtc and importlib.util.find_spec("webrtc") is None:
        parser.error("--libwebrtc wants PyPI's wrtc: pip install wrtc")
    # The n-th seed of a trace speaks the n-th voice; who is compared takes turns.
    cases = [
        Call(receiver, trace, options.first + n, speech[n % len(speech)])
        for trace in traces
        for n in range(seeds)
        for receiver in receivers
    ]
    try:
        with tempfile.TemporaryDirectory(prefix="blink-bench-") as folder:
            calls_made = measure(cases, Path(folder), tries=options.tries)
    except UnavailableError as reason:
        print(f"not measured: {reason}", file=sys.stderr)
        return ExitCode.FAILED
    rows = [
        mean_of([row for row in calls_made if (row.trace, row.receiver) == (trace, receiver)])
        for trace in traces
        for receiver in receivers
    ]
    if options.json:
        document = {
            "schema": 1,
            "bench": "voice sockets",
            "seeds": seeds,
            "rows": [{**asdict(row), "verdict": verdict(row)} for row in rows],
            "calls": [asdict(row) for row in calls_made],
        }
        print(json.dumps(document))
    else:
        print(table(rows))
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())

"""How good and how late a voice arrives under bad networks, through this program and through aiortc, in one run.

Virtual time and seeded networks (`named_conditions`), so the figures are the same everywhere; only the clocks of real sockets and devices are
missing. Each case: the sender adapts to the receiver's own reports, which travel back through the same kind of network.

    pesq      ITU-T P.862.2 (wide band) of the whole call, its beginning included, 1 to 4.64
    visqol    with --visqol: ViSQOL speech mode with the lattice model, 1 to 5 (the extra `visqol`)
    delay     median and 95th percentile, from mouth to ear without devices and without half the round trip, in ms
    sent      payload bytes over those without redundancy
    concealed share of the samples that were made up while somebody spoke
    frozen    delay two to three seconds after a freeze of 600 ms, in ms
"""

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
import soxr

from benches import voice_sockets
from benches.earlier_voice import earlier_rows
from benches.listening_page import Listened, Sound, listening_page
from benches.voice_simulation import AiortcReceiver, BlinkReceiver, Receiver, simulate
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.lab.network.named_conditions import FREEZE, NAMED_CONDITIONS
from blink_cli.lab.voice_metrics import RATE_HZ, Samples, delays_ms, pesq_wideband, visqol_speech

SPEECH: Final = Path(__file__).resolve().parents[2] / "blink_cli/lab/speech/speech.flac"
RECEIVERS: Final = ("blink", "copies", "aiortc")
"""`copies` is `blink` that does not ask for what it misses."""
QUICK_TRACES: Final = ("clean", "loss10", "jit40", "freeze")
AFTER_FREEZE_S: Final = FREEZE.start_s + FREEZE.length_s + 2


@dataclass(frozen=True)
class Case:
    """One call to be made."""

    receiver: str
    trace: str
    seed: int
    path: str
    """Of the voice."""

    visqol: bool
    """Whether ViSQOL is wanted too."""

    settings: CodecSettings
    rtt_ms: float
    kept: bool = False
    """Whether the sound is wanted, for a page."""


@dataclass(frozen=True)
class Row:
    """One receiver on one trace: means over seeds and voices."""

    receiver: str
    trace: str
    pesq: float
    visqol: float | None
    delay_ms: float
    delay_p95_ms: float
    sent_ratio: float
    concealed_percent: float | None
    frozen_ms: float | None


@dataclass(frozen=True)
class Call:
    """What came of one."""

    case: Case
    row: Row
    sound: Sound | None
    """None: not kept."""

    def as_json(self) -> dict[str, Any]:
        """Its figures, and with which voice and seed they are had again."""
        return {**asdict(self.row), "speech": self.case.path, "seed": self.case.seed}


def measured(case: Case) -> Call:
    """Make one call. Runs in a process of its own."""
    reference, samples = _voice(case.path)
    is_blink = case.receiver != "aiortc"
    receiver: Receiver = BlinkReceiver(asking=case.receiver == "blink") if is_blink else AiortcReceiver()
    heard = simulate(
        samples,
        case.settings,
        case.trace,
        case.seed,
        receiver,
        adaptive=is_blink,
        rtt_s=case.rtt_ms / 1000,
    )
    sound = soxr.resample(heard.sound, SAMPLE_RATE_HZ, RATE_HZ).astype(np.float32)
    delays = [(at, value - case.rtt_ms / 2) for at, value in delays_ms(reference, sound)]
    values = [value for _, value in delays] or [float("nan")]
    after = [value for at, value in delays if AFTER_FREEZE_S <= at < AFTER_FREEZE_S + 1]
    counters = heard.statistics
    row = Row(
        receiver=case.receiver,
        trace=case.trace,
        pesq=pesq_wideband(reference, sound),
        visqol=visqol_speech(reference, sound) if case.visqol else None,
        delay_ms=float(np.median(values)),
        delay_p95_ms=float(np.percentile(values, 95)),
        sent_ratio=heard.payload_bytes / heard.plain_bytes,
        concealed_percent=100 * heard.concealed_samples / len(samples) if counters else None,
        frozen_ms=statistics.mean(after) if case.trace == "freeze" and after else None,
    )
    return Call(case, row, Sound.of(heard.sound) if case.kept else None)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print; always 0. With `--sockets` between real processes, by `voice_sockets` and its options."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if "--sockets" in given:
        return voice_sockets.main([argument for argument in given if argument != "--sockets"])
    parser = _parser()
    options = parser.parse_args(given)
    settings = CodecSettings(
        frame_ms=options.frame_ms,
        bitrate_bps=options.bitrate,
        application=options.application,
        redundancy=options.redundancy,
        redundancy_budget_kbps=options.redundancy_budget,
    )
    traces = (
        options.traces.split(",")
        if options.traces
        else list(QUICK_TRACES if options.quick else NAMED_CONDITIONS)
    )
    unknown = sorted(set(traces) - set(NAMED_CONDITIONS))
    if unknown:
        parser.error(f"no such trace: {', '.join(unknown)}; there are {', '.join(NAMED_CONDITIONS)}")
    voices = options.speech.split(",")
    seeds = 1 if options.quick else options.seeds
    # aiortc's decoder knows no frames of less than 10 ms.
    possible = RECEIVERS if settings.frame_samples >= TICK_SAMPLES else RECEIVERS[:2]
    receivers = options.receivers.split(",") if options.receivers else possible
    if not set(receivers) <= set(possible):
        parser.error(f"--receivers wants some of {', '.join(possible)}")
    cases = [
        Case(
            receiver,
            trace,
            seed,
            path,
            options.visqol,
            settings,
            options.rtt_ms,
            kept=options.html is not None and seed == options.first and path == voices[0],
        )
        for trace in traces
        for receiver in receivers
        for path in voices
        for seed in range(options.first, options.first + seeds)
    ]
    with ProcessPoolExecutor(options.jobs) as pool:
        calls = list(pool.map(measured, cases))
    rows = [
        _mean([call.row for call in calls if (call.row.receiver, call.row.trace) == (receiver, trace)])
        for trace in traces
        for receiver in receivers
    ]
    earlier = []
    if options.against:
        with_values = {
            "--seeds": str(seeds),
            "--jobs": str(options.jobs),
            "--rtt-ms": str(options.rtt_ms),
            "--frame-ms": str(options.frame_ms),
            "--bitrate": str(options.bitrate),
            "--redundancy": options.redundancy,
            "--redundancy-budget": str(options.redundancy_budget),
            "--application": options.application,
        }
        seed = {"--first": str(options.first)} if options.first else {}
        earlier = [Row(**row) for row in earlier_rows(options.against, traces, voices, with_values, seed)]
    if options.html is not None:
        options.html.write_bytes(
            listening_page(
                Sound.of(_voice(voices[0])[1]), _listened(rows, calls), ["scripts/bench", "voice", *given]
            )
        )
    rows = sorted([*rows, *earlier], key=lambda row: traces.index(row.trace))
    if options.json:
        rows_as_json = [asdict(row) for row in rows]
        document = {
            "schema": 1,
            "first": options.first,
            "seeds": seeds,
            "speech": voices,
            "rows": rows_as_json,
        }
        print(json.dumps({**document, "calls": [call.as_json() for call in calls]}))
    else:
        print(_table(rows))
        if options.voices:
            print(_by_voice(calls, traces))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench voice",
        description=(__doc__ or "").splitlines()[0],
        epilog="--sockets: the same networks between two real sessions over real sockets; `bench voice --sockets --help`",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    parser.add_argument("--quick", action="store_true", help="one seed of four traces")
    parser.add_argument(
        "--visqol", action="store_true", help="ViSQOL too: 3 s more for each call, and half a minute once"
    )
    parser.add_argument(
        "--receivers", default="", metavar="A,B", help=f"of {','.join(RECEIVERS)} (default: all)"
    )
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="calls for each trace (default 3)")
    parser.add_argument(
        "--first",
        type=int,
        default=0,
        metavar="SEED",
        help="the first of these seeds (default 0): other networks",
    )
    parser.add_argument("--traces", default="", metavar="A,B", help=f"of {','.join(NAMED_CONDITIONS)}")
    parser.add_argument(
        "--speech", default=str(SPEECH), metavar="PATHS", help="other voices, separated by commas"
    )
    parser.add_argument(
        "--voices", action="store_true", help="a table of each voice's PESQ-WB and delay by trace, too"
    )
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="a page to listen to the first call of each row"
    )
    parser.add_argument(
        "--against", metavar="REV", help="another revision too, through its own bench, where it has one"
    )
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes (default 2)")
    parser.add_argument(
        "--frame-ms", type=float, default=20, metavar="MS", help="length of a packet (default 20)"
    )
    parser.add_argument("--bitrate", type=int, default=32_000, metavar="BPS", help="of Opus (default 32000)")
    parser.add_argument(
        "--rtt-ms", type=float, default=2, metavar="MS", help="round trip of the line (default 2)"
    )
    parser.add_argument(
        "--redundancy",
        default="auto",
        choices=("auto", "0", "1", "2", "3", "4"),
        help="copies of earlier frames",
    )
    parser.add_argument(
        "--redundancy-budget",
        type=int,
        default=0,
        metavar="KBPS",
        help="of payload that the peer is sent at most, copies included (default 0: no bound)",
    )
    parser.add_argument("--application", default="voip", help="of Opus: voip, audio or lowdelay")
    return parser


def _listened(rows: list[Row], calls: list[Call]) -> list[Listened]:
    """Rows with the sound of their first call."""
    kept = {(call.row.receiver, call.row.trace): call for call in calls if call.sound is not None}
    listened = []
    for row in rows:
        call = kept[row.receiver, row.trace]
        assert call.sound is not None
        listened.append(Listened(row.trace, row.receiver, asdict(row), asdict(call.row), call.sound))
    return listened


def _mean(calls: list[Row]) -> Row:
    def mean(of: Callable[[Row], float | None]) -> float | None:
        values = [value for value in map(of, calls) if value is not None]
        return statistics.mean(values) if values else None

    return Row(
        receiver=calls[0].receiver,
        trace=calls[0].trace,
        pesq=statistics.mean(call.pesq for call in calls),
        visqol=mean(lambda call: call.visqol),
        delay_ms=statistics.mean(call.delay_ms for call in calls),
        delay_p95_ms=statistics.mean(call.delay_p95_ms for call in calls),
        sent_ratio=statistics.mean(call.sent_ratio for call in calls),
        concealed_percent=mean(lambda call: call.concealed_percent),
        frozen_ms=mean(lambda call: call.frozen_ms),
    )


def _table(rows: list[Row]) -> str:
    def cell(value: float | None, digits: int) -> str:
        return "-" if value is None else f"{value:.{digits}f}"

    lines = [
        "| trace | receiver | PESQ-WB | ViSQOL | delay ms | 95 % ms | sent | concealed % | frozen ms |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.trace} | {row.receiver} | {row.pesq:.2f} | {cell(row.visqol, 2)} | {row.delay_ms:.0f} |"
        f" {row.delay_p95_ms:.0f} | {row.sent_ratio:.2f} | {cell(row.concealed_percent, 2)} | {cell(row.frozen_ms, 0)} |"
        for row in rows
    ]
    return "\n".join(lines)


def _by_voice(calls: list[Call], traces: list[str]) -> str:
    """A row for each voice and receiver: PESQ-WB and delay on each trace, the means of its calls."""
    lines = [f"| voice | receiver | {' | '.join(traces)} |", "|---|---" + "|---" * len(traces) + "|"]
    for path, receiver in dict.fromkeys((call.case.path, call.case.receiver) for call in calls):
        own = [call.row for call in calls if (call.case.path, call.case.receiver) == (path, receiver)]
        means = [_mean([row for row in own if row.trace == trace]) for trace in traces]
        cells = [f"{row.pesq:.2f}/{row.delay_ms:.0f}" for row in means]
        lines.append(f"| {Path(path).stem} | {receiver} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _voice(path: str) -> tuple[Samples, Samples]:
    """The voice at 16 kHz, as the metrics want it, and at 48 kHz, as the encoder does."""
    samples, rate_hz = soundfile.read(path, dtype="float32")
    if samples.ndim > 1:
        samples = samples[:, 0]
    reference = soxr.resample(samples, rate_hz, RATE_HZ).astype(np.float32)
    return reference, soxr.resample(reference, RATE_HZ, SAMPLE_RATE_HZ).astype(np.float32)


if __name__ == "__main__":
    sys.exit(main())

"""How good and how late a voice arrives under bad networks, through this program and through aiortc, in one run.

Virtual time and seeded networks (`named_conditions`), so the figures are the same everywhere; only the clocks of real sockets and devices are
missing. Each case: the sender adapts to the receiver's own reports, which travel back through the same kind of network.

    pesq      ITU-T P.862.2 (wide band) of the whole call, its beginning included, 1 to 4.64
    visqol    with --visqol: ViSQOL speech mode with the lattice model, 1 to 5 (the extra `visqol`)
    delay     median and 95th percentile, from mouth to ear without devices, in ms
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
from typing import Final

import numpy as np
import soundfile
import soxr

from benches import voice_sockets
from benches.voice_simulation import AiortcReceiver, BlinkReceiver, Receiver, simulate
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.lab.network.named_conditions import FREEZE, NAMED_CONDITIONS
from blink_cli.lab.voice_metrics import RATE_HZ, Samples, delays_ms, pesq_wideband, visqol_speech

SPEECH: Final = Path(__file__).resolve().parents[2] / "blink_cli/lab/speech/speech.flac"
RECEIVERS: Final = ("blink", "aiortc")
QUICK_TRACES: Final = ("clean", "loss10", "jit40", "freeze")
AFTER_FREEZE_S: Final = FREEZE.start_s + FREEZE.length_s + 2

Case = tuple[str, str, int, str, bool, CodecSettings]
"""Receiver, trace, seed, path of the voice, whether ViSQOL is wanted, how it is encoded."""


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


def measured(case: Case) -> Row:
    """One call. Runs in a process of its own."""
    receiver_name, trace, seed, path, with_visqol, settings = case
    reference, samples = _voice(path)
    receiver: Receiver = BlinkReceiver() if receiver_name == "blink" else AiortcReceiver()
    heard = simulate(samples, settings, trace, seed, receiver, adaptive=receiver_name == "blink")
    sound = soxr.resample(heard.sound, SAMPLE_RATE_HZ, RATE_HZ).astype(np.float32)
    delays = delays_ms(reference, sound)
    values = [value for _, value in delays] or [float("nan")]
    after = [value for at, value in delays if AFTER_FREEZE_S <= at < AFTER_FREEZE_S + 1]
    counters = heard.statistics
    return Row(
        receiver=receiver_name,
        trace=trace,
        pesq=pesq_wideband(reference, sound),
        visqol=visqol_speech(reference, sound) if with_visqol else None,
        delay_ms=float(np.median(values)),
        delay_p95_ms=float(np.percentile(values, 95)),
        sent_ratio=heard.payload_bytes / heard.plain_bytes,
        concealed_percent=100 * heard.concealed_samples / len(samples) if counters else None,
        frozen_ms=statistics.mean(after) if trace == "freeze" and after else None,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print; always 0. With `--sockets` between real processes, by `voice_sockets` and its options."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if "--sockets" in given:
        return voice_sockets.main([argument for argument in given if argument != "--sockets"])
    parser = argparse.ArgumentParser(
        prog="bench voice",
        description=(__doc__ or "").splitlines()[0],
        epilog="--sockets: the same networks between two real sessions over real sockets; `bench voice --sockets --help`",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    parser.add_argument("--quick", action="store_true", help="one seed of four traces")
    parser.add_argument("--visqol", action="store_true", help="ViSQOL too, some ten seconds for each call")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="calls for each trace (default 3)")
    parser.add_argument("--traces", default="", metavar="A,B", help=f"of {','.join(NAMED_CONDITIONS)}")
    parser.add_argument(
        "--speech", default=str(SPEECH), metavar="PATHS", help="other voices, separated by commas"
    )
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes (default 2)")
    parser.add_argument(
        "--frame-ms", type=float, default=20, metavar="MS", help="length of a packet (default 20)"
    )
    parser.add_argument("--bitrate", type=int, default=32_000, metavar="BPS", help="of Opus (default 32000)")
    parser.add_argument("--application", default="voip", help="of Opus: voip, audio or lowdelay")
    options = parser.parse_args(given)
    settings = CodecSettings(
        frame_ms=options.frame_ms, bitrate_bps=options.bitrate, application=options.application
    )
    traces = (
        options.traces.split(",")
        if options.traces
        else list(QUICK_TRACES if options.quick else NAMED_CONDITIONS)
    )
    unknown = sorted(set(traces) - set(NAMED_CONDITIONS))
    if unknown:
        parser.error(f"no such trace: {', '.join(unknown)}; there are {', '.join(NAMED_CONDITIONS)}")
    seeds = 1 if options.quick else options.seeds
    # aiortc's decoder knows no frames of less than 10 ms.
    receivers = RECEIVERS if settings.frame_samples >= TICK_SAMPLES else RECEIVERS[:1]
    cases = [
        (receiver, trace, seed, path, options.visqol, settings)
        for trace in traces
        for receiver in receivers
        for path in options.speech.split(",")
        for seed in range(seeds)
    ]
    with ProcessPoolExecutor(options.jobs) as pool:
        calls = list(pool.map(measured, cases))
    rows = [
        _mean([call for call in calls if (call.receiver, call.trace) == (receiver, trace)])
        for trace in traces
        for receiver in receivers
    ]
    if options.json:
        rows_as_json = [asdict(row) for row in rows]
        print(
            json.dumps(
                {"schema": 1, "seeds": seeds, "speech": options.speech.split(","), "rows": rows_as_json}
            )
        )
    else:
        print(_table(rows))
    return 0


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


def _voice(path: str) -> tuple[Samples, Samples]:
    """The voice at 16 kHz, as the metrics want it, and at 48 kHz, as the encoder does."""
    samples, rate_hz = soundfile.read(path, dtype="float32")
    if samples.ndim > 1:
        samples = samples[:, 0]
    reference = soxr.resample(samples, rate_hz, RATE_HZ).astype(np.float32)
    return reference, soxr.resample(reference, RATE_HZ, SAMPLE_RATE_HZ).astype(np.float32)


if __name__ == "__main__":
    sys.exit(main())

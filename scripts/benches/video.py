"""Pictures and a voice through one bad network, in one run beside the voice alone; in virtual time, so that figures are the same everywhere.

Sockets and threads are missing, all else is the program's own: encoder, pace, rate, network (`impair`'s), what is asked for, decoder, playout. The voice
goes one way with its pictures; what is told back takes a network as bad, but for the limited rate.

    pesq      ITU-T P.862.2 (wide band) of the whole call, its beginning included; and how much less than of the voice alone
    voice     how long voice packets take, without half the round trip: 95th percentile, in ms
    fps       pictures shown a second
    kb/s      all that packets of pictures take of the line
    frozen    how long pictures stood still (W3C: totalFreezesDuration), as a share of the time
    delay     from camera to screen, without both devices: median and 95th percentile, in ms
    ssim      of brightness, against what the camera saw: mean of each fifth picture
    psnr      likewise, in dB

The figures of pictures are counted from the fourth second on. `--sockets` makes the calls between two real sessions,
`--group` between four of them on hosts of the laboratory, `--libwebrtc` shows the same pictures through libwebrtc.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import soxr

from benches import video_group, video_libwebrtc, video_sockets
from benches.moving_scene import MovingScene
from benches.video_simulation import VideoCall
from blink_cli.core.api.camera_name import PictureSize
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.exit_codes import ExitCode
from blink_cli.core.impairment.conditions import Conditions
from blink_cli.core.media.video_codec import VideoCodec
from blink_cli.lab.voice_metrics import RATE_HZ, pesq_wideband
from blink_cli.lab.voices import voice
from blink_cli.video.cameras.made_up_scenes import TestScene

LINES: Final = {
    "clean": Conditions(),
    "loss2": Conditions(loss=0.02),
    "loss5": Conditions(loss=0.05),
    "loss10": Conditions(loss=0.10),
    "jitter20": Conditions(jitter_ms=20),
    "rate300": Conditions(rate_kbps=300, queue_ms=300),
    "rate300loss5": Conditions(rate_kbps=300, queue_ms=300, loss=0.05, jitter_ms=20),
    "rate600": Conditions(rate_kbps=600, queue_ms=300),
    "rate1000": Conditions(rate_kbps=1000, queue_ms=200),
}
SIZE: Final = PictureSize(640, 360)
SETTLE_S: Final = 4.0
SCENES: Final = ("moving", "testsrc")


@dataclass(frozen=True)
class Case:
    """One call to be made."""

    line: str
    fps: int | None
    """None: without pictures."""

    seed: int
    scene: str
    seconds: float
    rtt_s: float
    codec: VideoCodec


@dataclass(frozen=True)
class Row:
    """What came of it; None of pictures where there were none."""

    pesq: float
    voice_p95_ms: float
    fps: float | None = None
    kbit_s: float | None = None
    frozen_share: float | None = None
    delay_ms: float | None = None
    delay_p95_ms: float | None = None
    ssim: float | None = None
    psnr_db: float | None = None


def measured(case: Case) -> Row:
    """Make one call. Runs in a process of its own."""
    spoken = voice(case.seed, case.seconds)
    conditions = LINES[case.line]
    fps = case.fps or 15
    scene = None
    if case.fps is not None:
        scene = MovingScene(SIZE, fps) if case.scene == "moving" else TestScene(SIZE)
    call = VideoCall(
        spoken,
        scene,
        fps,
        conditions,
        seed=case.seed,
        rtt_s=case.rtt_s,
        back=Conditions(loss=conditions.loss, jitter_ms=conditions.jitter_ms),
        settle_s=SETTLE_S,
        codec=case.codec,
    )
    came = call.run()
    reference, sound = (
        np.asarray(soxr.resample(one, SAMPLE_RATE_HZ, RATE_HZ), np.float32) for one in (spoken, came.sound)
    )
    pesq = pesq_wideband(reference, sound)
    took_ms = 1000 * float(np.percentile([took_s for _, took_s in came.voice_delays_s], 95))
    if scene is None:
        return Row(pesq, took_ms)
    seen, over_s = came.seen, case.seconds - SETTLE_S
    delays_ms = [1000 * delay_s for delay_s in seen.delays_s] or [float("nan")]
    return Row(
        pesq,
        took_ms,
        fps=seen.shown / over_s,
        kbit_s=8 * seen.bytes / over_s / 1000,
        frozen_share=seen.frozen_s / over_s,
        delay_ms=float(np.median(delays_ms)),
        delay_p95_ms=float(np.percentile(delays_ms, 95)),
        ssim=statistics.fmean(seen.ssims or [0.0]),
        psnr_db=statistics.fmean(seen.psnrs_db or [0.0]),
    )


def mean_of(rows: Sequence[Row]) -> Row:
    """Of all calls of one kind."""
    fields: list[dict[str, Any]] = [asdict(row) for row in rows]
    means: dict[str, Any] = {
        name: None if value is None else statistics.fmean(each[name] for each in fields)
        for name, value in fields[0].items()
    }
    return Row(**means)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print. With `--sockets` between real sessions, by `video_sockets` and its options."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if "--sockets" in given:
        return video_sockets.main([argument for argument in given if argument != "--sockets"])
    if "--group" in given:
        return video_group.main([argument for argument in given if argument != "--group"])
    if "--libwebrtc" in given:
        return video_libwebrtc.main(
            [argument for argument in given if argument != "--libwebrtc"], LINES, SIZE
        )
    parser = argparse.ArgumentParser(prog="scripts/bench video", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", choices=tuple(LINES), nargs="+", default=list(LINES), help="these lines")
    parser.add_argument("--fps", type=int, nargs="+", default=[15, 30], help="pictures a second")
    parser.add_argument("--seconds", type=float, default=24.0, help="length of each call")
    parser.add_argument("--seeds", type=int, default=3, help="calls of each kind, each with another voice")
    parser.add_argument("--scene", choices=SCENES, default="moving", help="what the camera sees")
    parser.add_argument(
        "--codec", choices=[one.value for one in VideoCodec], default="VP8", help="of the pictures"
    )
    parser.add_argument("--rtt-ms", type=float, default=20.0, help="round trip of the line")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--json", action="store_true", help="one document")
    chosen = parser.parse_args(given)
    kinds = [(line, fps) for line in chosen.only for fps in (None, *chosen.fps)]
    cases = [
        Case(line, fps, seed, chosen.scene, chosen.seconds, chosen.rtt_ms / 1000, VideoCodec(chosen.codec))
        for line, fps in kinds
        for seed in range(chosen.seeds)
    ]
    with ProcessPoolExecutor(chosen.jobs) as pool:
        rows = list(pool.map(measured, cases))
    found = {
        kind: mean_of(rows[number * chosen.seeds : (number + 1) * chosen.seeds])
        for number, kind in enumerate(kinds)
    }
    if chosen.json:
        document = [{"line": line, "camera_fps": fps, **asdict(row)} for (line, fps), row in found.items()]
        sys.stdout.write(json.dumps(document) + "\n")
        return ExitCode.DONE
    sys.stdout.write(
        "| line | camera | pesq | voice | fps | kb/s | frozen | delay | ssim | psnr |\n|---|---|---|---|---|---|---|---|---|---|\n"
    )
    for (line, fps), row in found.items():
        sys.stdout.write(_line(line, fps, row, found[line, None]) + "\n")
    return ExitCode.DONE


def _line(line: str, fps: int | None, row: Row, alone: Row) -> str:
    if row.fps is None:
        return f"| {line} | - | {row.pesq:.2f} | {row.voice_p95_ms:.0f} | | | | | | |"
    return (
        f"| {line} | {fps} | {row.pesq:.2f} ({row.pesq - alone.pesq:+.2f}) | {row.voice_p95_ms:.0f} | {row.fps:.1f} | {row.kbit_s:.0f} | "
        f"{100 * (row.frozen_share or 0):.1f} % | {row.delay_ms:.0f}, {row.delay_p95_ms:.0f} | {row.ssim:.3f} | {row.psnr_db:.1f} |"
    )


if __name__ == "__main__":
    sys.exit(main())

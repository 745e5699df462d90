"""`bench picture-engines`: how far both engines of the laboratory agree about pictures: the same scenarios in virtual time and with real sessions, on one machine.

    pesq      of both voices (ITU-T P.862.2, wide band)
    fps       pictures decoded a second, while the camera is on
    frozen    how long pictures stood still (W3C: totalFreezesDuration), as a share of that time
    kb/s      payload of pictures that came
    ssim      of brightness, against the film that the camera sees: in virtual time each fifth picture, of real sessions a snapshot each half second

Both show each other a film of the scene of `bench video`, whose clock tells which of its pictures is seen. Needs root, for network namespaces; best on a
machine that does nothing else.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from unittest import mock

from typing_extensions import override

from benches.video_group import Film, likenesses, make_film
from blink_cli.core.api.requests import SaveSnapshot
from blink_cli.core.errors import BlinkError
from blink_cli.core.exit_codes import ExitCode
from blink_cli.core.expectation.vocabulary import FIGURES
from blink_cli.core.ids import Did
from blink_cli.lab.real import engine
from blink_cli.lab.real.participant import Participant
from blink_cli.lab.scenario.case import Case
from blink_cli.lab.scenario.cases import cases_of
from blink_cli.lab.scenario.reading import Source
from blink_cli.lab.verdict.judging import judged
from blink_cli.lab.verdict.report import CaseResult, PairResult
from blink_cli.lab.virtual.engine import run_virtual

LINES: Final = {
    "clean": "delay=10ms",
    "loss5": "loss=5% delay=10ms",
    "loss10": "loss=10% delay=10ms",
    "jitter20": "delay=50ms jitter=20ms",
    "rate300": "rate=300kbit/s queue=300ms delay=10ms",
    "rate300loss5": "rate=300kbit/s queue=300ms loss=5% delay=50ms jitter=20ms",
    "rate1000": "rate=1Mbit/s queue=200ms delay=10ms",
}

ON_AT_S: Final = 1.0


def case_of(line: str, film: Path, seconds: float, seed: int) -> Case:
    """Two who see each other over such a line."""
    people = "".join(
        f'[[participant]]\nname = "{name}"\ncamera = "file:{film.name}?loop=1"\n' for name in ("alice", "bob")
    )
    text = (
        f'duration = {seconds}\nseed = {seed}\nexpect = ["frames > 1"]\n{people}'
        f'[[network]]\nline = "{line}"\n[[step]]\nat = {ON_AT_S}\nwho = "*"\ndo = "camera-on"\n'
    )
    (case,) = cases_of(Source("pictures", film.parent, text), dict(FIGURES), seeds=1)
    return case


def run_real(case: Case, film: Film) -> tuple[CaseResult, dict[tuple[str, str], list[float]]]:
    """Run it with real sessions, and look at what each sees now and then."""
    ssims: defaultdict[tuple[str, str], list[float]] = defaultdict(list)

    class Looking(Participant):
        @override
        async def read_figures(self, names: dict[Did, str], now_s: float) -> None:
            await super().read_figures(names, now_s)
            still = film.path.with_name(f"{self.name}.png")
            for did, name in names.items():
                if name == self.name or self.watched is None:
                    continue
                try:
                    await self.watched.ask(SaveSnapshot(path=str(still), peer=did, replace=True))
                except BlinkError:
                    continue  # nothing is shown yet
                ssims[name, self.name] += await asyncio.to_thread(likenesses, film, still)

    with mock.patch.object(engine, "Participant", Looking):
        seen = engine.run_real(case)
    return judged(case, seen, folder=None), ssims


def _row(line: str, name: str, pair: PairResult, ssims: Sequence[float]) -> str:
    pictures = pair.pictures
    assert pictures is not None, "both show something"
    figures: tuple[Any, ...] = (
        f"{pair.pesq_wb or 0:.2f}",
        f"{pictures.frames_per_second or 0:.1f}",
        f"{100 * pictures.total_freezes_duration / pictures.shown_s:.1f} %",
        f"{(pictures.bitrate_bps or 0) / 1000:.0f}",
        f"{statistics.fmean(ssims):.3f}" if ssims else "-",
    )
    return f"| {line} | {pair.speaker} | {name} | {' | '.join(figures)} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print, a line as soon as it is."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench picture-engines", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--only", choices=tuple(LINES), nargs="+", default=list(LINES), help="these lines")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of each call")
    parser.add_argument("--fps", type=int, default=15, help="pictures a second")
    parser.add_argument("--seed", type=int, default=1, help="of all chances")
    chosen = parser.parse_args(arguments)
    sys.stdout.write(
        "| line | of | engine | pesq | fps | frozen | kb/s | ssim |\n|---|---|---|---|---|---|---|---|\n"
    )
    with tempfile.TemporaryDirectory(prefix="blink-bench-") as folder:
        film = make_film(Path(folder) / "film.mp4", chosen.fps)
        for line in chosen.only:
            case = case_of(LINES[line], film.path, chosen.seconds, chosen.seed)
            virtual = run_virtual(case)
            likeness = {
                (pair.speaker, pair.listener): [one.likeness[0] for one in pair.pictures if one.likeness]
                for pair in virtual.pairs
            }
            computed = judged(case, virtual, folder=None)
            real, ssims = run_real(case, film)
            for one, other in zip(computed.pairs, real.pairs, strict=True):
                pair = one.speaker, one.listener
                sys.stdout.write(_row(line, "virtual", one, likeness[pair]) + "\n")
                sys.stdout.write(_row(line, "real", other, ssims.get(pair, ())) + "\n")
            for note in real.notes:
                sys.stdout.write(f"{line}: {note}\n")
            sys.stdout.flush()
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())

"""`bench video --group`: four real sessions, each with a film as its camera, on hosts whose every line to another is as bad; beside a call of their voices alone.

    frozen    how long pictures stood still (W3C: totalFreezesDuration), as a share of the time: the mean of all twelve, and the worst
    delay     from the moment of the film that is shown, by the clock in its pictures, to when a viewer has it: median and 95th percentile, anna's at dora's
    ssim      of brightness, against the film itself: mean of some pictures of anna's at dora's
    PESQ-WB   of anna's voice at dora's, and how much less than without pictures

Needs root, for network namespaces. `--only NAME` makes one line.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import av
import numpy as np

from benches.moving_scene import MovingScene
from blink_cli.codec.options import Source
from blink_cli.codec.pair_score import score
from blink_cli.core.api.camera_name import PictureSize
from blink_cli.core.api.replies.pictures import ShownPicture
from blink_cli.core.api.requests import GetPicture, GetStatus, SaveSnapshot
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import BlinkError
from blink_cli.core.exit_codes import ExitCode
from blink_cli.core.impairment.conditions import Conditions
from blink_cli.lab.picture_quality import ssim
from blink_cli.lab.real.network import LineLaboratory
from blink_cli.lab.scenario.case import LineChange
from blink_cli.lab.session_calls import together
from blink_cli.lab.voices import voice, write_mono
from blink_cli.lab.watching import Watched
from blink_cli.video.coded_clock import read_clock
from blink_cli.video.frames import Fitter, frame_of, planes_of
from blink_cli.video.picture import Picture, Plane

LINES: Final = {
    "clean": Conditions(delay_ms=10),
    "loss2": Conditions(delay_ms=10, loss=0.02),
    "loss5": Conditions(delay_ms=10, loss=0.05),
    "loss10": Conditions(delay_ms=10, loss=0.10),
    "jitter20": Conditions(delay_ms=10, jitter_ms=20),
    "rate300": Conditions(delay_ms=10, rate_kbps=300, queue_ms=300),
}
NAMES: Final = ("anna", "bert", "carla", "dora")
SIZE: Final = PictureSize(640, 360)
FILM_S: Final = 12.0
SETTLE_S: Final = 5.0
SILENT_S: Final = 6
"""So long all have to be connected."""

WHOLE_EVERY: Final = 12
"""Each so many pictures one is looked at in its full size."""


@dataclass
class Seen:
    """What dora sees of anna."""

    moments: list[tuple[float, float]] = field(default_factory=list)
    """When a picture was there, and the moment of the film that it shows."""

    ssims: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Film:
    """What all show."""

    path: Path
    fps: int
    frames: tuple[Plane, ...]
    """The brightness of its pictures, as it is decoded."""


def make_film(path: Path, fps: int) -> Film:
    """A film of the scene of `bench video`, whose clock tells its own time."""
    scene = MovingScene(SIZE, fps)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=fps, options={"crf": "8", "preset": "superfast"})
        stream.width, stream.height, stream.pix_fmt = SIZE.width, SIZE.height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, fps)
        for number in range(int(FILM_S * fps)):
            frame = frame_of(scene.at(number / fps, number / fps))
            frame.pts, frame.time_base = number, Fraction(1, fps)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    with av.open(str(path)) as file:
        return Film(path, fps, tuple(planes_of(frame)[0].copy() for frame in file.decode(video=0)))


def picture_of(shown: ShownPicture) -> Picture:
    """A picture that has no colour, by its brightness in the limited range."""
    green = np.frombuffer(shown.pixels, np.uint8).reshape(shown.height, shown.width, 3)[:, :, 1]
    plane: Plane = (16 + green.astype(np.float32) * 219 / 255).round().astype(np.uint8)
    plane = plane[: shown.height & ~1, : shown.width & ~1]
    grey = np.full((plane.shape[0] // 2, plane.shape[1] // 2), 128, np.uint8)
    return Picture(plane, grey, grey, 0, None)


def likenesses(film: Film, still: Path) -> list[float]:
    """SSIM of a picture as it is shown, as large as the film; none where its clock cannot be read."""
    with av.open(str(still), "r") as file:
        frame = next(file.decode(video=0))
    picture = Fitter(SIZE).fit(frame, 0, None)
    moment_s = read_clock(picture)
    place = None if moment_s is None else round(moment_s * film.fps)
    return [] if place is None or place >= len(film.frames) else [ssim(film.frames[place], picture.y)]


async def look(viewer: Watched, peer: str, seconds: float, film: Film) -> Seen:
    """Watch somebody for a while."""
    still = film.path.with_suffix(".png")
    seen, known, number = Seen(), 0, 0
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        number += 1
        if number % WHOLE_EVERY == 0:
            await viewer.ask(SaveSnapshot(path=str(still), peer=peer, replace=True))
            seen.ssims += await asyncio.to_thread(likenesses, film, still)
        reply = await viewer.ask(GetPicture(peer=peer, width=160, height=90, than=known, wait_s=1.0))
        if reply.picture is None:
            continue
        now_s, known = time.monotonic(), reply.picture.number
        picture = picture_of(reply.picture)
        moment_s = await asyncio.to_thread(read_clock, picture)
        if moment_s is None:
            continue
        seen.moments.append((now_s, moment_s))
    return seen


def ages_ms(seen: Seen, own: Seen) -> list[float]:
    """How old pictures were that came, where one's own preview is what is new."""
    begins = [(now_s - moment_s) % FILM_S for now_s, moment_s in own.moments]
    first = begins[0]
    begin = first + min((one - first + FILM_S / 2) % FILM_S - FILM_S / 2 for one in begins)
    half_s = FILM_S / 2
    return sorted(
        1000 * ((now_s - moment_s - begin + half_s) % FILM_S - half_s) for now_s, moment_s in seen.moments
    )


async def call(line: str, seconds: float, fps: int | None, options: str) -> dict[str, Any]:
    """One call of four."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="blink-bench-")))
        spoken, heard = folder / "spoken.wav", folder / "heard.wav"
        # A file begins to play when the first of them is connected; all hear the first word.
        said = voice(0, seconds + SETTLE_S)
        write_mono(spoken, np.concatenate((np.zeros(SILENT_S * SAMPLE_RATE_HZ, said.dtype), said)))
        film = None if fps is None else make_film(folder / "film.mp4", fps)
        camera = "blank" if film is None else f"file:{film.path}?loop=1{options}"
        lab = await stack.enter_async_context(LineLaboratory(7))
        hosts = await lab.hosts(*NAMES)
        for speaker in NAMES:
            for listener in NAMES:
                if speaker != listener:
                    await lab.set_line(LineChange(0.0, speaker, listener, LINES[line], line))
        sessions = await together(
            *(
                host.machine.serve(
                    host.name,
                    *("--input", f"file:{spoken}" if host.name == "anna" else "silence"),
                    *("--output", f"wav:{heard}" if host.name == "dora" else "null"),
                    *(
                        "--camera",
                        camera,
                        "--auto-accept",
                    ),
                )
                for host in hosts
            )
        )
        anna, *others = sessions
        for one in others:
            await anna.until(
                "peers",
                lambda reply, did=one.did: any(peer["did"] == did for peer in reply),
                what="all to be there",
            )
        await anna.ask("offer", *NAMES[1:], "--wait", "20")
        viewer = await stack.enter_async_context(Watched.following(sessions[-1]))
        preview = await stack.enter_async_context(Watched.following(anna))
        found: dict[str, Any] = {}
        if film is not None:
            await together(*(session.ask("video", "on") for session in sessions))
            await asyncio.sleep(SETTLE_S + SILENT_S)
            before = [await _received(session) for session in sessions]
            seen = await look(viewer, "anna", seconds, film)
            after = [await _received(session) for session in sessions]
            own = await look(preview, anna.did, 3.0, film)
            found = _figures(seen, own, before, after, seconds)
        else:
            await asyncio.sleep(SILENT_S + SETTLE_S + seconds)
        for session in sessions:
            await session.quit()
        try:
            scored = await asyncio.to_thread(score, Source(heard), Source(spoken), lambda _: None)
            found["pesq_wb"] = scored.pesq_wb
        except BlinkError as failure:
            found["pesq_wb"] = str(failure)
        return found


async def _received(session: Any) -> list[dict[str, Any]]:
    async with Watched.following(session) as watched:
        video = (await watched.ask(GetStatus())).video
    assert video is not None, "pictures come"
    return [
        {
            "frozen": one.received.total_freezes_duration,
            "decoded": one.received.frames_decoded,
            "bytes": one.received.bytes_received,
        }
        for one in video.peers
    ]


def _figures(
    seen: Seen,
    own: Seen,
    before: Sequence[Sequence[dict[str, Any]]],
    after: Sequence[Sequence[dict[str, Any]]],
    seconds: float,
) -> dict[str, Any]:
    pairs = [
        (first, last)
        for firsts, lasts in zip(before, after, strict=True)
        for first, last in zip(firsts, lasts, strict=True)
    ]

    def each(name: str) -> list[float]:
        return [(last[name] - first[name]) / seconds for first, last in pairs]

    ages = ages_ms(seen, own) if seen.moments and own.moments else []
    return {
        "pairs": len(pairs),
        "fps": round(statistics.fmean(each("decoded")), 1),
        "fps_worst": round(min(each("decoded")), 1),
        "kbit_s": round(statistics.fmean(each("bytes")) * 8 / 1000),
        "frozen_share": round(statistics.fmean(each("frozen")), 4),
        "frozen_worst": round(max(each("frozen")), 4),
        "delay_ms": round(statistics.median(ages)) if ages else None,
        "delay_p95_ms": round(ages[int(0.95 * len(ages))]) if ages else None,
        "ssim": round(statistics.fmean(seen.ssims), 3) if seen.ssims else None,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Print what was measured, a line as soon as it is."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench video --group", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--only", choices=tuple(LINES), nargs="+", default=list(LINES), help="these lines")
    parser.add_argument("--fps", type=int, nargs="*", default=[15, 30], help="pictures a second")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each call is watched")
    parser.add_argument("--camera-options", default="", help="behind the film's name, such as &codec=h264")
    chosen = parser.parse_args(argv)
    for line in chosen.only:
        for fps in (None, *chosen.fps):
            found = asyncio.run(call(line, chosen.seconds, fps, chosen.camera_options))
            sys.stdout.write(json.dumps({"line": line, "camera_fps": fps, **found}) + "\n")
            sys.stdout.flush()
    return ExitCode.DONE

"""`bench video --sockets`: two real sessions, the lines made bad by `impair`, beside a call of the voice alone.

    frozen    how long pictures stood still (W3C: totalFreezesDuration), as a share of the time
    delay     from the moment that the clock in the test picture shows to when a viewer has the picture: median and 95th percentile
    PESQ-WB   of the voice with pictures, and without

All runs on this machine, whose clock the picture shows. `--only NAME` makes one line.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any, Final

import numpy as np

from blink_cli.codec.options import Source
from blink_cli.codec.pair_score import score
from blink_cli.core.api.requests import GetPicture, GetStatus
from blink_cli.core.errors import BlinkError
from blink_cli.core.exit_codes import ExitCode
from blink_cli.lab.session_calls import together
from blink_cli.lab.sessions import Machine
from blink_cli.lab.voices import voice, write_mono
from blink_cli.lab.watching import Watched
from blink_cli.video.coded_clock import age_s
from blink_cli.video.picture import Picture

LINES: Final = {
    "clean": (),
    "loss2": ("loss=2%",),
    "loss5": ("loss=5%",),
    "loss10": ("loss=10%",),
    "jitter20": ("jitter=20ms",),
    "rate300": ("rate=300kbit/s", "queue=300ms"),
    "rate300loss5": ("rate=300kbit/s", "queue=300ms", "loss=5%", "jitter=20ms"),
}
"""What ann's line does to what she sends."""

SETTLE_S: Final = 4.0
"""Until the rate has found the line."""

NO_COLOUR: Final = 128


def _age_s(pixels: bytes, width: int, height: int, now_s: float) -> float | None:
    green = np.frombuffer(pixels, np.uint8).reshape(height, width, 3)[:, :, 1]
    grey = np.full((height // 2, width // 2), NO_COLOUR, np.uint8)
    return age_s(Picture(green, grey, grey, 0, None), now_s)


async def _ages(viewer: Watched, until_s: float) -> list[float]:
    """How old each picture was when it was there to be shown."""
    ages: list[float] = []
    known = 0
    while time.monotonic() < until_s:
        shown = await viewer.ask(GetPicture(peer="ann", width=160, height=90, than=known, wait_s=1.0))
        picture = shown.picture
        if picture is None:
            continue
        known = picture.number
        age = _age_s(picture.pixels, picture.width, picture.height, time.monotonic())
        if age is not None:
            ages.append(age)
    return ages


async def call(line: Sequence[str], seconds: float, fps: int | None) -> dict[str, Any]:
    """One call: with pictures at `fps`, or None of them."""
    async with AsyncExitStack() as stack:
        machine = await stack.enter_async_context(Machine())
        spoken = machine.directory / "spoken.wav"
        heard = machine.directory / "heard.wav"
        write_mono(spoken, voice(0, seconds + SETTLE_S + 4))
        camera = f"testsrc?size=640x360&fps={fps or 15}"
        ann, bob = await together(
            machine.serve("ann", "--input", f"file:{spoken}", "--output", "null", "--camera", camera),
            machine.serve("bob", "--input", "silence", "--output", f"wav:{heard}", "--auto-accept"),
        )
        await ann.ask("offer", "bob", "--wait", "10")
        if line:
            await ann.ask("impair", "out", *line, "seed=7")
        found: dict[str, Any] = {}
        if fps is not None:
            await ann.ask("video", "on")
        viewer = await stack.enter_async_context(Watched.following(bob))
        await asyncio.sleep(SETTLE_S)
        if fps is not None:
            found |= await _watched(viewer, seconds)
        else:
            await asyncio.sleep(seconds)
        for session in (ann, bob):
            await session.quit()
        try:
            scored = await asyncio.to_thread(score, Source(heard), Source(spoken), lambda _: None)
            found["pesq_wb"] = scored.pesq_wb
        except BlinkError as failure:
            found["pesq_wb"] = str(failure)
    return found


async def _watched(viewer: Watched, seconds: float) -> dict[str, Any]:
    before = (await viewer.ask(GetStatus())).video
    ages = await _ages(viewer, time.monotonic() + seconds)
    after = (await viewer.ask(GetStatus())).video
    assert before is not None, "pictures come"
    assert after is not None, "pictures come"
    first, last = before.peers[0].received, after.peers[0].received
    ages.sort()
    return {
        "fps": round((last.frames_decoded - first.frames_decoded) / seconds, 1),
        "kbit_s": round(8 * (last.bytes_received - first.bytes_received) / seconds / 1000),
        "frozen_share": round((last.total_freezes_duration - first.total_freezes_duration) / seconds, 3),
        "freezes": last.freeze_count - first.freeze_count,
        "delay_ms": round(1000 * statistics.median(ages)) if ages else None,
        "delay_p95_ms": round(1000 * ages[int(0.95 * len(ages))]) if ages else None,
        "nack": last.nack_count - first.nack_count,
        "pli": last.pli_count - first.pli_count,
    }


async def measured(names: Sequence[str], rates: Sequence[int], seconds: float) -> dict[str, Any]:
    """All lines, each with the voice alone and with pictures at each rate."""
    found: dict[str, Any] = {}
    for name in names:
        found[name] = {"voice alone": await call(LINES[name], seconds, None)}
        for fps in rates:
            found[name][f"{fps} fps"] = await call(LINES[name], seconds, fps)
        sys.stderr.write(f"{name}: {json.dumps(found[name])}\n")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Print what was measured."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench video --sockets", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--only", choices=tuple(LINES), help="this line alone")
    parser.add_argument("--fps", type=int, nargs="+", default=[15, 30], help="pictures a second")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each call is watched")
    parser.add_argument("--json", action="store_true", help="one document")
    chosen = parser.parse_args(argv)
    names = tuple(LINES) if chosen.only is None else (chosen.only,)
    found = asyncio.run(measured(names, chosen.fps, chosen.seconds))
    if chosen.json:
        sys.stdout.write(json.dumps(found) + "\n")
    else:
        for name, calls in found.items():
            sys.stdout.write(f"{name}\n")
            for key, figures in calls.items():
                sys.stdout.write(f"  {key:<14}{json.dumps(figures)}\n")
    return ExitCode.DONE

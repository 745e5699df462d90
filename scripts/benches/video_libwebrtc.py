"""`bench video --libwebrtc`: libwebrtc, through PyPI's `wrtc`, with the pictures and networks of `bench video`; in real time, so a busy machine shows.

    generated track -> connection a -> [relay of datagrams: the line] -> connection b -> frames

No voice goes beside its pictures, which have the line to themselves. Each picture tells by its coded clock which one it is.
"""

import argparse
import asyncio
import functools
import importlib
import random
import re
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import msgspec
import numpy as np
from typing_extensions import override

from benches.moving_scene import MovingScene
from blink_cli.core.api.camera_name import PictureSize
from blink_cli.core.exit_codes import ExitCode
from blink_cli.core.impairment.conditions import Conditions
from blink_cli.core.impairment.line import Line
from blink_cli.core.media.video.freeze_meter import FreezeMeter
from blink_cli.lab.picture_quality import psnr_db, ssim
from blink_cli.video.coded_clock import read_clock
from blink_cli.video.frames import Fitter, frame_of
from blink_cli.video.picture import Picture, Plane

OUTER_BYTES: Final = 42
"""Ethernet, IPv4, UDP."""

SETTLE_S: Final = 4.0
DELAY_MS: Final = 10.0
"""Each way: the round trip of `bench video`."""

SSIM_EVERY: Final = 5
_CANDIDATE: Final = re.compile(
    r"^a=candidate:\S+ \d+ udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host.*$", re.MULTILINE
)
_GATHER_LOOKS: Final = 500
_LOOK_S: Final = 0.02


@dataclass
class Seen:
    """What came of the pictures, from `settle_s` on."""

    freezes: FreezeMeter = field(default_factory=FreezeMeter)
    delays_ms: list[float] = field(default_factory=list)
    ssims: list[float] = field(default_factory=list)
    psnrs_db: list[float] = field(default_factory=list)
    line_bytes: int = 0
    sources: dict[int, Plane] = field(default_factory=dict)
    """What was shown, by the millisecond of its clock."""


class _Leg(asyncio.DatagramProtocol):
    """Stands for one end to the other one."""

    def __init__(self, conditions: Conditions, seed: int) -> None:
        self.other: _Leg | None = None
        self.real: tuple[str, int] | None = None
        """Where the end is that it hears."""

        self.passed_bytes = 0
        self._line = Line(conditions, random.Random(seed).random)
        self._transport: asyncio.DatagramTransport | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Its own."""
        assert self._transport is not None, "it is open"
        host, port = self._transport.get_extra_info("sockname")[:2]
        return str(host), int(port)

    @override
    def connection_made(
        self, transport: Any
    ) -> None:  # asyncio's transport of datagrams is none by its class
        self._transport = transport

    @override
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        self.real = addr
        for copy in self._line.fate(loop.time(), len(data) + OUTER_BYTES):
            loop.call_at(copy.due_at, self._passed, data)

    def _passed(self, data: bytes) -> None:
        other = self.other
        if other is not None and other.real is not None and other._transport is not None:  # noqa: SLF001 - of its own class
            self.passed_bytes += len(data) + OUTER_BYTES
            other._transport.sendto(data, other.real)  # noqa: SLF001 - likewise

    def close(self) -> None:
        """Pass nothing on any more."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None


async def seen_through(
    conditions: Conditions,
    back: Conditions,
    size: PictureSize,
    fps: int,
    *,
    seconds: float,
    settle_s: float,
    seed: int,
) -> Seen:
    """Show a moving scene for some seconds, and tell what was seen of it."""
    webrtc = _webrtc()
    loop = asyncio.get_running_loop()
    legs: list[_Leg] = []
    for one in (conditions, back):
        _, leg = await loop.create_datagram_endpoint(partial(_Leg, one, seed), ("127.0.0.1", 0))
        legs.append(leg)
    legs[0].other, legs[1].other = legs[1], legs[0]
    a, b = webrtc.RTCPeerConnection(), webrtc.RTCPeerConnection()
    generator = webrtc.VideoTrackGenerator()
    tracks: asyncio.Future[Any] = loop.create_future()

    def tracked(event: Any) -> None:
        if not tracks.done():
            tracks.set_result(event.track)

    b.on("track", tracked)
    a.add_track(generator.track)
    seen = Seen()
    try:
        await a.set_local_description(await a.create_offer())
        await b.set_remote_description(await _through(webrtc, a, legs[0], legs[1]))
        await b.set_local_description(await b.create_answer())
        await a.set_remote_description(await _through(webrtc, b, legs[1], legs[0]))
        track = await tracks
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(_read(webrtc, track, size, seen, settle_s), name="read")
            await _show(webrtc, generator, MovingScene(size, fps), seconds, seen.sources)
            reading.cancel()
        seen.line_bytes = legs[0].passed_bytes
    finally:
        for one in (a, b, *legs):
            one.close()
    return seen


@functools.cache
def _webrtc() -> Any:
    """No dependency: only benches use it, where it is installed."""
    webrtc: Any = importlib.import_module("webrtc")
    webrtc.allow_loopback()
    return webrtc


async def _through(webrtc: Any, end: Any, hears: _Leg, speaks: _Leg) -> Any:
    """An end's description with the relay's address in place of its own."""
    for _ in range(_GATHER_LOOKS):
        if end.ice_gathering_state == "complete":
            break
        await asyncio.sleep(_LOOK_S)
    description = end.local_description
    found = _CANDIDATE.search(description.sdp)
    if found is None:
        raise LookupError("libwebrtc gives no host candidate")
    hears.real = found[1], int(found[2])
    host, port = speaks.address
    line = found[0].replace(f" {found[1]} {found[2]} ", f" {host} {port} ")
    without = re.sub(r"^a=candidate:.*\r?\n", "", description.sdp, flags=re.MULTILINE)
    return webrtc.RTCSessionDescriptionInit(
        type=description.type, sdp=without.rstrip() + "\r\n" + line.strip() + "\r\n"
    )


async def _show(
    webrtc: Any, generator: Any, scene: MovingScene, seconds: float, sources: dict[int, Plane]
) -> None:
    writer = generator.writable.get_writer()
    began_s = time.monotonic()
    for number in range(round(seconds * scene.fps)):
        await asyncio.sleep(max(began_s + number / scene.fps - time.monotonic(), 0))
        picture = scene.at(number / scene.fps, time.monotonic())
        clock_s = read_clock(picture)
        if clock_s is not None:
            sources[round(clock_s * 1000)] = picture.y
        size = scene.size
        init = webrtc.VideoFrameBufferInit(
            format="I420",
            coded_width=size.width,
            coded_height=size.height,
            timestamp=round(number * 1e6 / scene.fps),
        )
        content = b"".join(plane.tobytes() for plane in (picture.y, picture.u, picture.v))
        await writer.write(webrtc.VideoFrame(content, init))


async def _read(webrtc: Any, track: Any, size: PictureSize, seen: Seen, settle_s: float) -> None:
    processor = webrtc.MediaStreamTrackProcessor(webrtc.MediaStreamTrackProcessorInit(track))
    fitter, begin_s, shown = Fitter(size), time.monotonic(), 0
    async for frame in processor.readable:
        now_s = time.monotonic()
        width, height = frame.coded_width, frame.coded_height
        content = np.empty(frame.allocation_size(), np.uint8)
        await frame.copy_to(content)
        frame.close()
        seen.freezes.shown(now_s)
        if now_s - begin_s < settle_s:
            seen.freezes.total_freezes_s = 0.0
            continue
        shown += 1
        picture = _picture(content, width, height)
        clock_s = read_clock(picture)
        if clock_s is None:
            continue
        seen.delays_ms.append(1000 * (now_s - clock_s))
        source = seen.sources.get(round(clock_s * 1000))
        if source is not None and shown % SSIM_EVERY == 0:
            y = picture.y if picture.size == size else fitter.fit(frame_of(picture), 0, None).y
            seen.ssims.append(await asyncio.to_thread(ssim, source, y))
            seen.psnrs_db.append(psnr_db(source, y))


def _picture(content: Plane, width: int, height: int) -> Picture:
    pixels, half = width * height, (width // 2, height // 2)
    y = content[:pixels].reshape(height, width)
    u = content[pixels : pixels * 5 // 4].reshape(half[1], half[0])
    v = content[pixels * 5 // 4 :].reshape(half[1], half[0])
    return Picture(y, u, v, 0, None)


def figures(seen: Seen, over_s: float) -> dict[str, float]:
    """With the names of `bench video`."""
    return {
        "fps": len(seen.delays_ms) / over_s,
        "frozen_share": seen.freezes.total_freezes_s / over_s,
        "delay_ms": float(np.median(seen.delays_ms or [float("nan")])),
        "delay_p95_ms": float(np.percentile(seen.delays_ms or [float("nan")], 95)),
        "ssim": statistics.fmean(seen.ssims or [0.0]),
        "psnr_db": statistics.fmean(seen.psnrs_db or [0.0]),
    }


async def _measured(
    lines: Mapping[str, Conditions], rates: Sequence[int], size: PictureSize, seconds: float
) -> None:
    for name, conditions in lines.items():
        back = Conditions(loss=conditions.loss, jitter_ms=conditions.jitter_ms, delay_ms=DELAY_MS)
        forth = msgspec.structs.replace(conditions, delay_ms=DELAY_MS)
        for fps in rates:
            seen = await seen_through(forth, back, size, fps, seconds=seconds, settle_s=SETTLE_S, seed=1)
            row = figures(seen, seconds - SETTLE_S)
            sys.stdout.write(
                f"| {name} | {fps} | {row['fps']:.1f} | {8 * seen.line_bytes / seconds / 1000:.0f} | {100 * row['frozen_share']:.1f} % | "
                f"{row['delay_ms']:.0f}, {row['delay_p95_ms']:.0f} | {row['ssim']:.3f} | {row['psnr_db']:.1f} |\n"
            )
            sys.stdout.flush()


def main(arguments: Sequence[str], lines: Mapping[str, Conditions], size: PictureSize) -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="scripts/bench video --libwebrtc")
    parser.add_argument("--only", choices=tuple(lines), nargs="+", default=list(lines), help="these lines")
    parser.add_argument("--fps", type=int, nargs="+", default=[15, 30], help="pictures a second")
    parser.add_argument("--seconds", type=float, default=24.0, help="length of each call")
    chosen = parser.parse_args(arguments)
    sys.stdout.write(
        "| line | camera | fps | kb/s | frozen | delay | ssim | psnr |\n|---|---|---|---|---|---|---|---|\n"
    )
    asyncio.run(_measured({name: lines[name] for name in chosen.only}, chosen.fps, size, chosen.seconds))
    return ExitCode.DONE

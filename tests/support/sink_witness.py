"""What a sound server itself says of its streams and plays on its sinks: by `pactl` and `parec`, not by our program."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import numpy as np

from blink_cli.lab.envelopes import Samples

RATE_HZ = 48_000


class Server(Protocol):
    """A sound server of a test."""

    @property
    def environment(self) -> dict[str, str]: ...

    def control(self, *arguments: str) -> str: ...


async def tone_on(server: Server, sink: str, frequency_hz: float, *, timeout_s: float = 8.0) -> None:
    """Wait until a sink plays this tone without a gap for a while.

    One recording is listened to, piece by piece: a new one begins with a whole cycle of silence on PipeWire 0.3.65, more often than not,
    whatever the sink plays. One for each piece would be a gap in almost every one.
    """
    async with asyncio.timeout(timeout_s), _recording(server, sink) as sound:
        while not _is_tone(await _next(sound, 0.4), frequency_hz):
            pass


@asynccontextmanager
async def _recording(server: Server, sink: str) -> AsyncIterator[asyncio.StreamReader]:
    """Record what a sink plays from now on."""
    process = await asyncio.create_subprocess_exec(
        "parec",
        f"--device={sink}.monitor",
        "--format=float32le",
        f"--rate={RATE_HZ}",
        "--channels=1",
        "--latency-msec=20",
        env=os.environ | server.environment,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        process.kill()
        await process.wait()


async def _next(sound: asyncio.StreamReader, seconds: float) -> Samples:
    return np.frombuffer(await sound.readexactly(int(seconds * RATE_HZ) * 4), dtype=np.float32)


async def move_stream(server: Server, stream: str, pid: int, sink: str) -> None:
    """Move the one stream of a process to another sink, as its user does.

    PipeWire 0.3.65 takes one such command in ten for "to the default sink", and says nothing: a client that has just connected is asked before
    it was told which sink that is. So does it again who sees no effect.
    """
    async with asyncio.timeout(10.0):
        while sinks_of_process(server, pid) != [sink]:
            server.control("move-sink-input", stream, sink)
            await asyncio.sleep(0.3)


def sinks_of_process(server: Server, pid: int) -> list[str]:
    """The sinks that the streams of a process are on."""
    names = {
        sink["index"]: sink["name"] for sink in json.loads(server.control("-f", "json", "list", "sinks"))
    }
    clients = {
        client["index"]
        for client in json.loads(server.control("-f", "json", "list", "clients"))
        if client["properties"].get("application.process.id") == str(pid)
    }
    streams = json.loads(server.control("-f", "json", "list", "sink-inputs"))
    return [names[one["sink"]] for one in streams if int(one["client"]) in {int(c) for c in clients}]


def silent_share(sound: Samples) -> float:
    """Which share of the pieces of 5 ms is silent."""
    pieces = np.abs(sound[: len(sound) // 240 * 240].reshape(-1, 240)).max(axis=1)
    return float((pieces < 0.01).mean())


def _is_tone(sound: Samples, frequency_hz: float) -> bool:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    loudest_hz = float(spectrum.argmax() * RATE_HZ / len(sound))
    return silent_share(sound) == 0.0 and abs(loudest_hz - frequency_hz) < 5.0


async def play(server: Server, sink: str, sound: Samples) -> None:
    """Play a sound on a sink, as somebody who talks in the room; return when it was played."""
    process = await asyncio.create_subprocess_exec(
        "pacat",
        f"--device={sink}",
        "--format=float32le",
        f"--rate={RATE_HZ}",
        "--channels=1",
        "--latency-msec=50",
        env=os.environ | server.environment,
        stdin=asyncio.subprocess.PIPE,
    )
    await process.communicate(sound.astype(np.float32).tobytes())


@asynccontextmanager
async def heard_on(server: Server, sink: str) -> AsyncIterator[list[Samples]]:
    """Collect what a sink plays, in pieces of 0.1 s, until the block ends."""
    pieces: list[Samples] = []

    async def collect(sound: asyncio.StreamReader) -> None:
        while True:
            pieces.append(await _next(sound, 0.1))

    async with _recording(server, sink) as sound, asyncio.TaskGroup() as tasks:
        collecting = tasks.create_task(collect(sound))
        try:
            yield pieces
        finally:
            collecting.cancel()

"""What one one-way link costs: this program and stock aiortc, in one process and one run.

One voice is sent to N peers over real loopback sockets, 50 frames a second; both ends are in the figures.

    stock    one RTCPeerConnection and one encoder per link, as aiortc comes; its decoded frames are taken and dropped
    packets  MediaLink alone: RTP, SRTP, sockets, parsing, statistics, RTCP; no codec
    voice    the same with one encoder for all, and per link a playout buffer that decodes, summed every 10 ms
"""

import argparse
import asyncio
import contextlib
import fractions
import functools
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from aiortc import AudioStreamTrack, MediaStreamTrack, RTCConfiguration, RTCPeerConnection
from av import AudioFrame

from blink_cli.audio.opus import OpusDecoder, OpusEncoder
from blink_cli.audio.playout import PlayoutBuffer
from blink_cli.core.codec_settings import CodecSettings
from blink_cli.core.rtp import EncodedFrame, RtpPacket
from blink_cli.core.voice import SAMPLE_RATE_HZ, TICK_SAMPLES
from blink_cli.net.link_settings import LinkConnected, LinkSettings, LinkState, new_certificate
from blink_cli.net.media_link import MediaLink
from blink_cli.net.tasks import TaskOwner

if sys.platform != "win32":
    import uvloop

Samples = npt.NDArray[np.float32]
TICK_S = TICK_SAMPLES / SAMPLE_RATE_HZ
FRAME_SAMPLES = 2 * TICK_SAMPLES
FRAMES_A_SECOND = SAMPLE_RATE_HZ / FRAME_SAMPLES
LOOPBACK = LinkSettings(addresses=("127.0.0.1",))
WARM_UP_S = 1.0


@dataclass(frozen=True)
class Cost:
    """One row."""

    kind: str
    links: int
    packets: int
    """Received in the measured time, all links together."""

    core_percent_per_link: float
    packet_us: float
    """CPU per packet, both ends, everything that the kind includes."""


def voice(samples: int) -> Samples:
    """Something like a voice: a gliding harmonic tone that comes and goes, so that Opus has work to do."""
    times = np.arange(samples) / SAMPLE_RATE_HZ
    pitch = 2 * np.pi * np.cumsum(140 + 30 * np.sin(2 * np.pi * 0.7 * times)) / SAMPLE_RATE_HZ
    tone = sum(np.sin(n * pitch) / n for n in range(1, 12))
    return (0.1 * tone * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * times))).astype(np.float32)


async def every(period_s: float, step: Callable[[int], None]) -> None:
    """Call `step` with 0, 1, 2 … once a period, without drifting."""
    begun_s = time.monotonic()
    count = 0
    while True:
        step(count)
        count += 1
        await asyncio.sleep(max(0.0, begun_s + count * period_s - time.monotonic()))


async def measured(kind: str, links: int, seconds: float, received: Callable[[], int]) -> Cost:
    """Let what runs run, and divide."""
    await asyncio.sleep(WARM_UP_S)
    packets, cpu_s, begun_s = received(), time.process_time(), time.monotonic()
    await asyncio.sleep(seconds)
    packets, cpu_s, elapsed_s = received() - packets, time.process_time() - cpu_s, time.monotonic() - begun_s
    expected = links * FRAMES_A_SECOND * elapsed_s
    if packets < 0.9 * expected:
        raise SystemExit(
            f"{kind} with {links} links fell behind: {packets} of {expected:.0f} packets in time"
        )
    return Cost(kind, links, packets, 100 * cpu_s / elapsed_s / links, 1e6 * cpu_s / packets)


class VoiceTrack(AudioStreamTrack):
    """The stock sender's microphone."""

    def __init__(self, sound: Samples) -> None:
        super().__init__()
        self._sound = (sound * 32767).astype(np.int16)
        self._begun_s: float | None = None
        self._index = 0

    async def recv(self) -> AudioFrame:
        """The next 20 ms, when it is time."""
        if self._begun_s is None:
            self._begun_s = time.monotonic()
        await asyncio.sleep(max(0.0, self._begun_s + self._index / FRAMES_A_SECOND - time.monotonic()))
        at = self._index * FRAME_SAMPLES % (len(self._sound) - FRAME_SAMPLES)
        frame = AudioFrame.from_ndarray(
            self._sound[at : at + FRAME_SAMPLES].reshape(1, -1), format="s16", layout="mono"
        )
        frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, self._index * FRAME_SAMPLES
        frame.time_base = fractions.Fraction(1, SAMPLE_RATE_HZ)
        self._index += 1
        return frame


async def stock(links: int, seconds: float, sound: Samples) -> Cost:
    """Stock aiortc, as it comes."""
    count = [0]

    async def listen(track: MediaStreamTrack) -> None:
        while True:
            await track.recv()
            count[0] += 1

    connections: list[RTCPeerConnection] = []
    async with TaskOwner("stock") as tasks:
        for _ in range(links):
            sender, receiver = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
            connections += [sender, receiver]
            receiver.on("track", lambda track: tasks.start(listen(track), name="listen"))
            sender.addTrack(VoiceTrack(sound))
            await sender.setLocalDescription(await sender.createOffer())
            await receiver.setRemoteDescription(sender.localDescription)
            await receiver.setLocalDescription(await receiver.createAnswer())
            await sender.setRemoteDescription(receiver.localDescription)
        cost = await measured("stock", links, seconds, lambda: count[0])
    for connection in connections:
        await connection.close()
    return cost


@contextlib.asynccontextmanager
async def linked(
    count: int, on_packet: Callable[[int], Callable[[RtpPacket], None]]
) -> AsyncIterator[list[MediaLink]]:
    """Sending ends of connected links; `on_packet(n)` is the n-th receiving end's reader."""
    certificate = new_certificate()
    ends: list[MediaLink] = []
    async with TaskOwner("links") as tasks:
        for index in range(count):
            up = asyncio.Barrier(3)

            def entered(state: LinkState, up: asyncio.Barrier = up) -> None:
                if isinstance(state, LinkConnected):
                    tasks.start(_pass(up), name="up")

            sender = MediaLink(
                LOOPBACK, certificate, tasks, name="sender", on_packet=lambda _: None, on_state=entered
            )
            receiver = MediaLink(
                LOOPBACK, certificate, tasks, name="receiver", on_packet=on_packet(index), on_state=entered
            )
            ends += [sender, receiver]
            await sender.accept_answer(await receiver.accept_offer(await sender.create_offer()))
            await up.wait()
        yield ends[::2]
        for end in ends:
            await end.aclose()


async def _pass(barrier: asyncio.Barrier) -> None:
    await barrier.wait()


async def packets(links: int, seconds: float, sound: Samples) -> Cost:
    """The packet path alone."""
    count = [0]

    def read(_: RtpPacket) -> None:
        count[0] += 1

    encoder = OpusEncoder(CodecSettings())
    payload = encoder.encode(sound[:FRAME_SAMPLES])
    async with linked(links, lambda _: read) as senders, TaskOwner("clock") as clock:

        def step(index: int) -> None:
            frame = EncodedFrame(payload, index * FRAME_SAMPLES & 0xFFFFFFFF, FRAME_SAMPLES, -30, voice=True)
            for sender in senders:
                sender.send_frame(frame)

        clock.start(every(1 / FRAMES_A_SECOND, step), name="send")
        return await measured("packets", links, seconds, lambda: count[0])


async def whole_voice(links: int, seconds: float, sound: Samples) -> Cost:
    """With encoder, playout, decoders and the sum."""
    count = [0]
    buffers: list[PlayoutBuffer] = []

    def reader(buffer: PlayoutBuffer) -> Callable[[RtpPacket], None]:
        def read(packet: RtpPacket) -> None:
            count[0] += 1
            buffer.put(packet)

        return read

    def on_packet(_: int) -> Callable[[RtpPacket], None]:
        buffers.append(PlayoutBuffer(OpusDecoder(), (111, 63)))
        return reader(buffers[-1])

    encoder = OpusEncoder(CodecSettings())
    mix = np.zeros(TICK_SAMPLES, np.float32)
    async with linked(links, on_packet) as senders, TaskOwner("clock") as clock:

        def step(tick: int) -> None:
            if tick % 2 == 0:
                at = tick * TICK_SAMPLES
                begin = at % (len(sound) - FRAME_SAMPLES)
                encoded = encoder.encode(sound[begin : begin + FRAME_SAMPLES])
                frame = EncodedFrame(encoded, at & 0xFFFFFFFF, FRAME_SAMPLES, -30, voice=True)
                for sender in senders:
                    sender.send_frame(frame)
            mix.fill(0.0)
            now_s = time.monotonic()
            for buffer in buffers:
                np.add(mix, buffer.get(now_s), out=mix)

        clock.start(every(TICK_S, step), name="send")
        return await measured("voice", links, seconds, lambda: count[0])


KINDS: dict[str, Callable[[int, float, Samples], Awaitable[Cost]]] = {
    "stock": stock,
    "packets": packets,
    "voice": whole_voice,
}


async def run(links: Sequence[int], kinds: Sequence[str], seconds: float) -> list[Cost]:
    """Every kind with every number of links, one after the other."""
    sound = voice(10 * SAMPLE_RATE_HZ)
    return [await KINDS[kind](number, seconds, sound) for number in links for kind in kinds]


def ratio(costs: Sequence[Cost], cost: Cost) -> float | None:
    """How many times cheaper than stock aiortc with as many links."""
    base = next((other for other in costs if other.kind == "stock" and other.links == cost.links), None)
    return None if base is None else base.core_percent_per_link / cost.core_percent_per_link


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table, or one JSON document."""
    parser = argparse.ArgumentParser(prog="bench cpu", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--links", type=int, nargs="+", default=[1, 4, 8, 16])
    parser.add_argument("--kinds", nargs="+", choices=tuple(KINDS), default=list(KINDS))
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument(
        "--loop", choices=("asyncio", "uvloop"), default="uvloop" if sys.platform != "win32" else "asyncio"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if sys.platform != "win32" and options.loop == "uvloop":
        runner = functools.partial(asyncio.Runner, loop_factory=uvloop.new_event_loop)
    else:
        runner = functools.partial(asyncio.Runner)
    with runner() as loop:
        costs = loop.run(run(options.links, options.kinds, options.seconds))
    if options.json:
        rows = [{**asdict(cost), "times_cheaper_than_stock": ratio(costs, cost)} for cost in costs]
        print(json.dumps({"schema": 1, "loop": options.loop, "seconds": options.seconds, "costs": rows}))
        return 0
    print(
        f"{'':8} {'links':>5} {'% of a core per link':>21} {'us per packet':>14} {'cheaper':>8}   ({options.loop})"
    )
    for cost in costs:
        times = ratio(costs, cost)
        print(
            f"{cost.kind:8} {cost.links:5} {cost.core_percent_per_link:21.2f} {cost.packet_us:14.0f} "
            f"{'' if times is None else f'{times:.1f} x':>8}"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

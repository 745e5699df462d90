"""What one one-way link costs: this program, stock aiortc and libwebrtc, one after the other in one process and one run.

One voice is sent to N peers over real loopback sockets, 50 frames a second; both ends are in the figures. The links of `blink` carry voice
both ways, as those of a call do: N peers are N ends of links, whose voice comes from each other. So N is even; of 31 peers 32 are measured.

    stock    one RTCPeerConnection and one encoder per link, as aiortc comes; its decoded frames are taken and dropped
    wrtc     the same with libwebrtc, when PyPI's `wrtc` is installed; every link encodes
    packets  MediaLink alone: RTP, SRTP, sockets, parsing, statistics, RTCP; no codec
    blink    a participant of this program: capture thread, one encoder, RED, RTP, SRTP, sockets, statistics, levels,
             reports, N playout buffers with decoders, mixer, playout thread

With `--against REV` another revision is measured in turns with this one, and nothing else (call_cost.py).

Processor time is read, not the clock, and divided by the packets that came: a machine that is busy with other things makes
the figures rough, not wrong; `--rounds` makes them smoother. A kind that delivered less than `ENOUGH` of its packets in time fell behind, and says so.
"""

import argparse
import asyncio
import contextlib
import fractions
import functools
import gc
import importlib.util
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from aiortc import AudioStreamTrack, MediaStreamTrack, RTCConfiguration, RTCPeerConnection
from av import AudioFrame
from typing_extensions import override

from benches import call_cost
from benches.line_fit import Line, line_through
from benches.participant import Participant
from blink_cli.audio.opus.encoder import OpusEncoder
from blink_cli.audio.thread_priority import SWITCH_INTERVAL_S
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES
from blink_cli.core.exit_codes import ExitCode
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.rtp import EncodedFrame, RtpPacket
from blink_cli.lab.voices import voice
from blink_cli.net.link.link_events import LinkEvents
from blink_cli.net.link.media_link import MediaLink
from blink_cli.net.link_settings import LinkCertificate, LinkConnected, LinkSettings, LinkState
from blink_cli.runtime.tasks import TaskOwner

if sys.platform != "win32":
    import uvloop

Samples = npt.NDArray[np.float32]
FRAME_SAMPLES: Final = 2 * TICK_SAMPLES
FRAMES_A_SECOND: Final = SAMPLE_RATE_HZ / FRAME_SAMPLES
LOOPBACK: Final = LinkSettings(addresses=("127.0.0.1",))
WARM_UP_S: Final = 2.0
WINDOW_S: Final = 0.5
ENOUGH: Final = 0.95


@dataclass(frozen=True)
class Cost:
    """One row."""

    kind: str
    peers: int
    core_percent_per_link: float
    """Of one core, for one one-way link of 50 packets a second, both ends."""

    core_percent_per_participant: float
    """Of one core, for someone who sends to all peers and hears all of them."""

    packet_us: float
    """Processor time per packet, both ends, everything that the kind includes."""

    in_time: float
    """Share of the packets that should have come in the measured time."""


async def every(period_s: float, step: Callable[[int], None]) -> None:
    """Call `step` with 0, 1, 2 … once a period, without drifting."""
    begun_s = time.monotonic()
    count = 0
    while True:
        step(count)
        count += 1
        await asyncio.sleep(max(0.0, begun_s + count * period_s - time.monotonic()))


async def measured(kind: str, peers: int, seconds: float, received: Callable[[], int]) -> Cost:
    """Let what runs run, and divide: in short windows, of which the cheaper half counts, for every kind alike.

    What other programs do to the caches, and a host to its virtual machine, makes some windows dearer and none cheaper.
    """
    await asyncio.sleep(WARM_UP_S)
    windows: list[float] = []
    begun, begun_s = received(), time.monotonic()
    while time.monotonic() - begun_s < seconds:
        packets, cpu_s = received(), time.process_time()
        await asyncio.sleep(WINDOW_S)
        packets, cpu_s = received() - packets, time.process_time() - cpu_s
        if packets:
            windows.append(cpu_s / packets)
    if not windows:
        raise SystemExit(f"{kind} with {peers} peers delivered nothing")
    elapsed_s = time.monotonic() - begun_s
    packet_s = statistics.mean(sorted(windows)[: (len(windows) + 1) // 2])
    return Cost(
        kind,
        peers,
        core_percent_per_link=100 * FRAMES_A_SECOND * packet_s,
        core_percent_per_participant=100 * FRAMES_A_SECOND * packet_s * peers,
        packet_us=1e6 * packet_s,
        in_time=(received() - begun) / (peers * FRAMES_A_SECOND * elapsed_s),
    )


class VoiceTrack(AudioStreamTrack):
    """The stock sender's microphone."""

    def __init__(self, sound: Samples) -> None:
        super().__init__()
        self._sound = (sound * 32767).astype(np.int16)
        self._begun_s: float | None = None
        self._index = 0

    @override
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


async def stock(peers: int, seconds: float, sound: Samples) -> Cost:
    """Stock aiortc, as it comes."""
    count = [0]

    async def listen(track: MediaStreamTrack) -> None:
        while True:
            await track.recv()
            count[0] += 1

    connections: list[RTCPeerConnection] = []
    async with TaskOwner("stock") as tasks:
        for _ in range(peers):
            sender, receiver = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
            connections += [sender, receiver]
            receiver.on("track", lambda track: tasks.start(listen(track), name="listen"))
            sender.addTrack(VoiceTrack(sound))
            await sender.setLocalDescription(await sender.createOffer())
            await receiver.setRemoteDescription(sender.localDescription)
            await receiver.setLocalDescription(await receiver.createAnswer())
            await sender.setRemoteDescription(receiver.localDescription)
        cost = await measured("stock", peers, seconds, lambda: count[0])
    for connection in connections:
        await connection.close()
    return cost


class _End(LinkEvents):
    """Counts what comes, and says when its link stands."""

    def __init__(self) -> None:
        self.packets = 0
        self.up = asyncio.Event()

    @override
    def state_changed(self, state: LinkState) -> None:
        """See `LinkEvents`."""
        if isinstance(state, LinkConnected):
            self.up.set()

    @override
    def packet_received(self, packet: RtpPacket) -> None:
        """See `LinkEvents`."""
        del packet
        self.packets += 1


@contextlib.asynccontextmanager
async def linked(count: int) -> AsyncIterator[tuple[list[MediaLink], list[_End]]]:
    """Sending ends of connected links, and the events of the receiving ones."""
    certificate = LinkCertificate()
    links: list[MediaLink] = []
    ends: list[_End] = []
    async with TaskOwner("links") as tasks:
        for _ in range(count):
            ends += (_End(), _End())
            sender, receiver = (
                MediaLink(LOOPBACK, certificate, tasks, name="link", events=events) for events in ends[-2:]
            )
            links += (sender, receiver)
            await sender.accept_answer(await receiver.accept_offer(await sender.create_offer()))
            for end in ends[-2:]:
                await end.up.wait()
        yield links[::2], ends[1::2]
        for link in links:
            await link.aclose()


async def packets(peers: int, seconds: float, sound: Samples) -> Cost:
    """The packet path alone."""
    payload = OpusEncoder(CodecSettings()).encode(sound[:FRAME_SAMPLES])
    async with linked(peers) as (senders, ends), TaskOwner("clock") as clock:

        def step(index: int) -> None:
            frame = EncodedFrame(payload, index * FRAME_SAMPLES & 0xFFFFFFFF, FRAME_SAMPLES, -30, voice=True)
            for sender in senders:
                sender.send_frame(frame)

        clock.start(every(1 / FRAMES_A_SECOND, step), name="send")
        return await measured("packets", peers, seconds, lambda: sum(end.packets for end in ends))


async def blink(peers: int, seconds: float, sound: Samples) -> Cost:
    """The whole of it, as a session runs it."""
    async with TaskOwner("participant") as tasks:
        participant = Participant(sound, LOOPBACK, tasks)
        await participant.connect(peers)
        cost = await measured("blink", peers, seconds, lambda: participant.packets_received)
        await participant.aclose()
    return cost


async def wrtc(peers: int, seconds: float, sound: Samples) -> Cost:
    """libwebrtc, as it comes. Its packets are counted by its own statistics, only before and after: asking for them costs."""
    from benches import libwebrtc  # noqa: PLC0415 - its library need not be installed

    async with libwebrtc.connected(peers, sound) as (talker, received), TaskOwner("clock") as clock:
        clock.start(every(TICK_SAMPLES / SAMPLE_RATE_HZ, lambda _: talker.speak()), name="speak")
        begun, begun_s = await received(), time.monotonic()
        cost = await measured(
            "wrtc",
            peers,
            seconds,
            lambda: round((time.monotonic() - begun_s) * FRAMES_A_SECOND * peers),
        )
        expected = (time.monotonic() - begun_s) * FRAMES_A_SECOND * peers
        return replace(cost, in_time=(await received() - begun) / expected)


KINDS: dict[str, Callable[[int, float, Samples], Awaitable[Cost]]] = {
    "stock": stock,
    "wrtc": wrtc,
    "packets": packets,
    "blink": blink,
}


async def run(peers: Sequence[int], kinds: Sequence[str], seconds: float, rounds: int) -> list[Cost]:
    """Every kind with every number of peers, in turns, `rounds` times; the median of each."""
    sound = voice(0, 10.0)
    rows = []
    for number in peers:
        made = [[await KINDS[kind](number, seconds, sound) for kind in kinds] for _ in range(rounds)]
        rows += [_median(costs) for costs in zip(*made, strict=True)]
    return rows


BASES: Final = ("stock", "wrtc")


def _median(costs: Sequence[Cost]) -> Cost:
    return sorted(costs, key=lambda cost: cost.packet_us)[(len(costs) - 1) // 2]


def ratio(costs: Sequence[Cost], cost: Cost, base_kind: str) -> float | None:
    """How many times cheaper than another kind with as many peers."""
    base = next((other for other in costs if other.kind == base_kind and other.peers == cost.peers), None)
    return None if base is None else base.core_percent_per_link / cost.core_percent_per_link


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table, or one JSON document."""
    parser = argparse.ArgumentParser(prog="bench cpu", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--peers", default="2,4,8,16", metavar="N,N", help="how many (default 2,4,8,16)")
    parser.add_argument("--kinds", default=",".join(KINDS), metavar="A,B", help=f"of {','.join(KINDS)}")
    parser.add_argument("--seconds", type=float, default=5.0, help="measured time of each (default 5)")
    parser.add_argument("--rounds", type=int, default=1, help="how often each; the median counts (default 1)")
    parser.add_argument(
        "--loop", choices=("asyncio", "uvloop"), default="uvloop" if sys.platform != "win32" else "asyncio"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    parser.add_argument("--against", metavar="REV", help="what a participant costs, beside this revision")
    options = parser.parse_args(arguments)
    peers = [int(number) for number in options.peers.split(",")]
    if options.against:
        call_cost.run(options.against, peers, options.seconds, options.rounds, as_json=options.json)
        return ExitCode.DONE
    kinds = options.kinds.split(",")
    peers = sorted({call_cost.even(number) for number in peers})
    if unknown := sorted(set(kinds) - set(KINDS)):
        parser.error(f"no such kind: {', '.join(unknown)}; there are {', '.join(KINDS)}")
    if sys.platform != "win32" and options.loop == "uvloop":
        runner = functools.partial(asyncio.Runner, loop_factory=uvloop.new_event_loop)
    else:
        runner = functools.partial(asyncio.Runner)
    if "wrtc" in kinds and importlib.util.find_spec("webrtc") is None:
        print("wrtc: not measured, because PyPI's wrtc is not installed (pip install wrtc)", file=sys.stderr)
        kinds.remove("wrtc")
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.freeze()
    with runner() as loop:
        costs = loop.run(run(peers, kinds, options.seconds, options.rounds))
    if options.json:
        rows = [
            {**asdict(cost), **{f"times_cheaper_than_{base}": ratio(costs, cost, base) for base in BASES}}
            for cost in costs
        ]
        document = {
            "schema": 1,
            "bench": "cpu",
            "loop": options.loop,
            "seconds": options.seconds,
            "costs": rows,
            "lines": {kind: asdict(line) for kind, line in lines(costs)},
        }
        print(json.dumps(document))
        return ExitCode.DONE
    print(table(costs, options.loop))
    for kind, line in lines(costs):
        print(f"{kind}: {line}")
    return ExitCode.DONE


def lines(costs: Sequence[Cost]) -> Iterator[tuple[str, Line]]:
    """What a participant of each kind costs by the number of its peers."""
    for kind in dict.fromkeys(cost.kind for cost in costs):
        line = line_through(
            {cost.peers: cost.core_percent_per_participant for cost in costs if cost.kind == kind}
        )
        if line is not None:
            yield kind, line


def table(costs: Sequence[Cost], loop: str) -> str:
    """Print the costs, and how many times cheaper they are than those of the bases."""
    lines = [
        f"| {loop} | peers | % of a core per link | per participant | us per packet | stock is dearer by | wrtc by | in time |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for cost in costs:
        times = [ratio(costs, cost, base) for base in BASES]
        lines.append(
            f"| {cost.kind} | {cost.peers} | {cost.core_percent_per_link:.2f} | {cost.core_percent_per_participant:.1f} |"
            f" {cost.packet_us:.0f} | {' | '.join('' if value is None else f'{value:.1f} x' for value in times)} |"
            f" {min(cost.in_time, 1):.0%}{'' if cost.in_time >= ENOUGH else ', fell behind'} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())

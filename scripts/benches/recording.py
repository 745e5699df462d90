"""What recording a call costs: the same packets of all participants at real time, passed on to nobody and to a recording.

    packets of N - 1 peers, 50 a second each, with redundant copies, and own frames ──> MediaTaps ──> nobody | RecordingTap ──> thread ──> disk

Processor time of the whole process, thread and disk included; what making and passing on the packets costs is in both rows and goes out in the
difference. Rounds alternate, so that a busy moment of the machine falls on both.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from blink_cli.app.media.media_taps import MediaTaps
from blink_cli.core.exit_codes import ExitCode
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media import red
from blink_cli.core.media.rtp import EncodedFrame, RtpPacket, SenderReport
from blink_cli.record.recording.recording import Invited, RecordingPlan
from blink_cli.record.recording.recording_tap import RecordingTap
from blink_cli.record.recording.recording_thread import RecordingOutcome, RecordingThread

FRAME_S: Final = 0.02
FRAME_SAMPLES: Final = 960
OPUS, RED = 96, 63
REPORT_EVERY_FRAMES: Final = 60
PAYLOAD: Final = b"\x78" + bytes(79)
"""80 bytes in 20 ms: 32 kb/s."""


async def feed(taps: MediaTaps, peers: Sequence[Did], seconds: float) -> None:
    """Pass on what a call of these peers and oneself is made of, at real time."""
    began_s = time.monotonic()
    for number in range(round(seconds / FRAME_S)):
        await asyncio.sleep(max(began_s + (number + 1) * FRAME_S - time.monotonic(), 0))
        now_s = time.monotonic()
        timestamp = number * FRAME_SAMPLES
        body = red.pack(PAYLOAD, timestamp, [(timestamp - FRAME_SAMPLES, PAYLOAD)] if number else [], OPUS)
        for ssrc, peer in enumerate(peers):
            packet = RtpPacket(
                ssrc, number & 0xFFFF, timestamp, RED, marker=False, payload=body, arrival_s=now_s
            )
            taps.packet_received(peer, packet)
            if number % REPORT_EVERY_FRAMES == 0:
                taps.reported(peer, SenderReport(ssrc, 3.9e9 + now_s, timestamp, number, 0, now_s))
        taps.frame_encoded(EncodedFrame(PAYLOAD, timestamp, FRAME_SAMPLES, -20), now_s)


async def round_of(peers: Sequence[Did], own: Did, seconds: float, folder: Path | None) -> float:
    """Per cent of a core that one round took; recorded to a folder, or to nobody."""
    taps = MediaTaps()
    outcomes: list[RecordingOutcome] = []
    thread = tap = None
    if folder is not None:
        invited = tuple(
            Invited(did, did[-5:], did == own, None if did == own else (OPUS, RED)) for did in (own, *peers)
        )
        plan = RecordingPlan(
            folder, CallId("be" * 16), invited, ("mp4",), None, time.monotonic(), time.time()
        )
        thread = RecordingThread(plan, on_begun=lambda _: None, on_ended=outcomes.append)
        tap = RecordingTap(thread, own)
        thread.start()
        await feed(taps, peers, 0.5)  # its beginning is not what lasts
        taps.add(tap)
    before_s, began_s = time.process_time(), time.monotonic()
    await feed(taps, peers, seconds)
    percent = 100 * (time.process_time() - before_s) / (time.monotonic() - began_s)
    if thread is not None:
        thread.stop("stopped", time.monotonic())
        while not await asyncio.to_thread(thread.join, 5.0):
            pass
        (outcome,) = outcomes
        assert outcome.sidecar is not None, f"the recording failed: {outcome.reason}"
        frames = outcome.sidecar.participants[-1].frames
        assert frames >= 0.9 * seconds / FRAME_S, f"only {frames} frames were recorded"
    return percent


async def measure(participants: int, seconds: float, rounds: int) -> tuple[list[float], list[float]]:
    """Per cent of a core of each round without a recording, and with one."""
    own, *peers = (Did(f"did:key:z6Mk{number:05}") for number in range(participants))
    without, recorded = [], []
    for _ in range(rounds):
        without.append(await round_of(peers, own, seconds, None))
        with tempfile.TemporaryDirectory(prefix="blink-bench-") as folder:
            recorded.append(await round_of(peers, own, seconds, Path(folder)))
    return without, recorded


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or with `--json` one document."""
    parser = argparse.ArgumentParser(prog="scripts/bench recording", description=__doc__.splitlines()[0])
    parser.add_argument("--participants", type=int, default=8, help="oneself included (default 8)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each round (default 10)")
    parser.add_argument("--rounds", type=int, default=3, help="of each kind (default 3)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args(arguments)
    without, recorded = asyncio.run(measure(options.participants, options.seconds, options.rounds))
    costs = [after - before for before, after in zip(without, recorded, strict=True)]
    if options.json:
        document = {
            "schema": 1,
            "bench": "recording",
            "participants": options.participants,
            "without_percent": without,
            "recorded_percent": recorded,
            "cost_percent": statistics.median(costs),
        }
        print(json.dumps(document))
        return ExitCode.DONE
    print(
        f"{options.participants} participants, {options.rounds} rounds of {options.seconds:g} s; per cent of a core\n"
    )
    print(f"{'':20}{'median':>8}{'least':>8}{'most':>8}")
    for name, values in (("not recorded", without), ("recorded", recorded), ("difference", costs)):
        print(f"{name:20}{statistics.median(values):8.2f}{min(values):8.2f}{max(values):8.2f}")
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())

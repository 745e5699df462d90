"""What the RTP log and the quality watch cost: eight participants' packets in real time, with and without them listening in.

    idle     packets are made, and nobody listens
    log      they are logged into a file: queue, rows, outcomes, disk
    watch    they are analysed, as in every call: loss, jitter, clocks, and the judgement once a second

Each participant hears 50 packets a second of each other and sends 50 to each; a thread of its own tells what became of them, as the playout's does.
Processor time is read, not the clock: all of the process, the writer's thread included, less what the same packets cost when nobody listens.
The kinds take turns, and the median of their rounds counts.
"""

import argparse
import asyncio
import json
import shutil
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from blink_cli.app.files.rtp_logging import RtpLogging
from blink_cli.app.media.media_readings import PeerReading, SourceReading
from blink_cli.app.media.media_taps import MediaTaps
from blink_cli.app.media.quality_watch import QualityWatch
from blink_cli.audio.thread_priority import SWITCH_INTERVAL_S
from blink_cli.core.exit_codes import ExitCode
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.media_tap import FramePlayed, PlayoutOutcome
from blink_cli.core.media.reception_statistics import ReceptionStatistics
from blink_cli.core.media.rtp import ReceptionReport, RtpPacket, SentPacket

FRAME_S: Final = 0.02
LIMIT_PERCENT: Final = 1.5
CALL: Final = CallId("c0ffee" * 5 + "00")
OWN: Final = Did("did:key:z6MkOwn")
PAYLOAD: Final = bytes(90)
_NO_MARKER: Final = (False,)
_VOICE: Final = (True,)


@dataclass(frozen=True)
class Cost:
    """One row."""

    kind: str
    participants: int
    core_percent: float
    """Of one core, above idle."""

    row_us: float
    """Processor time for each packet, either way."""


class Traffic:
    """The packets of a call, to everyone who listens in at `taps`."""

    def __init__(self, taps: MediaTaps, participants: int) -> None:
        self._taps = taps
        self._streams = [ReceptionStatistics() for _ in range(participants - 1)]
        self._peers = [Did(f"did:key:z6Mk{'x' * 40}{n:04}") for n in range(participants - 1)]
        self._played: list[tuple[Did, int, int]] = []
        self._lock = threading.Lock()
        self._over = threading.Event()

    @property
    def links(self) -> list[tuple[Did, int, int | None]]:
        """Everyone, connected."""
        return [(peer, 111, 63) for peer in self._peers]

    def statistics_of(self, peer: Did, ssrc: int) -> ReceptionStatistics:
        """How the link to a peer counts its one stream."""
        del peer
        return self._streams[ssrc]

    async def run(self, seconds: float) -> float:
        """Let packets flow and return the processor time of the whole process."""
        player = threading.Thread(target=self._play)
        player.start()
        begun_s, cpu_s = time.monotonic(), time.process_time()
        for index in range(int(seconds / FRAME_S)):
            await asyncio.sleep(max(0.0, begun_s + index * FRAME_S - time.monotonic()))
            self._frame(index)
            if index % 50 == 49:
                self._second(index // 50)
        cpu_s = time.process_time() - cpu_s
        self._over.set()
        player.join()
        return cpu_s

    def _frame(self, index: int) -> None:
        now_s = time.monotonic()
        sequence, timestamp = index & 0xFFFF, index * 960 & 0xFFFFFFFF
        heard = []
        for ssrc, peer in enumerate(self._peers):
            self._taps.packet_sent(
                peer,
                SentPacket(1000 + ssrc, sequence, timestamp, 111, *_NO_MARKER, 90, -30, *_VOICE, 0, now_s),
            )
            if (index + ssrc) % 20:  # 5 % are lost
                packet = RtpPacket(ssrc, sequence, timestamp, 111, *_NO_MARKER, PAYLOAD, now_s, -30, *_VOICE)
                self._streams[ssrc].received(sequence, timestamp, now_s, len(PAYLOAD))  # as the link does
                self._taps.packet_received(peer, packet)
                heard.append((peer, ssrc, timestamp))
        with self._lock:
            self._played.extend(heard)

    def _second(self, second: int) -> None:
        now_s = time.monotonic()
        readings = []
        for ssrc, peer in enumerate(self._peers):
            report = ReceptionReport(1000 + ssrc, 0.05, second, 50 * second, 0.004, now_s, 0.03)
            self._taps.reported(peer, report)
            readings.append(
                PeerReading(peer, 50 * second, 480 * second, 0, 48_000 * second, 60.0, report, 0.03)
            )
        self._taps.look(tuple(readings), SourceReading(50 * second, 0), now_s)

    def _play(self) -> None:
        while not self._over.wait(0.01):
            with self._lock:
                played, self._played = self._played, []
            for peer, ssrc, timestamp in played:
                self._taps.played(FramePlayed(peer, ssrc, timestamp, PlayoutOutcome.PLAYED))


async def one_round(kind: str, participants: int, seconds: float, folder: Path) -> float:
    """Processor seconds of a round."""
    taps = MediaTaps()
    traffic = Traffic(taps, participants)
    if kind == "watch":
        watch = QualityWatch(OWN, lambda _: None, traffic.statistics_of)
        taps.add(watch)
    log = RtpLogging(OWN, taps, lambda _: None)
    if kind == "log":
        await log.start(f"{folder}/", lambda: (CALL, traffic.links))
    for peer, opus, red in traffic.links:
        taps.link_connected(peer, opus, red)
    cpu_s = await traffic.run(seconds)
    await log.aclose()
    for file in log.state().files:
        if file.rows_lost:
            raise SystemExit(f"{file.rows_lost} rows were lost: {file.reason}")
        await asyncio.to_thread(Path(file.path).unlink)
    return cpu_s


async def measure(participants: int, seconds: float, rounds: int) -> list[Cost]:
    """All kinds in turn."""
    spent: dict[str, list[float]] = {"idle": [], "log": [], "watch": []}
    folder = Path(tempfile.mkdtemp(prefix="blink-bench-"))
    try:
        for _ in range(rounds):
            for kind, figures in spent.items():
                figures.append(await one_round(kind, participants, seconds, folder))
    finally:
        shutil.rmtree(folder)
    packets = 2 * (participants - 1) * seconds / FRAME_S
    idle_s = statistics.median(spent["idle"])
    costs = []
    for kind, figures in spent.items():
        above_s = statistics.median(figures) - (0.0 if kind == "idle" else idle_s)
        costs.append(Cost(kind, participants, 100 * above_s / seconds, 1e6 * above_s / packets))
    return costs


def main() -> int:
    """Read the options, measure, print. Fails when the log costs more than `LIMIT_PERCENT` of a core."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--participants", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    costs = asyncio.run(measure(options.participants, options.seconds, options.rounds))
    if options.json:
        print(json.dumps([asdict(cost) for cost in costs]))
    else:
        for cost in costs:
            print(f"{cost.kind:6} {cost.core_percent:6.2f} % of a core {cost.row_us:7.1f} us a packet")
    (log,) = [cost for cost in costs if cost.kind == "log"]
    return ExitCode.DONE if log.core_percent <= LIMIT_PERCENT else ExitCode.ASSERTION_FAILED


if __name__ == "__main__":
    raise SystemExit(main())

"""Recorder processes to be killed: each records three senders at real time until it dies.

    python -m tests.record.recording_driver

For each folder, a line of stdin, a process is forked, so that the imports are paid for once. Each prints one line of JSON when its file is on the disk:
its folder, pid, the file's path, and the recording's start on the monotonic clock. Ends with stdin.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

from blink_cli.core.media.rtp import RtpPacket
from blink_cli.record.recording.recording import Recording, RecordingPlan
from blink_cli.record.recording.recording_thread import RecordingOutcome, RecordingThread
from tests.record.simulated_call import ALICE, BOB, CALL, CAROL, FRAME, OPUS, RED, Sender, invited

PAYLOAD = bytes.fromhex("48") + bytes(range(60))
"""Looks like 20 ms of Opus; nobody listens."""


def main() -> None:
    """Fork a recorder for each folder that is named."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead leave nothing behind
    for line in sys.stdin:
        if os.fork() == 0:
            record(line.rstrip("\n"))


def record(folder: str) -> NoReturn:
    """Record until killed."""
    begun: list[Recording] = []

    def say(**fields: object) -> None:
        os.write(1, json.dumps({"folder": folder, "pid": os.getpid(), **fields}).encode() + b"\n")

    def ended(outcome: RecordingOutcome) -> None:
        say(ended=outcome.reason)

    people = invited(Sender(ALICE, own=True), Sender(BOB), Sender(CAROL))
    plan = RecordingPlan(Path(folder), CALL, people, ("mp4",), None, time.monotonic(), time.time())
    thread = RecordingThread(plan, on_begun=begun.append, on_ended=ended)
    thread.start()
    for did in (BOB, CAROL):
        thread.put(Recording.link_connected, did, OPUS, RED, plan.start_s)
    said = False
    for number in range(1 << 30):
        due_s = plan.start_s + (number + 1) * 0.02
        time.sleep(max(due_s - time.monotonic(), 0))
        for ssrc, did in enumerate((BOB, CAROL)):
            packet = RtpPacket(
                ssrc,
                number & 0xFFFF,
                number * FRAME,
                OPUS,
                marker=False,
                payload=PAYLOAD,
                arrival_s=time.monotonic(),
            )
            thread.put(Recording.received, did, packet)
        if begun and not said:
            said = True
            say(path=str(begun[0].paths.part), start_s=plan.start_s)
    raise AssertionError("it is killed before")


if __name__ == "__main__":
    main()

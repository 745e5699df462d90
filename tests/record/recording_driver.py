"""A recorder process to be killed: records three senders at real time until it dies.

    python -m tests.record.recording_driver FOLDER

Prints one line of JSON when the file is on the disk: its path and the recording's start on the monotonic clock.
"""

import json
import sys
import time
from pathlib import Path

from blink_cli.core.rtp import RtpPacket
from blink_cli.record.recording import Recording, RecordingPlan
from blink_cli.record.recording_thread import RecordingOutcome, RecordingThread
from tests.record.simulated_call import ALICE, BOB, CALL, CAROL, FRAME, OPUS, RED, Sender, invited

PAYLOAD = bytes.fromhex("48") + bytes(range(60))
"""Looks like 20 ms of Opus; nobody listens."""


def main() -> None:
    """Record until killed."""
    begun: list[Recording] = []

    def ended(outcome: RecordingOutcome) -> None:
        print(json.dumps({"ended": outcome.reason}), flush=True)  # noqa: T201 - what the test reads

    people = invited(Sender(ALICE, own=True), Sender(BOB), Sender(CAROL))
    plan = RecordingPlan(Path(sys.argv[1]), CALL, people, ("mp4",), None, time.monotonic(), time.time())
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
            print(json.dumps({"path": str(begun[0].paths.part), "start_s": plan.start_s}), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()

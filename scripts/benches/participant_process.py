"""One participant in a process of its own, of whichever checkout PYTHONPATH names: it connects, says so in a line, and talks until its standard input ends.

Only names that every version has had are used: `call_cost.py` runs this file with older ones too.
"""

import asyncio
import gc
import importlib
import sys
from typing import Any

import soundfile
import uvloop

bench: Any = importlib.import_module("benches.participant")
"""That of the other checkout, of which nothing is known before it runs."""


async def main(peers: int, speech: str) -> None:
    """Talk to so many peers."""
    sound, _ = soundfile.read(speech, dtype="float32")
    async with bench.TaskOwner("participant") as tasks:
        participant = bench.Participant(sound, bench.LinkSettings(addresses=("127.0.0.1",)), tasks)
        await participant.connect(peers)
        sys.stdout.write("connected\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
        await participant.aclose()


if __name__ == "__main__":
    sys.setswitchinterval(0.001)  # a session's; where it is written differs between revisions
    gc.freeze()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1]), sys.argv[2]))

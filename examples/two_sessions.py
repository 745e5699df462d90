"""Two sessions and a call in one program: alice says something, bob hears it, and both say how it was.

python examples/two_sessions.py
"""

import asyncio
import tempfile
from pathlib import Path

import blink_cli as blink

GROUP = "239.255.66.78:7668"
"""Not the usual one: these two meet nobody else."""


async def main(folder: Path, group: str = GROUP) -> None:
    """Make the call; what bob hears is in `bob.wav` of the folder."""
    speech = f"file:{blink.sample_speech()}?loop=1"
    heard = folder / "bob.wav"
    async with (
        blink.open_session(
            profile="alice", data_dir=folder, group=group, input=speech, output="null"
        ) as alice,
        blink.open_session(
            profile="bob", data_dir=folder, group=group, input="silence", output=f"wav:{heard}"
        ) as bob,
        asyncio.TaskGroup() as both,
    ):
        answering = both.create_task(bob.accept(wait_s=10))
        async with await alice.offer("bob", wait_s=10) as call:
            await answering
            people = await call.until_connected("bob")
            print(f"in call {call.id[:8]}: {', '.join(one.nickname for one in people)}")
            report = await bob.expect("talking(alice) within 5s", "loss(alice)<5%", for_s=1)
            for one in report.expectations:
                print(f"{one.text}: {one.measured}")
    print(f"bob heard {heard.stat().st_size} bytes")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(Path(folder)))

"""Records a call, and checks how loud each participant is in the recording.

python examples/record_and_check_levels.py
"""

import asyncio
import tempfile
from pathlib import Path

import blink_cli as blink

GROUP = "239.255.66.79:7668"
LOWEST_LUFS, HIGHEST_LUFS = -40.0, -10.0


async def main(folder: Path, group: str = GROUP, seconds: float = 2.0) -> None:
    """Record for some seconds; fails where somebody is too soft or too loud."""
    speech = f"file:{blink.sample_speech()}?loop=1"
    async with (
        blink.open_session(
            profile="alice", data_dir=folder, group=group, input=speech, output="null"
        ) as alice,
        blink.open_session(
            profile="bob", data_dir=folder, group=group, input=speech, output="null", auto_accept="anyone"
        ),
        await alice.offer("bob", wait_s=10),
    ):
        begun = await alice.record.start(folder / "recordings")
        print(f"recording to {begun.path}")
        await asyncio.sleep(seconds)
        done = await alice.record.stop(loudness=True)
    for file in done.files:
        print(f"{file.kind}: {file.path}, {file.duration_s:.1f} s")
    for track in done.loudness:
        level = track.integrated_lufs
        print(f"{track.nickname}: {level} LUFS")
        if level is None or not LOWEST_LUFS < level < HIGHEST_LUFS:
            raise SystemExit(f"{track.nickname} is not as loud as a voice should be: {level} LUFS")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(Path(folder)))

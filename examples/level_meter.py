"""A level meter: everybody's voice as it is heard, drawn ten times a second by a tap behind the voice.

python examples/level_meter.py
"""

import asyncio
import tempfile
from pathlib import Path

import blink_cli as blink

GROUP = "239.255.66.81:7668"
FRAMES = 10
"""Of 10 ms: a reading each tenth of a second."""

SOFTEST_DBOV = -60


async def meter(session: blink.Session, readings: int) -> dict[str, int]:
    """Draw so many readings of each point; returns the loudest of each, in dBov."""
    names: dict[str, str] = {}
    loudest: dict[str, int] = {}
    window: dict[str, list[int]] = {}
    drawn = 0
    async with session.tap() as tap:
        async for frame in tap:
            if frame.peer is not None and frame.peer not in names:
                participants = (await session.participants()).participants
                names.update({one.did: one.nickname for one in participants})
            who = frame.point if frame.peer is None else names.get(frame.peer, frame.peer[-8:])
            levels = window.setdefault(who, [])
            levels.append(frame.level_dbov)
            if len(levels) == FRAMES:
                level = max(levels)
                loudest[who] = max(level, loudest.get(who, level))
                print(f"{who:10}{'#' * max(0, (level - SOFTEST_DBOV) // 2):30}{level:5} dBov")
                levels.clear()
                drawn += 1
                if drawn == readings:
                    break
    return loudest


async def main(folder: Path, group: str = GROUP, readings: int = 24) -> None:
    """Listen to a call of one's own making."""
    async with (
        blink.open_session(
            profile="alice", data_dir=folder, group=group, input="tone:440", output="null"
        ) as alice,
        blink.open_session(
            profile="bob", data_dir=folder, group=group, input="tone:330", output="null", auto_accept="anyone"
        ),
        await alice.offer("bob", wait_s=10),
    ):
        loudest = await meter(alice, readings)
    if loudest.get("bob", SOFTEST_DBOV) <= SOFTEST_DBOV:
        raise SystemExit("bob was not heard")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(Path(folder)))

"""Writes everything that happens in a running session into a file, a JSON object a line.

blink serve &
python examples/events_to_file.py events.jsonl
"""

import asyncio
import json
import sys
from pathlib import Path

import blink_cli as blink


async def write_events(session: blink.Session, path: Path) -> int:
    """Write until the session ends; returns how many events it were."""
    count = 0
    with path.open("a", encoding="utf-8", buffering=1) as file:
        async with session.events() as events:
            file.write(json.dumps(blink.to_json(events.snapshot)) + "\n")
            async for event in events:
                file.write(json.dumps(blink.to_json(event)) + "\n")
                count += 1
    return count


async def main(path: Path) -> None:
    """Follow the session of the usual profile."""
    try:
        async with blink.connect() as session:
            print(f"{await write_events(session, path)} events in {path}")
    except blink.NoSessionError as error:
        raise SystemExit(f"{error} {error.hint}") from error


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1] if len(sys.argv) > 1 else "events.jsonl")))

"""A bot that answers every call, plays a sound file to the caller, and hangs up.

python examples/answering_bot.py announcement.wav      another session: blink offer bot
"""

import asyncio
import sys
from pathlib import Path

import blink_cli as blink


async def run_bot(
    session: blink.Session, sound: Path, *, calls: int | None = None, seconds: float = 30.0
) -> None:
    """Answer one call after the other; `calls`: so many, else until the session is told to end."""
    answered = 0
    while calls is None or answered < calls:
        call = await session.next_call()
        await session.set_input(f"file:{sound}")  # from its beginning, for this caller
        try:
            await call.accept(wait_s=10)
        except blink.NotFoundError as error:
            print(f"nobody there any more: {error}")
            continue
        answered += 1
        print(f"answered {call.id[:8]}")
        try:
            await call.until_over(timeout_s=seconds)
        except blink.NotFoundError:
            await call.leave()  # it goes on: that was enough


async def main(sound: Path) -> None:
    """Run until Ctrl-C or `blink --profile bot quit`."""
    async with (
        blink.open_session(profile="bot", nickname="bot", input="silence", output="null") as session,
        asyncio.TaskGroup() as group,
    ):
        bot = group.create_task(run_bot(session, sound))
        await session.until_ended()
        bot.cancel()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else blink.sample_speech()))

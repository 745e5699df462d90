"""Works with a session that runs already: `blink`, `blink serve`, or another program's.

blink serve --input tone:440 --output null &
python examples/use_running_session.py
"""

import asyncio

import blink_cli as blink


async def describe(session: blink.Session) -> list[str]:
    """Say what it does now, and who is there."""
    status = await session.status()
    lines = [f"{status.nickname} ({status.did}), process {status.pid}, input {status.input}"]
    peers = (await session.peers()).peers
    lines += [f"  {peer.nickname}: {'here' if peer.alive else 'gone'}" for peer in peers]
    if status.call is not None:
        lines += [f"  in the call: {one.nickname}, {one.link}" for one in status.call.participants]
    muted = await session.ask(blink.requests.SetMuted(muted=True))  # any request, by its own name
    lines.append(f"muted: {muted.ok}")
    await session.unmute()
    return lines


async def main() -> None:
    """Describe the session of the usual profile."""
    try:
        async with blink.connect() as session:
            print("\n".join(await describe(session)))
    except blink.NoSessionError as error:
        raise SystemExit(f"{error} {error.hint}") from error


if __name__ == "__main__":
    asyncio.run(main())

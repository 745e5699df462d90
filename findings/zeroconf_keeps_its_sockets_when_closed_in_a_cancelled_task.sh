#!/usr/bin/env bash
# zeroconf 0.154.0 (PyPI), CPython 3.11, Linux: `AsyncZeroconf.async_close()` in the `finally` of a cancelled task raises CancelledError, and leaves the
# sockets open, if an earlier wait for the start was cancelled.
#
# Expected: a task that was cancelled once may await in its `finally`; nobody cancels it again. Closing there closes.
#
# Seen: `async_wait_for_start` awaits the engine's `running_future` itself, so cancelling one who waits cancels that future for good. `async_close` waits for the start first, gets
# CancelledError from the future, and `wait_future_or_timeout` tells by `asyncio.current_task().cancelling()` whether it is the caller who is cancelled: that is still 1 in the `finally` of a cancelled
# task (only `uncancel()` lowers it), so it raises what is none of the caller's. Nothing behind it runs: the group's port 5353 stays bound and joined until the process ends. In a task that is not
# being cancelled the same close works, so tests that close in an ordinary way never see it; a program whose `async with` is cancelled during the first 10 ms does.
#
# Exits 0 if it is so, 1 if it is not, 77 if zeroconf cannot be had here.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$work/site" zeroconf==0.154.0 ifaddr==0.2.0 2>/dev/null || exit 77

cat >"$work/try.py" <<'PY'
import asyncio

from zeroconf.asyncio import AsyncZeroconf


async def closed(*, cancelled: bool) -> tuple[str, int]:
    zeroconf = AsyncZeroconf(interfaces=["127.0.0.1"])
    engine = zeroconf.zeroconf.engine
    waiting = asyncio.ensure_future(zeroconf.zeroconf.async_wait_for_start())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    ended = "closed"

    async def close() -> None:
        nonlocal ended
        try:
            await asyncio.Event().wait() if cancelled else None
        finally:
            try:
                await zeroconf.async_close()
            except asyncio.CancelledError:
                ended = "CancelledError"

    closing = asyncio.ensure_future(close())
    await asyncio.sleep(0.2)  # the sockets are open by now
    if cancelled:
        closing.cancel()  # once
    await asyncio.wait([closing])
    transports = {id(one.transport): one.transport for one in (*engine.readers, *engine.senders)}.values()
    still_open = [one for one in transports if not one.is_closing()]
    for one in still_open:
        one.close()
    return ended, len(still_open)


for cancelled in (False, True):
    ended, still_open = asyncio.run(closed(cancelled=cancelled))
    print(f"in a task that is {'being cancelled' if cancelled else 'not cancelled'}: {ended}, {still_open} transports open")
PY
said=$(PYTHONPATH="$work/site" python3 "$work/try.py")
printf '%s\n' "$said"
grep -q "^in a task that is not cancelled: closed, 0 transports open$" <<<"$said"
grep -Eq "^in a task that is being cancelled: CancelledError, [1-9] transports open$" <<<"$said"
